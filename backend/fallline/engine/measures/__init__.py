"""Exact measurements of a state that cost more than a step, such as curvature. Read-only.

`second_derivatives` has the tables for `curvature`; `edge` computes the limits to compare with.
"""
