"""Products with the exact Hessian of the objective, and its eigenvalues.

The products are Pearlmutter's (1994, Fast exact multiplication by the Hessian): forward and backward pass,
differentiated by hand along a direction, without a step length. For small networks, products with the unit vectors
give the whole matrix. For larger ones, Lanczos finds the ends of the spectrum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.network import ForwardPass, forward
from fallline.engine.problem import Problem
from fallline.vocabulary.arrays import Array, Rows

MOST_PARAMETERS = 400
"""Largest network with a whole Hessian: 400 products, and 1.3 MB."""

MOST_AT_ONCE = 2_000_000
"""Largest array of the products, in numbers; it limits the directions per batch."""


class HessianProducts:
    """Products with the Hessian at one point, over some rows of the data (default: all training samples).

    `l2` is the coefficient of the penalty. The L1 penalty adds nothing: its second derivative is 0, except at 0.
    """

    def __init__(
        self, problem: Problem, parameters: Array, l2: float = 0.0, rows: Rows | None = None
    ) -> None:
        self._problem, self._l2 = problem, l2
        train = problem.train
        self._X, self._y = (train.X, train.y) if rows is None else (problem.X[rows], problem.y[rows])
        self._named = problem.named(parameters)
        self._passed = forward(self._named, problem.activations, self._X)
        self._slopes, self._bends = _along(problem, self._passed)
        self._dz, self._da = self._backward()

    def products(self, directions: Array) -> Array:
        """H v for every row v of (k, parameters), as rows."""
        products = np.empty_like(directions)
        widest = len(self._X) * max(self._problem.layout.sizes)
        at_once = max(MOST_AT_ONCE // widest, 1)
        for start in range(0, len(directions), at_once):
            rows = slice(start, start + at_once)
            products[rows] = self._some(directions[rows])
        return products

    def _backward(self) -> tuple[list[Array], list[Array]]:
        """dz[k] and da[k] of layer k + 1, as in `network.backward`."""
        problem, passed = self._problem, self._passed
        da = [problem.loss.gradient(passed.y_pred, self._y)]
        dz: list[Array] = []
        for layer in range(len(problem.activations), 0, -1):
            dz.append(da[-1] * self._slopes[layer - 1])
            da.append(dz[-1] @ self._named[f"W{layer}"].T)
        return dz[::-1], da[-2::-1]

    def _some(self, directions: Array) -> Array:
        problem, passed = self._problem, self._passed
        moves = [_stacked(problem, directions, name) for name in problem.layout.names]
        z_change: list[Array] = []  # change of z of each layer, (k, m, units)
        inputs: Array | None = None  # change of the layer's inputs; the samples do not change
        for layer in range(1, len(problem.activations) + 1):
            before = passed.X if layer == 1 else passed.a[layer - 2]
            z = before @ moves[2 * layer - 2] + moves[2 * layer - 1]
            if inputs is not None:
                z = z + inputs @ self._named[f"W{layer}"]
            z_change.append(z)
            inputs = self._slopes[layer - 1] * z
        return self._back(directions, moves, z_change)

    def _back(self, directions: Array, moves: list[Array], z_change: list[Array]) -> Array:
        problem, passed, k = self._problem, self._passed, len(directions)
        products = np.empty_like(directions)
        last = len(problem.activations)
        moved = self._slopes[-1] * z_change[-1]
        da = problem.loss.bend(passed.y_pred, self._y, moved) / len(self._X)
        for layer in range(last, 0, -1):
            slope, bend = self._slopes[layer - 1], self._bends[layer - 1]
            dz = da * slope + self._da[layer - 1] * bend * z_change[layer - 1]
            before = passed.X if layer == 1 else passed.a[layer - 2]
            dW = before.T @ dz
            if layer > 1:
                inputs = self._slopes[layer - 2] * z_change[layer - 2]
                dW = dW + np.swapaxes(inputs, 1, 2) @ self._dz[layer - 1]
                da = dz @ self._named[f"W{layer}"].T + self._dz[layer - 1] @ np.swapaxes(
                    moves[2 * layer - 2], 1, 2
                )
            dW = dW + self._l2 * moves[2 * layer - 2]
            for place, value in ((2 * layer - 2, dW), (2 * layer - 1, dz.sum(axis=1))):
                start = problem.layout.offsets[place]
                products[:, start : start + problem.layout.lengths[place]] = value.reshape(k, -1)
        return products


def _along(problem: Problem, passed: ForwardPass) -> tuple[list[Array], list[Array]]:
    """First and second derivative of every layer's activation, (m, units) each."""
    slopes, bends = [], []
    for name, z, a in zip(problem.activations, passed.z, passed.a, strict=True):
        slopes.append(ACTIVATIONS[name].derivative(z, a))
        bends.append(ACTIVATIONS[name].bend(z, a))
    return slopes, bends


