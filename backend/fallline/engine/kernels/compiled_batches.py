"""Batch steps, a whole slice per call: tiles of samples forward and back.

`compiled_work` describes the arguments.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fallline.engine.kernels.compiled_activations import CURVED, IDENTITY, apply_curved
from fallline.engine.kernels.compiled_code import Array, Whole, compiled, compiled_in_place
from fallline.engine.kernels.compiled_descent import add_penalties, make_change
from fallline.engine.kernels.compiled_layers import backward, forward, gather_gradient, slope
from fallline.engine.kernels.compiled_losses import ROOM, measure
from fallline.engine.kernels.compiled_records import (
    flush,
    is_divergent,
    is_evaluation_point,
    is_finite,
    record_step,
    stride_at,
)
from fallline.engine.kernels.compiled_vectors import LANES, load, store, zeros1
from fallline.engine.kernels.compiled_work import (
    Ahead,
    Data,
    Memory,
    Method,
    Net,
    Plane,
    Recorder,
    Span,
    Split,
    Tiles,
)

GATHERED = 32
"""Cost of gathering one number, in multiply-adds of a forward pass."""


class _Batch(NamedTuple):
    """`length` samples from index `at` of the order, at `place` in the pass."""

    at: int
    length: int
    place: int


@compiled_in_place
def _fill(A: Array, columns: Array, targets: Array, first: int, n: int, width: int, to: int) -> None:
    """Copy samples first .. first + n - 1 into the first columns of a tile."""
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
        store(A, row, t, load(zeros1(), X, i, first + t))
        t += LANES
    while t < n:
        A[row, t] = X[i, first + t]
        t += 1


@compiled_in_place
def _gather(A: Array, rows: Array, targets: Array, order: Whole, n: int, width: int, to: int) -> None:
    """Copy the first n samples of the order into the first columns of a tile."""
    features = rows.shape[1] - 1
    for t in range(n):
        sample = np.uint64(order[t])  # unsigned: no check for a negative index
        for i in range(features):
            A[i, t] = rows[sample, i]
        A[to, t] = targets[0, sample]
    _pad(A, features, n, width)
    _pad(A[to:], 1, n, width)


@compiled_in_place
def _pad(A: Array, rows: int, n: int, width: int) -> None:
    """Repeat the last sample up to `width`: finite padding, whose deltas are 0."""
    for i in range(rows):
        for t in range(n, width):
            A[i, t] = A[i, n - 1]


@compiled_in_place
def _whole(n: int) -> int:
    """Number of columns that hold n samples in whole registers."""
    return (n + LANES - 1) // LANES * LANES


@compiled_in_place
def _predict(net: Net, P: Array, w: int, split: Split, order: Whole, first: int, n: int, tiles: Tiles) -> int:
    """Pass n samples from `first` on through all layers; return the predictions' row.

    An empty order means data order. Curved layers leave their slopes in D.
    """
    A, D, width, to = tiles.A, tiles.D, _whole(n), tiles.A.shape[0] - ROOM
    if len(order):
        _gather(A, split.rows, split.targets, order[first : first + n], n, width, to)
    else:
        _fill(A, split.columns, split.targets, first, n, width, to)
    row = 0
    for layer in range(len(net.codes)):
        fan_in, fan_out, code = net.sizes[layer], net.sizes[layer + 1], net.codes[layer]
        to = row + fan_in + 1
        forward(P, w, fan_in, fan_out, code, A, row, to, width)
        if code >= CURVED:
            for j in range(to, to + fan_out):
                apply_curved(code, A[j, :width], D[j, :width])
        w += (fan_in + 1) * fan_out
        row = to
    return row


@compiled
def loss_of(
    net: Net, P: Array, w: int, split: Split, order: Whole, count: int, tiles: Tiles
) -> tuple[float, float]:
    """Sum of the losses of `count` samples, and their tally.

    The samples are the first in `order`, or in data order if it is empty. The parameters are in P from `w` on.
    """
    outputs, to = net.sizes[len(net.codes)], tiles.A.shape[0] - ROOM
    total, tally, first = 0.0, 0.0, 0
    while first < count:
        n = min(tiles.A.shape[1], count - first)
        row = _predict(net, P, w, split, order, first, n, tiles)
        tile_loss, tile_tally = measure(net.criterion, tiles.A, tiles.D, row, outputs, to, n, 0.0)
        total, tally, first = total + tile_loss, tally + tile_tally, first + n
    return total, tally


@compiled
def mean_loss(net: Net, P: Array, w: int, split: Split, tiles: Tiles) -> tuple[float, float]:
    """Mean loss over all samples, and their tally; NaN without samples."""
    m = split.targets.shape[1]
    if m == 0:
        return np.nan, np.nan
    data_order = net.sizes[:0]
    total, tally = loss_of(net, P, w, split, data_order, m, tiles)
    return total / m, tally


@compiled
def losses_over(net: Net, train: Split, tiles: Tiles, plane: Plane, P: Array, losses: Array) -> None:
    """Write the mean losses at the points of a grid; P has room for the parameters."""
    for row in range(losses.shape[0]):
        for column in range(losses.shape[1]):
            across, up = plane.s[column], plane.t[row]
            for k in range(len(P)):
                P[k] = plane.start[k] + across * plane.directions[0, k] + up * plane.directions[1, k]
            losses[row, column], _ = mean_loss(net, P, 0, train, tiles)


@compiled_in_place
def _train_loss(
    net: Net, P: Array, w: int, train: Split, span: Span, batch: _Batch, result: tuple[float, float], tiles: Tiles
) -> tuple[float, float]:  # fmt: skip
    """Mean loss over all training samples and tally, reusing the batch's result."""
    m, a_part = train.targets.shape[1], len(P) // 3
    rest = m - batch.length
    if span.covers and batch.place == 0 and batch.length * a_part >= GATHERED * rest * train.rows.shape[1]:
        others = span.order[batch.at + batch.length : batch.at + m]
        total, tally = loss_of(net, P, w, train, others, rest, tiles)
        return (result[0] * batch.length + total) / m, result[1] + tally
    return mean_loss(net, P, w, train, tiles)


