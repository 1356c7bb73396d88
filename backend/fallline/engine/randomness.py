"""Random generators by address: (seed, purpose, position).

There is no global generator, so no draw affects another, and the batch of step n is the same on every path to it.
"""

from __future__ import annotations

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
    "replacement": 11,
    "plane": 12,
}
"""These numbers are part of every address: add new ones, never change one."""


# An address fills at most the four words of SeedSequence's pool, so different addresses never share a pool.
def rng_for(seed: int, purpose: str, position: int = 0) -> np.random.Generator:
    """The generator at an address; seed and position below 2**32 and 2**64."""
    address = np.random.SeedSequence((seed, PURPOSES[purpose], position))
    return np.random.Generator(np.random.PCG64(address))
