"""Exact scatter of single-sample gradients over all training samples.

A layer's gradient for one sample is the outer product of its inputs and its dz. So norms and inner products follow
from sums over the network's columns, without a matrix of gradients. Penalties are left out: they are the same for
every sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.network import forward
from fallline.engine.problem import Problem
from fallline.vocabulary.arrays import Array


@dataclass(frozen=True, slots=True)
class Scatter:
    """Scatter of m gradients of some parameters.

    It holds:

    - the squared norm of their mean;
    - the trace of their covariance;
    - the variance of their inner products with the mean;
    - the trace of the covariance of the part orthogonal to the mean.

    The last three divide by m - 1.
    """

    samples: int
    mean_squared: float
    trace_covariance: float
    along: float
    across: float

    @property
    def noise_scale(self) -> float:
        """Batch size at which noise and signal are equal: tr Sigma / |g|**2.

        The simple noise scale of McCandlish et al. 2018, arXiv:1812.06162; infinite if the mean is 0.
        """
        return self._over(self.trace_covariance, 1)

    @property
    def signal_to_noise(self) -> float:
        """|g|**2 / tr Sigma of a single sample; infinite without scatter."""
        if self.trace_covariance > 0.0:
            return self.mean_squared / self.trace_covariance
        return 0.0 if self.mean_squared == 0.0 else float("inf")

    def norm_test(self, batch: int, *, replaced: bool = False) -> float:
        """E|g_batch - g|**2 / |g|**2 (Byrd et al. 2012); 0 for the full batch.

        `replaced`: the batch is drawn with replacement.
        """
        return self._share(batch, replaced) * self._over(self.trace_covariance, 1)

    def inner_product_test(self, batch: int, *, replaced: bool = False) -> float:
        """Variance of <g_batch, g> over |g|**4.

        Bollapragada, Byrd and Nocedal 2017, arXiv:1710.11258.
        """
        return self._share(batch, replaced) * self._over(self.along, 2)

    def orthogonality_test(self, batch: int, *, replaced: bool = False) -> float:
        """E|part of g_batch orthogonal to g|**2 / |g|**2, from the same paper."""
        return self._share(batch, replaced) * self._over(self.across, 1)

    def _share(self, batch: int, replaced: bool) -> float:
        """Variance of the mean of a batch, over the samples' variance, which divides by m - 1."""
        return (self.samples - (1 if replaced else batch)) / (self.samples * batch)

    def _over(self, value: float, power: int) -> float:
        if self.mean_squared == 0.0:
            return 0.0 if value == 0.0 else float("inf")
        for _ in range(power):  # one factor at a time: the power itself may overflow
            value /= self.mean_squared
        return value


@dataclass(frozen=True, slots=True)
class Noise:
    """Scatter of the whole gradient, and of each layer's weights with its biases."""

    whole: Scatter
    layers: list[Scatter]


def noise_of(problem: Problem, parameters: Array) -> Noise:
    """The scatter at these parameters."""
    named = problem.named(parameters)
    samples = problem.train
    m = samples.count
    with np.errstate(all="ignore"):
        passed = forward(named, problem.activations, samples.X)
        d = problem.loss.gradient(passed.y_pred, samples.y) * m
        squares, inner, means = [], [], []
        for layer in range(len(problem.activations), 0, -1):
            z, a = passed.z[layer - 1], passed.a[layer - 1]
            d = d * ACTIVATIONS[problem.activations[layer - 1]].derivative(z, a)
            before = passed.X if layer == 1 else passed.a[layer - 2]
            with_one = np.hstack([before, np.ones((m, 1))])
            mean = with_one.T @ d / m
            squares.append((with_one * with_one).sum(axis=1) * (d * d).sum(axis=1))
            inner.append(((with_one @ mean) * d).sum(axis=1))
            means.append(float((mean * mean).sum()))
            d = d @ named[f"W{layer}"].T
        layers = [_scatter(*each) for each in zip(squares, inner, means, strict=True)]
        whole = _scatter(sum(squares, np.zeros(m)), sum(inner, np.zeros(m)), float(np.sum(means)))
    return Noise(whole, layers[::-1])


def _scatter(squares: Array, inner: Array, mean_squared: float) -> Scatter:
    """Scatter from each sample's |g_i|**2 and <g_i, g>, and from |g|**2.

    Differences that are negative by rounding become 0.
    """
    m = len(squares)
    over = max(m - 1, 1)
    trace = max(float(squares.sum()) - m * mean_squared, 0.0) / over
    along = float(((inner - mean_squared) ** 2).sum()) / over
    across = max(trace - (along / mean_squared if mean_squared > 0.0 else 0.0), 0.0)
    return Scatter(m, mean_squared, trace, along, across)
