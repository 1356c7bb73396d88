"""Data sets by formula: laws of any number of inputs, curves over one, classes and surfaces over two.

A formula draws from addresses under the data seed and returns X (samples, features) and y (samples, 1), whose classes
are 0 and 1. Exported programs contain its text. Inputs and coefficients have separate addresses, so more samples with
the same seed keep the same law.

Inputs of the sets over two lie within about -1 and 1, so that a map can show them. Their classes alternate, so every
stretch of rows has equally many of each. With the same seed, a larger set begins with the samples of the smaller one.
"""

from __future__ import annotations

import numpy as np

from fallline.engine.data.datasets.row import Drawn, generated
from fallline.engine.randomness import rng_for
from fallline.vocabulary.arrays import Array
from fallline.vocabulary.parameters import Parameter

# ---------------------------------------------------------------------- any number of inputs


def log_linear(samples: int, features: int, seed: int) -> Drawn:
    """The notebook's: y = log(X @ beta + 20)."""
    X = rng_for(seed, "inputs").standard_normal((samples, features))
    beta = rng_for(seed, "coefficients").standard_normal((features, 1))
    return X, np.log(X @ beta + 20.0)


def linear(samples: int, features: int, seed: int) -> Drawn:
    """y = X @ beta."""
    X = rng_for(seed, "inputs").standard_normal((samples, features))
    return X, X @ rng_for(seed, "coefficients").standard_normal((features, 1))


def sine(samples: int, features: int, seed: int) -> Drawn:
    """y = (sin x1 + sin x2 + ...) / sqrt(features)."""
    X = rng_for(seed, "inputs").uniform(-np.pi, np.pi, (samples, features))
    return X, np.sin(X).sum(axis=1, keepdims=True) / np.sqrt(features)


LAWS = (
    generated(
        log_linear,
        help="the notebook's: y = log(X @ beta + 20), X and beta from N(0, 1)",
        source="the notebook that this project began with",
    ),
    generated(
        linear,
        help="y = X @ beta, X and beta from N(0, 1): a linear law",
        source="Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, section 3.2",
    ),
    generated(
        sine,
        help="y = (sin x1 + sin x2 + ...) / sqrt(features), x uniform between -pi and pi",
        source="an additive law: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, section 9.1",
    ),
)

# ---------------------------------------------------------------------- one input


def polynomial(samples: int, seed: int, degree: int) -> Drawn:
    """y = c0 + c1 x + c2 x**2 + ...; a higher degree adds terms to the same law."""
    X = rng_for(seed, "inputs").uniform(-1.0, 1.0, (samples, 1))
    c = rng_for(seed, "coefficients").standard_normal(degree + 1)
    return X, np.polynomial.polynomial.polyval(X, c)


def chebyshev(samples: int, seed: int, degree: int) -> Drawn:
    """y = T(x), the Chebyshev polynomial of that degree.

    By its recurrence, which is exact where cos(n arccos x) loses digits.
    """
    X = rng_for(seed, "inputs").uniform(-1.0, 1.0, (samples, 1))
    return X, np.polynomial.chebyshev.chebval(X, [0.0] * degree + [1.0])


CURVES = (
    generated(
        polynomial,
        help="y = c0 + c1 x + ... of that degree, coefficients from N(0, 1), x uniform between -1 and 1",
        source="Bishop, Pattern Recognition and Machine Learning, section 1.1",
        parameters=(Parameter("degree", 3, 1, 12, integer=True, help="highest power of x"),),
        features=1,
    ),
    generated(
        chebyshev,
        help="y = T(x), the Chebyshev polynomial of that degree: waves of equal height between -1 and 1",
        source="NIST Digital Library of Mathematical Functions, 18.5.1 and table 18.9.1",
        parameters=(Parameter("degree", 4, 1, 24, integer=True, help="degree: number of zero crossings"),),
        features=1,
    ),
)

# ---------------------------------------------------------------------- two inputs, two classes

PLAYGROUND = "TensorFlow Playground, src/dataset.ts (Smilkov and others, arXiv 1708.03788)"
"""Source of most of these shapes; the formulas here are scaled to -1 ... 1."""

XOR_MARGIN = 0.05
"""Minimum distance of a sample to either axis."""


def alternating(samples: int) -> Array:
    """The classes 0, 1, 0, 1, ..., of shape (samples,)."""
    return np.arange(samples, dtype=np.float64) % 2


def polar(radius: Array, angle: Array) -> Array:
    """Points (samples, 2) by radius and angle."""
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def circle(samples: int, seed: int) -> Drawn:
    """A disc of radius 0.5 (class 0) in a ring from 0.7 to 1 (class 1).

    Uniform over the radius, not the area, so that the middle is not empty.
    """
    label = alternating(samples)
    u = rng_for(seed, "inputs").uniform(0.0, 1.0, (samples, 2))
    radius = np.where(label == 0, 0.5 * u[:, 0], 0.7 + (1.0 - 0.7) * u[:, 0])
    return polar(radius, 2 * np.pi * u[:, 1]), label.reshape(-1, 1)


