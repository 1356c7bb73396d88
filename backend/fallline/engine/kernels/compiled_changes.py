"""Compiled rows of the table of optimizers: a code, and a branch in `change`.

NumPy computes optimizers without a code.
"""

from __future__ import annotations

import math

from fallline.engine.kernels.compiled_code import Array, compiled, compiled_in_place
from fallline.engine.kernels.compiled_work import Memory, Method

SGD, MOMENTUM, NESTEROV, ADAGRAD, RMSPROP, ADAM, ADAMW = range(7)

OPTIMIZER_CODES = {
    "sgd": SGD,
    "momentum": MOMENTUM,
    "nesterov": NESTEROV,
    "adagrad": ADAGRAD,
    "rmsprop": RMSPROP,
    "adam": ADAM,
    "adamw": ADAMW,
}
"""An optimizer with a code has at most two vectors as slots."""


@compiled
def change(method: Method, memory: Memory, s: int) -> tuple[Array, float]:
    """Change all parameters at step s; return the change as a vector and a factor."""
    # hyper is the rate, then the row's parameters in their order; S and R are its vectors
    C, M, rate, n = memory.C, memory.M, method.hyper[0], len(memory.C)
    before, after = s % 3 * n, (s + 1) % 3 * n
    p, q = memory.P[before : before + n], memory.P[after : after + n]
    if method.optimizer == SGD:
        for k in range(n):
            q[k] = p[k] - rate * C[k]
        return C, rate
    _remember(method, memory, method.counted + s + 1, before, after)
    for k in range(n):
        q[k] = p[k] - M[k]
    return M, 1.0


@compiled_in_place
def _remember(method: Method, memory: Memory, count: float, before: int, after: int) -> None:
    """Compute the change of an optimizer with slots into M, and update the slots.

    The slots are read from `before` on and written from `after` on. `count` includes this step.
    """
    code, hyper, C, M, n = method.optimizer, method.hyper, memory.C, memory.M, len(memory.C)
    rate, decay = hyper[0], hyper[1]
    s, t = memory.S[before : before + n], memory.S[after : after + n]
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
        p, r, u = memory.P[before : before + n], memory.R[before : before + n], memory.R[after : after + n]
        for k in range(n):
            mean = decay * s[k] + (1.0 - decay) * C[k]
            square = decay2 * r[k] + (1.0 - decay2) * (C[k] * C[k])
            t[k], u[k] = mean, square
            M[k] = unbiased * mean / (math.sqrt(square) * root + epsilon) + shrink * p[k]
