"""Measurements of a run at one step, as a table: name -> what it tells. Looking does not disturb.

Must not step a network or keep anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fallline.engine.evaluation import predict
from fallline.engine.measures.curvature import spectrum
from fallline.engine.measures.edge import edge_of
from fallline.engine.measures.gradients import cosine, gradient_of
from fallline.engine.measures.noise import Scatter, noise_of
from fallline.engine.probes import full_gradient, next_gradient, units
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.runs.drawn_weights import drawn_weights
from fallline.runs.line_instruments import along, alpha, tried
from fallline.runs.moment import readings
from fallline.runs.plane_instruments import slice_of
from fallline.runs.prediction_instruments import confusion, decision, decision_map, residuals, split_of
from fallline.vocabulary.encoding import float_column, integer_column
from fallline.vocabulary.errors import NotFound
from fallline.vocabulary.recipe import RunRecipe

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Instrument:
    """A row: its name, a line of help, and the measurement: of one state, or of the states on the way to it
    (`measure_way`); `options` are what it may be asked besides. `costly`: it may take a thousand steps' time, and so is
    taken of a copy, beside the training, and its cost is told.
    """

    name: str
    help: str
    measure: Callable[..., dict[str, Any]]
    costly: bool = False
    measure_way: Callable[..., dict[str, Any]] | None = None
    options: frozenset[str] = frozenset()


def _units(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    *hidden, output = [asdict(layer) for layer in units(problem, state.parameters)]
    return {"layers": hidden, "output": output}


def _predictions(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """Of the test samples, or of the training samples when there is no test split."""
    split, rows = split_of(problem)
    told = {"split": split, "rows": rows.tolist()}
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


def _pairs(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """The same without rows and probabilities, and packed: a page that draws them asks several times a second."""
    split, rows = split_of(problem)
    outputs = predict(problem, state.parameters, problem.X[rows])
    y = problem.y[rows, 0]
    if not problem.classes:
        return {"split": split, "y": float_column(y), "y_pred": float_column(outputs[:, 0])}
    guesses = problem.loss.decide(outputs.T)
    return {"split": split, "y": integer_column(y.astype(np.int64)), "y_pred": integer_column(guesses)}


PREDICTIONS = {"all": _predictions, "pairs": _pairs}


def _probabilities(problem: Problem, outputs: Array) -> list[list[float]] | None:
    """One row a sample, one column a class; None where the loss knows of no probabilities."""
    if problem.loss.probabilities is None:
        return None
    with np.errstate(all="ignore"):
        rows: list[list[float]] = problem.loss.probabilities(outputs.T).T.tolist()
    return rows


def _gradients(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """The gradient that the next change descends, before it is clipped; `cosine` is that of its angle to the
    gradient of all training samples.
    """
    settings = recipe.settings_at(state.step)
    gradients, batch = next_gradient(problem, state, recipe)
    whole = full_gradient(problem, state.parameters, settings)
    before, after = problem.named(state.parameters), problem.named(tried(problem, state, recipe))
    joined = [np.concatenate([each[name].ravel() for name in before]) for each in (gradients, whole)]
    parameters = {}
    for name, value in before.items():
        told = asdict(gradient_of(gradients[name], after[name] - value, value))
        numbers = {
            key: _finite(number) if isinstance(number, float) else number for key, number in told.items()
        }
        parameters[name] = {**numbers, "cosine": _angle(gradients[name], whole[name])}
    return {"batch_size": len(batch), "cosine": _angle(*joined), "parameters": parameters}


def _angle(one: Array, other: Array) -> float | None:
    found = cosine(one, other)
    return None if found is None else _finite(found)


def _curvature(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """Of the training loss that is descended, penalties included; `sharpness` is the largest eigenvalue as the
    optimizer sees it, null where there is none yet.
    """
    settings = recipe.settings_at(state.step)
    edge = edge_of(settings, state)
    told: dict[str, Any] = {
        "limit": _finite(edge.limit),
        "formula": edge.formula,
        "preconditioned": edge.scale is not None,
    }
    try:
        found = spectrum(problem, state.parameters, settings.l2, edge.scale)
    except FloatingPointError:
        none: dict[str, Any] = {"eigenvalues": [], "sharpness": None, "edge": None}
        return {**told, **none, "whole": False, "settled": False, "products": 0}
    sharpness = float(found.eigenvalues[0]) if edge.known else None
    return {
        **told,
        "eigenvalues": found.eigenvalues.tolist(),
        "sharpness": sharpness,
        "edge": None if sharpness is None else sharpness / edge.limit,
        "whole": found.whole,
        "settled": found.settled,
        "products": found.products,
    }


def _noise(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """Of single samples' gradients of the loss, penalties left out; the tests are for the batch size in force."""
    found = noise_of(problem, state.parameters)
    batch = recipe.settings_at(state.step).batch_size or problem.train.count
    return {
        **_scatter(found.whole),
        "batch_size": batch,
        "norm_test": _finite(found.whole.norm_test(batch)),
        "inner_product_test": _finite(found.whole.inner_product_test(batch)),
        "orthogonality_test": _finite(found.whole.orthogonality_test(batch)),
        "per_layer": [_scatter(layer) for layer in found.layers],
    }


