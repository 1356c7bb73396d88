"""Steps on batches, whole slices at a call: tiles of samples through the layers and back, measured and recorded.

Tile buffers A (outputs) and D (deltas) have a row a unit and a column a sample; in A every layer's rows are followed by
a row of ones, which meets the bias, and the targets come last. Must not know settings or the order of passes: it is
given codes and row numbers.
"""

from __future__ import annotations

import numpy as np

from fallline.engine.kernels.compiled_activations import CURVED, IDENTITY, bend
from fallline.engine.kernels.compiled_changes import change, corrections
from fallline.engine.kernels.compiled_code import Array, Whole, compiled, compiled_in_place
from fallline.engine.kernels.compiled_descent import DESCENDED, bounded, clip, penalised, pull
from fallline.engine.kernels.compiled_layers import backward, forward, gather_gradient, slope
from fallline.engine.kernels.compiled_losses import measure
from fallline.engine.kernels.compiled_records import (
    BLOCK,
    SAFE,
    beyond,
    evaluated,
    finite,
    note,
    write_block,
)
from fallline.engine.kernels.compiled_vectors import LANES, load, store


@compiled
def _fill(
    A: Array, columns: Array, targets: Array, order: Whole, place: int, n: int, width: int, to: int
) -> None:
    """Samples place .. place + n - 1 into the first columns of a tile; the last one again up to `width`.

    What pads is a true sample, so that padding is finite wherever the samples are; its deltas are zero. An empty
    `order` is data order.
    """
    features, outputs = columns.shape[0] - 1, targets.shape[0]
    for i in range(features):
        _fill_row(A, i, columns, i, order, place, n, width)
    for i in range(outputs):
        _fill_row(A, to + i, targets, i, order, place, n, width)


@compiled_in_place
def _fill_row(A: Array, row: int, X: Array, i: int, order: Whole, place: int, n: int, width: int) -> None:
    if len(order):
        for t in range(n):
            A[row, t] = X[i, order[place + t]]
    else:
        t = 0
        while t + LANES <= n:
            store(A, row, t, load(X, i, place + t))
            t += LANES
        while t < n:
            A[row, t] = X[i, place + t]
            t += 1
    for t in range(n, width):
        A[row, t] = A[row, n - 1]


@compiled
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
def split_loss(
    sizes: Whole, codes: Whole, loss: int, P: Array, w: int, columns: Array, targets: Array, order: Whole,
    A: Array, D: Array,
) -> float:  # fmt: skip
    """The loss over all samples of a split, in data order (`order` is empty)."""
    count, outputs = targets.shape[1], targets.shape[0]
    total, first = 0.0, 0
    while first < count:
        n = min(A.shape[1], count - first)
        width = (n + LANES - 1) // LANES * LANES
        to = A.shape[0] - outputs
        _fill(A, columns, targets, order, first, n, width, to)
        row = _predict(sizes, codes, P, w, A, D, width)
        total += measure(loss, A, D, row, outputs, to, n, 0.0)
        first += n
    return total / (count * outputs)


@compiled
def _gradient(
    sizes: Whole, codes: Whole, loss: int, P: Array, w: int, G: Array, columns: Array, targets: Array, order: Whole,
    place: int, count: int, A: Array, D: Array, upright: Array,
) -> float:  # fmt: skip
    """The gradient of a batch into G; returns its loss."""
    outputs = targets.shape[0]
    to = A.shape[0] - outputs
    share = 1.0 / (count * outputs)
    G[:] = 0.0
    total, first = 0.0, 0
    while first < count:
        n = min(A.shape[1], count - first)
        width = (n + LANES - 1) // LANES * LANES
        _fill(A, columns, targets, order, place + first, n, width, to)
        row = _predict(sizes, codes, P, w, A, D, width)
        total += _measured(loss, codes[len(codes) - 1], A, D, row, outputs, to, n, width, share)
        _descend(sizes, codes, P, w, G, A, D, row, width, upright)
        first += n
    return total * share


