"""Single-sample steps, a whole slice per call, without tiles or a stored gradient.

The gradient of a layer is the outer product of its inputs (with a 1 for the bias) and its deltas. Plain SGD computes
it within the change, and its norms are products of sums.
"""

from __future__ import annotations

import numpy as np

from fallline.engine.kernels.compiled_activations import (
    CURVED,
    apply_curved,
    slope_number,
    straight_number,
    straight_vector,
    times_slope,
)
from fallline.engine.kernels.compiled_batches import mean_loss
from fallline.engine.kernels.compiled_changes import SGD
from fallline.engine.kernels.compiled_code import Array, compiled, compiled_in_place
from fallline.engine.kernels.compiled_descent import add_penalties, has_bounds, has_penalties, make_change
from fallline.engine.kernels.compiled_losses import measure_classes_one, measure_one
from fallline.engine.kernels.compiled_records import (
    BLOCK,
    SAFE,
    flush,
    is_divergent,
    is_evaluation_point,
    is_finite,
    record_step,
    record_sums,
    stride_at,
)
from fallline.engine.kernels.compiled_sums import sizes_and_squares
from fallline.engine.kernels.compiled_vectors import (
    four_of,
    four_zeros,
    load_four,
    multiply_add,
    store_flat,
    times,
    total,
)
from fallline.engine.kernels.compiled_work import Data, Memory, Method, Net, Recorder, Span, Split, Tiles


@compiled_in_place
def _predict(net: Net, P: Array, w: int, tiles: Tiles) -> int:
    """Pass the inputs in `a` through all layers; return the index of the prediction.

    Curved layers leave their slopes in `d`.
    """
    a, d = tiles.a, tiles.d
    src = 0
    for layer in range(len(net.codes)):
        fan_in, fan_out, code = net.sizes[layer], net.sizes[layer + 1], net.codes[layer]
        to = src + fan_in + 1
        j = 0
        while j + 4 <= fan_out:
            z = four_zeros()
            k = w + j
            for i in range(src, to):
                z = multiply_add(z, a[i], load_four(P, k))
                k += fan_out
            store_flat(a, to + j, straight_vector(code, z))
            j += 4
        while j < fan_out:
            z0 = 0.0
            k = w + j
            for i in range(src, to):
                z0 += a[i] * P[k]
                k += fan_out
            a[to + j] = straight_number(code, z0)
            j += 1
        if code >= CURVED:
            apply_curved(code, a[to : to + fan_out], d[to : to + fan_out])
        w += (fan_in + 1) * fan_out
        src = to
    return src


@compiled_in_place
def _deltas(
    P: Array, w: int, fan_in: int, fan_out: int, code: int, a: Array, d: Array, row: int, above: int
) -> None:
    """Deltas of a layer's inputs from its output deltas; `code` is the activation of the inputs."""
    source = d if code >= CURVED else a
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
        store_flat(d, above + i, times_slope(code, four, load_four(source, above + i)))
        i += 4
    while i < fan_in:
        d[above + i] = _dot(P, w + i * fan_out, d, row, fan_out) * slope_number(code, source[above + i])
        i += 1