def _stacked(problem: Problem, directions: Array, name: str) -> Array:
    """The part of every direction that belongs to one parameter, (k, *shape)."""
    place = problem.layout.names.index(name)
    start, length = problem.layout.offsets[place], problem.layout.lengths[place]
    return directions[:, start : start + length].reshape(len(directions), *problem.layout.shapes[place])


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Eigenvalues, largest first: all if `whole`, else the ones that Lanczos has settled.

    The largest is listed even if it is only a lower bound yet (`settled` false).

    - `top` is its unit eigenvector, `second` the next one.
    - `products` is the number of products with the Hessian.
    - `trace` is the trace of the Hessian itself, without the scale; None if it is not whole.
    """

    eigenvalues: Array
    top: Array
    second: Array
    whole: bool
    settled: bool
    products: int
    trace: float | None = None


def spectrum(problem: Problem, parameters: Array, l2: float = 0.0, scale: Array | None = None) -> Spectrum:
    """The eigenvalues of the Hessian, or of diag(scale) H diag(scale).

    An optimizer that divides its steps by 1 / scale**2, with `scale` (parameters,), sees the second. Raises
    FloatingPointError if the Hessian is not finite.
    """
    count = problem.layout.count
    around = np.ones(count) if scale is None else scale
    with np.errstate(all="ignore"):
        products_of = HessianProducts(problem, parameters, l2)

        def products(directions: Array) -> Array:
            return np.asarray(products_of.products(directions * around) * around)

        if count > MOST_PARAMETERS:
            affordable = affordable_products(problem, problem.train.count)
            return _lanczos(products, count, max(min(affordable, MOST_TURNS), FEWEST_TURNS))
        raw = products(np.eye(count))
        # a layer that stands still has a scale of 0: its part of the trace is only in the Hessian itself
        plain = raw / (around * around) if around.all() else products_of.products(np.eye(count))
    # NumPy raises for NaN, but returns noise for infinities.
    if not np.isfinite(raw).all():
        raise FloatingPointError("the Hessian is not finite")
    values, vectors = np.linalg.eigh(0.5 * (raw + raw.T))
    trace = float(np.diag(plain).sum())
    top, second = vectors[:, -1].copy(), vectors[:, -2].copy()
    return Spectrum(values[::-1].copy(), top, second, True, True, count, trace)


MOST_TURNS, FEWEST_TURNS = 120, 16
"""Maximum number of Lanczos products, and the number that runs whatever the cost."""

MOST_WORK = 1e11
"""Maximum multiplications of all products: about 20 seconds of a core.

One product takes about 12 per sample and parameter.
"""


def affordable_products(problem: Problem, samples: int) -> int:
    """Number of products over so many samples within `MOST_WORK`."""
    return int(MOST_WORK / (12 * samples * problem.layout.count))


MOST_SIGNS, FEWEST_SIGNS = 32, 4
"""Maximum number of random vectors for a trace, and the number that runs whatever the cost."""


def estimated_trace(problem: Problem, parameters: Array, l2: float) -> tuple[float, float]:
    """Estimated trace of the Hessian, and its standard error.

    The mean of v H v over vectors v of random signs (Hutchinson 1990, Communications in Statistics 19, 433-450).
    """
    count = min(affordable_products(problem, problem.train.count) // 4, MOST_SIGNS)
    shape = (max(count, FEWEST_SIGNS), problem.layout.count)
    signs = np.random.default_rng(0).choice(np.array([-1.0, 1.0]), shape)
    with np.errstate(all="ignore"):
        each = (signs * HessianProducts(problem, parameters, l2).products(signs)).sum(axis=1)
        return float(each.mean()), float(each.std(ddof=1) / np.sqrt(len(each)))


SETTLED = 1e-9
"""An eigenvalue is settled if its residual is below this share of the largest."""


def _lanczos(products: Callable[[Array], Array], count: int, most: int) -> Spectrum:
    """The ends of a spectrum (Lanczos 1950).

    Every vector is made orthogonal to all earlier ones, twice; otherwise the largest eigenvalue would reappear.
    """
    turns = min(most, count)
    basis = np.empty((turns, count))
    diagonal, beside = np.empty(turns), np.empty(turns)
    vector = np.random.default_rng(0).standard_normal(count)
    vector /= np.sqrt(vector.dot(vector))
    for turn in range(turns):
        basis[turn] = vector
        along = products(vector[np.newaxis])[0]
        if not np.isfinite(along).all():
            raise FloatingPointError("the Hessian is not finite")
        diagonal[turn] = vector.dot(along)
        earlier = basis[: turn + 1]
        for _ in range(2):
            along = along - earlier.T @ (earlier @ along)
        beside[turn] = np.sqrt(along.dot(along))
        values, vectors = np.linalg.eigh(_tridiagonal(diagonal[: turn + 1], beside[:turn]))
        residuals = beside[turn] * np.abs(vectors[-1])
        limit = SETTLED * max(np.abs(values).max(), np.finfo(np.float64).tiny)
        if beside[turn] <= limit or (residuals[-1] <= limit and residuals[0] <= limit):
            break
        vector = along / beside[turn]
    settled = residuals <= limit
    listed = settled.copy()
    listed[-1] = True
    top, second = (basis[: turn + 1].T @ vectors[:, -place] for place in (1, min(2, turn + 1)))
    return Spectrum(values[listed][::-1].copy(), top, second, False, bool(settled[-1]), turn + 1)


def _tridiagonal(diagonal: Array, beside: Array) -> Array:
    return np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
