"""One run: its recipe, state, history and findings; and the runs of an experiment by name.

A run *is* its recipe; state and history follow from it. Owns the edits and the generation. Receives a clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np
from numpy.typing import NDArray

from fallline.diagnosis.track import Track, in_a_doubling, next_examination, point_before
from fallline.engine.batches import batch_length, steps_until, steps_within
from fallline.engine.kernels.interface import Kernel, evaluated_series, series_names
from fallline.engine.kernels.numpy_kernels import Kernels
from fallline.engine.measures.probes import evaluate
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState, begin
from fallline.engine.training import advance
from fallline.history.run_history import RunHistory
from fallline.runs.case import Case
from fallline.runs.checks.run import (
    check_change,
    check_edits_to_come,
    check_fit,
    check_run,
    merge_edit,
    step_seconds,
)
from fallline.runs.instruments.self_check import CHECK_SECONDS, Subject
from fallline.runs.outcomes import Patient, harm_of, harm_then, outcomes_of
from fallline.runs.past.checkpoints import SECONDS_APART, CheckpointBudget, Checkpoints
from fallline.runs.past.replay import Clock, Replay, Slices, path_in
from fallline.runs.past.sampled_path import Course, replay_seconds
from fallline.runs.stopping import StopWatch
from fallline.vocabulary.columns import Buckets, Records, finite_readings, in_a_row, recorded_every_step
from fallline.vocabulary.errors import Conflict, NotFound, TooExpensive
from fallline.vocabulary.findings import Evidence, Finding, Outcome, shown_name
from fallline.vocabulary.journal import Provenance
from fallline.vocabulary.recipe import MOST_RUNS, Recipe, RunRecipe
from fallline.vocabulary.run_settings import Change, Edit, RunSettings, StopCondition

WINDOW = 1_000
"""Points at which the computing time of a run is read, to interpolate between them."""

POINTS = 30
"""About the most states on a run's path."""

WHOLE_SECONDS = 0.002
"""Longest computing time between two examinations that may be replayed. Above it, slices of steps end at the states
that examinations read, and these are kept. To begin a slice takes about a tenth of it.
"""

PATH_SECONDS = 2.0
"""Most computing time of a replay for them."""

_UNHURRIED = 1e-4
"""Least assumed cost of a step in seconds, until it is measured."""

LONG_EVALUATION = 0.005
"""Estimated seconds of an evaluation from which on each has a slice of work of its own. Eight evaluations of the
largest runs take 0.3 s.
"""

_AT_START: WeakKeyDictionary[Problem, Mapping[str, float]] = WeakKeyDictionary()
"""The evaluation of the initial parameters, which all runs of a problem share."""


