"""Matrix products of one layer, forward and backward, over a tile of samples.

Rows are units, columns are samples, so that vectors run along the samples for any layer width. A layer's block is in
the flat vector from `w` on: weights (fan_in, fan_out), then the biases as one more row. Four units and three
registers of samples go together: twelve sums stay in registers, and each loaded number is used three or four times.
The remaining samples go through the same code with two registers or one: the type of the zero vector `like` sets
their number.
"""

from __future__ import annotations

from typing import Any

from fallline.engine.kernels.compiled_activations import CURVED, straight_vector, times_slope
from fallline.engine.kernels.compiled_code import Array, compiled, compiled_in_place
from fallline.engine.kernels.compiled_vectors import (
    LANES,
    filled,
    folded,
    load,
    load_flat,
    load_four,
    multiply_add,
    number,
    number_at,
    store,
    store_flat,
    total,
    totals,
    transpose,
    zeros1,
    zeros2,
    zeros3,
)


@compiled_in_place
def _by_three(t: int, n: int) -> bool:
    """Return whether to take three registers next; four are split 2 + 2, not 3 + 1."""
    return t + 3 * LANES <= n and t + 4 * LANES != n


@compiled_in_place
def forward(
    P: Array, w: int, fan_in: int, fan_out: int, code: int, A: Array, row: int, to: int, n: int
) -> None:
    """A[to + j] = activation of b[j] + sum over i of W[i, j] A[row + i], in n columns.

    n is a multiple of LANES. A curved activation is left to `apply_curved`.
    """
    j = 0
    while j + 4 <= fan_out:
        t = 0
        while _by_three(t, n):
            _four_forward(zeros3(), P, w + j, fan_in, fan_out, code, A, row, to + j, t)
            t += 3 * LANES
        while t + 2 * LANES <= n:
            _four_forward(zeros2(), P, w + j, fan_in, fan_out, code, A, row, to + j, t)
            t += 2 * LANES
        if t < n:
            _four_forward(zeros1(), P, w + j, fan_in, fan_out, code, A, row, to + j, t)
        j += 4
    while j < fan_out:
        t = 0
        while t + 3 * LANES <= n:
            _one_forward(zeros3(), P, w + j, fan_in, fan_out, code, A, row, to + j, t)
            t += 3 * LANES
        while t < n:
            _one_forward(zeros1(), P, w + j, fan_in, fan_out, code, A, row, to + j, t)
            t += LANES
        j += 1


@compiled_in_place
def _four_forward(
    like: Any, P: Array, k: int, fan_in: int, fan_out: int, code: int, A: Array, row: int, to: int, t: int
) -> None:
    """Four units from row `to` on; their weights begin at k."""
    bias = k + fan_in * fan_out
    a, b = filled(like, number(P, bias)), filled(like, number(P, bias + 1))
    c, d = filled(like, number(P, bias + 2)), filled(like, number(P, bias + 3))
    for i in range(row, row + fan_in):
        x = load(like, A, i, t)
        a, b = multiply_add(a, number(P, k), x), multiply_add(b, number(P, k + 1), x)
        c, d = multiply_add(c, number(P, k + 2), x), multiply_add(d, number(P, k + 3), x)
        k += fan_out
    store(A, to, t, straight_vector(code, a))
    store(A, to + 1, t, straight_vector(code, b))
    store(A, to + 2, t, straight_vector(code, c))
    store(A, to + 3, t, straight_vector(code, d))


@compiled_in_place
def _one_forward(
    like: Any, P: Array, k: int, fan_in: int, fan_out: int, code: int, A: Array, row: int, to: int, t: int
) -> None:
    a = filled(like, number(P, k + fan_in * fan_out))
    for i in range(row, row + fan_in):
        a = multiply_add(a, number(P, k), load(like, A, i, t))
        k += fan_out
    store(A, to, t, straight_vector(code, a))


