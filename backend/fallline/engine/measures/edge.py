"""Largest curvature at which full-batch steps of an optimizer stay stable.

On a parabola of curvature h an optimizer with a constant rate is stable up to a limit of h. The limit is 2 / rate
for gradient descent. With momentum: Cohen et al. 2021, arXiv:2103.00065, appendix B. Optimizers that scale every
entry of their steps see the Hessian through that scale: Cohen et al. 2022, arXiv:2207.14484.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.methods.schedules import rate_of
from fallline.engine.problem import Layout
from fallline.engine.state import TrainingState
from fallline.engine.training import in_force
from fallline.vocabulary.arrays import Array
from fallline.vocabulary.run_settings import RunSettings


@dataclass(frozen=True, slots=True)
class Edge:
    """The limit of curvature, and the scale s of diag(s) H diag(s); None means H.

    `formula` is the limit as text. `known` is false for a scaling optimizer before its first step, and
    for one without a limit.
    """

    limit: float
    formula: str
    scale: Array | None = None
    known: bool = True


def edge_of(settings: RunSettings, state: TrainingState, layout: Layout | None = None) -> Edge:
    """The limit under these settings, with the optimizer's state at this step; infinite for a rate of 0.

    Factors of the rate per layer are a part of the scale, which needs the `layout`.
    """
    row = OPTIMIZERS[settings.optimizer]
    stability, own = row.stability, row.filled(settings.own)
    above, below = stability.terms(own)
    below *= rate_of(in_force(settings, state))(state.step)
    limit = above / below if below > 0.0 else math.inf
    if settings.layer_rates and layout is None:
        return Edge(limit, stability.formula, known=False)
    factors = layout.per_layer(settings.layer_rates) if layout and settings.layer_rates else None
    if stability.divisor is None:
        return Edge(limit, stability.formula, None if factors is None else np.sqrt(factors))
    slots = state.slots if state.optimizer == settings.optimizer else {}
    if not slots or ("count" in slots and not slots["count"][0]):
        return Edge(limit, stability.formula, known=False)
    divisor = stability.divisor(slots, own)
    if divisor is None:
        return Edge(limit, stability.formula, known=False)
    return Edge(limit, stability.formula, np.sqrt((1.0 if factors is None else factors) / divisor))
