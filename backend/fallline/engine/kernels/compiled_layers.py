"""One layer over a tile of samples: the matrix products of forward and backward. Must not know which activations are.

Rows are units, columns are samples, so that vectors run along the samples whatever the layer's width. A layer's block
lies in the flat vector from `w` on: weights (fan_in, fan_out), then the biases as one more row. Four units and three
vectors go together: twelve sums stay in registers while the inputs pass by, each number loaded being used three or
four times.
"""

from __future__ import annotations

from typing import Any

from fallline.engine.kernels.compiled_activations import CURVED, bent_vector, sloped_vector
from fallline.engine.kernels.compiled_code import Array, compiled, compiled_in_place
from fallline.engine.kernels.compiled_vectors import (
    LANES,
    load,
    load_flat,
    plus,
    spread,
    store,
    store_flat,
    total,
)


@compiled
def forward(
    P: Array, w: int, fan_in: int, fan_out: int, code: int, A: Array, row: int, to: int, n: int
) -> None:
    """A[to + j] = activation of b[j] + sum over i of W[i, j] A[row + i], in n columns (a multiple of LANES); a curved
    one is left to `bend`.
    """
    bias = w + fan_in * fan_out
    j = 0
    while j + 4 <= fan_out:
        t = 0
        while t + 3 * LANES <= n:
            a0 = a1 = a2 = spread(P[bias + j])
            b0 = b1 = b2 = spread(P[bias + j + 1])
            c0 = c1 = c2 = spread(P[bias + j + 2])
            d0 = d1 = d2 = spread(P[bias + j + 3])
            k = w + j
            for i in range(row, row + fan_in):
                x0, x1, x2 = load(A, i, t), load(A, i, t + LANES), load(A, i, t + 2 * LANES)
                a0, a1, a2 = plus(a0, P[k], x0), plus(a1, P[k], x1), plus(a2, P[k], x2)
                b0, b1, b2 = plus(b0, P[k + 1], x0), plus(b1, P[k + 1], x1), plus(b2, P[k + 1], x2)
                c0, c1, c2 = plus(c0, P[k + 2], x0), plus(c1, P[k + 2], x1), plus(c2, P[k + 2], x2)
                d0, d1, d2 = plus(d0, P[k + 3], x0), plus(d1, P[k + 3], x1), plus(d2, P[k + 3], x2)
                k += fan_out
            _bend_three(code, A, to + j, t, a0, a1, a2)
            _bend_three(code, A, to + j + 1, t, b0, b1, b2)
            _bend_three(code, A, to + j + 2, t, c0, c1, c2)
            _bend_three(code, A, to + j + 3, t, d0, d1, d2)
            t += 3 * LANES
        while t < n:
            a0, b0 = spread(P[bias + j]), spread(P[bias + j + 1])
            c0, d0 = spread(P[bias + j + 2]), spread(P[bias + j + 3])
            k = w + j
            for i in range(row, row + fan_in):
                x0 = load(A, i, t)
                a0, b0 = plus(a0, P[k], x0), plus(b0, P[k + 1], x0)
                c0, d0 = plus(c0, P[k + 2], x0), plus(d0, P[k + 3], x0)
                k += fan_out
            store(A, to + j, t, bent_vector(code, a0))
            store(A, to + j + 1, t, bent_vector(code, b0))
            store(A, to + j + 2, t, bent_vector(code, c0))
            store(A, to + j + 3, t, bent_vector(code, d0))
            t += LANES
        j += 4
    while j < fan_out:
        for t in range(0, n, LANES):
            a0 = spread(P[bias + j])
            k = w + j
            for i in range(row, row + fan_in):
                a0 = plus(a0, P[k], load(A, i, t))
                k += fan_out
            store(A, to + j, t, bent_vector(code, a0))
        j += 1


@compiled_in_place
def _bend_three(code: int, A: Array, row: int, t: int, one: Any, two: Any, three: Any) -> None:
    store(A, row, t, bent_vector(code, one))
    store(A, row, t + LANES, bent_vector(code, two))
    store(A, row, t + 2 * LANES, bent_vector(code, three))


