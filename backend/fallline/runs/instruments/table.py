"""The table of instruments, which measure a run at one step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from fallline.engine.measures.batch_sharpness import batch_sharpness
from fallline.engine.measures.curvature import estimated_trace, spectrum
from fallline.engine.measures.edge import edge_of
from fallline.engine.measures.gradients import cosine, gradient_of
from fallline.engine.measures.noise import Scatter, noise_of
from fallline.engine.measures.probes import full_gradient, next_gradient, predict, units
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.runs.instruments.drawn_weights import drawn_weights
from fallline.runs.instruments.fit import curve, fit
from fallline.runs.instruments.line import along, alpha, next_parameters
from fallline.runs.instruments.moment import readings
from fallline.runs.instruments.plane import slice_of
from fallline.runs.instruments.predictions import (
    calibration,
    confusion,
    decision,
    decision_map,
    metrics,
    residuals,
    split_of,
    surface,
)
from fallline.vocabulary.arrays import Array
from fallline.vocabulary.encoding import drawn_column, finite_or_none, integer_column
from fallline.vocabulary.errors import NotFound
from fallline.vocabulary.recipe import RunRecipe


@dataclass(frozen=True, slots=True)
class Instrument:
    """A measurement of one state, or of a path of states (`measure_path`).

    `help` is a line of text, `options` names the optional arguments. A `costly` one may take the time of a thousand
    steps: it measures a copy, beside the training, and its response has its cost.
    """

    name: str
    help: str
    measure: Callable[..., dict[str, Any]]
    costly: bool = False
    measure_path: Callable[..., dict[str, Any]] | None = None
    options: frozenset[str] = frozenset()


def _units(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    *hidden, output = [asdict(layer) for layer in units(problem, state.parameters)]
    return {"layers": hidden, "output": output}


def _predictions(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """Return predictions of the test split, or else of the training split."""
    split, rows = split_of(problem)
    fields = {"split": split, "rows": rows.tolist()}
    outputs = predict(problem, state.parameters, problem.X[rows])
    if not problem.classes:
        return {**fields, "y": problem.y[rows, 0].tolist(), "y_pred": outputs[:, 0].tolist()}
    return {
        **fields,
        "y": problem.y[rows, 0].astype(int).tolist(),
        "y_pred": problem.loss.decide(outputs.T).tolist(),
        "classes": list(problem.classes),
        "probabilities": _probabilities(problem, outputs),
    }


def _pairs(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """Return the same, packed for a drawing, without rows and probabilities."""
    _, rows = split_of(problem)
    y = problem.y[rows, 0]
    true = integer_column(y.astype(np.int64)) if problem.classes else drawn_column(y)
    return {"y": true, **_predicted(problem, state, recipe)}


def _predicted(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """Return the pairs without the true values, which are the same at every step."""
    split, rows = split_of(problem)
    outputs = predict(problem, state.parameters, problem.X[rows])
    if problem.classes:
        return {"split": split, "y_pred": integer_column(problem.loss.decide(outputs.T))}
    return {"split": split, "y_pred": drawn_column(outputs[:, 0])}


PREDICTIONS = {"all": _predictions, "pairs": _pairs, "predicted": _predicted}


def _probabilities(problem: Problem, outputs: Array) -> list[list[float]] | None:
    """Return probabilities by sample and class, or None."""
    if problem.loss.probabilities is None:
        return None
    with np.errstate(all="ignore"):
        rows: list[list[float]] = problem.loss.probabilities(outputs.T).T.tolist()
    return rows


def _gradients(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """Return the gradient of the next change, before clipping."""
    settings = recipe.settings_at(state.step)
    gradients, batch = next_gradient(problem, state, recipe)
    whole = full_gradient(problem, state.parameters, settings)
    before, after = problem.named(state.parameters), problem.named(next_parameters(problem, state, recipe))
    joined = [np.concatenate([each[name].ravel() for name in before]) for each in (gradients, whole)]
    parameters = {}
    for name, value in before.items():
        measures = asdict(gradient_of(gradients[name], after[name] - value, value))
        numbers = {
            key: finite_or_none(number) if isinstance(number, float) else number
            for key, number in measures.items()
        }
        parameters[name] = {**numbers, "cosine": _angle(gradients[name], whole[name])}
    return {"batch_size": len(batch), "cosine": _angle(*joined), "parameters": parameters}


def _angle(one: Array, other: Array) -> float | None:
    value = cosine(one, other)
    return None if value is None else finite_or_none(value)


def _curvature(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """Return the curvature of the descended training loss, with penalties.

    `sharpness` is the largest eigenvalue as the optimizer sees it, null if it has none yet.
    """
    settings = recipe.settings_at(state.step)
    edge = edge_of(settings, state, problem.layout)
    fields: dict[str, Any] = {
        "limit": finite_or_none(edge.limit),
        "formula": edge.formula,
        "preconditioned": edge.scale is not None,
    }
    try:
        curvature = spectrum(problem, state.parameters, settings.l2, edge.scale)
    except FloatingPointError:
        none: dict[str, Any] = {"eigenvalues": [], "sharpness": None, "edge": None}
        none |= {"trace": None, "trace_error": None}
        return {**fields, **none, "whole": False, "settled": False, "products": 0}
    if curvature.trace is None:
        trace, error = estimated_trace(problem, state.parameters, settings.l2)
    else:
        trace, error = curvature.trace, 0.0
    sharpness = float(curvature.eigenvalues[0]) if edge.known else None
    return {
        **fields,
        "eigenvalues": curvature.eigenvalues.tolist(),
        "sharpness": sharpness,
        "edge": None if sharpness is None else sharpness / edge.limit,
        "trace": finite_or_none(trace),
        "trace_error": finite_or_none(error),
        "whole": curvature.whole,
        "settled": curvature.settled,
        "products": curvature.products,
    }


def _batch_sharpness(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """Return the curvature along the gradients of the batches in a pass, with penalties."""
    edge = edge_of(recipe.settings_at(state.step), state)
    measured = batch_sharpness(problem, state, recipe)
    sharpness = None if measured.mean is None else finite_or_none(measured.mean)
    is_scaled = edge.scale is not None or not edge.known
    limit = None if is_scaled else finite_or_none(edge.limit)
    return {
        "batch_sharpness": sharpness,
        "standard_error": finite_or_none(measured.standard_error),
        "batch_size": recipe.settings_at(state.step).batch_size or problem.train.count,
        "batches": measured.batches,
        "batches_of_pass": measured.in_pass,
        "limit": limit,
        "formula": None if is_scaled else edge.formula,
        "edge": None if sharpness is None or limit is None else sharpness / limit,
    }


def _noise(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """Return the noise of single samples' gradients, without penalties."""
    noise = noise_of(problem, state.parameters)
    settings = recipe.settings_at(state.step)
    batch = settings.batch_size or problem.train.count
    drawn = min(batch, problem.train.count)
    replaced = settings.batch_size is not None and settings.order == "replacement"
    return {
        **_scatter(noise.whole),
        "batch_size": batch,
        "norm_test": finite_or_none(noise.whole.norm_test(drawn, replaced=replaced)),
        "inner_product_test": finite_or_none(noise.whole.inner_product_test(drawn, replaced=replaced)),
        "orthogonality_test": finite_or_none(noise.whole.orthogonality_test(drawn, replaced=replaced)),
        "per_layer": [_scatter(layer) for layer in noise.layers],
    }


