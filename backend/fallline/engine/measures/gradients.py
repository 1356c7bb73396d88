"""Statistics of the next gradient, and its angle to the full gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fallline.vocabulary.arrays import Array

BARS = 20
"""Number of histogram bars, of equal width, over the finite entries."""
LEAST = 1e-300
"""Smaller numbers have too few floats between them for bars."""


@dataclass(frozen=True, slots=True)
class ParameterGradient:
    """Statistics of one parameter P: sum, norm and mean of |dP|, relative change.

    - `ratio_norm` is |change|_2 / |P|_2, which the series `ratio/P` records.
    - `ratio_sd` is the standard deviation of the change over the deviation of P (Karpathy's update to data ratio; his
      rule of thumb is 1e-3).
    - Both ratios are None if P is 0 or has no spread.
    - `edges` (BARS + 1) and `counts` (BARS) are a histogram of dP; `zeros` counts its exact zeros.
    """

    l1: float
    l2: float
    mean: float
    ratio_norm: float | None
    ratio_sd: float | None
    edges: list[float]
    counts: list[int]
    zeros: int


def gradient_of(gradient: Array, change: Array, parameter: Array) -> ParameterGradient:
    """The statistics, from three arrays of one shape.

    The histogram leaves out entries that are not finite; the other numbers are not finite then.
    """
    with np.errstate(all="ignore"):
        size = np.abs(gradient)
        counts, edges = _histogram(gradient[np.isfinite(gradient)])
        return ParameterGradient(
            l1=float(size.sum()),
            l2=_norm(gradient),
            mean=float(size.mean()),
            ratio_norm=_ratio(_norm(change), _norm(parameter)),
            ratio_sd=_ratio(float(change.std()), float(parameter.std())),
            edges=edges.tolist(),
            counts=counts.tolist(),
            zeros=int((gradient == 0.0).sum()),
        )


def cosine(one: Array, other: Array) -> float | None:
    """The cosine of the angle between two vectors; None if one of them is 0."""
    lengths = _norm(one) * _norm(other)
    return max(-1.0, min(1.0, float((one * other).sum()) / lengths)) if lengths > 0.0 else None


def _histogram(entries: Array) -> tuple[NDArray[np.int64], Array]:
    """Counts and edges; equal entries get bars around them as wide as they are large."""
    lowest, highest = (float(entries.min()), float(entries.max())) if entries.size else (0.0, 0.0)
    if (np.diff(np.linspace(lowest, highest, BARS + 1)) <= 0.0).any():
        half = max(abs(lowest), abs(highest))
        half = max(half, LEAST) if half > 0.0 else 1.0
        lowest, highest = lowest - half, highest + half
    counts, edges = np.histogram(entries, BARS, (lowest, highest))
    return counts.astype(np.int64), edges


def _norm(values: Array) -> float:
    return float(np.sqrt((values * values).sum()))


def _ratio(above: float, below: float) -> float | None:
    return above / below if below > 0.0 else None
