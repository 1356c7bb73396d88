"""The compiled rows of the table of optimizers: a code, and a branch in `change`, for every optimizer that has one; the
rest is served by NumPy. Must not know how gradients are made, or the loop.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from fallline.engine.kernels.compiled_code import Array, compiled, compiled_in_place

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
def change(
    code: int, hyper: Array, count: float, P: Array, C: Array, S: Array, R: Array, M: Array, before: int, after: int
) -> tuple[Array, float]:  # fmt: skip
    """The change of all parameters, read in P, S, R from `before` on and written from `after` on. Returns what was
    subtracted as a vector and a number to multiply it by; M is room for the vector.

    `hyper` is the rate and the optimizer's own, `count` the steps that it has counted with this one; S and R are its
    memory; C is the gradient within its bounds.
    """
    n, rate = len(C), hyper[0]
    p, q = P[before : before + n], P[after : after + n]
    if code == SGD:
        for k in range(n):
            q[k] = p[k] - rate * C[k]
        return C, rate
    _remember(code, hyper, count, p, C, S[before : before + n], S[after : after + n], R, M, before, after)
    for k in range(n):
        q[k] = p[k] - M[k]
    return M, 1.0


@compiled_in_place
def _remember(
    code: int, hyper: Array, count: float, p: Array, C: Array, s: Array, t: Array, R: Array, M: Array,
    before: int, after: int,
) -> None:  # fmt: skip
    """What an optimizer with a memory subtracts; its memory is `s`, and will be `t`."""
    n, rate, decay = len(C), hyper[0], hyper[1]
    if code == MOMENTUM:
        for k in range(n):
            velocity = decay * s[k] + C[k]
            t[k], M[k] = velocity, rate * velocity
    elif code == NESTEROV:
        for k in range(n):
            velocity = decay * s[k] + C[k]
            t[k], M[k] = velocity, rate * (C[k] + decay * velocity)
    elif code == ADAGRAD:
        epsilon = hyper[1]
        for k in range(n):
            square = s[k] + C[k] * C[k]
            t[k], M[k] = square, rate * C[k] / (math.sqrt(square) + epsilon)
    elif code == RMSPROP:
        epsilon = hyper[2]
        for k in range(n):
            square = decay * s[k] + (1.0 - decay) * (C[k] * C[k])
            t[k], M[k] = square, rate * C[k] / (math.sqrt(square) + epsilon)
    else:
        decay2, epsilon, shrink = hyper[2], hyper[3], rate * hyper[4] if code == ADAMW else 0.0
        unbiased, root = rate / (1.0 - decay**count), 1.0 / math.sqrt(1.0 - decay2**count)
        r, u = R[before : before + n], R[after : after + n]
        for k in range(n):
            mean = decay * s[k] + (1.0 - decay) * C[k]
            square = decay2 * r[k] + (1.0 - decay2) * (C[k] * C[k])
            t[k], u[k] = mean, square
            M[k] = unbiased * mean / (math.sqrt(square) * root + epsilon) + shrink * p[k]