@compiled
def _measured(
    loss: int,
    code: int,
    A: Array,
    D: Array,
    row: int,
    outputs: int,
    to: int,
    n: int,
    width: int,
    share: float,
) -> float:
    """The loss of a tile's n samples times their number, and the deltas of the output layer into D, 0 beyond n."""
    if code >= CURVED:
        # The loss writes where the slopes lie: they step aside, to the rows that hold targets in A and nothing in D.
        for j in range(outputs):
            for t in range(0, width, LANES):
                store(D, to + j, t, load(D, row + j, t))
    total = measure(loss, A, D, row, outputs, to, n, share)
    for j in range(row, row + outputs):
        for t in range(n, width):
            D[j, t] = 0.0
    if code >= CURVED:
        slope(code, D, to, D, row, outputs, width)
    elif code != IDENTITY:
        slope(code, A, row, D, row, outputs, width)
    return total


@compiled
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


@compiled
def batch_steps(
    sizes: Whole, codes: Whole, loss: int, optimizer: int, hyper: Array, count: float,
    P: Array, S: Array, R: Array, G: Array, C: Array, offsets: Whole, rates: Array, terms: Array,
    columns: Array, targets: Array, test_columns: Array, test_targets: Array,
    order: Whole, full: bool, size: int, place: int, step: int, steps: int, limit: float,
    A: Array, D: Array, upright: Array, record: Array, values: Array, to: int,
) -> tuple[int, bool]:  # fmt: skip
    """Up to `steps` steps; returns how many stand, and whether the one after them is bad.

    P holds the parameters three times: those of step s in part s % 3, so that the change of a step that turns out to be
    bad leaves the one before it; S and R are the optimizer's memory likewise. C takes the gradient within its bounds,
    and is G itself where there are none. `offsets` are the parameters' places in one part, and its end. `rates` are
    those of the steps, or none where all go by the first of `hyper`; `terms` are penalties and bounds. `order` are the
    training rows from the present place in the data on (unused for a full batch), `place` is the place in the pass.
    Records of steps 0 .. steps - 1 go into the columns of `values` from `to` on, those that do not stand among them.
    """
    m, part, nowhere = targets.shape[1], len(G), order[:0]
    stride, at, s, bad, objective = 2, 0, 0, False, np.nan
    for s in range(steps + 1):
        w, after, row = s % 3 * part, (s + 1) % 3 * part, s % BLOCK
        if len(rates):
            hyper[0] = rates[s]
        length = m if full else min(size, m - place)
        batch_loss = _gradient(
            sizes,
            codes,
            loss,
            P,
            w,
            G,
            columns,
            targets,
            nowhere if full else order,
            at,
            length,
            A,
            D,
            upright,
        )
        while (step + s) >> 10 >= stride:
            stride *= 2
        train = test = np.nan
        if full:
            train = batch_loss
        elif evaluated(step + s, stride, place):
            train = split_loss(sizes, codes, loss, P, w, columns, targets, nowhere, A, D)
        if s < steps and test_targets.shape[1] and (full or evaluated(step + s, stride, place)):
            test = split_loss(sizes, codes, loss, P, w, test_columns, test_targets, nowhere, A, D)
        if penalised(terms):
            objective = terms[DESCENDED] * batch_loss + pull(terms, P, w, G, offsets)
        if bounded(terms):
            clip(terms, G, C)
        once = corrections(optimizer, hyper, count + s + 1)
        seen = batch_loss
        for k in range(len(offsets) - 1):
            sums = change(optimizer, hyper, once, P, G, C, S, R, offsets[k], offsets[k + 1], w, after)
            seen += note(record, row, k, sums)
        if not seen < SAFE:
            bad = not (finite(P[w : w + part]) and finite(G) and abs(batch_loss) < np.inf)
        bad = bad or (s > 0 and beyond(train, limit, full or evaluated(step + s, stride, place)))
        if bad or s == steps:
            break
        record[row, 0], record[row, 1], record[row, 2], record[row, 3] = batch_loss, train, test, objective
        if not full:
            at += length
            place = place + length if place + length < m else 0
        if row == BLOCK - 1:
            write_block(record, BLOCK, offsets, values, to + s - row)
    if s % BLOCK:
        write_block(record, s % BLOCK, offsets, values, to + s - s % BLOCK)
    return max(s - 1, 0) if bad else s, bad
