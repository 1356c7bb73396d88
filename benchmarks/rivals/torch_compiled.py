"""PyTorch with torch.compile over the whole step: gradient by torch.func, and the change."""

# /// script
# dependencies = ["torch==2.13.0", "numpy==2.4.6"]
#
# [tool.rival]
# name = "PyTorch, torch.compile"
# records = "nothing"
# ///

from __future__ import annotations

from collections.abc import Callable

import torch

from interface.job import Array, Job, flat, serve

torch.set_num_threads(1)

Parameters = tuple[tuple[torch.Tensor, torch.Tensor], ...]


def compiled_step(
    activation: str, rate: float
) -> Callable[[Parameters, torch.Tensor, torch.Tensor], Parameters]:
    bend = {"relu": torch.relu, "tanh": torch.tanh}[activation]

    def loss(layers: Parameters, X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        a = X
        for weights, biases in layers[:-1]:
            a = bend(a @ weights + biases)
        weights, biases = layers[-1]
        return 0.5 * ((a @ weights + biases - y) ** 2).mean()

    def step(layers: Parameters, X: torch.Tensor, y: torch.Tensor) -> Parameters:
        gradients = torch.func.grad(loss)(layers, X, y)
        return tuple(
            (weights - rate * dW, biases - rate * db)
            for (weights, biases), (dW, db) in zip(layers, gradients, strict=True)
        )

    # Each workload has fixed shapes.
    compiled: Callable[[Parameters, torch.Tensor, torch.Tensor], Parameters] = torch.compile(
        step, dynamic=False, fullgraph=True
    )
    return compiled


class Compiled:
    def __init__(self, job: Job) -> None:
        X, y = job.batches()
        self._job = job
        self._batches = list(zip(torch.from_numpy(X), torch.from_numpy(y), strict=True))
        self._step = compiled_step(job.activation, job.learning_rate)

    def reset(self) -> None:
        self._layers: Parameters = tuple(
            (torch.from_numpy(weights.copy()), torch.from_numpy(biases.copy()))
            for weights, biases in self._job.layers()
        )

    def train(self, steps: int) -> None:
        layers, step, batches = self._layers, self._step, self._batches
        with torch.no_grad():
            for i in range(steps):
                layers = step(layers, *batches[i % len(batches)])
        self._layers = layers

    def parameters(self) -> Array:
        return flat(list(self._layers))


if __name__ == "__main__":
    serve(Compiled, PyTorch=torch.__version__)
