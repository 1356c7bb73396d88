"""PyTorch as in its tutorials: nn.Sequential, autograd, optim.SGD, a loop in Python."""

# /// script
# dependencies = ["torch==2.13.0", "numpy==2.4.6"]
#
# [tool.rival]
# name = "PyTorch, eager"
# records = "nothing"
# ///

from __future__ import annotations

import torch
from torch import nn

from interface.job import Array, Job, flat, serve

torch.set_num_threads(1)


class Eager:
    def __init__(self, job: Job) -> None:
        X, y = job.batches()
        self._job = job
        self._batches = list(zip(torch.from_numpy(X), torch.from_numpy(y), strict=True))
        self._linear = [
            nn.Linear(fan_in, fan_out, dtype=torch.float64)
            for fan_in, fan_out in zip(job.sizes, job.sizes[1:], strict=False)
        ]
        bend = {"relu": nn.ReLU, "tanh": nn.Tanh}[job.activation]
        modules = [module for layer in self._linear for module in (layer, bend())]
        self._net = nn.Sequential(*modules[:-1])
        self._optimizer = torch.optim.SGD(self._net.parameters(), lr=job.learning_rate)

    def reset(self) -> None:
        with torch.no_grad():
            for layer, (weights, biases) in zip(self._linear, self._job.layers(), strict=True):
                layer.weight.copy_(torch.from_numpy(weights.T))
                layer.bias.copy_(torch.from_numpy(biases[0]))

    def train(self, steps: int) -> None:
        net, optimizer, batches = self._net, self._optimizer, self._batches
        for i in range(steps):
            X, y = batches[i % len(batches)]
            optimizer.zero_grad()
            loss = 0.5 * nn.functional.mse_loss(net(X), y)
            loss.backward()
            optimizer.step()

    def parameters(self) -> Array:
        return flat([(layer.weight.detach().T, layer.bias.detach()) for layer in self._linear])


if __name__ == "__main__":
    serve(Eager, PyTorch=torch.__version__)
