"""Activations of the pre-activations z, and their slopes from z and the outputs a."""

import math

import numpy as np


def relu(z):
    """Zero for every negative input."""
    return np.maximum(z, 0.0)


def relu_slope(z, a):
    """1 where the unit is on, else 0."""
    return np.sign(a)


def leaky_relu(z):
    """z where positive, 0.01 z elsewhere."""
    return np.maximum(z, 0.01 * z)


def leaky_relu_slope(z, a):
    """1 or 0.01."""
    return np.maximum(np.sign(a), 0.01)


def elu(z):
    """z where positive, exp(z) - 1 elsewhere."""
    return np.maximum(z, 0.0) + np.expm1(np.minimum(z, 0.0))


def elu_slope(z, a):
    """1 where positive, exp(z) elsewhere."""
    return np.exp(np.minimum(z, 0.0))


def gelu(z):
    """z times the share of a normal distribution below z."""
    below = [0.5 * math.erfc(number) for number in (z * -math.sqrt(0.5)).ravel().tolist()]
    return z * np.array(below).reshape(z.shape)


def gelu_slope(z, a):
    """That share, which is a / z, and z times the normal density."""
    below = np.full_like(a, 0.5)
    np.divide(a, z, out=below, where=np.abs(z) > 1e-300)
    near = np.clip(z, -40.0, 40.0)
    density = np.exp(near * near * -0.5) * math.sqrt(0.5 / math.pi)
    return density * z + below


def softplus(z):
    """log(1 + exp(z)), without a large exponential."""
    return np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))


def softplus_slope(z, a):
    """The sigmoid."""
    return sigmoid(z)


def tanh(z):
    """Between -1 and 1."""
    return np.tanh(z)


def tanh_slope(z, a):
    """1 - a**2."""
    return 1.0 - a * a


def sigmoid(z):
    """1 / (1 + exp(-z)), without a large exponential."""
    return np.exp(np.minimum(z, 0.0)) / (np.exp(-np.abs(z)) + 1.0)


def sigmoid_slope(z, a):
    """a (1 - a)."""
    return (1.0 - a) * a
