"""Measurements of a run at one step, as a table: name -> what it tells. Looking does not disturb.

Must not step a network or keep anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fallline.engine.evaluation import predict
from fallline.engine.probes import units
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.runs.moment import readings
from fallline.vocabulary.errors import NotFound
from fallline.vocabulary.recipe import RunRecipe

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Instrument:
    """A row: its name, a line of help, and the measurement."""

    name: str
    help: str
    measure: Callable[[Problem, TrainingState, RunRecipe], dict[str, Any]]


def _units(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    *hidden, output = [asdict(layer) for layer in units(problem, state.parameters)]
    return {"layers": hidden, "output": output}


def _predictions(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """Of the test samples, or of the training samples when there is no test split."""
    tested = len(problem.test_rows) > 0
    rows = problem.test_rows if tested else problem.train_rows
    told = {"split": "test" if tested else "train", "rows": rows.tolist()}
    outputs = predict(problem, state.parameters, problem.X[rows])
    if not problem.classes:
        return {**told, "y": problem.y[rows, 0].tolist(), "y_pred": outputs[:, 0].tolist()}
    return {
        **told,
        "y": problem.y[rows, 0].astype(int).tolist(),
        "y_pred": problem.loss.decide(outputs.T).tolist(),
        "classes": list(problem.classes),
        "probabilities": _probabilities(problem, outputs),
    }


def _probabilities(problem: Problem, outputs: Array) -> list[list[float]] | None:
    """One row a sample, one column a class; None where the loss knows of no probabilities."""
    if problem.loss.probabilities is None:
        return None
    with np.errstate(all="ignore"):
        rows: list[list[float]] = problem.loss.probabilities(outputs.T).T.tolist()
    return rows


def _views(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """Asked for one by one, they would be of different steps of a run that moves."""
    return {
        "units": _units(problem, state, recipe),
        "predictions": _predictions(problem, state, recipe),
    }


def _picture(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    parameters = {name: value.tolist() for name, value in problem.named(state.parameters).items()}
    return {**_views(problem, state, recipe), "parameters": parameters}


def _moment(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    return {**readings(problem, state, recipe), **_views(problem, state, recipe)}


INSTRUMENTS = {
    row.name: row
    for row in (
        Instrument("units", "each hidden unit over all training samples: mean, share active, dead", _units),
        Instrument(
            "predictions", "predicted and true value, or class, of each sample of a split", _predictions
        ),
        Instrument("views", "units and predictions, both of one step", _views),
        Instrument("picture", "units, predictions and parameters, all of one step", _picture),
        Instrument(
            "moment", "a step as a page shows it: the values of all series, units, predictions", _moment
        ),
    )
}


def instrument_of(name: str) -> Instrument:
    """The instrument of that name. Raises NotFound."""
    row = INSTRUMENTS.get(name)
    if row is None:
        raise NotFound(f"no instrument of that name; there are {', '.join(INSTRUMENTS)}")
    return row
