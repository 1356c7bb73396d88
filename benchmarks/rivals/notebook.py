"""The notebook's loop: its NumPy expressions line for line, nothing recorded."""

# /// script
# [tool.rival]
# name = "the notebook's loop"
# records = "nothing"
# ///

from __future__ import annotations

import numpy as np

from interface.job import Array, CannotDo, Job, flat, serve


def relu(x: Array) -> Array:
    return (x > 0) * x


class Notebook:
    def __init__(self, job: Job) -> None:
        if len(job.sizes) != 4 or job.activation != "relu":
            raise CannotDo("the notebook has two hidden layers of relu")
        self._job, self._lr = job, job.learning_rate
        X, y = job.batches()
        self._batches = list(zip(X, y, strict=True))
        self.reset()

    def reset(self) -> None:
        self._layers = self._job.layers()

    def train(self, steps: int) -> None:
        m, lr, batches = self._job.batch_size, self._lr, self._batches
        (w1, b1), (w2, b2), (w3, b3) = self._layers
        for i in range(steps):
            X, y = batches[i % len(batches)]
            z1 = X @ w1 + b1
            a1 = relu(z1)
            z2 = a1 @ w2 + b2
            a2 = relu(z2)
            y_pred = a2 @ w3 + b3
            dy_pred = y_pred - y
            dw3 = (1 / m) * (a2.T @ dy_pred)
            db3 = (1 / m) * np.sum(dy_pred, axis=0, keepdims=True)
            dz2 = (dy_pred @ w3.T) * (z2 > 0).astype(float)
            dw2 = (1 / m) * (a1.T @ dz2)
            db2 = (1 / m) * np.sum(dz2, axis=0, keepdims=True)
            dz1 = (dz2 @ w2.T) * (z1 > 0).astype(float)
            dw1 = (1 / m) * (X.T @ dz1)
            db1 = (1 / m) * np.sum(dz1, axis=0, keepdims=True)
            w1, b1 = w1 - lr * dw1, b1 - lr * db1
            w2, b2 = w2 - lr * dw2, b2 - lr * db2
            w3, b3 = w3 - lr * dw3, b3 - lr * db3
        self._layers = [(w1, b1), (w2, b2), (w3, b3)]

    def parameters(self) -> Array:
        return flat(self._layers)


if __name__ == "__main__":
    serve(Notebook)
