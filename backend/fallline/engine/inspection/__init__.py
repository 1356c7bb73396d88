"""One change of the parameters, line by line: what NumPy would be told, and what it answers.

`formulas` holds the lines of every row of the tables, `sheet` reckons them. Must not know who reads them.
"""
