"""Steps on single samples, whole slices at a call: vectors instead of tiles, and no gradient stored where none is needed.

The gradient of a layer is the product of its inputs (with a 1 for the bias) and its deltas, so plain SGD forms it inside
the change, and its norms are products of sums. Must not know settings or the order of passes.
"""

from __future__ import annotations

import numpy as np

from fallline.engine.kernels.compiled_batches import split_loss
from fallline.engine.kernels.compiled_code import Array, Whole, compiled, compiled_in_place
from fallline.engine.kernels.compiled_records import BLOCK, evaluated, write_block
from fallline.engine.kernels.compiled_tables import (
    SGD,
    bent,
    change,
    corrections,
    finite,
    measure_one,
    slope_at,
)


@compiled_in_place
def _predict(sizes: Whole, codes: Whole, P: Array, w: int, a: Array) -> int:
    """Forward through all layers, from the inputs in `a`; returns the place of the prediction."""
    src = 0
    for layer in range(len(codes)):
        fan_in, fan_out, code = sizes[layer], sizes[layer + 1], codes[layer]
        to = src + fan_in + 1
        j = 0
        while j + 4 <= fan_out:
            z0 = z1 = z2 = z3 = 0.0
            k = w + j
            for i in range(fan_in + 1):
                x = a[src + i]
                z0 += x * P[k]
                z1 += x * P[k + 1]
                z2 += x * P[k + 2]
                z3 += x * P[k + 3]
                k += fan_out
            a[to + j], a[to + j + 1] = bent(code, z0), bent(code, z1)
            a[to + j + 2], a[to + j + 3] = bent(code, z2), bent(code, z3)
            j += 4
        while j < fan_out:
            z0 = 0.0
            k = w + j
            for i in range(fan_in + 1):
                z0 += a[src + i] * P[k]
                k += fan_out
            a[to + j] = bent(code, z0)
            j += 1
        w += (fan_in + 1) * fan_out
        src = to
    return src


@compiled_in_place
def _back(P: Array, w: int, fan_in: int, fan_out: int, d: Array, row: int, above: int) -> None:
    """Deltas of a layer's inputs from those of its outputs."""
    k = w
    for i in range(fan_in):
        s = 0.0
        for j in range(fan_out):
            s += P[k + j] * d[row + j]
        d[above + i] = s
        k += fan_out


@compiled_in_place
def _descend(
    P: Array, w: int, after: int, rate: float, fan_in: int, fan_out: int, a: Array, above: int, d: Array, row: int,
    record: Array, to: int,
) -> float:  # fmt: skip
    """Plain SGD in one layer, recorded for its weights and its bias; returns a number that is finite if all is well."""
    d1 = d2 = a1 = a2 = weights = bias = 0.0
    for j in range(fan_out):
        d1 += abs(d[row + j])
        d2 += d[row + j] * d[row + j]
    for i in range(fan_in):
        a1 += abs(a[above + i])
        a2 += a[above + i] * a[above + i]
    k = w
    shift = after - w
    for i in range(fan_in):
        x = rate * a[above + i]
        for j in range(fan_out):
            p = P[k + j]
            weights += p * p
            P[k + j + shift] = p - x * d[row + j]
        k += fan_out
    for j in range(fan_out):
        p = P[k + j]
        bias += p * p
        P[k + j + shift] = p - rate * d[row + j]
    record[to], record[to + 1], record[to + 3] = a1 * d1, a2 * d2, weights
    record[to + 2] = rate * rate * (a2 * d2)
    record[to + 4], record[to + 5], record[to + 7] = d1, d2, bias
    record[to + 6] = rate * rate * d2
    return a1 * d1 + d1 + weights + bias


@compiled
def _spread_gradient(sizes: Whole, G: Array, a: Array, d: Array) -> None:
    """The gradient as numbers, of all layers, from the inputs and deltas."""
    src, k = 0, 0
    for layer in range(len(sizes) - 1):
        fan_in, fan_out = sizes[layer], sizes[layer + 1]
        to = src + fan_in + 1
        for i in range(fan_in + 1):
            x = a[src + i]
            for j in range(fan_out):
                G[k + j] = x * d[to + j]
            k += fan_out
        src = to


@compiled
def single_steps(
    sizes: Whole, codes: Whole, loss: int, optimizer: int, hyper: Array, count: float,
    P: Array, S: Array, R: Array, G: Array, offsets: Whole, rows: Array,
    columns: Array, targets: Array, test_columns: Array, test_targets: Array,
    order: Whole, place: int, step: int, steps: int, limit: float,
    A: Array, D: Array, a: Array, d: Array, record: Array, values: Array, to: int,
) -> tuple[int, bool]:  # fmt: skip
    """As `compiled_batches.batch_steps`, for single samples; `rows` (m, features + 1) are the training samples, `a` and
    `d` are as long as the buffers A and D are high.
    """
    m, half, nowhere = targets.shape[1], len(G), order[:0]
    layers, features = len(codes), sizes[0]
    rate, stride = hyper[0], 2
    for s in range(steps + 1):
        w = (s % 2) * half
        after = half - w
        sample = order[s]
        for i in range(features):
            a[i] = rows[sample, i]
        out = _predict(sizes, codes, P, w, a)
        batch_loss, delta = measure_one(loss, a[out], targets[0, sample])
        d[out] = delta
        row = s % BLOCK
        seen = batch_loss
        k, src = w + half, out
        for layer in range(layers - 1, -1, -1):
            fan_in, fan_out, code = sizes[layer], sizes[layer + 1], codes[layer]
            above = src - fan_in - 1
            k -= (fan_in + 1) * fan_out
            for j in range(fan_out):
                d[src + j] *= slope_at(code, a[src + j])
            if layer:
                _back(P, k, fan_in, fan_out, d, src, above)
            if optimizer == SGD:
                seen += _descend(
                    P, k, k - w + after, rate, fan_in, fan_out, a, above, d, src, record[row], 3 + 8 * layer
                )
            src = above
        if optimizer != SGD:
            _spread_gradient(sizes, G, a, d)
            once = corrections(optimizer, hyper, count + s + 1)
            for p in range(len(offsets) - 1):
                found = change(optimizer, hyper, once, P, G, S, R, offsets[p], offsets[p + 1], w, after)
                at = 3 + 4 * p
                record[row, at], record[row, at + 1] = found[0], found[1]
                record[row, at + 2], record[row, at + 3] = found[2], found[3]
                seen += found[0] + found[3]
        if not seen < 1e300:
            _spread_gradient(sizes, G, a, d)
            if not (finite(P[w : w + half]) and finite(G) and abs(batch_loss) < np.inf):
                return max(s - 1, 0), True
        while (step + s) >> 10 >= stride:
            stride *= 2
        train = test = np.nan
        if evaluated(step + s, stride, place):
            train = split_loss(sizes, codes, loss, P, w, columns, targets, nowhere, A, D)
            if s > 0 and not train <= limit:
                return s - 1, True
            if test_targets.shape[1] and s < steps:
                test = split_loss(sizes, codes, loss, P, w, test_columns, test_targets, nowhere, A, D)
        if s == steps:
            break
        record[row, 0], record[row, 1], record[row, 2] = batch_loss, train, test
        place += 1
        if place == m:
            place = 0
        if row == BLOCK - 1 or s == steps - 1:
            write_block(record, row + 1, offsets, values, to + s - row)
    return steps, False
