"""What people take away: recipe, history, parameters, and a run as a program.

One module for each kind of file; `table` has them all.
"""
