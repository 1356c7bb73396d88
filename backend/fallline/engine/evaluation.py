"""Losses, scores and predictions of given parameters over whole splits. Read-only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fallline.engine.kernels.numpy_kernels import Evaluator
from fallline.engine.network import forward
from fallline.engine.problem import Problem

Array = NDArray[np.float64]


def evaluate(problem: Problem, parameters: Array) -> dict[str, float]:
    """Losses and scores of a flat vector, by the names of `series.evaluated_series`.

    Values may be NaN or inf.
    """
    score, values = problem.score, {}
    with np.errstate(all="ignore"):
        evaluator = Evaluator(problem, parameters)
        splits = {"train": (problem.train, evaluator.train)}
        if problem.test is not None:
            splits["test"] = (problem.test, evaluator.test)
        for name, (split, evaluate) in splits.items():
            values[f"{name}_loss"], tally = evaluate()
            values[f"{name}_{score.name}"] = float(score.of(np.array(tally), split.variance))
    return values


def predict(problem: Problem, parameters: Array, X: Array) -> Array:
    """Outputs (n, outputs) for inputs (n, features), in the network's units."""
    with np.errstate(all="ignore"):
        return forward(problem.named(parameters), problem.activations, X).y_pred
