"""Steps on single samples, whole slices at a call: no tiles, and no gradient stored where none is needed.

The gradient of a layer is the product of its inputs (with a 1 for the bias) and its deltas, so plain SGD forms it
inside the change, and its norms are products of sums. Must not know settings or the order of passes.
"""

from __future__ import annotations

import numpy as np

from fallline.engine.kernels.compiled_activations import (
    CURVED,
    bend,
    bent_vector,
    slope_at,
    sloped_vector,
    straight,
)
from fallline.engine.kernels.compiled_batches import loss_of
from fallline.engine.kernels.compiled_changes import SGD, change
from fallline.engine.kernels.compiled_code import Array, Whole, compiled, compiled_in_place
from fallline.engine.kernels.compiled_descent import DESCENDED, bounded, clip, penalised, pull
from fallline.engine.kernels.compiled_losses import Judge, measure_classes_one, measure_one
from fallline.engine.kernels.compiled_records import (
    BLOCK,
    SAFE,
    beyond,
    evaluated,
    finite,
    note,
    note_all,
    write_block,
)
from fallline.engine.kernels.compiled_vectors import (
    four_noughts,
    four_of,
    load_four,
    plus,
    sizes_of,
    store_flat,
    times,
    total,
)


@compiled_in_place
def _predict(sizes: Whole, codes: Whole, P: Array, w: int, a: Array, d: Array) -> int:
    """Forward through all layers, from the inputs in `a`; returns the place of the prediction. Curved layers leave
    their slopes in `d`.
    """
    src = 0
    for layer in range(len(codes)):
        fan_in, fan_out, code = sizes[layer], sizes[layer + 1], codes[layer]
        to = src + fan_in + 1
        j = 0
        while j + 4 <= fan_out:
            z = four_noughts()
            k = w + j
            for i in range(src, to):
                z = plus(z, a[i], load_four(P, k))
                k += fan_out
            store_flat(a, to + j, bent_vector(code, z))
            j += 4
        while j < fan_out:
            z0 = 0.0
            k = w + j
            for i in range(src, to):
                z0 += a[i] * P[k]
                k += fan_out
            a[to + j] = straight(code, z0)
            j += 1
        if code >= CURVED:
            bend(code, a[to : to + fan_out], d[to : to + fan_out])
        w += (fan_in + 1) * fan_out
        src = to
    return src


@compiled_in_place
def _back(
    P: Array, w: int, fan_in: int, fan_out: int, code: int, a: Array, d: Array, row: int, above: int
) -> None:
    """Deltas of a layer's inputs, whose activation is `code`, from those of its outputs."""
    told = d if code >= CURVED else a
    i = 0
    while i + 4 <= fan_in:
        k = w + i * fan_out
        if fan_out == 1:
            four = times(d[row], load_four(P, k))
        else:
            four = four_of(
                _dot(P, k, d, row, fan_out),
                _dot(P, k + fan_out, d, row, fan_out),
                _dot(P, k + 2 * fan_out, d, row, fan_out),
                _dot(P, k + 3 * fan_out, d, row, fan_out),
            )
        store_flat(d, above + i, sloped_vector(code, four, load_four(told, above + i)))
        i += 4
    while i < fan_in:
        d[above + i] = _dot(P, w + i * fan_out, d, row, fan_out) * slope_at(code, told[above + i])
        i += 1


@compiled_in_place
def _dot(P: Array, k: int, d: Array, row: int, n: int) -> float:
    sums = four_noughts()
    j = 0
    while j + 4 <= n:
        sums = plus(sums, load_four(P, k + j), load_four(d, row + j))
        j += 4
    s = total(sums)
    while j < n:
        s += P[k + j] * d[row + j]
        j += 1
    return s


@compiled_in_place
def _sums(x: Array, first: int, n: int) -> tuple[float, float]:
    """The sums of the absolute values, and of the squares."""
    ones = twos = four_noughts()
    i = 0
    while i + 4 <= n:
        four = load_four(x, first + i)
        ones, twos = plus(ones, 1.0, sizes_of(four)), plus(twos, four, four)
        i += 4
    size, squares = total(ones), total(twos)
    while i < n:
        size += abs(x[first + i])
        squares += x[first + i] * x[first + i]
        i += 1
    return size, squares


@compiled_in_place
def _change_block(
    P: Array,
    w: int,
    shift: int,
    rate: float,
    rows: int,
    fan_out: int,
    a: Array,
    above: int,
    d: Array,
    row: int,
) -> float:
    """`rows` rows of a block by plain SGD, written `shift` further on; returns the sum of their squares before."""
    squares = four_noughts()
    rest = 0.0
    j = 0
    if fan_out == 1:
        x = -rate * d[row]
        while j + 4 <= rows:
            four = load_four(P, w + j)
            squares = plus(squares, four, four)
            store_flat(P, w + j + shift, plus(four, x, load_four(a, above + j)))
            j += 4
        while j < rows:
            rest += P[w + j] * P[w + j]
            P[w + j + shift] = P[w + j] + x * a[above + j]
            j += 1
        return total(squares) + rest
    while j + 4 <= fan_out:
        deltas = times(-rate, load_four(d, row + j))
        k = w + j
        for i in range(above, above + rows):
            four = load_four(P, k)
            squares = plus(squares, four, four)
            store_flat(P, k + shift, plus(four, a[i], deltas))
            k += fan_out
        j += 4
    while j < fan_out:
        x = -rate * d[row + j]
        k = w + j
        for i in range(above, above + rows):
            rest += P[k] * P[k]
            P[k + shift] = P[k] + x * a[i]
            k += fan_out
        j += 1
    return total(squares) + rest


