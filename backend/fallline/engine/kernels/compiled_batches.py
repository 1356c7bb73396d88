"""Steps on batches, whole slices at a call: tiles of samples through the layers and back, measured and recorded.

Tile buffers A (outputs) and D (deltas) have a row a unit and a column a sample; in A every layer's rows are followed by
a row of ones, which meets the bias, and the targets come last. Must not know settings or the order of passes: it is
given codes and row numbers.
"""

from __future__ import annotations

import numpy as np

from fallline.engine.kernels.compiled_activations import CURVED, IDENTITY, bend
from fallline.engine.kernels.compiled_changes import change
from fallline.engine.kernels.compiled_code import Array, Whole, compiled, compiled_in_place
from fallline.engine.kernels.compiled_descent import DESCENDED, bounded, clip, penalised, pull
from fallline.engine.kernels.compiled_layers import backward, forward, gather_gradient, slope
from fallline.engine.kernels.compiled_losses import ROOM, Judge, measure
from fallline.engine.kernels.compiled_records import (
    BLOCK,
    SAFE,
    beyond,
    evaluated,
    finite,
    note_all,
    write_block,
)
from fallline.engine.kernels.compiled_vectors import LANES, load, one_nought, store

GATHERED = 32
"""What a number costs that is picked out of the data, in multiplications and additions of a forward pass."""


@compiled_in_place
def _fill(A: Array, columns: Array, targets: Array, first: int, n: int, width: int, to: int) -> None:
    """Samples first .. first + n - 1 into the first columns of a tile."""
    features = columns.shape[0] - 1
    for i in range(features):
        _copy(A, i, columns, i, first, n)
    _copy(A, to, targets, 0, first, n)
    _pad(A, features, n, width)
    _pad(A[to:], 1, n, width)


@compiled_in_place
def _copy(A: Array, row: int, X: Array, i: int, first: int, n: int) -> None:
    t = 0
    while t + LANES <= n:
        store(A, row, t, load(one_nought(), X, i, first + t))
        t += LANES
    while t < n:
        A[row, t] = X[i, first + t]
        t += 1


@compiled_in_place
def _gather(A: Array, rows: Array, targets: Array, order: Whole, n: int, width: int, to: int) -> None:
    """The first n samples in that order into the first columns of a tile."""
    features = rows.shape[1] - 1
    for t in range(n):
        sample = np.uint64(order[t])  # which is not asked whether it counts from the end
        for i in range(features):
            A[i, t] = rows[sample, i]
        A[to, t] = targets[0, sample]
    _pad(A, features, n, width)
    _pad(A[to:], 1, n, width)


@compiled_in_place
def _pad(A: Array, rows: int, n: int, width: int) -> None:
    """The last sample again up to `width`: a true one, so that padding is finite wherever the samples are; its deltas
    are zero.
    """
    for i in range(rows):
        for t in range(n, width):
            A[i, t] = A[i, n - 1]


@compiled_in_place
def _predict(sizes: Whole, codes: Whole, P: Array, w: int, A: Array, D: Array, width: int) -> int:
    """Forward through all layers; returns the row of the predictions. Curved layers leave their slopes in D."""
    row = 0
    for layer in range(len(codes)):
        fan_in, fan_out = sizes[layer], sizes[layer + 1]
        to = row + fan_in + 1
        forward(P, w, fan_in, fan_out, codes[layer], A, row, to, width)
        if codes[layer] >= CURVED:
            for j in range(to, to + fan_out):
                bend(codes[layer], A[j, :width], D[j, :width])
        w += (fan_in + 1) * fan_out
        row = to
    return row


@compiled
def loss_of(
    sizes: Whole, codes: Whole, judge: Judge, P: Array, w: int, rows: Array, columns: Array, targets: Array,
    order: Whole, full: bool, count: int, A: Array, D: Array,
) -> tuple[float, float]:  # fmt: skip
    """The loss of so many samples times their number, and their tally: the first in `order`, or in the order of the
    data.
    """
    to, outputs = A.shape[0] - ROOM, sizes[len(codes)]
    total, tally, first = 0.0, 0.0, 0
    while first < count:
        n = min(A.shape[1], count - first)
        width = (n + LANES - 1) // LANES * LANES
        if full:
            _fill(A, columns, targets, first, n, width, to)
        else:
            _gather(A, rows, targets, order[first : first + n], n, width, to)
        row = _predict(sizes, codes, P, w, A, D, width)
        more, told = measure(judge, A, D, row, outputs, to, n, 0.0)
        total, tally, first = total + more, tally + told, first + n
    return total, tally


