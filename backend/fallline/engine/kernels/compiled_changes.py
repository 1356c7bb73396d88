"""Compiled rows of the table of optimizers: a code, and a branch in `change`.

NumPy computes optimizers without a code.
"""

from __future__ import annotations

import math

from fallline.engine.kernels.compiled_code import Array, compiled, compiled_in_place
from fallline.engine.kernels.compiled_work import Memory, Method
from fallline.engine.methods.optimizers import PAIRS

SGD, MOMENTUM, NESTEROV, ADAGRAD, RMSPROP, ADAM, ADAMW = range(7)
DAMPENED_MOMENTUM, ADADELTA, RMSPROP_MOMENTUM, RMSPROP_CENTERED = range(7, 11)
AMSGRAD, ADAMAX, NADAM, RADAM, LION, LBFGS = range(11, 17)

OPTIMIZER_CODES = {
    "sgd": SGD,
    "momentum": MOMENTUM,
    "dampened_momentum": DAMPENED_MOMENTUM,
    "nesterov": NESTEROV,
    "adagrad": ADAGRAD,
    "adadelta": ADADELTA,
    "rmsprop": RMSPROP,
    "rmsprop_momentum": RMSPROP_MOMENTUM,
    "rmsprop_centered": RMSPROP_CENTERED,
    "adam": ADAM,
    "adamw": ADAMW,
    "amsgrad": AMSGRAD,
    "adamax": ADAMAX,
    "nadam": NADAM,
    "radam": RADAM,
    "lion": LION,
    "lbfgs": LBFGS,
}


@compiled
def change(method: Method, memory: Memory, s: int) -> tuple[Array, float]:
    """Change all parameters at step s; return the change as a vector and a factor."""
    # hyper is the rate, then the row's parameters in their order; S has its vectors, N its numbers
    C, M, rate, n = memory.C, memory.M, method.hyper[0], len(memory.C)
    before, after = s % 3 * n, (s + 1) % 3 * n
    p, q = memory.P[before : before + n], memory.P[after : after + n]
    if method.optimizer == SGD and not len(method.factors):
        for k in range(n):
            q[k] = p[k] - rate * C[k]
        return C, rate
    count = _count(memory, s)
    if method.optimizer == SGD:
        for k in range(n):
            M[k] = rate * C[k]
    elif method.optimizer <= ADAMW:
        _remember(method, memory, count, before, after)
    elif method.optimizer <= RMSPROP_CENTERED:
        _remember_scales(method, memory, count, before, after)
    elif method.optimizer == LBFGS:
        _remember_pairs(method, memory, count, before, after)
    else:
        _remember_means(method, memory, count, s)
    for k in range(len(method.decays)):
        M[k] += rate * method.decays[k] * p[k]
    for k in range(len(method.factors)):
        M[k] *= method.factors[k]
    for k in range(n):
        q[k] = p[k] - M[k]
    if method.optimizer == LBFGS:
        for k in range(n):
            memory.S[1, after + k] = -M[k]
    return M, 1.0


@compiled_in_place
def _count(memory: Memory, s: int) -> float:
    """Count step s, if the optimizer counts; return the number of its steps."""
    numbers = len(memory.N) // 3
    if numbers == 0:
        return 0.0
    count = float(memory.N[s % 3 * numbers]) + 1.0
    memory.N[(s + 1) % 3 * numbers] = count
    return count


@compiled_in_place
def _remember(method: Method, memory: Memory, count: float, before: int, after: int) -> None:
    """Compute the change of an optimizer with slots into M, and update the slots.

    The slots are read from `before` on and written from `after` on. `count` includes this step.
    """
    code, hyper, S, C, M = method.optimizer, method.hyper, memory.S, memory.C, memory.M
    n = len(C)
    rate, decay = hyper[0], hyper[1]
    s, t = S[0, before : before + n], S[0, after : after + n]
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
        decay2, epsilon, shrink = hyper[2], hyper[3], _shrink(method, 4) if code == ADAMW else 0.0
        unbiased, root = rate / (1.0 - decay**count), 1.0 / math.sqrt(1.0 - decay2**count)
        p, r, u = memory.P[before : before + n], S[1, before : before + n], S[1, after : after + n]
        for k in range(n):
            mean = decay * s[k] + (1.0 - decay) * C[k]
            square = decay2 * r[k] + (1.0 - decay2) * (C[k] * C[k])
            t[k], u[k] = mean, square
            M[k] = unbiased * mean / (math.sqrt(square) * root + epsilon) + shrink * p[k]


