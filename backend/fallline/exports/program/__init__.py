"""A run as a program that needs only NumPy.

It consists of sections, which `script` and `notebook` join. `parts` has all functions as plain Python. `pieces`
selects those that a run needs. `phases` lists the settings by step; `sections` puts the program together.
"""
