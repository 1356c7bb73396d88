"""Training: arrays in, arrays out. No I/O, no clock, no global state.

Only `training.advance` steps a network. The other modules are tables (data sets, activations, losses, optimizers,
initializers), the problem that runs share, and read-only measurements.
"""