@compiled_in_place
def backward(
    P: Array, w: int, fan_in: int, fan_out: int, code: int, A: Array, D: Array, row: int, to: int, n: int
) -> None:
    """D[to + i] = slope times sum over j of W[i, j] D[row + j].

    `code` is the activation of the layer below, whose deltas these are.
    """
    T = D if code >= CURVED else A
    i, k = 0, w
    while i + 4 <= fan_in:
        t = 0
        while _by_three(t, n):
            _four_backward(zeros3(), P, k, fan_out, code, T, D, row, to + i, t)
            t += 3 * LANES
        while t + 2 * LANES <= n:
            _four_backward(zeros2(), P, k, fan_out, code, T, D, row, to + i, t)
            t += 2 * LANES
        if t < n:
            _four_backward(zeros1(), P, k, fan_out, code, T, D, row, to + i, t)
        i, k = i + 4, k + 4 * fan_out
    while i < fan_in:
        for t in range(0, n, LANES):
            a = zeros1()
            for j in range(fan_out):
                a = multiply_add(a, number(P, k + j), load(a, D, row + j, t))
            store(D, to + i, t, times_slope(code, a, load(a, T, to + i, t)))
        i, k = i + 1, k + fan_out


@compiled_in_place
def _four_backward(
    like: Any, P: Array, k: int, fan_out: int, code: int, T: Array, D: Array, row: int, to: int, t: int
) -> None:
    """Four units from row `to` on; their weights begin at k."""
    a = b = c = d = like
    k1, k2, k3 = k + fan_out, k + 2 * fan_out, k + 3 * fan_out
    for j in range(fan_out):
        x = load(like, D, row + j, t)
        a, b = multiply_add(a, number(P, k + j), x), multiply_add(b, number(P, k1 + j), x)
        c, d = multiply_add(c, number(P, k2 + j), x), multiply_add(d, number(P, k3 + j), x)
    store(D, to, t, times_slope(code, a, load(like, T, to, t)))
    store(D, to + 1, t, times_slope(code, b, load(like, T, to + 1, t)))
    store(D, to + 2, t, times_slope(code, c, load(like, T, to + 2, t)))
    store(D, to + 3, t, times_slope(code, d, load(like, T, to + 3, t)))


@compiled
def slope(code: int, T: Array, source: int, D: Array, row: int, units: int, n: int) -> None:
    """Multiply `units` rows of D from `row` on by the slopes from T, row `source` on."""
    for j in range(units):
        for t in range(0, n, LANES):
            d, slopes = load(zeros1(), D, row + j, t), load(zeros1(), T, source + j, t)
            store(D, row + j, t, times_slope(code, d, slopes))


@compiled_in_place
def gather_gradient(
    G: Array,
    w: int,
    rows: int,
    fan_out: int,
    A: Array,
    above: int,
    D: Array,
    row: int,
    n: int,
    upright: Array,
) -> None:
    """G[i, j] += sum over samples of A[above + i] D[row + j], i < rows.

    The last row is the bias: the row of A after a layer's outputs is ones. In a narrow layer
    vectors run along the samples and are summed at the end. In a wide one they run along its units, over transposed
    deltas in `upright`, and need no final sum.
    """
    wide = fan_out // LANES * LANES
    if wide:
        _turn(D, row, wide, n, upright)
        _gather_wide(G, w, rows, fan_out, wide, A, above, n, upright)
    j = wide
    while j + 4 <= fan_out:
        i = 0
        while i + 2 <= rows:
            _two_by_four(G, w + i * fan_out + j, fan_out, A, above + i, D, row + j, n)
            i += 2
        if i < rows:
            _one_by_four(G, w + i * fan_out + j, D, row + j, A, above + i, n)
        j += 4
    while j < fan_out:
        i = 0
        while fan_out == 1 and i + 4 <= rows:
            _one_by_four(G, w + i, A, above + i, D, row, n)
            i += 4
        while i < rows:
            _one_by_one(G, w + i * fan_out + j, A, above + i, D, row + j, n)
            i += 1
        j += 1


@compiled_in_place
def _turn(D: Array, row: int, units: int, n: int, upright: Array) -> None:
    """Transpose deltas to one row per sample."""
    for j in range(0, units, LANES):
        for t in range(0, n, LANES):
            transpose(D, row + j, t, upright, t, j)


