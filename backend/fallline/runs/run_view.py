"""A run as the Doctor's rules see it: numbers of its present step, its history, and what costs more when a rule asks.

Must not know rules, nor when it is asked.
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
from fallline.engine.probes import LayerUnits, units
from fallline.engine.problem import Problem
from fallline.engine.schedules import rate_of
from fallline.figures.view import PREDICTING_THE_MAJORITY, PREDICTING_THE_MEAN
from fallline.runs.run import Run
from fallline.runs.trials import Attempt, Trials
from fallline.vocabulary.columns import Buckets

FRESH_STEPS, FRESH_SHARE = 50, 20
"""What costs more is measured again after so many steps, or one in so many of the run's, and after an edit."""

MOST_WORK = 1e8
"""Multiplications that a costly measure may take: some 50 ms."""

MEASURE_SECONDS, MULTIPLY_SECONDS = 1e-3, 5e-10
"""What a costly measure takes at least, and for each of its multiplications, about."""


def task_of(problem: Problem) -> Task:
    """What the runs of a problem share."""
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
"""Does something that is expected to take so many seconds, or raises NotNow."""


def view_of(problem: Problem, task: Task, run: Run, take: Take, attempt: Attempt) -> View:
    """The run at its present step. What costs more is measured by `take`, and remedies are tried by `attempt`."""
    state, step, settings = run.state, run.state.step, run.settings
    now = evaluate(problem, state.parameters)
    *hidden, _ = units(problem, state.parameters)
    names = zip(problem.activations, hidden, strict=False)

    @cache  # many rules ask the same
    def columns(since: int, at_most: int) -> Buckets:
        return run.history.range(since, step - 1, at_most)

    return View(
        task=task,
        step=step,
        diverged=run.diverged,
        settings=settings,
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
    return Layer(activation, tuple(layer.dead), saturated, tuple(map(tuple, layer.alike)))


def _fresh(run: Run, take: Take, name: str, work: float, measure: Callable[[], Any]) -> Any:
    """What was measured not long ago, or is measured now; None for what takes too many multiplications."""
    if work > MOST_WORK:
        return None
    step, settings = run.state.step, run.settings
    kept = run.case.measured.get(name)
    if kept is None or kept[1] != settings or step - kept[0] >= max(FRESH_STEPS, step // FRESH_SHARE):
        told = take(MEASURE_SECONDS + work * MULTIPLY_SECONDS, measure)
        kept = run.case.measured[name] = (step, settings, told)
    return kept[2]


def _noise_work(problem: Problem) -> float:
    return 10.0 * problem.train.count * problem.layout.count


def _edge_work(problem: Problem) -> float:
    if problem.layout.count > MOST_PARAMETERS:
        return math.inf
    return 12.0 * problem.train.count * problem.layout.count**2


def _noise(problem: Problem, run: Run) -> Noise | None:
    found = noise_of(problem, run.state.parameters)
    lengths, whole = problem.layout.lengths, found.whole
    counts = [weights + biases for weights, biases in zip(lengths[0::2], lengths[1::2], strict=True)]
    sizes = tuple(_root_mean_square(layer, count) for layer, count in zip(found.layers, counts, strict=True))
    told = Noise(whole.samples, whole.trace_covariance, whole.mean_squared, sizes)
    return told if math.isfinite(told.trace + told.mean_squared) else None


def _root_mean_square(layer: Scatter, count: int) -> float:
    """Of the entries of single samples' gradients."""
    m = layer.samples
    return math.sqrt((layer.trace_covariance * (m - 1) / m + layer.mean_squared) / count)


def _edge(problem: Problem, run: Run) -> Edge | None:
    found = edge_of(run.settings, run.state)
    if not found.known:
        return None
    try:
        eigenvalues = spectrum(problem, run.state.parameters, run.settings.l2, found.scale).eigenvalues
    except (FloatingPointError, np.linalg.LinAlgError):
        return None
    return Edge(float(eigenvalues[0]), found.limit, run.state.step)
