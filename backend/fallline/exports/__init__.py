"""Exported files: recipe, history, parameters, report, and a run as a program.

Each kind of file has a module; `table` lists them.
"""