class Run:
    """One training run. Only `advance` makes steps, with the run's own kernel."""

    def __init__(
        self,
        problem: Problem,
        recipe: RunRecipe,
        kernels: Kernels,
        kernel: Kernel | None = None,
        checkpoint_budget: CheckpointBudget | None = None,
    ) -> None:
        self._problem = problem
        self._kernels = kernels
        self._checkpoint_budget = checkpoint_budget
        self._evaluated = evaluated_series(problem)
        self._in_a_doubling = in_a_doubling(problem.train.count * problem.layout.count)
        self._is_evaluated_soon = step_seconds(problem.layout.sizes, 0, len(problem.X)) < LONG_EVALUATION
        self._edit_steps: tuple[RunRecipe, tuple[int, ...]] | None = None
        self.recipe = recipe
        self._runs: ref[Runs] | None = None
        """Weak: a closed experiment must not keep its histories until the garbage collector comes."""
        self._patients: tuple[Patient, ...] = ()
        self._beside: dict[str, Any] = {}
        """Its part of headers that depends on all runs, as they were in `_patients`."""
        self.generation = 0
        self.is_rounded = False
        """True if other builds replayed part of its past, equal to rounding only."""
        batch = recipe.settings_at(0).batch_size or problem.train.count
        self.step_seconds = max(step_seconds(problem.layout.sizes, batch, len(problem.X)), _UNHURRIED)
        self._begin(kernels.of(problem) if kernel is None else kernel)

    def _begin(self, kernel: Kernel) -> None:
        self.state = begin(self._problem)
        self.checkpoints = Checkpoints(self.state, self._checkpoint_budget)
        self.kernel = kernel
        self.stop_watch = StopWatch(self._problem)
        self.finished: StopCondition | None = None
        layout = self._problem.layout
        sizes = dict(zip(layout.names, layout.lengths, strict=True))
        self.history = RunHistory(series_names(self._problem), sizes)
        self.seconds = 0.0
        self.case = Case(Track(series_names(self._problem)))
        self._evaluation: tuple[int, Mapping[str, float]] | None = None
        """The last evaluation, and its step."""

    @property
    def provenance(self) -> Provenance:
        """Kernel and builds that make the numbers of this run, and of exact replays."""
        return Provenance(self.kernel.name, self._kernels.builds)

    @property
    def name(self) -> str:
        return self.recipe.name

    @property
    def shown(self) -> str:
        """The label, or else the name as the page writes it."""
        return shown_name(self.recipe.name, self.recipe.label)

    @property
    def diverged(self) -> bool:
        return self.state.diverged_at is not None

    @property
    def is_over(self) -> bool:
        """True if it diverged or met a stop condition, and so makes no more steps."""
        return self.diverged or self.finished is not None

    @property
    def settings(self) -> RunSettings:
        """Settings in force for the next step."""
        return self.recipe.settings_at(self.state.step)

    @property
    def epoch(self) -> float:
        return self.state.samples_seen / self._train_samples

    @property
    def _train_samples(self) -> int:
        return len(self._problem.train_rows)

    # ------------------------------------------------------------------ counting steps

    def steps_until_epoch(self, epoch: int) -> int:
        """Steps from here until floor(epoch) reaches `epoch`, with the settings in force."""
        samples, m = self.state.samples_seen, self._train_samples
        return steps_until(epoch * m - samples, samples, self.settings.batch_size, m)

    def steps_within(self, samples: int) -> int:
        """Steps that take at most `samples` more samples, with the settings in force."""
        return steps_within(samples, self.state.samples_seen, self.settings.batch_size, self._train_samples)

    def next_batch(self) -> int:
        """Number of samples of the next step."""
        return batch_length(self.settings, self.state.samples_seen, self._train_samples)

    def steps_to_next_edit(self) -> int | None:
        """Steps until the next edit of the recipe takes effect, or None."""
        ahead = [edit.at_step for edit in self.recipe.edits if edit.at_step > self.state.step]
        return min(ahead) - self.state.step if ahead else None

    # ------------------------------------------------------------------ making steps

    def advance(self, steps: int, clock: Clock, *, stops: bool = True) -> int:
        """Make up to `steps` steps and record them; return their number.

        It is lower if the run diverges or, with `stops`, meets a stop condition. `clock` (seconds) only measures costs.
        """
        began = clock()
        before = self.state.copy() if self.recipe.may_stop else None
        pieces = self._make_steps(steps)
        if before is not None:
            pieces = [self._until_a_stop(before, in_a_row(pieces), stops=stops)]
        took = clock() - began
        steps_made = sum(map(len, pieces))
        if steps_made:
            self._remember(pieces, took)
            self.checkpoints.offer(self.state, self.seconds)
            self.step_seconds += 0.3 * (took / steps_made - self.step_seconds)
        return steps_made

    def _make_steps(self, steps: int) -> list[Records]:
        """Make the steps, and keep the states that examinations will read, where a replay to them takes long."""
        pieces: list[Records] = []
        target = self.state.step + steps
        while not pieces or (self.state.step < target and not self.diverged):
            examined = self.next_examination(self.state.step)
            kept = self._next_read(examined)
            apart = self.next_examination(examined) - examined
            takes_long = self.seconds > 0.0 and apart * self.step_seconds > WHOLE_SECONDS
            end = min(target, kept) if takes_long else target
            pieces.append(advance(self._problem, self.state, self.recipe, end - self.state.step, self.kernel))
            if self.state.step == kept:
                self.case.kept.offer(self.state)
        return pieces

    def _next_read(self, examined: int) -> int:
        """Return the next step whose state that examination reads: at its last point, for the noise of batches."""
        after_point = point_before(examined) + 1
        reads_it = self.settings.batch_size is not None and self.state.step < after_point
        return after_point if reads_it else examined

    def next_examination(self, step: int) -> int:
        """Return the first step after this one that the Doctor examines."""
        if self._edit_steps is None or self._edit_steps[0] is not self.recipe:
            self._edit_steps = self.recipe, tuple(edit.at_step for edit in self.recipe.edits)
        return next_examination(step, self._edit_steps[1], self._in_a_doubling)

    def _until_a_stop(self, before: TrainingState, records: Records, *, stops: bool) -> Records:
        """Move to the first step that meets a stop condition; return its records."""
        met = self.stop_watch.first_met(self.recipe, before, records, self.state, self.kernel)
        if met is None or not stops:
            return records
        self.finished = met.condition
        if met.step == self.state.step:
            return records
        steps = met.step - before.step
        self.case.kept.drop(met.step + 1, self.state.step)
        self.state.restore(before)
        return advance(self._problem, self.state, self.recipe, steps, self.kernel)

    def _remember(self, pieces: list[Records], took: float) -> None:
        count, began = sum(map(len, pieces)), pieces[0].first
        seconds = self.seconds + took * np.arange(1, count + 1) / count
        self.seconds += took
        for piece in pieces:
            records = piece.with_seconds(seconds[piece.first - began : piece.stop - began])
            self.history.append(records)
            if self.case.rebuilt is None:
                self.case.track.append(records)

    # ------------------------------------------------------------------ the past

    def replay(self, start: int, to: int) -> Replay:
        """Return a replay from the last checkpoint before `start` to step `to`."""
        return Replay(
            self._problem, self.recipe, self.kernel, self.checkpoints.before(start), to, self.step_seconds
        )

    def to_check(self) -> Subject:
        """Return copies of what a self-check of the present state needs."""
        affordable = self.state.step - int(CHECK_SECONDS / self.step_seconds)
        since = self.checkpoints.before(max(affordable, 0)).copy()
        return Subject(self._problem, self.recipe, self.kernel, self.state.copy(), since, self.is_rounded)

    def course(self, to: int) -> Course:
        """Return copies of what its path up to step `to` is made from."""
        is_present = to == self.state.step
        return Course(
            self.name,
            self.generation,
            self.recipe,
            self.kernel,
            self.state.copy() if is_present else self.checkpoints.before(to),
            to,
            tuple(state for state in self.checkpoints if state.step < to),
            is_present and self.diverged,
        )

    def path(self, to: int) -> Slices:
        """Return about thirty states from step 0 to step `to`, as `path_in` does.

        They are from a replay from step 0 if that is short, or takes at most `PATH_SECONDS` and there are not enough
        checkpoints. Its cost is computed, not measured: a busy server must not choose other states.
        """
        states = [self.checkpoints.before(0), *(state for state in self.checkpoints if state.step < to)]
        a_step, _ = replay_seconds(self._problem, self.recipe, self.kernel, to)
        is_enough = len(states) >= POINTS // 2
        if to * a_step <= (SECONDS_APART if is_enough else PATH_SECONDS):
            stops = sorted({round(to * place / POINTS) for place in range(POINTS + 1)})
            return path_in(self.replay(0, to), [], stops)
        every = -(-len(states) // POINTS)
        return path_in(self.replay(to, to), [state.copy() for state in states[::every]], [to])

    def fork(self, recipe: RunRecipe) -> Run:
        """Return a run with the same past that continues with `recipe`."""
        twin = Run(self._problem, recipe, self._kernels, self.kernel, self._checkpoint_budget)
        twin.state = self.state.copy()
        twin.state.diverged_at = None  # its own settings may not diverge here
        twin.checkpoints = self.checkpoints.copy()
        twin.history = deepcopy(self.history)
        twin.seconds, twin.step_seconds = self.seconds, self.step_seconds
        twin.is_rounded = self.is_rounded
        twin.case = self.case.forked()
        return twin

    def seconds_by_step(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return two columns: step numbers, rising from 0, and the computing time at each."""
        buckets = self.history.range(0, self.state.step - 1, WINDOW)
        return np.append(0, buckets.last + 1), np.append(0.0, buckets.seconds)

    # ------------------------------------------------------------------ changes

    def edit(self, change: Change) -> dict[str, Any]:
        """Change settings from the next step on; return them, filled in.

        Raises Conflict if a later edit of the recipe would not be valid after this one.
        """
        changed = check_change(change, self.settings)
        problem = self._problem
        check_fit(changed, "", problem.layout.sizes, len(problem.X), self._train_samples, self._evaluated)
        edit = Edit(at_step=self.state.step, **changed)
        edited = self.recipe.model_copy(update={"edits": merge_edit(self.recipe.edits, edit)})
        check_edits_to_come(edited, self.state.step)
        self.recipe = edited
        if "stop" in changed:
            self.finished = None
        return changed

    def relabel(self, label: str | None) -> None:
        """Change the label, which is no edit, since no number changes."""
        self.recipe = self.recipe.model_copy(update={"label": label})

    def reset(self) -> None:
        """Return to step 0 with the settings in force, as a new generation."""
        identity = self.recipe.model_dump(include={"name", "label", "seed"})
        self.recipe = RunRecipe.model_validate({**identity, **self.settings.as_json()})
        self.generation += 1
        self.is_rounded = False
        self._begin(self._kernels.of(self._problem))

    # ------------------------------------------------------------------ views

    @property
    def every_step(self) -> frozenset[str]:
        """Series with a value at every step."""
        return recorded_every_step(series_names(self._problem))

    def window(self, since: int | None, until: int | None, at_most: int) -> Buckets:
        """Return the history from `since` to `until`, inclusive, in whole buckets."""
        last = self.state.step - 1
        return self.history.range(since or 0, last if until is None else min(until, last), at_most)

    def position(self) -> dict[str, Any]:
        position: dict[str, Any] = {"step": self.state.step, "diverged": self.diverged}
        return position if self.finished is None else {**position, "finished": self.finished.model_dump()}

    def status(self, *, playing: bool) -> str:
        if self.diverged:
            return "diverged"
        if self.finished is not None:
            return "finished"
        return "playing" if playing else "paused"

    def header(self, *, playing: bool) -> dict[str, Any]:
        """Return the part of the run that is in every frame."""
        return {
            "status": self.status(playing=playing),
            "step": self.state.step,
            "epoch": self.epoch,
            "samples_seen": self.state.samples_seen,
            "generation": self.generation,
            "verdict": self.case.shown(self.state.step).verdict,
            "findings_complete_to": self.findings_complete_to,
            "doctor": self.case.recent_costs(),
            **self._beside_others(),
        }

    def _beside_others(self) -> dict[str, Any]:
        """Return harm and news of findings. They depend on the recipes and records of all runs, which seldom change."""
        patients = tuple(run.patient for run in self.among)
        if patients != self._patients:
            self._patients, self._beside = patients, {"harm": self._harm, **self._news()}
        return self._beside

    def _news(self) -> dict[str, Any]:
        """Return what may have changed of findings since their events: latest evidence, and outcomes of remedies."""
        outcomes, latest = self.outcomes(), self.case.shown(self.state.step)
        changed = [each for each in latest.findings if each.id in latest.fresh or each.id in outcomes]
        names = ("id", "seen_at", "evidence", "outcomes")
        news = (self._finding(each, latest.fresh, outcomes) for each in changed)
        return {"findings": [{name: each[name] for name in names} for each in news]} if changed else {}

    def as_json(self, *, playing: bool, moving: bool) -> dict[str, Any]:
        """Return the run as `GET /experiments/{id}` lists it."""
        return {
            "name": self.name,
            "label": self.recipe.label,
            **self.header(playing=playing),
            "diverged_at": self.state.diverged_at,
            "finished_by": self.finished and self.finished.model_dump(),
            "settings": self.settings.as_json(),
            "kernel": self.kernel.name,
            "doctor": self.case.costs(),
            "latest": self.latest(evaluated=not moving),
            "findings": self.findings(),
        }

    def findings(self) -> list[dict[str, Any]]:
        """Return the Doctor's findings, the newest last, as the API shows them."""
        latest, outcomes = self.case.shown(self.state.step), self.outcomes()
        return [self._finding(each, latest.fresh, outcomes) for each in latest.findings]

    def _finding(
        self, finding: Finding, fresh: Mapping[str, Evidence], outcomes: Mapping[str, list[Outcome]]
    ) -> dict[str, Any]:
        id = finding.id
        return finding.as_json(self.name, self.shown, fresh.get(id), outcomes.get(id, ()))

    @property
    def among(self) -> list[Run]:
        """All runs of its experiment."""
        runs = None if self._runs is None else self._runs()
        return [self] if runs is None else list(runs.values())

    def join(self, runs: Runs) -> None:
        """Join the runs of an experiment, under its name."""
        runs[self.name], self._runs = self, ref(runs)

    def outcomes(self) -> dict[str, list[Outcome]]:
        """Return what came of remedies that were taken, in this run or in others, by the id of the finding."""
        others = [run.patient for run in self.among if run is not self]
        return outcomes_of(self.patient, others, self._train_samples)

    @property
    def _harm(self) -> float | None:
        patients = [run.patient for run in self.among]
        return harm_of(self.patient, patients, self._problem.baseline["train"])

    @property
    def patient(self) -> Patient:
        """The run as the other runs' answers see it."""
        return Patient(self.recipe, self.case.shown(self.state.step))

    @property
    def findings_complete_to(self) -> int:
        """The step up to which findings are complete."""
        return max(self.case.shown(self.state.step).step, 0)

    def diagnosis_at(self, generation: int, step: int) -> dict[str, Any]:
        """Return `verdict` and `harm` of then, each None if it is not known any more, or belongs to another past."""
        record = self.case.shown(self.state.step)
        is_examined = step < self.next_examination(max(record.step, 0)) or step <= record.step
        verdict = record.verdict_at(step) if generation == self.generation and is_examined else None
        cases = [run.case for run in self.among]
        is_known = verdict not in (None, "diverged")
        harm = harm_then(self.case, cases, step, self._problem.baseline["train"]) if is_known else None
        return {"verdict": verdict, "harm": harm}

    def latest(self, *, evaluated: bool) -> dict[str, dict[str, Any]]:
        """Return the latest finite values; with `evaluated`, of the present step."""
        latest = {
            name: {"step": step, "value": value} for name, (step, value) in self.history.latest().items()
        }
        if evaluated:
            latest |= finite_readings(self.state.step, self.evaluation())
        return latest

    def evaluation(self) -> Mapping[str, float]:
        """Return losses and scores of the present parameters, computed once for each step."""
        if self._evaluation is None or self._evaluation[0] != self.state.step:
            self._evaluation = self.state.step, self._evaluate()
        return self._evaluation[1]

    def _evaluate(self) -> Mapping[str, float]:
        if self.state.step:
            return evaluate(self._problem, self.state.parameters)
        if self._problem not in _AT_START:
            _AT_START[self._problem] = evaluate(self._problem, self.state.parameters)
        return _AT_START[self._problem]

    @property
    def lacks_evaluation(self) -> bool:
        """True if `evaluation` takes so long that others would wait for several runs' evaluations."""
        is_made = self._evaluation is not None and self._evaluation[0] == self.state.step
        return not (is_made or self._is_evaluated_soon)


class Runs(dict[str, Run]):
    """The runs of an experiment, by name."""

    __slots__ = ("__weakref__",)


class RunRegistry:
    """The runs by name; at first those in the recipe `shared`, in its order."""

    def __init__(
        self, shared: Recipe, problem: Problem, kernels: Kernels, checkpoint_budget: CheckpointBudget | None
    ) -> None:
        self._shared = shared
        self._problem = problem
        self._kernels = kernels
        self._checkpoint_budget = checkpoint_budget
        self._generations: dict[str, int] = {}
        self._least_generation = 0
        self.runs = Runs()
        for each in shared.runs:
            self.new_run(each).join(self.runs)

    def restore(self, runs: dict[str, Run], removed: Mapping[str, int], least_generation: int = 0) -> None:
        """Restore stored runs; `removed` has the generations of names without a run.

        Later runs have at least the least generation.
        """
        self.runs, self._generations, self._least_generation = Runs(), dict(removed), least_generation
        for run in runs.values():
            run.join(self.runs)

    @property
    def recipe(self) -> Recipe:
        """Recipe with all edits so far."""
        return self._shared.model_copy(update={"runs": [run.recipe for run in self.runs.values()]})

    def find(self, name: str) -> Run:
        """Return the run of that name. Raises NotFound."""
        try:
            return self.runs[name]
        except KeyError:
            raise NotFound("this experiment has no run of that name") from None

    def select(self, name: str | None) -> list[Run]:
        """Return one run, or all for None."""
        return list(self.runs.values()) if name is None else [self.find(name)]

    # ------------------------------------------------------------------ adding and removing

    def new_run(self, recipe: RunRecipe, kernel: Kernel | None = None) -> Run:
        """Return a run at step 0 with the shared initial parameters; it has not joined."""
        return Run(self._problem, recipe, self._kernels, kernel, self._checkpoint_budget)

    def checked(self, recipe: RunRecipe) -> RunRecipe:
        """Return a run's recipe, filled in. Raises InvalidRequest or TooExpensive."""
        sizes, series = self._problem.layout.sizes, evaluated_series(self._problem)
        return check_run(recipe, "", self._shared, sizes, series)

    def check_place_for(self, name: str) -> None:
        """Raise TooExpensive for too many runs, Conflict for a used name."""
        if len(self.runs) >= MOST_RUNS:
            raise TooExpensive("runs", MOST_RUNS, len(self.runs) + 1)
        if name in self.runs:
            raise Conflict("a run of that name exists already")

    def free_name(self) -> str:
        place = len(self.runs) + 1
        while f"run-{place}" in self.runs:
            place += 1
        return f"run-{place}"

    def join(self, run: Run) -> None:
        """Add a run as the next generation of its name."""
        run.generation = max(self._generations.get(run.name, -1) + 1, self._least_generation)
        run.join(self.runs)

    def replace(self, run: Run) -> None:
        """Let a run take the place of the one with its name, as its next generation."""
        run.generation = self.runs[run.name].generation + 1
        run.join(self.runs)

    def leave(self, run: Run) -> None:
        """Remove a run and remember its generation."""
        self._generations[run.name] = run.generation
        del self.runs[run.name]
