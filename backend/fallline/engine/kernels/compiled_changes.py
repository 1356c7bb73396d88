"""The compiled rows of the table of optimizers: a code, and a branch in `change`, for every optimizer that has one; the
rest is served by NumPy. Must not know how gradients are made, or the loop.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from fallline.engine.kernels.compiled_code import Array, compiled

SGD, MOMENTUM, NESTEROV, ADAGRAD, RMSPROP, ADAM, ADAMW = range(7)


class OptimizerCode(NamedTuple):
    """An optimizer's code, its slots of one number a parameter (at most two), its own parameters in the order in which
    `change` reads them, and whether it counts its steps in a slot `count`.
    """

    code: int
    vectors: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    counts: bool = False


OPTIMIZER_CODES = {
    "sgd": OptimizerCode(SGD),
    "momentum": OptimizerCode(MOMENTUM, ("velocity",), ("momentum",)),
    "nesterov": OptimizerCode(NESTEROV, ("velocity",), ("momentum",)),
    "adagrad": OptimizerCode(ADAGRAD, ("square",), ("epsilon",)),
    "rmsprop": OptimizerCode(RMSPROP, ("square",), ("decay", "epsilon")),
    "adam": OptimizerCode(ADAM, ("mean", "square"), ("beta1", "beta2", "epsilon"), counts=True),
    "adamw": OptimizerCode(
        ADAMW, ("mean", "square"), ("beta1", "beta2", "epsilon", "weight_decay"), counts=True
    ),
}


@compiled
def corrections(code: int, hyper: Array, count: float) -> tuple[float, float]:
    """What an optimizer computes once a step, whatever the number of parameters."""
    if code >= ADAM:
        return hyper[0] / (1.0 - hyper[1] ** count), 1.0 / math.sqrt(1.0 - hyper[2] ** count)
    return 0.0, 0.0


@compiled
def change(
    code: int, hyper: Array, once: tuple[float, float], P: Array, G: Array, C: Array, S: Array, R: Array,
    first: int, stop: int, before: int, after: int,
) -> tuple[float, float, float, float]:  # fmt: skip
    """The change of the parameters first .. stop - 1, read in P, S, R from `before` on and written from `after` on.

    `hyper` is the rate and the optimizer's own; S and R are its memory; C is the gradient within its bounds, which may
    be G itself. Returns the sum of |g|, and the sums of the squares of g, of the change, and of the parameters before
    it.
    """
    size = squares = moved = own = 0.0
    for k in range(first, stop):
        g, p = G[k], P[before + k]
        size += abs(g)
        squares += g * g
        own += p * p
    if code == SGD:
        for k in range(first, stop):
            step = hyper[0] * C[k]
            P[after + k] = P[before + k] - step
            moved += step * step
    elif code == MOMENTUM:
        for k in range(first, stop):
            velocity = hyper[1] * S[before + k] + C[k]
            S[after + k] = velocity
            step = hyper[0] * velocity
            P[after + k] = P[before + k] - step
            moved += step * step
    elif code == NESTEROV:
        for k in range(first, stop):
            velocity = hyper[1] * S[before + k] + C[k]
            S[after + k] = velocity
            step = hyper[0] * (C[k] + hyper[1] * velocity)
            P[after + k] = P[before + k] - step
            moved += step * step
    elif code == ADAGRAD:
        for k in range(first, stop):
            square = S[before + k] + C[k] * C[k]
            S[after + k] = square
            step = hyper[0] * C[k] / (math.sqrt(square) + hyper[1])
            P[after + k] = P[before + k] - step
            moved += step * step
    elif code == RMSPROP:
        for k in range(first, stop):
            square = hyper[1] * S[before + k] + (1.0 - hyper[1]) * (C[k] * C[k])
            S[after + k] = square
            step = hyper[0] * C[k] / (math.sqrt(square) + hyper[2])
            P[after + k] = P[before + k] - step
            moved += step * step
    else:
        shrink = hyper[0] * hyper[4] if code == ADAMW else 0.0
        for k in range(first, stop):
            g = C[k]
            mean = hyper[1] * S[before + k] + (1.0 - hyper[1]) * g
            square = hyper[2] * R[before + k] + (1.0 - hyper[2]) * (g * g)
            S[after + k], R[after + k] = mean, square
            step = once[0] * mean / (math.sqrt(square) * once[1] + hyper[3]) + shrink * P[before + k]
            P[after + k] = P[before + k] - step
            moved += step * step
    return size, squares, moved, own
