"""Measurements of one run at its present step, as a table: name -> what it tells. Looking does not disturb.

Must not step a network or keep anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from fallline.engine.evaluation import predict
from fallline.engine.probes import units
from fallline.engine.problem import Problem
from fallline.runs.run import Run
from fallline.vocabulary.errors import NotFound


@dataclass(frozen=True, slots=True)
class Instrument:
    """A row: its name, a line of help, and the measurement."""

    name: str
    help: str
    measure: Callable[[Problem, Run], dict[str, Any]]


def _units(problem: Problem, run: Run) -> dict[str, Any]:
    *hidden, output = [asdict(layer) for layer in units(problem, run.state.parameters)]
    return {"layers": hidden, "output": output}


def _predictions(problem: Problem, run: Run) -> dict[str, Any]:
    """Of the test samples, or of the training samples when there is no test split."""
    tested = len(problem.test_rows) > 0
    rows = problem.test_rows if tested else problem.train_rows
    return {
        "split": "test" if tested else "train",
        "rows": rows.tolist(),
        "y": problem.y[rows, 0].tolist(),
        "y_pred": predict(problem, run.state.parameters, problem.X[rows])[:, 0].tolist(),
    }


INSTRUMENTS = {
    row.name: row
    for row in (
        Instrument("units", "each hidden unit over all training samples: mean, share active, dead", _units),
        Instrument("predictions", "predicted and true value of each sample of a split", _predictions),
    )
}


def measure(name: str, problem: Problem, run: Run) -> dict[str, Any]:
    """What the instrument tells of the run at its present step."""
    row = INSTRUMENTS.get(name)
    if row is None:
        raise NotFound(f"no instrument of that name; there are {', '.join(INSTRUMENTS)}")
    return {"step": run.state.step, **row.measure(problem, run)}
