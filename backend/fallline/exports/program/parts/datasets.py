"""Data sets by formula.

X has shape (samples, features), y (samples, 1); classes are 0, 1, ...
"""

import numpy as np

from fallline.exports.program.parts.randomness import generator


def log_linear(samples, features, seed):
    """The notebook's: y = log(X @ beta + 20)."""
    X = generator(seed, "inputs").standard_normal((samples, features))
    beta = generator(seed, "coefficients").standard_normal((features, 1))
    return X, np.log(X @ beta + 20.0)


def linear(samples, features, seed):
    """y = X @ beta."""
    X = generator(seed, "inputs").standard_normal((samples, features))
    return X, X @ generator(seed, "coefficients").standard_normal((features, 1))


def sine(samples, features, seed):
    """y = (sin x1 + sin x2 + ...) / sqrt(features)."""
    X = generator(seed, "inputs").uniform(-np.pi, np.pi, (samples, features))
    return X, np.sin(X).sum(axis=1, keepdims=True) / np.sqrt(features)


def polynomial(samples, seed, degree):
    """y = c0 + c1 x + c2 x**2 + ..."""
    X = generator(seed, "inputs").uniform(-1.0, 1.0, (samples, 1))
    c = generator(seed, "coefficients").standard_normal(degree + 1)
    return X, np.polynomial.polynomial.polyval(X, c)


def chebyshev(samples, seed, degree):
    """y = T(x), the Chebyshev polynomial of that degree."""
    X = generator(seed, "inputs").uniform(-1.0, 1.0, (samples, 1))
    return X, np.polynomial.chebyshev.chebval(X, [0.0] * degree + [1.0])


def circle(samples, seed):
    """A disc of radius 0.5 (class 0) in a ring from 0.7 to 1 (class 1)."""
    label = np.arange(samples) % 2
    u = generator(seed, "inputs").uniform(0.0, 1.0, (samples, 2))
    radius = np.where(label == 0, 0.5 * u[:, 0], 0.7 + (1.0 - 0.7) * u[:, 0])
    angle = 2 * np.pi * u[:, 1]
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), label.reshape(-1, 1) * 1.0


def xor(samples, seed):
    """Class 0 where x1 and x2 have the same sign; 0.05 or more from zero."""
    label = np.arange(samples) % 2
    X = generator(seed, "inputs").uniform(-1.0, 1.0, (samples, 2))
    X[:, 1] = np.abs(X[:, 1]) * np.where(X[:, 0] > 0, 1.0, -1.0) * np.where(label == 1, -1.0, 1.0)
    return np.where(X > 0, 1.0, -1.0) * 0.05 + (1 - 0.05) * X, label.reshape(-1, 1) * 1.0


def two_gaussians(samples, seed):
    """Two round clouds around (-0.6, -0.6) and (0.6, 0.6)."""
    label = np.arange(samples) % 2
    centre = 0.6 * (2 * label - 1)
    cloud = generator(seed, "inputs").standard_normal((samples, 2))
    return centre[:, None] + 0.25 * cloud, label.reshape(-1, 1) * 1.0


def two_spirals(samples, seed, turns):
    """Two arms wound around each other, half a turn apart."""
    label = np.arange(samples) % 2
    along = generator(seed, "inputs").uniform(0.05, 1.0, samples)
    angle = 2 * np.pi * turns * along + np.pi * label
    return np.column_stack([along * np.cos(angle), along * np.sin(angle)]), label.reshape(-1, 1) * 1.0


def moons(samples, seed):
    """Two half circles that interlock."""
    label = np.arange(samples) % 2
    angle = generator(seed, "inputs").uniform(0.0, np.pi, samples)
    arc = np.column_stack([np.cos(angle), np.sin(angle)])
    arc[label == 1] = np.array([1.0, 0.5]) - arc[label == 1]
    return (arc - np.array([0.5, 0.25])) / 1.5, label.reshape(-1, 1) * 1.0


def plane(samples, seed):
    """y = (x1 + x2) / 2."""
    X = generator(seed, "inputs").uniform(-1.0, 1.0, (samples, 2))
    return X, X.mean(axis=1, keepdims=True)


def gaussian_hills(samples, seed):
    """Three hills and three hollows by turns, each a Gaussian of width 0.25."""
    X = generator(seed, "inputs").uniform(-1.0, 1.0, (samples, 2))
    y = np.zeros(samples)
    for place, sign in enumerate([1, -1, 1, -1, 1, -1]):
        x1, x2 = [-0.7, 0.0, 0.7][place % 3], [0.45, -0.45][place // 3]
        y += sign * np.exp(-((X[:, 0] - x1) ** 2 + (X[:, 1] - x2) ** 2) / (2 * 0.25**2))
    return X, y.reshape(-1, 1)
