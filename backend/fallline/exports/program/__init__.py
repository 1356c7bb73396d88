"""A run as a program that needs only NumPy.

It consists of sections that `script` and `notebook` join. There:

- `pieces` selects the functions of a run, most of them from the engine;
- `phases` lists the settings by step;
- `sections` puts the program together.
"""
