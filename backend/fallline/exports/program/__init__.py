"""A run as a program that needs only NumPy.

It consists of sections that `script` and `notebook` join. All functions are in `parts` as plain Python. `pieces`
selects the functions of a run. `phases` lists the settings by step; `sections` puts the program together.
"""
