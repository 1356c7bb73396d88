"""Initial weights (fan_in, fan_out) and biases (1, fan_out).

Each is a draw of unit size times its spread.
"""

import math

import numpy as np


def normal(rng, shape, fan_in, fan_out, scale):
    """N(0, scale**2)."""
    return rng.standard_normal(shape) * scale


def uniform(rng, shape, fan_in, fan_out, scale):
    """Evenly between -scale and scale."""
    return rng.uniform(-1.0, 1.0, shape) * scale


def he(rng, shape, fan_in, fan_out):
    """N(0, 2 / fan_in), for relu layers."""
    return rng.standard_normal(shape) * math.sqrt(2.0 / fan_in)


def xavier(rng, shape, fan_in, fan_out):
    """N(0, 2 / (fan_in + fan_out)), for tanh and sigmoid."""
    return rng.standard_normal(shape) * math.sqrt(2.0 / (fan_in + fan_out))


def he_normal(rng, shape, fan_in, fan_out):
    """N(0, 2 / fan_in), for relu layers."""
    return rng.standard_normal(shape) * math.sqrt(2.0 / fan_in)


def he_uniform(rng, shape, fan_in, fan_out):
    """Evenly between -b and b, b = sqrt(6 / fan_in)."""
    return rng.uniform(-1.0, 1.0, shape) * math.sqrt(6.0 / fan_in)


def xavier_normal(rng, shape, fan_in, fan_out):
    """N(0, 2 / (fan_in + fan_out)), for tanh and sigmoid."""
    return rng.standard_normal(shape) * math.sqrt(2.0 / (fan_in + fan_out))


def xavier_uniform(rng, shape, fan_in, fan_out):
    """Evenly between -b and b, b = sqrt(6 / (fan_in + fan_out))."""
    return rng.uniform(-1.0, 1.0, shape) * math.sqrt(6.0 / (fan_in + fan_out))


def lecun(rng, shape, fan_in, fan_out):
    """N(0, 1 / fan_in), for linear layers."""
    return rng.standard_normal(shape) * math.sqrt(1.0 / fan_in)


def orthogonal(rng, shape, fan_in, fan_out):
    """A random rotation: Q of a normal matrix, with R's diagonal positive."""
    wide = shape[0] < shape[1]
    q, r = np.linalg.qr(rng.standard_normal(shape[::-1] if wide else shape))
    q *= np.where(np.diagonal(r) < 0.0, -1.0, 1.0)
    return q.T if wide else q


def zeros(rng, shape, fan_in, fan_out):
    """All 0."""
    return np.zeros(shape)