@compiled_in_place
def _gradient(
    net: Net, memory: Memory, w: int, train: Split, order: Whole, count: int, tiles: Tiles
) -> tuple[float, float]:
    """Write the gradient of a batch into G; return its loss and its tally.

    The batch is the `count` samples in `order`, or all in data order if it is empty.
    """
    share = 1.0 / count
    memory.G[:] = 0.0
    total, tally, first = 0.0, 0.0, 0
    while first < count:
        n = min(tiles.A.shape[1], count - first)
        row = _predict(net, memory.P, w, train, order, first, n, tiles)
        tile_loss, tile_tally = _measure_tile(net, tiles, row, n, share)
        _backpropagate(net, memory, w, tiles, row, _whole(n))
        total, tally, first = total + tile_loss, tally + tile_tally, first + n
    return total * share, tally


@compiled_in_place
def _measure_tile(net: Net, tiles: Tiles, row: int, n: int, share: float) -> tuple[float, float]:
    """Loss and tally of a tile's n samples; writes output deltas into D, 0 beyond n."""
    A, D, width, to = tiles.A, tiles.D, _whole(n), tiles.A.shape[0] - ROOM
    last = len(net.codes)
    code, outputs = net.codes[last - 1], net.sizes[last]
    if code >= CURVED:
        # `measure` overwrites the slopes, so move them; a bent output layer has one unit.
        for t in range(0, width, LANES):
            store(D, to, t, load(zeros1(), D, row, t))
    result = measure(net.criterion, A, D, row, outputs, to, n, share)
    for j in range(row, row + outputs):
        for t in range(n, width):
            D[j, t] = 0.0
    if code >= CURVED:
        slope(code, D, to, D, row, outputs, width)
    elif code != IDENTITY:
        slope(code, A, row, D, row, outputs, width)
    return result


