"""Losses: the reported loss, and the gradient of the minimised one.

Predictions are (outputs, samples), targets (1, samples).
"""

import math

import numpy as np


def mse(y_pred, y):
    """mean((y_pred - y)**2), and the gradient of half of it: (y_pred - y) / m."""
    error = y_pred - y
    share = 1.0 / error.size
    return float(error.ravel().dot(error.ravel())) * share, error * share


def huber(y_pred, y, delta):
    """Half the squared error up to delta, linear beyond."""
    error = y_pred - y
    cut = np.clip(error, -delta, delta)
    share = 1.0 / error.size
    return float((cut * (error - 0.5 * cut)).sum()) * share, cut * share


def binary_cross_entropy(y_pred, y):
    """Minus the log of the true class's probability; y_pred is a logit."""
    side = 1.0 - 2.0 * y
    wrong = side * y_pred
    small = np.exp(-np.abs(wrong))
    loss = np.maximum(wrong, 0.0) + np.log1p(small)
    share = 1.0 / wrong.size
    dy = side * share * (np.where(wrong >= 0.0, 1.0, small) / (1.0 + small))
    return float(loss.sum()) * share, dy


def binary_cross_entropy_of_one(y_pred, y):
    """The same for one sample: exp of the C library may differ from NumPy's."""
    side = 1.0 - 2.0 * y.item()
    wrong = side * y_pred.item()
    small = math.exp(-abs(wrong))
    dy = side * (1.0 if wrong >= 0.0 else small) / (1.0 + small)
    return max(wrong, 0.0) + math.log1p(small), np.array([[dy]])


def softmax_cross_entropy(y_pred, y):
    """Minus the log of the true class's probability.

    The largest logit is subtracted, so that no exponential is large.

    `rest` is the sum of exp(logit - largest) over all classes except the largest.
    """
    true = y.astype(np.int64)
    under = y_pred - y_pred.max(axis=0)
    e = np.exp(under)
    smaller = under < 0.0
    rest = np.sum(e, axis=0, where=smaller) + (np.count_nonzero(~smaller, axis=0) - 1.0)
    own, own_e = np.take_along_axis(under, true, axis=0), np.take_along_axis(e, true, axis=0)
    share = 1.0 / y.size
    dy = e * (share / (1.0 + rest))
    np.put_along_axis(dy, true, -share * (rest + (1.0 - own_e)) / (1.0 + rest), axis=0)
    return float((np.log1p(rest) - own).sum()) * share, dy
