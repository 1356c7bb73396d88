"""A run as the Doctor's rules see it.

Must not know rules, nor the schedule.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from fallline.diagnosis.view import RECENT, Edge, Layer, Noise, Task, View
from fallline.engine.evaluation import evaluate
from fallline.engine.measures.curvature import MOST_PARAMETERS, spectrum
from fallline.engine.measures.edge import edge_of
from fallline.engine.measures.noise import Scatter, noise_of
from fallline.engine.measures.probes import LayerUnits, units
from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.methods.schedules import rate_of
from fallline.engine.problem import Problem
from fallline.figures.view import PREDICTING_THE_MAJORITY, PREDICTING_THE_MEAN
from fallline.runs.doctor.trials import Attempt, Trials
from fallline.runs.run import Run
from fallline.vocabulary.columns import Buckets

FRESH_STEPS, FRESH_SHARE = 50, 20
"""An expensive measurement is repeated after `FRESH_STEPS` or 1 / `FRESH_SHARE` of the steps, and after an edit."""

MOST_WORK = 1e8
"""Most multiplications of an expensive measurement: about 50 ms."""

MEASURE_SECONDS, MULTIPLY_SECONDS = 1e-3, 5e-10
"""About the fixed cost of an expensive measurement, and the cost of each multiplication."""


def task_of(problem: Problem) -> Task:
    """Return what the runs of a problem share."""
    X = problem.train.X
    return Task(
        samples=problem.train.count,
        has_test=problem.test is not None,
        classes=len(problem.classes),
        baseline=problem.baseline["train"],
        guessing=PREDICTING_THE_MAJORITY if problem.classes else PREDICTING_THE_MEAN,
        score=problem.score.name,
        initial_loss=problem.initial_loss,
        input_spreads=tuple(X.std(axis=0).tolist()),
        input_means=tuple(X.mean(axis=0).tolist()),
    )


Take = Callable[[float, Callable[[], Any]], Any]
"""Calls a function with this expected cost in seconds, or raises NotNow."""


def view_of(problem: Problem, task: Task, run: Run, take: Take, attempt: Attempt) -> View:
    """Return the run; `take` calls measurements, `attempt` calls trials."""
    state, step, settings = run.state, run.state.step, run.settings
    now = evaluate(problem, state.parameters)
    *hidden, _ = units(problem, state.parameters)
    names = zip(problem.activations, hidden, strict=False)

    @cache  # several rules use the same columns
    def columns(since: int, at_most: int) -> Buckets:
        return run.history.range(since, step - 1, at_most)

    return View(
        task=task,
        step=step,
        diverged=run.diverged,
        settings=settings,
        scales=OPTIMIZERS[settings.optimizer].stability.divisor is not None,
        rate=rate_of(settings)(step),
        first_rate=run.recipe.settings.learning_rate,
        edits=tuple((edit.at_step, edit.changes()) for edit in run.recipe.edits if edit.at_step <= step),
        loss=now["train_loss"],
        score=now[f"train_{problem.score.name}"],
        layers=tuple(_layer(activation, layer) for activation, layer in names),
        columns=columns,
        recent=columns(max(step - RECENT, 0), RECENT),
        noise=lambda: _fresh(run, take, "noise", _noise_work(problem), partial(_noise, problem, run)),
        edge=lambda: _fresh(run, take, "edge", _edge_work(problem), partial(_edge, problem, run)),
        trial=Trials(problem, run, attempt),
    )


def _layer(activation: str, layer: LayerUnits) -> Layer:
    saturated = None if layer.saturated_share is None else tuple(layer.saturated_share)
    return Layer(
        ACTIVATIONS[activation].lines[1], tuple(layer.dead), saturated, tuple(map(tuple, layer.alike))
    )


def _fresh(run: Run, take: Take, name: str, work: float, measure: Callable[[], Any]) -> Any:
    """Return a recent or a new measurement; None for one that is too large."""
    if work > MOST_WORK:
        return None
    step, settings = run.state.step, run.settings
    recent = run.case.measurements.get(name)
    if recent is None or recent[1] != settings or step - recent[0] >= max(FRESH_STEPS, step // FRESH_SHARE):
        value = take(MEASURE_SECONDS + work * MULTIPLY_SECONDS, measure)
        recent = run.case.measurements[name] = (step, settings, value)
    return recent[2]


def _noise_work(problem: Problem) -> float:
    return 10.0 * problem.train.count * problem.layout.count


def _edge_work(problem: Problem) -> float:
    if problem.layout.count > MOST_PARAMETERS:
        return math.inf
    return 12.0 * problem.train.count * problem.layout.count**2


def _noise(problem: Problem, run: Run) -> Noise | None:
    scatter = noise_of(problem, run.state.parameters)
    lengths, whole = problem.layout.lengths, scatter.whole
    counts = [weights + biases for weights, biases in zip(lengths[0::2], lengths[1::2], strict=True)]
    sizes = tuple(
        _root_mean_square(layer, count) for layer, count in zip(scatter.layers, counts, strict=True)
    )
    noise = Noise(whole.samples, whole.trace_covariance, whole.mean_squared, sizes)
    return noise if math.isfinite(noise.trace + noise.mean_squared) else None


def _root_mean_square(layer: Scatter, count: int) -> float:
    """Root mean square of the entries of single samples' gradients."""
    m = layer.samples
    return math.sqrt((layer.trace_covariance * (m - 1) / m + layer.mean_squared) / count)


def _edge(problem: Problem, run: Run) -> Edge | None:
    edge = edge_of(run.settings, run.state)
    if not edge.known:
        return None
    try:
        eigenvalues = spectrum(problem, run.state.parameters, run.settings.l2, edge.scale).eigenvalues
    except (FloatingPointError, np.linalg.LinAlgError):
        return None
    return Edge(float(eigenvalues[0]), edge.limit, run.state.step)
