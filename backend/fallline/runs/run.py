"""One run: its recipe, its state, its history, what was found in it, and what it has not told yet.

A run *is* its recipe; state and history follow from it. Owns the edits, the generation and the unpublished piece of
history. Must not know clocks (it is handed one), threads, other runs or who is watching.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fallline.engine.evaluation import evaluate
from fallline.engine.kernels.choice import Kernels
from fallline.engine.kernels.table import Kernel
from fallline.engine.problem import Problem
from fallline.engine.series import evaluated_series, series_names
from fallline.engine.state import TrainingState, begin
from fallline.engine.training import advance
from fallline.history.run_history import RunHistory
from fallline.runs.batches import next_batch, steps_until, steps_within
from fallline.runs.case import Case
from fallline.runs.checkpoints import Checkpoints, Room
from fallline.runs.lookback import Replay, Way
from fallline.runs.recipe_check import check_fit
from fallline.runs.run_check import check_change, check_edits_to_come, merge_edit
from fallline.runs.self_check import CHECK_SECONDS, Subject
from fallline.runs.stopping import StopWatch, may_stop
from fallline.vocabulary.columns import Buckets, Records, coarsen, from_records, join, recorded_every_step
from fallline.vocabulary.findings import RUN, shown_name
from fallline.vocabulary.provenance import Provenance
from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.run_settings import Change, Edit, RunSettings
from fallline.vocabulary.stop_conditions import StopCondition

Clock = Callable[[], float]

PIECE = 128
"""Buckets that an unpublished piece may hold; beyond, neighbours are merged."""

WINDOW = 1_000
"""Places at which the computing time of a run is read, to tell that of the steps in between."""

POINTS = 30
"""Points that the way of a run is told by, at most about so many."""

WAY_SECONDS = 2.0
"""Computing time that making them again may take."""

_UNHURRIED = 1e-4
"""First guess of what a step costs, in seconds, until it has been measured."""


class Run:
    """One training run. Steps are made by `advance`, and only by it, with the kernel that served when it began."""

    def __init__(
        self,
        problem: Problem,
        recipe: RunRecipe,
        kernels: Kernels,
        kernel: Kernel | None = None,
        room: Room | None = None,
    ) -> None:
        self._problem = problem
        self._kernels = kernels
        self._room = room
        self.recipe = recipe
        self.generation = 0
        self.is_rounded = False
        """Whether some of its past was made again elsewhere, equal to rounding only."""
        self.step_seconds = _UNHURRIED
        self._begin(kernels.of(problem) if kernel is None else kernel)

    def _begin(self, kernel: Kernel) -> None:
        self.state = begin(self._problem)
        self.checkpoints = Checkpoints(self.state, self._room)
        self.kernel = kernel
        self.stop_watch = StopWatch(self._problem)
        self.finished: StopCondition | None = None
        layout = self._problem.layout
        sizes = dict(zip(layout.names, layout.lengths, strict=True))
        self.history = RunHistory(series_names(self._problem), sizes)
        self.seconds = 0.0
        self.case = Case()
        self.case.trail.begin(self.state.copy())
        self._unpublished: Buckets | None = None

    @property
    def provenance(self) -> Provenance:
        """What makes the numbers of this run, and of its replays to the bit."""
        return Provenance(self.kernel.name, self._kernels.builds)

    @property
    def name(self) -> str:
        return self.recipe.name

    @property
    def diverged(self) -> bool:
        return self.state.diverged_at is not None

    @property
    def is_over(self) -> bool:
        """Whether it makes no more steps unless something is done: it has diverged, or met a stop condition."""
        return self.diverged or self.finished is not None

    @property
    def settings(self) -> RunSettings:
        """The settings in force for the next step."""
        return self.recipe.settings_at(self.state.step)

    @property
    def epoch(self) -> float:
        return self.state.samples_seen / self._train_samples

    @property
    def _train_samples(self) -> int:
        return len(self._problem.train_rows)

    # ------------------------------------------------------------------ how far

    def steps_until_epoch(self, epoch: int) -> int:
        """Steps from here until floor(epoch) reaches `epoch`, with the settings in force."""
        return self.steps_until(epoch * self._train_samples - self.state.samples_seen)

    def steps_until(self, samples: int) -> int:
        """Steps until `samples` more samples are seen, with the settings in force."""
        return steps_until(samples, self.state.samples_seen, self.settings.batch_size, self._train_samples)

    def steps_within(self, samples: int) -> int:
        """Steps that pay for no more than `samples` more samples, with the settings in force."""
        return steps_within(samples, self.state.samples_seen, self.settings.batch_size, self._train_samples)

    def next_batch(self) -> int:
        """How many samples the next step takes."""
        return next_batch(self.state.samples_seen, self.settings.batch_size, self._train_samples)

    def steps_to_next_edit(self) -> int | None:
        """Steps until an edit that already stands in the recipe takes effect, or None."""
        ahead = [edit.at_step for edit in self.recipe.edits if edit.at_step > self.state.step]
        return min(ahead) - self.state.step if ahead else None

    # ------------------------------------------------------------------ the one way forward

    def advance(self, steps: int, clock: Clock, *, told: bool, stops: bool = True) -> int:
        """Make up to `steps` steps and record them; returns how many were made (fewer when the run diverges, or meets a
        stop condition that it obeys, which it does when it `stops`).

        `clock` gives seconds and is only used to measure what the steps cost. With `told`, the records are also kept
        for the next `publish`.
        """
        began = clock()
        before = self.state.copy() if may_stop(self.recipe) else None
        records = advance(self._problem, self.state, self.recipe, steps, self.kernel)
        if before is not None:
            records = self._until_a_stop(before, records, stops=stops)
        took = clock() - began
        made = len(records.samples_seen)
        if made:
            self._remember(records, took, told=told)
            self.checkpoints.offer(self.state, self.seconds)
            self.case.trail.pass_by(self.state)
            self.step_seconds += 0.3 * (took / made - self.step_seconds)
        return made

    def _until_a_stop(self, before: TrainingState, records: Records, *, stops: bool) -> Records:
        """The records up to the first step that meets a stop condition, where the run then stands."""
        met = self.stop_watch.first_met(self.recipe, before, records, self.state, self.kernel)
        if met is None or not stops:
            return records
        self.finished = met.condition
        if met.step == self.state.step:
            return records
        steps = met.step - before.step
        self.state.restore(before)
        return advance(self._problem, self.state, self.recipe, steps, self.kernel)

    def _remember(self, records: Records, took: float, *, told: bool) -> None:
        made = len(records.samples_seen)
        records = records.with_seconds(self.seconds + took * np.arange(1, made + 1) / made)
        self.seconds += took
        self.history.append(records)
        if told:
            piece = from_records(records, at_most=PIECE)
            pending = self._unpublished
            self._unpublished = piece if pending is None else coarsen(join(pending, piece), PIECE)

    @property
    def has_unpublished(self) -> bool:
        return self._unpublished is not None

    @property
    def unpublished(self) -> Buckets | None:
        """The piece of history since the last publication."""
        return self._unpublished

    def publish(self, at_most: int = PIECE) -> Buckets | None:
        """The piece of history since the last publication, once, in at most so many buckets."""
        piece, self._unpublished = self._unpublished, None
        return None if piece is None else coarsen(piece, at_most)

    # ------------------------------------------------------------------ the past

    def replay(self, start: int, to: int) -> Replay:
        """The way from the last checkpoint at or before step `start` to step `to`, on a copy."""
        return Replay(
            self._problem, self.recipe, self.kernel, self.checkpoints.before(start), to, self.step_seconds
        )

    def to_check(self) -> Subject:
        """What a self-check of the run as it stands needs, copied."""
        affordable = self.state.step - int(CHECK_SECONDS / self.step_seconds)
        since = self.checkpoints.before(max(affordable, 0)).copy()
        return Subject(self._problem, self.recipe, self.kernel, self.state.copy(), since, self.is_rounded)

    def way(self, to: int, done: Callable[[Any], None]) -> Way:
        """The states on the way from the start to step `to`, some thirty of them: the checkpoints that are held, where
        there are enough; where there are few the whole way is made again, if that takes no more than `WAY_SECONDS`.
        """
        held = [self.checkpoints.before(0), *(state for state in self.checkpoints if state.step < to)]
        if len(held) < POINTS // 2 and to * self.step_seconds <= WAY_SECONDS:
            stops = sorted({round(to * place / POINTS) for place in range(POINTS + 1)})
            return Way(self.replay(0, to), [], stops, done)
        every = -(-len(held) // POINTS)
        return Way(self.replay(to, to), [state.copy() for state in held[::every]], [to], done)

    def fork(self, recipe: RunRecipe) -> Run:
        """Another run that has made the same steps and goes on by `recipe`, which must tell the same past."""
        twin = Run(self._problem, recipe, self._kernels, self.kernel, self._room)
        twin.state = self.state.copy()
        twin.state.diverged_at = None  # whether it stays here too is for its own settings to show
        twin.checkpoints = self.checkpoints.copy()
        twin.history = deepcopy(self.history)
        twin.seconds, twin.step_seconds = self.seconds, self.step_seconds
        twin.is_rounded = self.is_rounded
        twin.case = self.case.forked(self.state.step)
        twin.case.leaves(twin.state)
        return twin

    def seconds_made(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Steps made, rising from 0, and the computing time by then."""
        held = self.history.range(0, self.state.step - 1, WINDOW)
        return np.append(0, held.last + 1), np.append(0.0, held.seconds)

    # ------------------------------------------------------------------ changes

    def edit(self, change: Change) -> dict[str, Any]:
        """Change settings from the next step on. Returns the settings that the edit changes, defaults filled in.

        Raises Conflict where an edit that the recipe has for later could not be made after this one.
        """
        given = check_change(change, self.settings)
        problem = self._problem
        shape, evaluated = problem.layout.sizes, evaluated_series(problem)
        check_fit(given, "", shape, len(problem.X), self._train_samples, evaluated)
        edit = Edit(at_step=self.state.step, **given)
        edited = self.recipe.model_copy(update={"edits": merge_edit(self.recipe.edits, edit)})
        check_edits_to_come(edited, self.state.step)
        self.recipe = edited
        if "stop" in given:
            self.finished = None
        return given

    def relabel(self, label: str | None) -> None:
        """Give the run another text to show; no edit, since no number changes."""
        self.recipe = self.recipe.model_copy(update={"label": label})

    def reset(self) -> None:
        """Back to step 0 with the settings in force; the past stops being this run's past."""
        kept = self.recipe.model_dump(include={"name", "label", "seed"})
        self.recipe = RunRecipe.model_validate({**kept, **self.settings.as_json()})
        self.generation += 1
        self.is_rounded = False
        self._begin(self._kernels.of(self._problem))

    # ------------------------------------------------------------------ views

    @property
    def every_step(self) -> frozenset[str]:
        """The series that have a value at every step."""
        return recorded_every_step(series_names(self._problem))

    def window(self, since: int | None, until: int | None, at_most: int) -> Buckets:
        """The history from step `since` to `until`, both included, in at most so many whole buckets."""
        last = self.state.step - 1
        return self.history.range(since or 0, last if until is None else min(until, last), at_most)

    def position(self) -> dict[str, Any]:
        """Where it stands, as it is stored."""
        told: dict[str, Any] = {"step": self.state.step, "diverged": self.diverged}
        return told if self.finished is None else {**told, "finished": self.finished.model_dump()}

    def status(self, *, playing: bool) -> str:
        if self.diverged:
            return "diverged"
        if self.finished is not None:
            return "finished"
        return "playing" if playing else "paused"

    def header(self, *, playing: bool) -> dict[str, Any]:
        """What every frame says of the run."""
        return {
            "status": self.status(playing=playing),
            "step": self.state.step,
            "epoch": self.epoch,
            "samples_seen": self.state.samples_seen,
            "generation": self.generation,
            "doctor": self.case.costs(),
            **self._seen_of_findings(),
        }

    def _seen_of_findings(self) -> dict[str, Any]:
        """The numbers behind what is open, where they are newer than those with which it was told."""
        shown, fresh = shown_name(self.name, self.recipe.label), self.case.record.fresh
        told = [
            {"id": id, "seen_at": seen.step, "evidence": seen.text.replace(RUN, shown)}
            for id, seen in fresh.items()
        ]
        return {"findings": told} if told else {}

    def as_json(self, *, playing: bool, moving: bool) -> dict[str, Any]:
        """The run as CONTRACT's `GET /experiments/{id}` lists it. A run at rest is evaluated for the answer."""
        return {
            "name": self.name,
            "label": self.recipe.label,
            **self.header(playing=playing),
            "diverged_at": self.state.diverged_at,
            "finished_by": self.finished and self.finished.model_dump(),
            "settings": self.settings.as_json(),
            "kernel": self.kernel.name,
            "latest": self.latest(evaluated=not moving),
            "findings": self.findings(),
        }

    def findings(self) -> list[dict[str, Any]]:
        """What the Doctor has found, the newest last, as people and programs read it."""
        shown, fresh = shown_name(self.name, self.recipe.label), self.case.record.fresh
        return [finding.as_json(self.name, shown, fresh.get(finding.id)) for finding in self.case.findings]

    def latest(self, *, evaluated: bool) -> dict[str, dict[str, Any]]:
        """The last finite value of each series; `evaluated` at the present step where that can be done."""
        latest = {
            name: {"step": step, "value": value} for name, (step, value) in self.history.latest().items()
        }
        if evaluated:
            for name, value in evaluate(self._problem, self.state.parameters).items():
                if np.isfinite(value):
                    latest[name] = {"step": self.state.step, "value": value}
        return latest
