"""The functions of exported programs: plain NumPy without types.

They compute the sums of `engine` in the same order, so that all numbers are equal to the bit; a test compares them.
Names are unique over these modules. Must not import anything except each other, NumPy and the standard library.
"""
