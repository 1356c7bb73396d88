"""What the parameters of one moment are worth over whole splits. Must not know runs; looking changes nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fallline.engine.kernels.numpy_kernels import Evaluator
from fallline.engine.losses import LOSSES
from fallline.engine.network import forward
from fallline.engine.problem import Problem

Array = NDArray[np.float64]


def evaluate(problem: Problem, parameters: Array) -> dict[str, float]:
    """Losses and scores of a flat vector, by the names of `series.evaluated_series`; NaN or inf where they are not
    finite.
    """
    row = LOSSES[problem.loss]
    with np.errstate(all="ignore"):
        evaluator = Evaluator(problem, parameters)
        train, test = evaluator.train_loss(), evaluator.test_loss()
        found = {
            "train_loss": train,
            f"train_{row.score_name}": _score(problem.loss, train, problem.train.constant_loss),
        }
        if problem.test is not None:
            found["test_loss"] = test
            found[f"test_{row.score_name}"] = _score(problem.loss, test, problem.test.constant_loss)
    return found


def predict(problem: Problem, parameters: Array, X: Array) -> Array:
    """Predictions (n, 1) for inputs (n, features), all in the network's units."""
    with np.errstate(all="ignore"):
        return forward(problem.named(parameters), problem.activations, X).y_pred


def _score(loss: str, value: float, baseline: float) -> float:
    return float(LOSSES[loss].score(np.array(value), baseline))