@compiled_in_place
def _backpropagate(net: Net, memory: Memory, w: int, tiles: Tiles, row: int, width: int) -> None:
    """Go back through all layers from the output deltas in D; add to G."""
    A, D, G, g = tiles.A, tiles.D, memory.G, len(memory.G)
    for layer in range(len(net.codes) - 1, -1, -1):
        fan_in, fan_out = net.sizes[layer], net.sizes[layer + 1]
        above = row - fan_in - 1
        g -= (fan_in + 1) * fan_out
        gather_gradient(G, g, fan_in + 1, fan_out, A, above, D, row, width, tiles.upright)
        if layer:
            backward(memory.P, w + g, fan_in, fan_out, net.codes[layer - 1], A, D, row, above, width)
        row = above


@compiled_in_place
def _gradient_at(
    net: Net, train: Split, memory: Memory, w: int, span: Span, batch: _Batch, is_point: bool, tiles: Tiles
) -> tuple[float, float, float]:
    """Write the gradient of a batch into G; return its loss, training loss and tally.

    The last two are NaN unless `is_point`.
    """
    order = span.order[batch.at : batch.at + batch.length]
    result = _gradient(net, memory, w, train, order, batch.length, tiles)
    if span.size == 0:
        return result[0], result[0], result[1]
    if not is_point:
        return result[0], np.nan, np.nan
    loss, tally = _train_loss(net, memory.P, w, train, span, batch, result, tiles)
    return result[0], loss, tally


@compiled_in_place
def _store_ahead(ahead: Ahead, G: Array, result: tuple[float, float, float]) -> None:
    n = len(G)
    for k in range(n):
        ahead.values[k] = G[k]
    ahead.values[n], ahead.values[n + 1], ahead.values[n + 2] = result


@compiled_in_place
def _recall_ahead(ahead: Ahead, G: Array) -> tuple[float, float, float]:
    n = len(G)
    for k in range(n):
        G[k] = ahead.values[k]
    return ahead.values[n], ahead.values[n + 1], ahead.values[n + 2]


@compiled
def batch_steps(
    net: Net,
    data: Data,
    method: Method,
    memory: Memory,
    span: Span,
    tiles: Tiles,
    ahead: Ahead,
    recorder: Recorder,
) -> tuple[int, bool]:
    """Make up to `span.steps` steps.

    Returns the number of valid steps, and whether the next one is bad.
    """
    m, part = data.train.targets.shape[1], len(memory.G)
    place, at, stride, s, bad = span.place, 0, 2, 0, False
    for s in range(span.steps + 1):
        w = s % 3 * part
        length = min(span.size, m - place) if span.size else m
        stride = stride_at(span.step + s, stride)
        is_point = span.size == 0 or is_evaluation_point(span.step + s, stride, place)
        if ahead.valid and s == 0:
            loss, train, tally = _recall_ahead(ahead, memory.G)
        else:
            batch = _Batch(at, length, place)
            loss, train, tally = _gradient_at(net, data.train, memory, w, span, batch, is_point, tiles)
        test = test_tally = magnitude = np.nan
        if s == span.steps:
            _store_ahead(ahead, memory.G, (loss, train, tally))
        elif is_point:
            test, test_tally = mean_loss(net, memory.P, w, data.test, tiles)
        objective = add_penalties(net, method, memory, w, loss)
        if s < span.steps:
            magnitude = loss + make_change(net, method, memory, recorder, s)
        bad = not is_finite(magnitude, loss, memory, w) or (
            s > 0 and is_divergent(train, span.limit, is_point)
        )
        if bad or s == span.steps:
            break
        record_step(recorder, net, memory, s, (loss, objective, train, test, tally, test_tally))
        if span.size:
            at += length
            place = place + length if place + length < m else 0
    flush(recorder, net, s)
    return max(s - 1, 0) if bad else s, bad
