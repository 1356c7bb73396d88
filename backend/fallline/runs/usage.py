"""The memory of one open experiment: its present bytes, its expected maximum, and its state (busy or not).

Owns how bytes are counted. Its worker's thread writes it, any thread reads it. Must not know the limits.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from fallline.engine.problem import Problem, Samples
from fallline.engine.series import MEASURES
from fallline.engine.tabular import Table
from fallline.history.pyramid import most_bytes
from fallline.runs.checkpoints import FEWEST, MOST_SOON
from fallline.runs.cost import parameter_count
from fallline.runs.data_check import dataset_of
from fallline.runs.recipe_check import sized
from fallline.runs.run import Run
from fallline.runs.trail import MOST_BYTES
from fallline.vocabulary.recipe import Recipe

COUNT_SECONDS = 0.25
"""A busy experiment counts its bytes this often."""

EXPERIMENT_BYTES = 12_000
"""Python's objects of an experiment beside its arrays, about."""

RUN_BYTES = 8_000
"""The same of a run without edits and findings."""

EDIT_BYTES = 1_500
FINDING_BYTES = 3_000

STATES = 6
"""Copies of a run's state beside checkpoints: the present one, what it looks ahead to, and scratch of its kernel."""

SLOTS = 2
"""Arrays beside the parameters that the largest optimizers keep."""


@dataclass(slots=True)
class Usage:
    """`bytes` are held, `beyond` more of them in the room that checkpoints share, `ceiling` may be held before long."""

    bytes: int = 0
    beyond: int = 0
    ceiling: int = 0
    run_ceiling: int = 0
    is_busy: bool = False
    runs: int = 0

    def count(self, problem: Problem, runs: Collection[Run], *, is_busy: bool) -> None:
        """Count anew."""
        shared = EXPERIMENT_BYTES + problem_bytes(problem)
        ceilings = [run_ceiling(run) for run in runs]
        self.beyond = sum(run.checkpoints.bytes_beyond for run in runs)
        self.bytes = shared + sum(map(run_bytes, runs)) - self.beyond
        self.ceiling = max(shared + sum(ceilings), self.bytes)
        self.run_ceiling = max(ceilings, default=0)
        self.is_busy, self.runs = is_busy, len(runs)


def problem_bytes(problem: Problem) -> int:
    """Bytes of the samples in all their layouts, and of the first parameters."""
    own = (problem.X, problem.y, problem.train_rows, problem.test_rows, problem.initial_parameters)
    splits = [_samples_bytes(split) for split in (problem.train, problem.test) if split is not None]
    return sum(array.nbytes for array in own) + sum(splits)


def _samples_bytes(samples: Samples) -> int:
    return sum(each.nbytes for each in (samples.X, samples.y, samples.columns, samples.targets, samples.rows))


def run_bytes(run: Run) -> int:
    """Bytes that a run holds, beyond what its experiment shares."""
    pending = 0 if run.unpublished is None else run.unpublished.nbytes
    arrays = run.history.nbytes + run.checkpoints.nbytes + run.case.trail.nbytes + pending
    return arrays + _objects(run) + _states(run)


def run_ceiling(run: Run) -> int:
    """Bytes that it may come to before long."""
    states = max(run.case.trail.nbytes, MOST_BYTES) + run.checkpoints.most_soon
    return run.history.most_bytes + states + _objects(run) + _states(run)


def _states(run: Run) -> int:
    slots = sum(values.nbytes for values in run.state.slots.values())
    return STATES * run.state.parameters.nbytes + slots


def _objects(run: Run) -> int:
    return RUN_BYTES + EDIT_BYTES * len(run.recipe.edits) + FINDING_BYTES * len(run.case.findings)


def expected_bytes(recipe: Recipe, table: Table | None = None) -> int:
    """The ceiling of an experiment that is not made yet. Raises InvalidRequest, and TooExpensive for a large one."""
    recipe, sizes = sized(recipe, dataset_of(recipe.data, table))
    parameters = 8 * parameter_count(sizes)
    samples = 8 * recipe.data.samples * (4 * sizes[0] + 6)
    series = (len(MEASURES) - 1) * 2 * (len(sizes) - 1) + 6
    checkpoints = max(MOST_SOON, FEWEST * (1 + SLOTS) * parameters)
    trail = max(MOST_BYTES, 3 * (1 + SLOTS) * parameters)
    run = most_bytes(series) + checkpoints + trail + RUN_BYTES + STATES * parameters
    edits = sum(len(each.edits) for each in recipe.runs)
    return EXPERIMENT_BYTES + samples + parameters + len(recipe.runs) * run + EDIT_BYTES * edits
