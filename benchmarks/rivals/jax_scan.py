"""JAX on the processor: one compiled lax.scan over all steps."""

# /// script
# dependencies = ["jax==0.10.2", "jaxlib==0.10.2", "numpy==2.4.6"]
#
# [tool.rival]
# name = "JAX, jit and scan"
# records = "nothing"
# ///

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from interface.job import Array, Job, flat, serve

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")


class Scan:
    def __init__(self, job: Job) -> None:
        self._job = job
        X, y = job.batches()
        self._batches = jnp.asarray(X), jnp.asarray(y)
        self._bend = {"relu": jax.nn.relu, "tanh": jnp.tanh}[job.activation]

    def reset(self) -> None:
        self._layers: Any = [
            (jnp.asarray(weights), jnp.asarray(biases)) for weights, biases in self._job.layers()
        ]
        jax.block_until_ready(self._layers)

    def train(self, steps: int) -> None:
        self._layers = jax.block_until_ready(self._many(self._layers, *self._batches, steps))

    @partial(jax.jit, static_argnums=(0, 4))
    def _many(self, layers: Any, X: Any, y: Any, steps: int) -> Any:
        if len(X) == 1:
            return jax.lax.scan(lambda now, _: (self._step(now, X[0], y[0]), None), layers, length=steps)[0]
        return jax.lax.scan(lambda now, xy: (self._step(now, *xy), None), layers, (X[:steps], y[:steps]))[0]

    def _step(self, layers: Any, X: Any, y: Any) -> Any:
        gradients = jax.grad(self._loss)(layers, X, y)
        return jax.tree.map(lambda p, g: p - self._job.learning_rate * g, layers, gradients)

    def _loss(self, layers: Any, X: Any, y: Any) -> Any:
        a = X
        for weights, biases in layers[:-1]:
            a = self._bend(a @ weights + biases)
        weights, biases = layers[-1]
        return 0.5 * jnp.mean((a @ weights + biases - y) ** 2)

    def parameters(self) -> Array:
        return flat(self._layers)


if __name__ == "__main__":
    serve(Scan, JAX=jax.__version__)
