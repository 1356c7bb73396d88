"""Read-only measurements of a state that cost more than a step.

`edge` computes the limits to compare `curvature` with.
"""
