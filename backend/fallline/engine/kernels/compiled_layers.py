"""One layer over a tile of samples: the matrix products of forward and backward. Must not know activations.

Rows are units, columns are samples, so that vectors run along the samples whatever the layer's width. A layer's block
lies in the flat vector from `w` on: weights (fan_in, fan_out), then the biases as one more row. Four units and three
vectors go together: twelve sums stay in registers while the inputs pass by, each number loaded being used three or
four times.
"""

from __future__ import annotations

from fallline.engine.kernels.compiled_code import Array, compiled
from fallline.engine.kernels.compiled_vectors import LANES, load, plus, spread, store, total


@compiled
def forward(P: Array, w: int, fan_in: int, fan_out: int, A: Array, row: int, to: int, n: int) -> None:
    """A[to + j] = b[j] + sum over i of W[i, j] A[row + i], for the first n columns (a multiple of LANES)."""
    bias = w + fan_in * fan_out
    j = 0
    while j + 4 <= fan_out:
        b = (P[bias + j], P[bias + j + 1], P[bias + j + 2], P[bias + j + 3])
        _four(P, w + j, 1, fan_out, fan_in, b, A, row, A, to + j, n)
        j += 4
    while j < fan_out:
        _one(P, w + j, fan_out, fan_in, P[bias + j], A, row, A, to + j, n)
        j += 1


@compiled
def backward(P: Array, w: int, fan_in: int, fan_out: int, D: Array, row: int, to: int, n: int) -> None:
    """D[to + i] = sum over j of W[i, j] D[row + j]: the same sums with the weights read the other way round."""
    i = 0
    while i + 4 <= fan_in:
        _four(P, w + i * fan_out, fan_out, 1, fan_out, (0.0, 0.0, 0.0, 0.0), D, row, D, to + i, n)
        i += 4
    while i < fan_in:
        _one(P, w + i * fan_out, 1, fan_out, 0.0, D, row, D, to + i, n)
        i += 1


@compiled
def _four(
    P: Array, w: int, across: int, down: int, terms: int, start: tuple[float, float, float, float],
    X: Array, row: int, Z: Array, to: int, n: int,
) -> None:  # fmt: skip
    """Four rows of Z: row r is start[r] + sum over i < terms of P[w + r * across + i * down] X[row + i]."""
    t, second, third = 0, 2 * across, 3 * across
    while t + 3 * LANES <= n:
        a0 = a1 = a2 = spread(start[0])
        b0 = b1 = b2 = spread(start[1])
        c0 = c1 = c2 = spread(start[2])
        d0 = d1 = d2 = spread(start[3])
        k = w
        for i in range(terms):
            x0 = load(X, row + i, t)
            x1 = load(X, row + i, t + LANES)
            x2 = load(X, row + i, t + 2 * LANES)
            a0, a1, a2 = plus(a0, P[k], x0), plus(a1, P[k], x1), plus(a2, P[k], x2)
            u = P[k + across]
            b0, b1, b2 = plus(b0, u, x0), plus(b1, u, x1), plus(b2, u, x2)
            u = P[k + second]
            c0, c1, c2 = plus(c0, u, x0), plus(c1, u, x1), plus(c2, u, x2)
            u = P[k + third]
            d0, d1, d2 = plus(d0, u, x0), plus(d1, u, x1), plus(d2, u, x2)
            k += down
        _put(Z, to, t, a0, a1, a2)
        _put(Z, to + 1, t, b0, b1, b2)
        _put(Z, to + 2, t, c0, c1, c2)
        _put(Z, to + 3, t, d0, d1, d2)
        t += 3 * LANES
    while t < n:
        a0, b0, c0, d0 = spread(start[0]), spread(start[1]), spread(start[2]), spread(start[3])
        k = w
        for i in range(terms):
            x0 = load(X, row + i, t)
            a0, b0 = plus(a0, P[k], x0), plus(b0, P[k + across], x0)
            c0, d0 = plus(c0, P[k + second], x0), plus(d0, P[k + third], x0)
            k += down
        store(Z, to, t, a0)
        store(Z, to + 1, t, b0)
        store(Z, to + 2, t, c0)
        store(Z, to + 3, t, d0)
        t += LANES


@compiled
def _one(
    P: Array, w: int, down: int, terms: int, start: float, X: Array, row: int, Z: Array, to: int, n: int
) -> None:
    """One row of Z, as `_four`."""
    t = 0
    while t + 3 * LANES <= n:
        a0 = a1 = a2 = spread(start)
        k = w
        for i in range(terms):
            a0 = plus(a0, P[k], load(X, row + i, t))
            a1 = plus(a1, P[k], load(X, row + i, t + LANES))
            a2 = plus(a2, P[k], load(X, row + i, t + 2 * LANES))
            k += down
        _put(Z, to, t, a0, a1, a2)
        t += 3 * LANES
    while t < n:
        a0 = spread(start)
        k = w
        for i in range(terms):
            a0 = plus(a0, P[k], load(X, row + i, t))
            k += down
        store(Z, to, t, a0)
        t += LANES


@compiled
def _put(Z: Array, row: int, t: int, one, two, three) -> None:  # type: ignore[no-untyped-def]
    store(Z, row, t, one)
    store(Z, row, t + LANES, two)
    store(Z, row, t + 2 * LANES, three)


@compiled
def gather_gradient(
    G: Array, w: int, rows: int, fan_out: int, A: Array, above: int, D: Array, row: int, n: int
) -> None:
    """G[i, j] += sum over samples of A[above + i] D[row + j], i < rows: the weights' rows, and the bias's, since the
    row of A after a layer's outputs holds ones.
    """
    j = 0
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


@compiled
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


@compiled
def _one_by_one(G: Array, k: int, A: Array, above: int, D: Array, row: int, n: int) -> None:
    p = spread(0.0)
    t = 0
    while t < n:
        p = plus(p, load(A, above, t), load(D, row, t))
        t += LANES
    G[k] += total(p)
