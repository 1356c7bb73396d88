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
    """The limit under these settings, with the optimizer's state at this step."""
    rate, own = rate_of(settings)(state.step), OPTIMIZERS[settings.optimizer].filled(settings.own)
    slots = state.slots if state.optimizer == settings.optimizer else {}
    match settings.optimizer:
        case "momentum":
            return Edge(_over(2.0 * (1.0 + own["momentum"]), rate), "2 (1 + momentum) / learning_rate")
        case "nesterov":
            beta = own["momentum"]
            limit = _over(2.0 * (1.0 + beta), (1.0 + 2.0 * beta) * rate)
            return Edge(limit, "2 (1 + momentum) / ((1 + 2 momentum) learning_rate)")
        case "adagrad" | "rmsprop":
            root = _root(slots, own, 1.0)
            return Edge(_over(2.0, rate), "2 / learning_rate", _scale(root), root is not None)
        case "adam" | "adamw":
            beta1, count = own["beta1"], float(slots["count"][0]) if slots else 0.0
            root = _root(slots, own, 1.0 - own["beta2"] ** count) if count else None
            # Bias correction of the mean lengthens early steps, so the divisor is smaller.
            divisor = None if root is None else root * (1.0 - beta1**count)
            limit = _over(2.0 * (1.0 + beta1), (1.0 - beta1) * rate)
            return Edge(
                limit, "2 (1 + beta1) / ((1 - beta1) learning_rate)", _scale(divisor), root is not None
            )
        case _:
            return Edge(_over(2.0, rate), "2 / learning_rate")


def _over(above: float, rate: float) -> float:
    """above / rate; infinite for a rate of 0, which is always stable."""
    return above / rate if rate > 0.0 else math.inf


def _root(slots: dict[str, Array], own: dict[str, float], correction: float) -> Array | None:
    if not slots:
        return None
    return np.asarray(np.sqrt(slots["square"] / correction) + own["epsilon"])


def _scale(divisor: Array | None) -> Array | None:
    return None if divisor is None else np.asarray(1.0 / np.sqrt(divisor))
