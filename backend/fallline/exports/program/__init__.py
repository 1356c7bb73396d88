"""A run as a program that needs only NumPy.

It consists of sections:

- `pieces` selects the functions of a run, most of them from the engine;
- `phases` lists the settings by step;
- `steps` has the lines of a step;
- `embedded` contains uploaded tables and parameters;
- `sections` puts the program together;
- `notebook` makes `script.py` and a Jupyter notebook of it.
"""