@compiled
def backward(
    P: Array, w: int, fan_in: int, fan_out: int, code: int, A: Array, D: Array, row: int, to: int, n: int
) -> None:
    """D[to + i] = slope there times sum over j of W[i, j] D[row + j]: `code` is the activation of the layer that the
    deltas arrive at.
    """
    T = D if code >= CURVED else A
    i = 0
    while i + 4 <= fan_in:
        k0 = w + i * fan_out
        k1, k2, k3 = k0 + fan_out, k0 + 2 * fan_out, k0 + 3 * fan_out
        t = 0
        while t + 3 * LANES <= n:
            a0 = a1 = a2 = b0 = b1 = b2 = c0 = c1 = c2 = d0 = d1 = d2 = spread(0.0)
            for j in range(fan_out):
                x0 = load(D, row + j, t)
                x1 = load(D, row + j, t + LANES)
                x2 = load(D, row + j, t + 2 * LANES)
                a0, a1, a2 = plus(a0, P[k0 + j], x0), plus(a1, P[k0 + j], x1), plus(a2, P[k0 + j], x2)
                b0, b1, b2 = plus(b0, P[k1 + j], x0), plus(b1, P[k1 + j], x1), plus(b2, P[k1 + j], x2)
                c0, c1, c2 = plus(c0, P[k2 + j], x0), plus(c1, P[k2 + j], x1), plus(c2, P[k2 + j], x2)
                d0, d1, d2 = plus(d0, P[k3 + j], x0), plus(d1, P[k3 + j], x1), plus(d2, P[k3 + j], x2)
            _slope_three(code, T, D, to + i, t, a0, a1, a2)
            _slope_three(code, T, D, to + i + 1, t, b0, b1, b2)
            _slope_three(code, T, D, to + i + 2, t, c0, c1, c2)
            _slope_three(code, T, D, to + i + 3, t, d0, d1, d2)
            t += 3 * LANES
        while t < n:
            a0 = b0 = c0 = d0 = spread(0.0)
            for j in range(fan_out):
                x0 = load(D, row + j, t)
                a0, b0 = plus(a0, P[k0 + j], x0), plus(b0, P[k1 + j], x0)
                c0, d0 = plus(c0, P[k2 + j], x0), plus(d0, P[k3 + j], x0)
            store(D, to + i, t, sloped_vector(code, a0, load(T, to + i, t)))
            store(D, to + i + 1, t, sloped_vector(code, b0, load(T, to + i + 1, t)))
            store(D, to + i + 2, t, sloped_vector(code, c0, load(T, to + i + 2, t)))
            store(D, to + i + 3, t, sloped_vector(code, d0, load(T, to + i + 3, t)))
            t += LANES
        i += 4
    while i < fan_in:
        k0 = w + i * fan_out
        for t in range(0, n, LANES):
            a0 = spread(0.0)
            for j in range(fan_out):
                a0 = plus(a0, P[k0 + j], load(D, row + j, t))
            store(D, to + i, t, sloped_vector(code, a0, load(T, to + i, t)))
        i += 1


@compiled_in_place
def _slope_three(code: int, T: Array, D: Array, row: int, t: int, one: Any, two: Any, three: Any) -> None:
    store(D, row, t, sloped_vector(code, one, load(T, row, t)))
    store(D, row, t + LANES, sloped_vector(code, two, load(T, row, t + LANES)))
    store(D, row, t + 2 * LANES, sloped_vector(code, three, load(T, row, t + 2 * LANES)))


@compiled
def slope(code: int, T: Array, told: int, D: Array, row: int, units: int, n: int) -> None:
    """D times the slopes that T tells from row `told` on, for `units` rows from `row` on."""
    for j in range(units):
        for t in range(0, n, LANES):
            store(D, row + j, t, sloped_vector(code, load(D, row + j, t), load(T, told + j, t)))


