"""Exact measurements of a state that cost more than a step: curvature, gradient noise. Read-only.

`second_derivatives` has the tables behind `curvature`, `edge` the limits to compare with. Must not
know runs or viewers.
"""
