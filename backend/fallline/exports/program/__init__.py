"""A run as a program that needs NumPy only: its sections, joined by `script` and by `notebook`.

`parts` holds the functions that a program may need, as plain Python; `pieces` cuts out those that a run does need;
`phases` says what is in force when; `sections` puts the program together.
"""