@compiled
def _remember_scales(method: Method, memory: Memory, count: float, before: int, after: int) -> None:
    """As `_remember`, for variants of momentum and RMSProp."""
    code, hyper, S, C, M = method.optimizer, method.hyper, memory.S, memory.C, memory.M
    n = len(C)
    rate, decay = hyper[0], hyper[1]
    s, t = S[0, before : before + n], S[0, after : after + n]
    if code == DAMPENED_MOMENTUM:
        share = 1.0 - hyper[2] if count > 1.0 else 1.0
        for k in range(n):
            velocity = decay * s[k] + share * C[k]
            t[k], M[k] = velocity, rate * velocity
        return
    epsilon, r, u = hyper[2], S[1, before : before + n], S[1, after : after + n]
    if code == ADADELTA:
        for k in range(n):
            square = decay * s[k] + (1.0 - decay) * (C[k] * C[k])
            step = math.sqrt(r[k] + epsilon) / math.sqrt(square + epsilon) * C[k]
            t[k], u[k], M[k] = square, decay * r[k] + (1.0 - decay) * (step * step), rate * step
    elif code == RMSPROP_MOMENTUM:
        share = hyper[3]
        for k in range(n):
            square = decay * s[k] + (1.0 - decay) * (C[k] * C[k])
            velocity = share * r[k] + C[k] / (math.sqrt(square) + epsilon)
            t[k], u[k], M[k] = square, velocity, rate * velocity
    else:
        share, v, w = hyper[3], S[2, before : before + n], S[2, after : after + n]
        for k in range(n):
            square = decay * s[k] + (1.0 - decay) * (C[k] * C[k])
            mean = decay * r[k] + (1.0 - decay) * C[k]
            variance = square - mean * mean
            root = math.sqrt(0.0 if variance < 0.0 else variance)
            velocity = share * v[k] + C[k] / (root + epsilon)
            t[k], u[k], w[k], M[k] = square, mean, velocity, rate * velocity


@compiled
def _remember_means(method: Method, memory: Memory, count: float, step: int) -> None:
    """As `_remember`, for variants of Adam."""
    code, hyper, S, C, M = method.optimizer, method.hyper, memory.S, memory.C, memory.M
    n = len(C)
    before, after = step % 3 * n, (step + 1) % 3 * n
    rate, beta1, beta2 = hyper[0], hyper[1], hyper[2]
    p, s, t = memory.P[before : before + n], S[0, before : before + n], S[0, after : after + n]
    if code == LION:
        shrink = _shrink(method, 3)
        for k in range(n):
            way = beta1 * s[k] + (1.0 - beta1) * C[k]
            t[k] = beta2 * s[k] + (1.0 - beta2) * C[k]
            M[k] = shrink * p[k] + (rate if way > 0.0 else (-rate if way < 0.0 else 0.0))
        return
    epsilon, unbiased, share = hyper[3], rate / (1.0 - beta1**count), 1.0 - beta2**count
    r, u = S[1, before : before + n], S[1, after : after + n]
    if code == ADAMAX:
        for k in range(n):
            t[k], u[k] = beta1 * s[k] + (1.0 - beta1) * C[k], max(beta2 * r[k], abs(C[k]) + epsilon)
            M[k] = unbiased * t[k] / u[k]
        return
    for k in range(n):
        t[k], u[k] = beta1 * s[k] + (1.0 - beta1) * C[k], beta2 * r[k] + (1.0 - beta2) * (C[k] * C[k])
    if code == AMSGRAD:
        shrink, root = _shrink(method, 4), 1.0 / math.sqrt(share)
        v, w = S[2, before : before + n], S[2, after : after + n]
        for k in range(n):
            w[k] = max(v[k], u[k])
            M[k] = unbiased * t[k] / (math.sqrt(w[k]) * root + epsilon) + shrink * p[k]
    elif code == NADAM:
        mu, mu_next = _momentum(beta1, hyper[4], count), _momentum(beta1, hyper[4], count + 1.0)
        # the numbers of nadam are its count and its correction
        correction = 1.0 - (1.0 - memory.N[step % 3 * 2 + 1]) * mu
        memory.N[(step + 1) % 3 * 2 + 1] = correction
        of_gradient, of_mean = (1.0 - mu) / correction, mu_next / (1.0 - (1.0 - correction) * mu_next)
        for k in range(n):
            ahead = of_gradient * C[k] + of_mean * t[k]
            M[k] = rate * ahead / (math.sqrt(u[k] / share) + epsilon)
    else:
        rectifier = _rectifier(beta2, count)
        if rectifier > 0.0:
            for k in range(n):
                M[k] = unbiased * t[k] * (rectifier / (math.sqrt(u[k]) + epsilon))
        else:
            for k in range(n):
                M[k] = unbiased * t[k]


