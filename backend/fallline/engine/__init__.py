"""Training: arrays in, arrays out. No I/O, no clock, no global state.

`training.advance` is the only thing that steps a network. The rest are tables (data sets, activations,
losses, optimizers, initializers), the problem that runs share, and probes that look without touching.
"""