@compiled_in_place
def _train_loss(
    sizes: Whole, codes: Whole, judge: Judge, P: Array, w: int, rows: Array, columns: Array, targets: Array,
    order: Whole, at: int, place: int, length: int, batch_loss: float, tally: float, A: Array, D: Array,
) -> tuple[float, float]:  # fmt: skip
    """The loss over all training samples and their tally, of which a batch has just been looked at."""
    m, a_part = targets.shape[1], len(P) // 3
    rest, numbers = m - length, rows.shape[1]
    if place == 0 and length * a_part >= GATHERED * rest * numbers:
        others = order[at + length : at + m]
        more, told = loss_of(sizes, codes, judge, P, w, rows, columns, targets, others, False, rest, A, D)
        return (batch_loss * length + more) / m, tally + told
    total, told = loss_of(sizes, codes, judge, P, w, rows, columns, targets, order, True, m, A, D)
    return total / m, told


@compiled_in_place
def _gradient(
    sizes: Whole, codes: Whole, judge: Judge, P: Array, w: int, G: Array, rows: Array, columns: Array, targets: Array,
    order: Whole, full: bool, at: int, count: int, A: Array, D: Array, upright: Array,
) -> tuple[float, float]:  # fmt: skip
    """The gradient of a batch into G; returns its loss, and its tally. The batch is the `count` samples that stand in
    `order` from `at` on, or all in the order of the data.
    """
    to, outputs = A.shape[0] - ROOM, sizes[len(codes)]
    share = 1.0 / count
    G[:] = 0.0
    total, tally, first = 0.0, 0.0, 0
    while first < count:
        n = min(A.shape[1], count - first)
        width = (n + LANES - 1) // LANES * LANES
        if full:
            _fill(A, columns, targets, first, n, width, to)
        else:
            _gather(A, rows, targets, order[at + first : at + first + n], n, width, to)
        row = _predict(sizes, codes, P, w, A, D, width)
        more, told = _measured(judge, codes[len(codes) - 1], A, D, row, outputs, to, n, width, share)
        _descend(sizes, codes, P, w, G, A, D, row, width, upright)
        total, tally, first = total + more, tally + told, first + n
    return total * share, tally


@compiled_in_place
def _measured(
    judge: Judge,
    code: int,
    A: Array,
    D: Array,
    row: int,
    outputs: int,
    to: int,
    n: int,
    width: int,
    share: float,
) -> tuple[float, float]:
    """What `measure` says of a tile's n samples, and the deltas of the output layer into D, 0 beyond n."""
    if code >= CURVED:
        # The loss writes where the slopes lie: they step aside. What is bent has one output.
        for t in range(0, width, LANES):
            store(D, to, t, load(one_nought(), D, row, t))
    told = measure(judge, A, D, row, outputs, to, n, share)
    for j in range(row, row + outputs):
        for t in range(n, width):
            D[j, t] = 0.0
    if code >= CURVED:
        slope(code, D, to, D, row, outputs, width)
    elif code != IDENTITY:
        slope(code, A, row, D, row, outputs, width)
    return told


@compiled_in_place
def _descend(
    sizes: Whole,
    codes: Whole,
    P: Array,
    w: int,
    G: Array,
    A: Array,
    D: Array,
    row: int,
    width: int,
    upright: Array,
) -> None:
    """Back through all layers, from the deltas of the output layer in D; adds to G."""
    g = len(G)
    for layer in range(len(codes) - 1, -1, -1):
        fan_in, fan_out = sizes[layer], sizes[layer + 1]
        above = row - fan_in - 1
        g -= (fan_in + 1) * fan_out
        gather_gradient(G, g, fan_in + 1, fan_out, A, above, D, row, width, upright)
        if layer:
            backward(P, w + g, fan_in, fan_out, codes[layer - 1], A, D, row, above, width)
        row = above


