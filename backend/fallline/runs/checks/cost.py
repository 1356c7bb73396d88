"""A rough estimate of a recipe's cost, without trying it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

CALL_SECONDS = 12e-6
"""Fixed cost of a layer of any size: a dozen calls into NumPy."""

UNIT_SECONDS = 4e-9
"""One activation of one sample, forward and back (900 samples of 4-4 units take about 30 microseconds)."""

MULTIPLY_SECONDS = 0.1e-9
"""One multiply-add in a matrix product of one BLAS thread at middling sizes."""


def parameter_count(sizes: Sequence[int]) -> int:
    """Return the number of weights and biases of layers of these sizes, inputs first."""
    return sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(sizes))


def step_seconds(sizes: Sequence[int], batch: int, evaluated: int) -> float:
    """Return the seconds of a step: `batch` forward and back, `evaluated` forward."""
    multiplies = parameter_count(sizes) * (3 * batch + evaluated)
    activations = sum(sizes[1:]) * (batch + evaluated)
    return CALL_SECONDS * len(sizes) + MULTIPLY_SECONDS * multiplies + UNIT_SECONDS * activations
