"""Data sets, uploaded tables and uploaded parameters: everything that becomes the arrays of a problem."""