@compiled
def _gather_wide(
    G: Array, w: int, rows: int, fan_out: int, wide: int, A: Array, above: int, n: int, upright: Array
) -> None:
    """The first `wide` columns of every row of the gradient."""
    i, k = 0, w
    while i + 4 <= rows:
        j = 0
        while _by_three(j, wide):
            _four_gathered(zeros3(), G, k + j, fan_out, A, above + i, n, upright, j)
            j += 3 * LANES
        while j + 2 * LANES <= wide:
            _four_gathered(zeros2(), G, k + j, fan_out, A, above + i, n, upright, j)
            j += 2 * LANES
        if j < wide:
            _four_gathered(zeros1(), G, k + j, fan_out, A, above + i, n, upright, j)
        i, k = i + 4, k + 4 * fan_out
    while i < rows:
        j = 0
        while j + 3 * LANES <= wide:
            _one_gathered(zeros3(), G, k + j, A, above + i, n, upright, j)
            j += 3 * LANES
        while j < wide:
            _one_gathered(zeros1(), G, k + j, A, above + i, n, upright, j)
            j += LANES
        i, k = i + 1, k + fan_out


@compiled_in_place
def _one_gathered(like: Any, G: Array, k: int, A: Array, above: int, n: int, upright: Array, j: int) -> None:
    a = load_flat(like, G, k)
    for t in range(n):
        a = multiply_add(a, number_at(A, above, t), load(like, upright, t, j))
    store_flat(G, k, a)


@compiled_in_place
def _four_gathered(
    like: Any, G: Array, k: int, fan_out: int, A: Array, above: int, n: int, upright: Array, j: int
) -> None:
    """Some columns from j on of four rows of the gradient; the first begins at k."""
    k1, k2, k3 = k + fan_out, k + 2 * fan_out, k + 3 * fan_out
    a, b = load_flat(like, G, k), load_flat(like, G, k1)
    c, d = load_flat(like, G, k2), load_flat(like, G, k3)
    for t in range(n):
        x = load(like, upright, t, j)
        a, b = multiply_add(a, number_at(A, above, t), x), multiply_add(b, number_at(A, above + 1, t), x)
        c, d = multiply_add(c, number_at(A, above + 2, t), x), multiply_add(d, number_at(A, above + 3, t), x)
    store_flat(G, k, a)
    store_flat(G, k1, b)
    store_flat(G, k2, c)
    store_flat(G, k3, d)


@compiled_in_place
def _two_by_four(G: Array, k: int, down: int, A: Array, above: int, D: Array, row: int, n: int) -> None:
    p0 = p1 = p2 = p3 = q0 = q1 = q2 = q3 = zeros1()
    t = 0
    while t < n:
        x, y = load(zeros1(), A, above, t), load(zeros1(), A, above + 1, t)
        d = load(zeros1(), D, row, t)
        p0, q0 = multiply_add(p0, x, d), multiply_add(q0, y, d)
        d = load(zeros1(), D, row + 1, t)
        p1, q1 = multiply_add(p1, x, d), multiply_add(q1, y, d)
        d = load(zeros1(), D, row + 2, t)
        p2, q2 = multiply_add(p2, x, d), multiply_add(q2, y, d)
        d = load(zeros1(), D, row + 3, t)
        p3, q3 = multiply_add(p3, x, d), multiply_add(q3, y, d)
        t += LANES
    _add_four(G, k, p0, p1, p2, p3)
    _add_four(G, k + down, q0, q1, q2, q3)


@compiled_in_place
def _one_by_four(G: Array, k: int, F: Array, four: int, S: Array, single: int, n: int) -> None:
    """Add products of four rows of F with one of S to adjacent numbers of G."""
    p0 = p1 = p2 = p3 = zeros1()
    t = 0
    while t < n:
        x = load(zeros1(), S, single, t)
        p0, p1 = (
            multiply_add(p0, load(zeros1(), F, four, t), x),
            multiply_add(p1, load(zeros1(), F, four + 1, t), x),
        )
        p2, p3 = (
            multiply_add(p2, load(zeros1(), F, four + 2, t), x),
            multiply_add(p3, load(zeros1(), F, four + 3, t), x),
        )
        t += LANES
    _add_four(G, k, p0, p1, p2, p3)


@compiled_in_place
def _add_four(G: Array, k: int, p0: Any, p1: Any, p2: Any, p3: Any) -> None:
    """Add the lane sums to four numbers of G."""
    sums = totals(folded(p0), folded(p1), folded(p2), folded(p3))
    store_flat(G, k, multiply_add(load_four(G, k), 1.0, sums))


@compiled_in_place
def _one_by_one(G: Array, k: int, A: Array, above: int, D: Array, row: int, n: int) -> None:
    p = zeros1()
    t = 0
    while t < n:
        p = multiply_add(p, load(zeros1(), A, above, t), load(zeros1(), D, row, t))
        t += LANES
    G[k] += total(p)