@compiled_in_place
def _descend(
    P: Array, w: int, shift: int, rate: float, fan_in: int, fan_out: int, a: Array, above: int, d: Array, row: int,
    record: Array, step: int, k: int,
) -> float:  # fmt: skip
    """Plain SGD in one layer, noted as parameters k (weights) and k + 1 (bias); returns what `note` does."""
    bias = w + fan_in * fan_out
    own = _change_block(P, w, shift, rate, fan_in, fan_out, a, above, d, row)
    own_bias = _change_block(P, bias, shift, rate, 1, fan_out, a, above + fan_in, d, row)
    size, squares = _sums(d, row, fan_out)
    inputs, input_squares = _sums(a, above, fan_in)
    g2 = input_squares * squares
    seen = note(record, step, k, (inputs * size, g2, rate * rate * g2, own))
    return seen + note(record, step, k + 1, (size, squares, rate * rate * squares, own_bias))


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
    sizes: Whole, codes: Whole, judge: Judge, optimizer: int, hyper: Array, count: float,
    P: Array, S: Array, R: Array, G: Array, C: Array, M: Array, offsets: Whole, rates: Array, terms: Array,
    rows: Array, columns: Array, targets: Array, test_columns: Array, test_targets: Array,
    order: Whole, place: int, step: int, steps: int, limit: float,
    A: Array, D: Array, a: Array, d: Array, record: Array, values: Array, to: int,
) -> tuple[int, bool]:  # fmt: skip
    """As `compiled_batches.batch_steps`, for single samples; `rows` (m, features + 1) are the training samples, `a` and
    `d` are as long as the buffers A and D are high.
    """
    m, tests, part = targets.shape[1], test_targets.shape[1], len(G)
    layers, features = len(codes), sizes[0]
    rate, stride, s, bad, objective = hyper[0], 2, 0, False, np.nan
    fused = optimizer == SGD and not penalised(terms) and not bounded(terms)
    for s in range(steps + 1):
        w, after, row = s % 3 * part, (s + 1) % 3 * part, s % BLOCK
        if len(rates):
            rate = hyper[0] = rates[s]
        sample = order[s]
        for i in range(features):
            a[i] = rows[sample, i]
        out = _predict(sizes, codes, P, w, a, d)
        if sizes[layers] > 1:
            batch_loss = measure_classes_one(a, d, out, sizes[layers], targets[0, sample])
        else:
            batch_loss, delta = measure_one(judge, a[out], targets[0, sample])
            last = codes[layers - 1]
            d[out] = delta * slope_at(last, d[out] if last >= CURVED else a[out])
        seen = batch_loss
        k, src = w + part, out
        for layer in range(layers - 1, -1, -1):
            fan_in, fan_out = sizes[layer], sizes[layer + 1]
            above = src - fan_in - 1
            k -= (fan_in + 1) * fan_out
            if layer:
                _back(P, k, fan_in, fan_out, codes[layer - 1], a, d, src, above)
            if fused:
                seen += _descend(
                    P, k, after - w, rate, fan_in, fan_out, a, above, d, src, record, row, 2 * layer
                )
            src = above
        if not fused:
            _spread_gradient(sizes, G, a, d)
            if penalised(terms):
                objective = terms[DESCENDED] * batch_loss + pull(terms, P, w, G, offsets)
            if bounded(terms):
                clip(terms, G, C)
            moved, factor = change(optimizer, hyper, count + s + 1, P, C, S, R, M, w, after)
            seen += note_all(record, row, P, w, G, moved, factor, offsets)
        if not seen < SAFE:
            if fused:
                _spread_gradient(sizes, G, a, d)
            bad = not (finite(P[w : w + part]) and finite(G) and abs(batch_loss) < np.inf)
        while (step + s) >> 10 >= stride:
            stride *= 2
        train = test = train_tally = test_tally = np.nan
        if evaluated(step + s, stride, place):
            train, train_tally = loss_of(
                sizes, codes, judge, P, w, rows, columns, targets, order, True, m, A, D
            )
            train /= m
            bad = bad or (s > 0 and beyond(train, limit, True))
            if s < steps and tests:
                test, test_tally = loss_of(
                    sizes, codes, judge, P, w, rows, test_columns, test_targets, order, True, tests, A, D
                )
                test /= tests
        if bad or s == steps:
            break
        record[row, 0], record[row, 1], record[row, 2], record[row, 3] = batch_loss, objective, train, test
        record[row, 4], record[row, 5] = train_tally, test_tally
        place = place + 1 if place + 1 < m else 0
        if row == BLOCK - 1:
            write_block(record, BLOCK, offsets, values, to + s - row)
    if s % BLOCK:
        write_block(record, s % BLOCK, offsets, values, to + s - s % BLOCK)
    return max(s - 1, 0) if bad else s, bad