@compiled_in_place
def _dot(P: Array, k: int, d: Array, row: int, n: int) -> float:
    sums = four_zeros()
    j = 0
    while j + 4 <= n:
        sums = multiply_add(sums, load_four(P, k + j), load_four(d, row + j))
        j += 4
    s = total(sums)
    while j < n:
        s += P[k + j] * d[row + j]
        j += 1
    return s


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
    """Change `rows` rows of a block by plain SGD; return their sum of squares before.

    The results are written `shift` further on.
    """
    squares = four_zeros()
    rest = 0.0
    j = 0
    if fan_out == 1:
        x = -rate * d[row]
        while j + 4 <= rows:
            four = load_four(P, w + j)
            squares = multiply_add(squares, four, four)
            store_flat(P, w + j + shift, multiply_add(four, x, load_four(a, above + j)))
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
            squares = multiply_add(squares, four, four)
            store_flat(P, k + shift, multiply_add(four, a[i], deltas))
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
def _change_layer(
    P: Array, w: int, shift: int, rate: float, fan_in: int, fan_out: int, a: Array, above: int, d: Array, row: int,
    record: Array, step: int, k: int,
) -> float:  # fmt: skip
    """Change and record one layer by plain SGD; return the result of `record_sums`.

    Its weights are parameter k, its bias k + 1.
    """
    bias = w + fan_in * fan_out
    own = _change_block(P, w, shift, rate, fan_in, fan_out, a, above, d, row)
    own_bias = _change_block(P, bias, shift, rate, 1, fan_out, a, above + fan_in, d, row)
    size, squares = sizes_and_squares(d, row, fan_out)
    inputs, input_squares = sizes_and_squares(a, above, fan_in)
    g2 = input_squares * squares
    magnitude = record_sums(record, step, k, (inputs * size, g2, rate * rate * g2, own))
    return magnitude + record_sums(record, step, k + 1, (size, squares, rate * rate * squares, own_bias))


@compiled
def _spread_gradient(net: Net, G: Array, tiles: Tiles) -> None:
    """Write the gradient of all layers from the inputs and deltas."""
    src, k = 0, 0
    for layer in range(len(net.codes)):
        fan_in, fan_out = net.sizes[layer], net.sizes[layer + 1]
        to = src + fan_in + 1
        for i in range(fan_in + 1):
            x = tiles.a[src + i]
            for j in range(fan_out):
                G[k + j] = x * tiles.d[to + j]
            k += fan_out
        src = to


@compiled_in_place
def _loss_at(net: Net, P: Array, w: int, train: Split, sample: int, tiles: Tiles) -> tuple[float, int]:
    """Loss of a sample, and index of its prediction; writes output deltas into `d`."""
    a, d, layers = tiles.a, tiles.d, len(net.codes)
    for i in range(net.sizes[0]):
        a[i] = train.rows[sample, i]
    out, y = _predict(net, P, w, tiles), train.targets[0, sample]
    if net.sizes[layers] > 1:
        return measure_classes_one(a, d, out, net.sizes[layers], y), out
    loss, delta = measure_one(net.criterion, a[out], y)
    last = net.codes[layers - 1]
    d[out] = delta * slope_number(last, d[out] if last >= CURVED else a[out])
    return loss, out


@compiled_in_place
def _backpropagate(net: Net, memory: Memory, s: int, out: int, tiles: Tiles) -> None:
    """Go back through all layers from the deltas at `out`; write the gradient into G."""
    src, k = out, s % 3 * len(memory.G) + len(memory.G)
    for layer in range(len(net.codes) - 1, 0, -1):
        fan_in, fan_out = net.sizes[layer], net.sizes[layer + 1]
        above = src - fan_in - 1
        k -= (fan_in + 1) * fan_out
        _deltas(memory.P, k, fan_in, fan_out, net.codes[layer - 1], tiles.a, tiles.d, src, above)
        src = above
    _spread_gradient(net, memory.G, tiles)


@compiled_in_place
def _change_all(
    net: Net, memory: Memory, s: int, out: int, tiles: Tiles, rate: float, record: Array
) -> float:
    """Go back through all layers, changing and recording each by plain SGD.

    Returns the result of `record_sums`.
    """
    P, part, magnitude = memory.P, len(memory.G), 0.0
    w, after, src = s % 3 * part, (s + 1) % 3 * part, out
    k = w + part
    for layer in range(len(net.codes) - 1, -1, -1):
        fan_in, fan_out = net.sizes[layer], net.sizes[layer + 1]
        above = src - fan_in - 1
        k -= (fan_in + 1) * fan_out
        if layer:
            _deltas(P, k, fan_in, fan_out, net.codes[layer - 1], tiles.a, tiles.d, src, above)
        magnitude += _change_layer(
            P, k, after - w, rate, fan_in, fan_out, tiles.a, above, tiles.d, src, record, s % BLOCK, 2 * layer
        )  # fmt: skip
        src = above
    return magnitude