def _scatter(scatter: Scatter) -> dict[str, float | None]:
    return {
        "trace_covariance": finite_or_none(scatter.trace_covariance),
        "gradient_norm_squared": finite_or_none(scatter.mean_squared),
        "noise_scale": finite_or_none(scatter.noise_scale),
        "signal_to_noise": finite_or_none(scatter.signal_to_noise),
    }


def _views(
    problem: Problem,
    state: TrainingState,
    recipe: RunRecipe,
    *,
    predictions: Literal["all", "pairs", "predicted", "none"] = "all",
    weights: int | None = None,
) -> dict[str, Any]:
    """Return several views of one step, with `weights` cells along a side."""
    views = {"units": _units(problem, state, recipe)}
    if predictions != "none":
        views["predictions"] = PREDICTIONS[predictions](problem, state, recipe)
    if weights is not None:
        views["weights"] = drawn_weights(problem, state, weights)
    return views


def _picture(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    parameters = {name: value.tolist() for name, value in problem.named(state.parameters).items()}
    return {**_views(problem, state, recipe), "parameters": parameters}


def _moment(problem: Problem, state: TrainingState, recipe: RunRecipe, **options: Any) -> dict[str, Any]:
    return {**readings(problem, state, recipe), **_views(problem, state, recipe, **options)}


def _slice_of_one(problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """Return the slice for a path of one point."""
    return slice_of(problem, [state], recipe)


VIEW_OPTIONS = frozenset(("predictions", "weights"))
"""The options of views."""

TWO_INPUTS = frozenset(("x", "y"))
"""The options of maps: names of inputs."""

MOMENT = "moment"

INSTRUMENTS = {
    row.name: row
    for row in (
        Instrument("units", "each hidden unit over all training samples: mean, share active, dead", _units),
        Instrument(
            "predictions", "predicted and true value, or class, of each sample of a split", _predictions
        ),
        Instrument(
            "views",
            "units, predictions, and weights for a drawing, all of one step",
            _views,
            options=VIEW_OPTIONS,
        ),
        Instrument("picture", "units, predictions and parameters, all of one step", _picture),
        Instrument(
            MOMENT,
            "all values of one step for a page: series, units, predictions",
            _moment,
            options=VIEW_OPTIONS,
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
            "batch_sharpness",
            "curvature along the gradients of single batches, beside the limit of the optimizer",
            _batch_sharpness,
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
            "length of the next change on the parabola of the loss along it: 0 ends at its lowest point",
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
            "the loss over a plane through the run's path, with the path on it and the share of it that lies outside",
            _slice_of_one,
            costly=True,
            measure_path=slice_of,
            options=frozenset(("plane", "normalize")),
        ),
        Instrument("residuals", "true minus predicted value of each sample of a split", residuals),
        Instrument("confusion", "counts of predicted classes by true class, over a split", confusion),
        Instrument(
            "metrics", "RMSE and MAE; of classes the precision, recall, F1 and AUC, over a split", metrics
        ),
        Instrument(
            "calibration",
            "how far the probability of a predicted class is its accuracy, in bins",
            calibration,
        ),
        Instrument(
            "decision",
            "the class predicted at each of 48 x 48 places of two inputs",
            decision,
            costly=True,
            options=TWO_INPUTS,
        ),
        Instrument(
            "surface",
            "the value predicted at each of 48 x 48 places of two inputs, with the training samples",
            surface,
            costly=True,
            options=TWO_INPUTS,
        ),
        Instrument(
            "map",
            "classes or values at the same places for a page, packed, with the predictions of samples at that step",
            decision_map,
            costly=True,
            options=TWO_INPUTS,
        ),
        Instrument("fit", "the value predicted along the only input, with the samples", fit, costly=True),
        Instrument("curve", "the same for a page, packed, without the samples", curve, costly=True),
    )
}


def instrument_of(name: str) -> Instrument:
    """Return the instrument of that name. Raises NotFound."""
    row = INSTRUMENTS.get(name)
    if row is None:
        raise NotFound(f"no instrument of that name; the names are {', '.join(INSTRUMENTS)}")
    return row