def xor(samples: int, seed: int) -> Drawn:
    """Class 0 where x1 and x2 have the same sign; the sign of x1 is random."""
    label = alternating(samples)
    X = rng_for(seed, "inputs").uniform(-1.0, 1.0, (samples, 2))
    X[:, 1] = np.abs(X[:, 1]) * np.where(X[:, 0] > 0, 1.0, -1.0) * np.where(label == 1, -1.0, 1.0)
    return np.where(X > 0, 1.0, -1.0) * XOR_MARGIN + (1 - XOR_MARGIN) * X, label.reshape(-1, 1)


def two_gaussians(samples: int, seed: int) -> Drawn:
    """Two round clouds around (-0.6, -0.6) and (0.6, 0.6).

    One sample in 3,000 lies on the wrong side.
    """
    label = alternating(samples)
    cloud = rng_for(seed, "inputs").standard_normal((samples, 2))
    return (0.6 * (2 * label - 1))[:, None] + 0.25 * cloud, label.reshape(-1, 1)


def two_spirals(samples: int, seed: int, turns: float) -> Drawn:
    """Two arms, half a turn apart; the radius grows with the angle."""
    label = alternating(samples)
    along = rng_for(seed, "inputs").uniform(0.05, 1.0, samples)
    return polar(along, 2 * np.pi * turns * along + np.pi * label), label.reshape(-1, 1)


def moons(samples: int, seed: int) -> Drawn:
    """Two half circles, the second upside down and shifted; centred and scaled."""
    label = alternating(samples)
    arc = polar(np.ones(samples), rng_for(seed, "inputs").uniform(0.0, np.pi, samples))
    arc[label == 1] = np.array([1.0, 0.5]) - arc[label == 1]
    return (arc - np.array([0.5, 0.25])) / 1.5, label.reshape(-1, 1)


TWO_CLASSES = (
    generated(
        circle,
        help="a disc of radius 0.5 inside a ring from 0.7 to 1",
        source=PLAYGROUND,
        features=2,
        classes=("inside", "outside"),
    ),
    generated(
        xor,
        help="whether x1 and x2 have the same sign; both between -1 and 1, at least 0.05 from zero",
        source="Minsky and Papert, Perceptrons (1969); " + PLAYGROUND,
        features=2,
        classes=("same sign", "different signs"),
    ),
    generated(
        two_gaussians,
        help="two round clouds around (-0.6, -0.6) and (0.6, 0.6), standard deviation 0.25",
        source=PLAYGROUND,
        features=2,
        classes=("lower left", "upper right"),
    ),
    generated(
        two_spirals,
        help="two spiral arms half a turn apart, radius 0.05 to 1",
        source="Lang and Witbrock, Learning to Tell Two Spirals Apart (1988), who took three turns",
        parameters=(Parameter("turns", 1.5, 0.25, 4.0, unit="turns", help="turns of each arm"),),
        features=2,
        classes=("first arm", "second arm"),
    ),
    generated(
        moons,
        help="two interlocking half circles",
        source="scikit-learn, sklearn.datasets.make_moons, centred and scaled",
        features=2,
        classes=("upper", "lower"),
    ),
)

# ---------------------------------------------------------------------- two inputs, a surface

HILLS = (
    (-0.7, 0.45, 1),
    (0.0, 0.45, -1),
    (0.7, 0.45, 1),
    (-0.7, -0.45, -1),
    (0.0, -0.45, 1),
    (0.7, -0.45, -1),
)
"""Centre and sign: hills (1) and hollows (-1) alternate in two rows of three."""


def plane(samples: int, seed: int) -> Drawn:
    """y = (x1 + x2) / 2."""
    X = rng_for(seed, "inputs").uniform(-1.0, 1.0, (samples, 2))
    return X, X.mean(axis=1, keepdims=True)


def gaussian_hills(samples: int, seed: int) -> Drawn:
    """Three hills and three hollows by turns, each a Gaussian of width 0.25."""
    X = rng_for(seed, "inputs").uniform(-1.0, 1.0, (samples, 2))
    y = np.zeros(samples)
    for x1, x2, sign in HILLS:
        y += sign * np.exp(-((X[:, 0] - x1) ** 2 + (X[:, 1] - x2) ** 2) / (2 * 0.25**2))
    return X, y.reshape(-1, 1)


SURFACES = (
    generated(
        plane,
        help="y = (x1 + x2) / 2, both between -1 and 1",
        source=PLAYGROUND,
        features=2,
    ),
    generated(
        gaussian_hills,
        help="three hills and three hollows, alternating in two rows, each a Gaussian of width 0.25",
        source=PLAYGROUND,
        features=2,
    ),
)
