"""Optimizers: each changes the parameters P by their gradient dP.

`memory` is its state, at first empty.
"""

import math

import numpy as np


def sgd(P, dP, memory, rate):
    """Plain gradient descent."""
    P -= dP * rate


def momentum(P, dP, memory, rate, momentum):
    """Gradient descent with a decaying velocity."""
    v = memory.setdefault("velocity", np.zeros_like(P))
    v *= momentum
    v += dP
    P -= v * rate


def nesterov(P, dP, memory, rate, momentum):
    """Momentum that looks one step ahead."""
    v = memory.setdefault("velocity", np.zeros_like(P))
    v *= momentum
    v += dP
    P -= (v * momentum + dP) * rate


def adagrad(P, dP, memory, rate, epsilon):
    """Steps divided by the root of all squared gradients so far."""
    s = memory.setdefault("square", np.zeros_like(P))
    s += dP * dP
    P -= dP * rate / (np.sqrt(s) + epsilon)


def rmsprop(P, dP, memory, rate, decay, epsilon):
    """Steps divided by the root of a running mean of squared gradients."""
    s = memory.setdefault("square", np.zeros_like(P))
    s *= decay
    s += dP * dP * (1.0 - decay)
    P -= dP * rate / (np.sqrt(s) + epsilon)


def adam(P, dP, memory, rate, beta1, beta2, epsilon):
    """Steps scaled by running means of the gradient and of its square, both corrected for their start at 0."""
    mean = memory.setdefault("mean", np.zeros_like(P))
    square = memory.setdefault("square", np.zeros_like(P))
    t = memory["steps"] = memory.get("steps", 0) + 1
    mean *= beta1
    mean += dP * (1.0 - beta1)
    square *= beta2
    square += dP * dP * (1.0 - beta2)
    root = np.sqrt(square) / math.sqrt(1.0 - beta2**t) + epsilon
    P -= mean * (rate / (1.0 - beta1**t)) / root


def adamw(P, dP, memory, rate, beta1, beta2, epsilon, weight_decay):
    """Adam with a separate decay of the parameters."""
    P *= 1.0 - rate * weight_decay
    adam(P, dP, memory, rate, beta1, beta2, epsilon)
