"""The functions that an exported program is made of, as they stand in it: plain NumPy, no types, no fallline.

They do the sums of `engine` in the same order, so that every number is equal to the bit; a test holds each to its row.
Names are unique over all modules here. Must not import anything but each other, NumPy and the standard library.
"""