@compiled
def _remember_pairs(method: Method, memory: Memory, count: float, before: int, after: int) -> None:
    """As `_remember`, for `lbfgs`, by Nocedal's two loops. `change` stores the change.

    The first two vectors are the last gradient and change. The steps follow, then the bends, the newest last.
    """
    hyper, S, C, M, n = method.hyper, memory.S, memory.C, memory.M, len(memory.C)
    product = 0.0
    for k in range(n):
        product += (C[k] - S[0, before + k]) * S[1, before + k]
    is_pair = product > 1e-10
    for row in range(2, 2 + 2 * PAIRS):
        source = row + 1 if is_pair and row not in (1 + PAIRS, 1 + 2 * PAIRS) else row
        for k in range(n):
            S[row, after + k] = S[source, before + k]
    for k in range(n):
        if is_pair:
            S[1 + PAIRS, after + k] = S[1, before + k]
            S[1 + 2 * PAIRS, after + k] = C[k] - S[0, before + k]
        S[0, after + k] = M[k] = C[k]
    size = int(hyper[1])
    for pair in range(size):
        step, bend = 1 + PAIRS - pair, 1 + 2 * PAIRS - pair
        product = _product(S, step, bend, after, n)
        share = 0.0
        if product > 0.0:
            for k in range(n):
                share += S[step, after + k] * M[k]
            share /= product
            for k in range(n):
                M[k] -= share * S[bend, after + k]
        hyper[2 + pair] = share
    newest = _product(S, 1 + PAIRS, 1 + 2 * PAIRS, after, n)
    scale = newest / _product(S, 1 + 2 * PAIRS, 1 + 2 * PAIRS, after, n) if newest > 0.0 else 1.0
    for k in range(n):
        M[k] *= scale
    for pair in range(size - 1, -1, -1):
        step, bend = 1 + PAIRS - pair, 1 + 2 * PAIRS - pair
        product = _product(S, step, bend, after, n)
        if product > 0.0:
            share = 0.0
            for k in range(n):
                share += S[bend, after + k] * M[k]
            share = hyper[2 + pair] - share / product
            for k in range(n):
                M[k] += share * S[step, after + k]
    length = 0.0
    for k in range(n):
        length += abs(C[k])
    rate = hyper[0] if count > 1.0 else hyper[0] / max(length, 1.0)
    for k in range(n):
        M[k] *= rate


@compiled_in_place
def _product(S: Array, one: int, other: int, place: int, n: int) -> float:
    """The inner product of two rows of slots, in the part that begins at `place`."""
    total = 0.0
    for k in range(n):
        total += S[one, place + k] * S[other, place + k]
    return total


@compiled_in_place
def _shrink(method: Method, place: int) -> float:
    """The share that all parameters lose; 0 if their decays differ, which `change` applies."""
    return 0.0 if len(method.decays) else float(method.hyper[0] * method.hyper[place])


@compiled_in_place
def _momentum(beta1: float, decay: float, count: float) -> float:
    """The momentum of nadam at a step."""
    return float(beta1 * (1.0 - 0.5 * 0.96 ** (count * decay)))


@compiled_in_place
def _rectifier(beta2: float, count: float) -> float:
    """The factor of radam's divided steps; 0 if a step is not divided."""
    share, longest = 1.0 - beta2**count, 2.0 / (1.0 - beta2) - 1.0
    length = longest - 2.0 * count * beta2**count / share
    if length <= 5.0:
        return 0.0
    variance = (length - 4.0) * (length - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * length)
    return math.sqrt(variance * share)