@compiled
def _evaluate(net: Net, data: Data, P: Array, w: int, tiles: Tiles) -> tuple[float, float, float, float]:
    """Training and test loss, and both tallies; NaN without a test split."""
    train, tally = mean_loss(net, P, w, data.train, tiles)
    test, test_tally = mean_loss(net, P, w, data.test, tiles)
    return train, test, tally, test_tally


@compiled
def _plain_steps(
    net: Net, data: Data, method: Method, memory: Memory, span: Span, tiles: Tiles, recorder: Recorder
) -> tuple[int, bool]:
    """Steps of plain SGD: the gradient is stored only for a check."""
    m, part = data.train.targets.shape[1], len(memory.G)
    place, stride, s, bad, rate = span.place, 2, 0, False, method.hyper[0]
    for s in range(span.steps + 1):
        w = s % 3 * part
        if len(method.rates):
            rate = method.rates[s]
        loss, out = _loss_at(net, memory.P, w, data.train, span.order[s], tiles)
        magnitude = loss + _change_all(net, memory, s, out, tiles, rate, recorder.record)
        if not magnitude < SAFE:
            _spread_gradient(net, memory.G, tiles)
            bad = not is_finite(magnitude, loss, memory, w)
        train = test = tally = test_tally = np.nan
        stride = stride_at(span.step + s, stride)
        if is_evaluation_point(span.step + s, stride, place):
            train, test, tally, test_tally = _evaluate(net, data, memory.P, w, tiles)
            bad = bad or (s > 0 and is_divergent(train, span.limit, True))
        if bad or s == span.steps:
            break
        record_step(recorder, net, memory, s, (loss, np.nan, train, test, tally, test_tally))
        place = place + 1 if place + 1 < m else 0
    flush(recorder, net, s)
    return max(s - 1, 0) if bad else s, bad


@compiled
def _other_steps(
    net: Net, data: Data, method: Method, memory: Memory, span: Span, tiles: Tiles, recorder: Recorder
) -> tuple[int, bool]:
    """Steps of all other methods, from a stored gradient."""
    m, part = data.train.targets.shape[1], len(memory.G)
    place, stride, s, bad = span.place, 2, 0, False
    for s in range(span.steps + 1):
        w = s % 3 * part
        loss, out = _loss_at(net, memory.P, w, data.train, span.order[s], tiles)
        _backpropagate(net, memory, s, out, tiles)
        objective = add_penalties(net, method, memory, w, loss)
        bad = not is_finite(loss + make_change(net, method, memory, recorder, s), loss, memory, w)
        train = test = tally = test_tally = np.nan
        stride = stride_at(span.step + s, stride)
        if is_evaluation_point(span.step + s, stride, place):
            train, test, tally, test_tally = _evaluate(net, data, memory.P, w, tiles)
            bad = bad or (s > 0 and is_divergent(train, span.limit, True))
        if bad or s == span.steps:
            break
        record_step(recorder, net, memory, s, (loss, objective, train, test, tally, test_tally))
        place = place + 1 if place + 1 < m else 0
    flush(recorder, net, s)
    return max(s - 1, 0) if bad else s, bad


@compiled
def single_steps(
    net: Net, data: Data, method: Method, memory: Memory, span: Span, tiles: Tiles, recorder: Recorder
) -> tuple[int, bool]:
    """As `compiled_batches.batch_steps`, for single samples."""
    is_plain = method.optimizer == SGD and not len(method.factors)
    if is_plain and not has_penalties(method.terms) and not has_bounds(method.terms):
        return _plain_steps(net, data, method, memory, span, tiles, recorder)
    return _other_steps(net, data, method, memory, span, tiles, recorder)
