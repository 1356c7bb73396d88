"""A run as a program that needs only NumPy: sections, joined by `script` and by `notebook`.

`parts` has all functions as plain Python, and `pieces` selects those that a run needs. `phases` lists the settings by
step; `sections` puts the program together.
"""
