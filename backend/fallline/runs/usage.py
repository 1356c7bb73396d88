"""The memory of one open experiment: present bytes and expected maximum.

Owns the counting of bytes. The worker's thread writes it, any thread reads it.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from fallline.engine.data.tabular.table import Table
from fallline.engine.kernels.interface import MEASURES, WHOLE
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.problem import Problem
from fallline.history.pyramid import most_bytes
from fallline.runs.checks.recipe import dataset_of, sized
from fallline.runs.checks.run import parameter_count
from fallline.runs.past.checkpoints import FEWEST, MOST_SOON, RECENT_BYTES
from fallline.runs.run import Run
from fallline.vocabulary.recipe import Recipe

COUNT_SECONDS = 0.25
"""A busy experiment counts its bytes this often."""

EXPERIMENT_BYTES = 27_000
"""About the bytes of an experiment's Python objects beside its arrays."""

RUN_BYTES = 8_000
"""The same for a run without edits and findings."""

EDIT_BYTES = 2_200
FINDING_BYTES = 3_000

STATES = 6
"""Copies of a run's state beside checkpoints: the present one, the look-ahead, and the kernel's scratch memory."""

SLOTS = 2
"""Slots of most optimizers, each as large as the parameters."""


@dataclass(slots=True)
class Usage:
    """Present `bytes`, bytes `beyond` them in shared memory, expected `ceiling`."""

    bytes: int = 0
    beyond: int = 0
    ceiling: int = 0
    run_ceiling: int = 0
    is_busy: bool = False
    _counted_at: float = -math.inf
    _counted: object = None

    def count(
        self, problem: Problem, runs: Collection[Run], now: float, *, is_busy: bool, beside: int = 0
    ) -> None:
        """Count all fields anew: from time to time while it is busy, and after steps and examinations.

        `beside` are bytes that belong to no run.
        """
        positions = [beside, *((run.generation, run.state.step, run.case.examinations) for run in runs)]
        counted = len(runs) if is_busy else positions
        if counted == self._counted and (not is_busy or now < self._counted_at + COUNT_SECONDS):
            return
        self._counted, self._counted_at = counted, now
        shared = EXPERIMENT_BYTES + problem_bytes(problem) + beside
        ceilings = [run_ceiling(run) for run in runs]
        self.beyond = sum(run.checkpoints.bytes_beyond for run in runs)
        self.bytes = shared + sum(map(run_bytes, runs)) - self.beyond
        self.ceiling = max(shared + sum(ceilings), self.bytes)
        self.run_ceiling = max(ceilings, default=0)
        self.is_busy = is_busy


def problem_bytes(problem: Problem) -> int:
    """Return the bytes of all samples and of the initial parameters."""
    own = (problem.X, problem.y, problem.train_rows, problem.test_rows, problem.initial_parameters)
    splits = [split for split in (problem.train, problem.test) if split is not None]
    samples = [array for one in splits for array in (one.X, one.y, one.columns, one.targets, one.rows)]
    return sum(array.nbytes for array in (*own, *samples))


def run_bytes(run: Run) -> int:
    """Return the bytes of a run, without the shared ones."""
    own = (run.history, run.checkpoints, run.case.kept, run.case.track)
    return sum(part.nbytes for part in own) + _objects(run) + _states(run)


def run_ceiling(run: Run) -> int:
    """Return the bytes that a run may soon take."""
    states = max(run.case.kept.nbytes, RECENT_BYTES) + run.checkpoints.most_soon
    return run.history.most_bytes + states + _objects(run) + _states(run)


def _states(run: Run) -> int:
    slots = sum(values.nbytes for values in run.state.slots.values())
    return STATES * run.state.parameters.nbytes + slots


def _objects(run: Run) -> int:
    return RUN_BYTES + EDIT_BYTES * len(run.recipe.edits) + FINDING_BYTES * len(run.case.record.findings)


def expected_bytes(recipe: Recipe, table: Table | None = None) -> int:
    """Return a new experiment's ceiling. Raises InvalidRequest or TooExpensive."""
    recipe, sizes = sized(recipe, dataset_of(recipe.data, table))
    parameters = 8 * parameter_count(sizes)
    samples = 8 * recipe.data.samples * (4 * sizes[0] + 6)
    series = 1 + (len(MEASURES) - 1) * 2 * (len(sizes) - 1) + len(WHOLE) + 4
    methods = {run.optimizer for run in recipe.runs}
    methods |= {edit.optimizer for run in recipe.runs for edit in run.edits if edit.optimizer}
    # the check of the recipe names unknown methods
    widths = (OPTIMIZERS[name].width for name in methods if name in OPTIMIZERS)
    state = parameters * (1 + max(SLOTS, max(widths, default=0)))
    checkpoints = max(MOST_SOON, FEWEST * state)
    recent = max(RECENT_BYTES, 3 * state)
    run = most_bytes(series) + checkpoints + recent + RUN_BYTES + STATES * parameters
    edits = sum(len(each.edits) for each in recipe.runs)
    return EXPERIMENT_BYTES + samples + parameters + len(recipe.runs) * run + EDIT_BYTES * edits
