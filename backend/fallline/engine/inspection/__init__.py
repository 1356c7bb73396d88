"""One change of the parameters, line by line: NumPy expressions and their values.

`formulas` has the lines of every row of the tables; `sheet` evaluates them.
"""