@compiled
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
    """G[i, j] += sum over samples of A[above + i] D[row + j], i < rows: the weights' rows, and the bias's, since the
    row of A after a layer's outputs holds ones.

    Vectors run along the samples, and are summed at the end, where the layer is narrow; where it is wide they run along
    its units, over deltas turned `upright`, and need no sum.
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
            _one_by_four(G, w + i * fan_out + j, D, row + j, A, above + i, 1, n)
        j += 4
    while j < fan_out:
        i = 0
        while i + 4 <= rows:
            _one_by_four(G, w + i * fan_out + j, A, above + i, D, row + j, fan_out, n)
            i += 4
        while i < rows:
            _one_by_one(G, w + i * fan_out + j, A, above + i, D, row + j, n)
            i += 1
        j += 1


@compiled
def _turn(D: Array, row: int, units: int, n: int, upright: Array) -> None:
    """Deltas with a row a sample."""
    for j in range(0, units, LANES):
        for t in range(n):
            for r in range(LANES):
                upright[t, j + r] = D[row + j + r, t]


@compiled
def _gather_wide(
    G: Array, w: int, rows: int, fan_out: int, wide: int, A: Array, above: int, n: int, upright: Array
) -> None:
    """The first `wide` columns of every row of the gradient."""
    i = 0
    while i + 4 <= rows:
        r0 = above + i
        r1, r2, r3 = r0 + 1, r0 + 2, r0 + 3
        k0 = w + i * fan_out
        k1, k2, k3 = k0 + fan_out, k0 + 2 * fan_out, k0 + 3 * fan_out
        j = 0
        while j + 3 * LANES <= wide:
            a0, a1, a2 = _three_of(G, k0 + j)
            b0, b1, b2 = _three_of(G, k1 + j)
            c0, c1, c2 = _three_of(G, k2 + j)
            d0, d1, d2 = _three_of(G, k3 + j)
            for t in range(n):
                x0, x1, x2 = load(upright, t, j), load(upright, t, j + LANES), load(upright, t, j + 2 * LANES)
                a0, a1, a2 = plus(a0, A[r0, t], x0), plus(a1, A[r0, t], x1), plus(a2, A[r0, t], x2)
                b0, b1, b2 = plus(b0, A[r1, t], x0), plus(b1, A[r1, t], x1), plus(b2, A[r1, t], x2)
                c0, c1, c2 = plus(c0, A[r2, t], x0), plus(c1, A[r2, t], x1), plus(c2, A[r2, t], x2)
                d0, d1, d2 = plus(d0, A[r3, t], x0), plus(d1, A[r3, t], x1), plus(d2, A[r3, t], x2)
            _put_three(G, k0 + j, a0, a1, a2)
            _put_three(G, k1 + j, b0, b1, b2)
            _put_three(G, k2 + j, c0, c1, c2)
            _put_three(G, k3 + j, d0, d1, d2)
            j += 3 * LANES
        while j < wide:
            a0, b0 = load_flat(G, k0 + j), load_flat(G, k1 + j)
            c0, d0 = load_flat(G, k2 + j), load_flat(G, k3 + j)
            for t in range(n):
                x0 = load(upright, t, j)
                a0, b0 = plus(a0, A[r0, t], x0), plus(b0, A[r1, t], x0)
                c0, d0 = plus(c0, A[r2, t], x0), plus(d0, A[r3, t], x0)
            store_flat(G, k0 + j, a0)
            store_flat(G, k1 + j, b0)
            store_flat(G, k2 + j, c0)
            store_flat(G, k3 + j, d0)
            j += LANES
        i += 4
    while i < rows:
        k0 = w + i * fan_out
        for j in range(0, wide, LANES):
            a0 = load_flat(G, k0 + j)
            for t in range(n):
                a0 = plus(a0, A[above + i, t], load(upright, t, j))
            store_flat(G, k0 + j, a0)
        i += 1


@compiled_in_place
def _three_of(G: Array, k: int) -> Any:
    return load_flat(G, k), load_flat(G, k + LANES), load_flat(G, k + 2 * LANES)


@compiled_in_place
def _put_three(G: Array, k: int, one: Any, two: Any, three: Any) -> None:
    store_flat(G, k, one)
    store_flat(G, k + LANES, two)
    store_flat(G, k + 2 * LANES, three)


@compiled_in_place
def _two_by_four(G: Array, k: int, down: int, A: Array, above: int, D: Array, row: int, n: int) -> None:
    p0 = p1 = p2 = p3 = q0 = q1 = q2 = q3 = spread(0.0)
    t = 0
    while t < n:
        x, y = load(A, above, t), load(A, above + 1, t)
        d = load(D, row, t)
        p0, q0 = plus(p0, x, d), plus(q0, y, d)
        d = load(D, row + 1, t)
        p1, q1 = plus(p1, x, d), plus(q1, y, d)
        d = load(D, row + 2, t)
        p2, q2 = plus(p2, x, d), plus(q2, y, d)
        d = load(D, row + 3, t)
        p3, q3 = plus(p3, x, d), plus(q3, y, d)
        t += LANES
    G[k] += total(p0)
    G[k + 1] += total(p1)
    G[k + 2] += total(p2)
    G[k + 3] += total(p3)
    k += down
    G[k] += total(q0)
    G[k + 1] += total(q1)
    G[k + 2] += total(q2)
    G[k + 3] += total(q3)


@compiled_in_place
def _one_by_four(G: Array, k: int, F: Array, four: int, S: Array, single: int, step: int, n: int) -> None:
    """Products of four rows of F with one of S, `step` apart in G."""
    p0 = p1 = p2 = p3 = spread(0.0)
    t = 0
    while t < n:
        x = load(S, single, t)
        p0, p1 = plus(p0, load(F, four, t), x), plus(p1, load(F, four + 1, t), x)
        p2, p3 = plus(p2, load(F, four + 2, t), x), plus(p3, load(F, four + 3, t), x)
        t += LANES
    G[k] += total(p0)
    G[k + step] += total(p1)
    G[k + 2 * step] += total(p2)
    G[k + 3 * step] += total(p3)


@compiled_in_place
def _one_by_one(G: Array, k: int, A: Array, above: int, D: Array, row: int, n: int) -> None:
    p = spread(0.0)
    t = 0
    while t < n:
        p = plus(p, load(A, above, t), load(D, row, t))
        t += LANES
    G[k] += total(p)
