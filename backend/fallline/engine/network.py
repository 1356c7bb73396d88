"""Forward and backward pass in textbook form, next to the notebook's lines.

With W1, b1, W2, b2, W3, b3 and two relu layers these loops are, line by line:

    z1 = X @ W1 + b1;  a1 = relu(z1)                 da2 = dy_pred @ W3.T;  dz2 = da2 * relu'(z2)
    z2 = a1 @ W2 + b2; a2 = relu(z2)                 dW3 = a2.T @ dy_pred;  db3 = dy_pred.sum(axis=0)
    y_pred = a2 @ W3 + b3                            dW2 = a1.T @ dz2; ...

Samples are rows. The 1/m of the notebook's dW is part of dy_pred here, which gives the same number. Snapshots and
instruments use this form. `engine.kernels` computes the same sums faster; a contract test compares both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fallline.engine.methods.activations import ACTIVATIONS
from fallline.vocabulary.arrays import Array

Parameters = dict[str, Array]


@dataclass(frozen=True, slots=True)
class ForwardPass:
    """Result of a forward pass: z[k] and a[k] of layer k + 1, each (samples, units)."""

    X: Array
    z: list[Array]
    a: list[Array]

    @property
    def y_pred(self) -> Array:
        return self.a[-1]


def forward(parameters: Parameters, activations: Sequence[str], X: Array) -> ForwardPass:
    """All pre-activations and outputs for the inputs X (samples, features)."""
    z: list[Array] = []
    a: list[Array] = []
    inputs = X
    for layer, activation in enumerate(activations, start=1):
        z.append(inputs @ parameters[f"W{layer}"] + parameters[f"b{layer}"])
        a.append(ACTIVATIONS[activation](z[-1]))
        inputs = a[-1]
    return ForwardPass(X, z, a)


def backward(
    parameters: Parameters, activations: Sequence[str], passed: ForwardPass, dy_pred: Array
) -> Parameters:
    """The gradient of the loss by every parameter.

    `dy_pred` is the gradient by the predictions (samples, outputs).
    """
    gradients: Parameters = {}
    da = dy_pred
    for layer in range(len(activations), 0, -1):
        z, a = passed.z[layer - 1], passed.a[layer - 1]
        dz = da * ACTIVATIONS[activations[layer - 1]].derivative(z, a)
        inputs = passed.a[layer - 2] if layer > 1 else passed.X
        gradients[f"W{layer}"] = inputs.T @ dz
        gradients[f"b{layer}"] = np.sum(dz, axis=0, keepdims=True)
        da = dz @ parameters[f"W{layer}"].T
    return gradients
