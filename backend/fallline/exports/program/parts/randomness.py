"""Random numbers by address."""

import numpy as np

PURPOSES = {
    "inputs": 1,
    "coefficients": 2,
    "noise": 3,
    "split": 4,
    "weights": 5,
    "biases": 6,
    "order": 7,
    "labels": 8,
    "rows": 9,
    "redraw": 10,
}


def generator(seed, purpose, position=0):
    """Return random numbers by address, independent of earlier draws."""
    address = np.random.SeedSequence((seed, PURPOSES[purpose], position))
    return np.random.Generator(np.random.PCG64(address))