def _scatter(found: Scatter) -> dict[str, float | None]:
    return {
        "trace_covariance": _finite(found.trace_covariance),
        "gradient_norm_squared": _finite(found.mean_squared),
        "noise_scale": _finite(found.noise_scale),
        "signal_to_noise": _finite(found.signal_to_noise),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _views(
    problem: Problem,
    state: TrainingState,
    recipe: RunRecipe,
    *,
    predictions: Literal["all", "pairs", "none"] = "all",
    weights: int | None = None,
) -> dict[str, Any]:
    """Asked for one by one, they would be of different steps of a run that moves. `weights`: in so many cells a
    layer.
    """
    told = {"units": _units(problem, state, recipe)}
    if predictions != "none":
        told["predictions"] = PREDICTIONS[predictions](problem, state, recipe)
    if weights is not None:
        told["weights"] = drawn_weights(problem, state, weights)
    return told


def _picture(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    parameters = {name: value.tolist() for name, value in problem.named(state.parameters).items()}
    return {**_views(problem, state, recipe), "parameters": parameters}


def _moment(problem: Problem, state: TrainingState, recipe: RunRecipe, **asked: Any) -> dict[str, Any]:
    return {**readings(problem, state, recipe), **_views(problem, state, recipe, **asked)}


def _only_here(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """A way of one point."""
    return slice_of(problem, [state], recipe)


SEEN = frozenset(("predictions", "weights"))
"""What a page may want or not."""

INSTRUMENTS = {
    row.name: row
    for row in (
        Instrument("units", "each hidden unit over all training samples: mean, share active, dead", _units),
        Instrument(
            "predictions", "predicted and true value, or class, of each sample of a split", _predictions
        ),
        Instrument(
            "views",
            "units, predictions, and weights as they are drawn, all of one step",
            _views,
            options=SEEN,
        ),
        Instrument("picture", "units, predictions and parameters, all of one step", _picture),
        Instrument(
            "moment",
            "a step as a page shows it: the values of all series, units, predictions",
            _moment,
            options=SEEN,
        ),
        Instrument(
            "gradients",
            "the next gradient of each parameter: size, histogram, change beside the parameter, angle to the full one",
            _gradients,
        ),
        Instrument(
            "curvature",
            "eigenvalues of the Hessian over all training samples, and the sharpness beside the limit of the optimizer",
            _curvature,
            costly=True,
        ),
        Instrument(
            "noise",
            "how single samples' gradients scatter around their mean: trace of the covariance, simple noise scale",
            _noise,
            costly=True,
        ),
        Instrument(
            "alpha",
            "how long the next change is beside the parabola that the loss tells along it: 0 ends at its lowest point",
            alpha,
            costly=True,
        ),
        Instrument(
            "along",
            "the loss along the line of the next change, over its batch and over all training samples",
            along,
            costly=True,
        ),
        Instrument(
            "slice",
            "the loss over a plane through the run's way, with the way on it and the share of it that lies outside",
            _only_here,
            costly=True,
            measure_way=slice_of,
            options=frozenset(("plane", "normalize")),
        ),
        Instrument("residuals", "true less predicted value of each sample of a split", residuals),
        Instrument("confusion", "how often each class was taken for each, over a split", confusion),
        Instrument(
            "decision", "the class predicted at each of 48 x 48 places of two inputs", decision, costly=True
        ),
        Instrument(
            "map",
            "the same as a page draws it, in bytes, with what is predicted of each sample of a split at that step",
            decision_map,
            costly=True,
        ),
    )
}


def instrument_of(name: str) -> Instrument:
    """The instrument of that name. Raises NotFound."""
    row = INSTRUMENTS.get(name)
    if row is None:
        raise NotFound(f"no instrument of that name; there are {', '.join(INSTRUMENTS)}")
    return row
