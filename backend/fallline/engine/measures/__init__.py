"""Read-only measurements of a state that cost more than a step.

`second_derivatives` has the tables for `curvature`; `edge` computes the limits to compare with.
"""
