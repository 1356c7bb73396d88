"""Largest curvature at which full-batch steps of an optimizer stay stable.

On a parabola of curvature h an optimizer with a constant rate is stable up to a limit of h: 2 / rate for gradient
descent. With momentum: Cohen et al. 2021, arXiv:2103.00065, appendix B. Optimizers that scale every entry of their
steps see the Hessian through that scale: Cohen et al. 2022, arXiv:2207.14484.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.methods.schedules import rate_of
from fallline.engine.state import TrainingState
from fallline.vocabulary.run_settings import RunSettings

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Edge:
    """The limit of curvature, and the scale s of diag(s) H diag(s); None means H.

    `formula` is the limit as text. `known` is false for a scaling optimizer before its first step.
    """

    limit: float
    formula: str
    scale: Array | None = None
    known: bool = True


def edge_of(settings: RunSettings, state: TrainingState) -> Edge:
    """The limit under these settings, with the optimizer's state at this step; infinite for a rate of 0."""
    row = OPTIMIZERS[settings.optimizer]
    stability, own = row.stability, row.filled(settings.own)
    above, below = stability.terms(own)
    below *= rate_of(settings)(state.step)
    limit = above / below if below > 0.0 else math.inf
    if stability.divisor is None:
        return Edge(limit, stability.formula)
    slots = state.slots if state.optimizer == settings.optimizer else {}
    if not slots or (row.counts and not slots["count"][0]):
        return Edge(limit, stability.formula, known=False)
    return Edge(limit, stability.formula, 1.0 / np.sqrt(stability.divisor(slots, own)))
