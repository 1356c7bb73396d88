"""A run as the Doctor's rules see it.

Must not know rules, nor the schedule.
"""

from __future__ import annotations

import math

import numpy as np

from fallline.diagnosis.examine import Record, best_since, seen_with
from fallline.diagnosis.view import Edge, Task, View
from fallline.engine.measures.curvature import MOST_PARAMETERS, spectrum
from fallline.engine.measures.edge import edge_of
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.methods.schedules import rate_of
from fallline.engine.plateau import in_force
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.figures.view import PREDICTING_THE_MAJORITY, PREDICTING_THE_MEAN
from fallline.runs.checks.bounds import step_seconds
from fallline.runs.doctor.tracing import change_at, measured, replay_seconds, states_between
from fallline.runs.doctor.trials import Take, Trials
from fallline.runs.run import Run
from fallline.vocabulary.run_settings import RunSettings

MOST_WORK = 1e8
"""Most multiplications for the curvature: about 50 ms."""

MEASURE_SECONDS, MULTIPLY_SECONDS = 1e-3, 5e-10
"""About the fixed cost of the curvature, and the cost of each multiplication."""


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


def view_of(
    problem: Problem,
    task: Task,
    run: Run,
    state: TrainingState,
    record: Record,
    take: Take,
    *,
    diverged: bool,
) -> View:
    """Return the run in this state, after the examinations in `record`; `take` makes expensive measurements."""
    step, case = state.step, run.case
    now = take("now", 0.0, lambda: measured(problem, state))
    made = step + 1 if diverged else step  # the change that diverged belongs to the past
    settings = run.recipe.settings_at(made - 1)
    series = case.track.before(step, max(record.step, 0))
    check = 2.0 * step_seconds(problem.layout.sizes, 0, problem.train.count)
    states = max(step - 1 - record.step, 0)
    trials = Trials(problem, run, step, made, take)
    return View(
        task=task,
        step=step,
        diverged=diverged,
        settings=settings,
        scales=OPTIMIZERS[settings.optimizer].stability.divisor is not None,
        rate=rate_of(in_force(settings, state))(max(made - 1, 0)),
        settings_before=trials.settings_before,
        edits=tuple((edit.at_step, edit.changes()) for edit in run.recipe.edits if edit.at_step < made),
        now=now,
        seen=seen_with(record, now),
        series=series,
        best=best_since(record, series) or (record.best,),
        first_slope=record.first_slope if record.step >= 0 else math.sqrt(now.noise.mean_squared),
        is_open=lambda rule, subject: (rule, subject) in record.stretches,
        between=lambda: take(
            "between", states * (check + run.step_seconds), lambda: states_between(problem, run, step)
        ),
        edge=lambda: _edge(problem, settings, state, take),
        change=lambda at, layer: take(
            f"change {at} {layer}",
            replay_seconds(run, at) + check,
            lambda: change_at(problem, run, at, layer),
        ),
        trial=trials,
        repeats=trials.repeats,
        weights_before=trials.weights_before,
    )


def _edge(problem: Problem, settings: RunSettings, state: TrainingState, take: Take) -> Edge | None:
    """Return the curvature; None for a network that is too large, or if it is not known."""
    count = problem.layout.count
    work = 12.0 * problem.train.count * count**2
    if count > MOST_PARAMETERS or work > MOST_WORK:
        return None
    return take(  # type: ignore[no-any-return]
        "edge", MEASURE_SECONDS + work * MULTIPLY_SECONDS, lambda: _curvature(problem, settings, state)
    )


def _curvature(problem: Problem, settings: RunSettings, state: TrainingState) -> Edge | None:
    edge = edge_of(settings, state, problem.layout)
    if not edge.known:
        return None
    try:
        eigenvalues = spectrum(problem, state.parameters, settings.l2, edge.scale).eigenvalues
    except (FloatingPointError, np.linalg.LinAlgError):
        return None
    return Edge(float(eigenvalues[0]), edge.limit, state.step)
