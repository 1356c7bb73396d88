"""Five workloads, each a recipe of fallline and the same as arrays for other rivals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fallline.engine.batches import order_of_pass
from fallline.engine.measures.probes import evaluate
from fallline.engine.problem import Problem, build_problem
from fallline.vocabulary.recipe import Recipe

Array = NDArray[np.float64]
JSON = dict[str, Any]

STEADY = 100_000
"""From this step on evaluation points are rare: one in 128 steps, and the ends of passes."""

EVALUATED = 1024
"""Every step below is an evaluation point (docs/reference/measurements.md)."""


@dataclass(frozen=True)
class Workload:
    """`steps` steps of the only run of `recipe`.

    The number of samples is a multiple of the batch, so that all batches have the same size: some rivals are compiled
    for a size.
    """

    name: str
    title: str
    recipe: JSON
    steps: int

    @cached_property
    def problem(self) -> Problem:
        recipe = Recipe.model_validate(self.recipe)
        return build_problem(recipe.data, recipe.network, recipe.loss)

    def job(self, first_step: int = STEADY) -> JSON:
        """All steps once, as `rivals/interface/job.py` describes it."""
        problem, run = self.problem, Recipe.model_validate(self.recipe).runs[0]
        m, order = problem.train.count, None
        if run.batch_size is not None:
            passes = -(-self.steps * run.batch_size // m)
            orders = [order_of_pass(run.order, run.seed, number, m) for number in range(passes)]
            order = np.concatenate(orders)[: self.steps * run.batch_size].tolist()
        return {
            "workload": self.name,
            "sizes": list(problem.layout.sizes),
            "activation": problem.activations[0],
            "samples": problem.X_train.tolist(),
            "targets": problem.y_train[:, 0].tolist(),
            "order": order,
            "batch_size": run.batch_size or m,
            "learning_rate": run.learning_rate,
            "parameters": problem.initial_parameters.tolist(),
            "first_step": first_step,
            "total_steps": self.steps,
            "recipe": self.recipe,
            "steps": self.steps,
            "repeats": 1,
        }

    def loss(self, parameters: list[float]) -> float:
        """The training loss of a flat vector."""
        return evaluate(self.problem, np.array(parameters))["train_loss"]


def workloads(quick: bool = False) -> list[Workload]:
    """All five; `quick` ones have fewer steps, so that the slowest rivals take seconds."""
    whole = [
        Workload("sgd", "SGD, 5-4-4-1 relu", _notebook(900, learning_rate=0.01, batch_size=1), 45_000),
        Workload("gd", "Full batch of 900, 5-4-4-1 relu", _notebook(900), 501),
        Workload("batch_32", "Batch 32, 5-4-4-1 relu", _notebook(896, batch_size=32), 1_400),
        Workload("tanh_64", "Batch 32, 2-64-64-1 tanh", _wide("linear", 896, 2, "tanh", 64, 32), 560),
        Workload(
            "relu_256", "Batch 256, 5-256-256-1 relu", _wide("log_linear", 1024, 5, "relu", 256, 256), 240
        ),
    ]
    return [replace(each, steps=max(each.steps // 10, 16)) for each in whole] if quick else whole


def _notebook(samples: int, **run: Any) -> JSON:
    """The notebook's experiment.

    From the parameters of seed 9 every output is above zero, which a rival with an output activation needs.
    """
    return {"data": {"samples": samples}, "network": {"seed": 9}, "runs": [run]}


def _wide(data: str, samples: int, features: int, activation: str, units: int, batch: int) -> JSON:
    return {
        "data": {"name": data, "samples": samples, "features": features, "standardize": "both"},
        "network": {
            "layers": [{"units": units, "activation": activation}] * 2,
            "weights": "he" if activation == "relu" else "xavier",
            "biases": "zeros",
        },
        "runs": [{"learning_rate": 0.01, "batch_size": batch}],
    }