@compiled_in_place
def _copy_numbers(source: Array, target: Array, n: int) -> None:
    for k in range(n):
        target[k] = source[k]


@compiled
def batch_steps(
    sizes: Whole, codes: Whole, judge: Judge, optimizer: int, hyper: Array, count: float,
    P: Array, S: Array, R: Array, G: Array, C: Array, M: Array, offsets: Whole, rates: Array, terms: Array,
    rows: Array, columns: Array, targets: Array, test_columns: Array, test_targets: Array,
    order: Whole, full: bool, size: int, place: int, step: int, steps: int, limit: float,
    A: Array, D: Array, upright: Array, ahead: Array, looked: bool, record: Array, values: Array, to: int,
) -> tuple[int, bool]:  # fmt: skip
    """Up to `steps` steps; returns how many stand, and whether the one after them is bad.

    P holds the parameters three times: those of step s in part s % 3, so that the change of a step that turns out to be
    bad leaves the one before it; S and R are the optimizer's memory likewise. C takes the gradient within its bounds,
    and is G itself where there are none; M takes the change. `offsets` are the parameters' places in one part, and its
    end. `rates` are those of the steps, or none where all go by the first of `hyper`; `terms` are penalties and bounds.
    `rows` are the training samples (m, features + 1), `order` the samples from the present place in the data on (unused
    for a full batch), `place` is the place in the pass. `ahead` takes what is seen at the end: the gradient before
    penalties, the batch's loss, the training loss and its tally; where `looked`, it holds what a slice before has seen.
    Records of steps 0 .. steps - 1 go into the columns of `values` from `to` on, those that do not stand among them.
    """
    m, tests, part = targets.shape[1], test_targets.shape[1], len(G)
    stride, at, s, bad, objective, tally = 2, 0, 0, False, np.nan, 0.0
    for s in range(steps + 1):
        w, after, row = s % 3 * part, (s + 1) % 3 * part, s % BLOCK
        if len(rates):
            hyper[0] = rates[s]
        length = m if full else min(size, m - place)
        known = looked and s == 0
        if known:
            batch_loss = ahead[part]
            _copy_numbers(ahead, G, part)
        else:
            batch_loss, tally = _gradient(
                sizes, codes, judge, P, w, G, rows, columns, targets, order, full, at, length, A, D, upright
            )
        while (step + s) >> 10 >= stride:
            stride *= 2
        judged = full or evaluated(step + s, stride, place)
        train = test = train_tally = test_tally = np.nan
        if known:
            train, train_tally = ahead[part + 1], ahead[part + 2]
        elif full:
            train, train_tally = batch_loss, tally
        elif judged:
            train, train_tally = _train_loss(
                sizes, codes, judge, P, w, rows, columns, targets, order, at, place, length, batch_loss, tally, A, D
            )  # fmt: skip
        if s == steps:
            _copy_numbers(G, ahead, part)
            ahead[part], ahead[part + 1], ahead[part + 2] = batch_loss, train, train_tally
        elif judged and tests:
            test, test_tally = loss_of(
                sizes, codes, judge, P, w, rows, test_columns, test_targets, order, True, tests, A, D
            )
            test /= tests
        if penalised(terms):
            objective = terms[DESCENDED] * batch_loss + pull(terms, P, w, G, offsets)
        seen = np.inf
        if s < steps:
            if bounded(terms):
                clip(terms, G, C)
            moved, factor = change(optimizer, hyper, count + s + 1, P, C, S, R, M, w, after)
            seen = batch_loss + note_all(record, row, P, w, G, moved, factor, offsets)
        if not seen < SAFE:
            bad = not (finite(P[w : w + part]) and finite(G) and abs(batch_loss) < np.inf)
        bad = bad or (s > 0 and beyond(train, limit, judged))
        if bad or s == steps:
            break
        record[row, 0], record[row, 1], record[row, 2], record[row, 3] = batch_loss, objective, train, test
        record[row, 4], record[row, 5] = train_tally, test_tally
        if not full:
            at += length
            place = place + length if place + length < m else 0
        if row == BLOCK - 1:
            write_block(record, BLOCK, offsets, values, to + s - row)
    if s % BLOCK:
        write_block(record, s % BLOCK, offsets, values, to + s - s % BLOCK)
    return max(s - 1, 0) if bad else s, bad
