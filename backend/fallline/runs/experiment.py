"""One experiment: runs that share a data set and initial parameters.

Owns the order of effects: a change is examined, then stored, then published. `RunRegistry`, `stepping`,
`doctor.doctor`, `publishing` and `persistence.journal_writer` do the parts. Receives the time, and a clock for
measuring.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from fallline.engine.data.saved_parameters import SavedParameters
from fallline.engine.data.tabular.table import Table
from fallline.engine.kernels.interface import series_names
from fallline.engine.kernels.numpy_kernels import Kernels
from fallline.engine.problem import Problem, build_problem, shared_problem
from fallline.figures.binding import MOST_POINTS
from fallline.figures.view import FigureView
from fallline.runs.case import ExaminationCache
from fallline.runs.checks.recipe import check_recipe, dataset_of
from fallline.runs.checks.run import forked_recipe
from fallline.runs.doctor.doctor import Allowance, ExaminationSchedule, News, WaitsForFindings
from fallline.runs.instruments.fall_line import FallLine, Terrains, View
from fallline.runs.instruments.together import RunAtMoment
from fallline.runs.naming import fork_label, is_named, new_label
from fallline.runs.past.checkpoints import CheckpointBudget
from fallline.runs.past.replay import Clock, PendingRequest, Slices
from fallline.runs.past_requests import Later, See, SeePath, fork_of, history_of, path_to, state_at
from fallline.runs.persistence.journal_writer import JournalWriter, PositionPace
from fallline.runs.persistence.reopening import least_generation, replay_facts, restoration, restored_runs
from fallline.runs.problem_view import figure_view_of, shared_by
from fallline.runs.publishing import Event, Frames, Publisher
from fallline.runs.run import Run, RunRegistry
from fallline.runs.stepping import Advance, StepJob, Stepping
from fallline.runs.undoing import KeptRun, UndoKey, Undos, move_to
from fallline.runs.usage import Usage
from fallline.vocabulary.commands import AddRun, EditRun, Until
from fallline.vocabulary.errors import Conflict, FalllineError, NotFound, Unattended, invalid
from fallline.vocabulary.frame_requests import FrameRequest
from fallline.vocabulary.journal import (
    TO_ROUNDING,
    JournalBatch,
    Json,
    Receipt,
    StoredExperiment,
    V,
    replay_of,
)
from fallline.vocabulary.recipe import Recipe, RunRecipe


class Experiment:
    """Runs on one problem. With `saves`, their states are stored too."""

    def __init__(
        self,
        id: str,
        recipe: Recipe,
        kernels: Kernels | None = None,
        table: Table | None = None,
        start: SavedParameters | None = None,
        *,
        saves: bool = False,
        checkpoint_budget: CheckpointBudget | None = None,
        usage: Usage | None = None,
        terrains: Terrains | None = None,
    ) -> None:
        """Create it, with the uploads that its recipe names. `usage` gets memory counts."""
        self.id = id
        self._kernels = Kernels() if kernels is None else kernels
        dataset = dataset_of(recipe.data, table)
        shared = check_recipe(recipe, dataset, start)
        parts = shared.data, shared.network, shared.loss
        has_uploads = table is not None or start is not None
        self.problem: Problem = (
            build_problem(*parts, dataset, start) if has_uploads else shared_problem(*parts)
        )
        self._shared = shared_by(self.problem)
        self._registry = RunRegistry(shared, self.problem, self._kernels, checkpoint_budget)
        self._schedule = ExaminationSchedule(self.problem)
        self._stepping = Stepping()
        self._publisher = Publisher(id)
        self._pending: list[PendingRequest] = []
        self._waiting: list[WaitsForFindings] = []
        self._positions: dict[str, Json] | None = None
        self._least_generation = 0
        self.steps_made = 0
        """Steps made since it is open, without those of a replay."""
        self._plays_on = False
        self._fall_line: FallLine | None = None
        self._terrains = Terrains() if terrains is None else terrains
        self.usage = Usage() if usage is None else usage
        self._undos = Undos()
        self._undeleted: str | None = None
        self._journal = JournalWriter(saves=saves)
        self._journal.add(
            "began",
            recipe=self.recipe.as_json(),
            **self._provenance_fact(self._kernels.of(self.problem).name),
        )

    @classmethod
    def reopened(
        cls,
        id: str,
        stored: StoredExperiment,
        kernels: Kernels,
        table: Table | None = None,
        start: SavedParameters | None = None,
        *,
        saves: bool = False,
        is_paused: bool = False,
        is_read_only: bool = False,
        checkpoint_budget: CheckpointBudget | None = None,
        usage: Usage | None = None,
        terrains: Terrains | None = None,
    ) -> Experiment:
        """Restore a stored experiment, which may be used after `when_restored` calls back.

        It plays if it did, unless it `is_paused`. With `is_read_only` it does not play, and nothing is stored of it.
        """
        facts = replay_facts(stored.entries)
        one = cls(
            id,
            facts.with_edits(),
            kernels,
            table,
            start,
            checkpoint_budget=checkpoint_budget,
            usage=usage,
            terrains=terrains,
        )
        restored, progress = (
            restored_runs(one.problem, facts, stored, kernels, checkpoint_budget),
            stored.progress,
        )
        one._least_generation = least_generation(progress)
        one._registry.restore(restored.runs, facts.removed, one._least_generation)
        one._undos = facts.undos
        if progress.get("undeleted") is not None:
            one._undeleted = f"{id}.{progress['undeleted']}"
        one._stepping.restore(progress)
        one._positions = progress["runs"]
        one._plays_on = stored.plays_on(is_paused=is_paused, is_read_only=is_read_only)
        one._journal = JournalWriter(saves=saves)
        if is_read_only:
            one._journal.close()
            return one
        one._journal.resume(restored.saved, progress)
        generations, rounded = restored.generations, restored.rounded
        if generations or rounded:
            one._journal.add("resumed", generations=generations, rounded=rounded, builds=dict(kernels.builds))
        return one

    def replay_to_stored(self, slice_seconds: float, clock: Clock, goes_on: Callable[[], bool]) -> None:
        """Bring the runs to their stored positions in slices, while `goes_on`. `when_restored` does the rest.

        Any thread may call it before the experiment is used.
        """
        arriving = PendingRequest(restoration(self.runs, self._positions or {}, lambda: None), lambda _: None)
        while goes_on() and not arriving.work(slice_seconds, clock):
            pass

    def when_restored(self, now: float, done: Later) -> None:
        """Pass the state to `done`, after a restore at the stored positions."""
        if self._positions is None:
            done(self.state())
            return

        def arrived() -> None:
            self._positions = None
            if self._plays_on and not all(run.is_over for run in self.runs.values()):
                self._stepping.resume_play(now)  # examinations go on beside it
            else:
                self._examine_before_response(now)

        def restored() -> Slices:
            yield from restoration(self.runs, self._positions or {}, arrived)
            return (yield from self._evaluations(self.state))

        self._pending.append(PendingRequest(restored(), done))

    def _provenance_fact(self, kernel: str) -> Json:
        """Return the provenance of runs that begin now, as a fact."""
        return {"kernel": kernel, "builds": dict(self._kernels.builds)}

    # ------------------------------------------------------------------ views

    @property
    def recipe(self) -> Recipe:
        """Recipe with all edits so far."""
        return self._registry.recipe

    @property
    def runs(self) -> dict[str, Run]:
        return self._registry.runs

    @property
    def playing(self) -> bool:
        return self._stepping.is_playing

    @property
    def moving(self) -> bool:
        """True if play or a step job makes steps."""
        return self._stepping.is_at_work

    @property
    def is_busy(self) -> bool:
        """True if it makes steps, or replays past ones for a request."""
        return self.moving or bool(self._pending)

    @property
    def comes_back(self) -> bool:
        """True if it played when the server stopped, until its runs are at their stored positions."""
        return self._positions is not None and self._plays_on

    @property
    def only_replays(self) -> bool:
        """True if it only works on the past, for a caller who waits."""
        return bool(self._pending or self._waiting) and not self.moving

    @property
    def only_examines(self) -> bool:
        """True if only examinations are left, for which nobody waits."""
        return self._is_behind and not self._waiting

    def run(self, name: str) -> Run:
        return self._registry.find(name)

    @property
    def series(self) -> tuple[str, ...]:
        """Names of the series of every run."""
        return series_names(self.problem)

    def state(self) -> dict[str, Any]:
        """Return the experiment as `GET /experiments/{id}` shows it."""
        return {
            "id": self.id,
            "recipe": self.recipe.as_json(),
            "kernel": ", ".join(sorted({run.kernel.name for run in self.runs.values()})),
            "next_kernel": self._kernels.of(self.problem).name,
            "provenance": self._provenance(),
            "runs": [
                run.as_json(playing=self.playing, moving=self._stepping.moves(run))
                for run in self.runs.values()
            ],
            "playing": self.playing,
            **self._stepping.speed,
            **self._shared,
        }

    def _provenance(self) -> dict[str, Any]:
        provenance: dict[str, Any] = {
            "kernels": {run.name: run.kernel.name for run in self.runs.values()},
            "builds": dict(self._kernels.builds),
        }
        if rounded := {run.name: TO_ROUNDING for run in self.runs.values() if run.is_rounded}:
            provenance["restored"] = rounded
        return provenance

    def figure_view(self, names: Iterable[str] | None = None, at_most: int = MOST_POINTS) -> FigureView:
        """Return these runs, or all, for figures, in at most `at_most` points."""
        selected = map(self.run, self.runs if names is None else names)
        return figure_view_of(self.problem, self.runs, selected, at_most)

    @property
    def fall_line(self) -> FallLine:
        """The fall line, which keeps its last terrain. It is made at the first request."""
        if self._fall_line is None:
            self._fall_line = FallLine(self._terrains)
        return self._fall_line

    def fall_view(self, names: Sequence[str] | None, step: int | None, **options: Any) -> View:
        """Return copies of what the fall line of these runs, or of all, is measured from.

        A run that has not come to the step takes part with its present one.
        """
        runs = [self.run(name) for name in (self.runs if names is None else dict.fromkeys(names))]
        furthest = max(run.state.step for run in runs)
        if step is not None and step > furthest:
            raise invalid(
                "/step", f"must be a step from 0 to {furthest}, the present one of the furthest run"
            )
        courses = tuple(run.course(min(furthest if step is None else step, run.state.step)) for run in runs)
        kernel = self._kernels.of(self.problem)
        return View(self.problem, kernel, courses, self.moving, step is not None, **options)

    def runs_now(self) -> list[RunAtMoment]:
        """Return every run at this moment, with a copy of its state."""
        return [
            RunAtMoment(
                run.name,
                {**run.header(playing=self.playing), "latest": run.latest(evaluated=False)},
                run.state.copy_with_ahead(),
                run.recipe,
                run.kernel,
            )
            for run in self.runs.values()
        ]

    # ------------------------------------------------------------------ requests about any step

    def state_at(self, name: str, step: int | None, see: See, done: Later) -> None:
        """Pass the run's exact state at a step to `see`, its result to `done`."""
        self._add_pending(state_at(self.problem, self.run(name), step, see, done))

    def path_to(self, name: str, step: int | None, see: SeePath, done: Later) -> None:
        """Pass a run's states up to a step to `see`, its result to `done`."""
        self._add_pending(path_to(self.problem, self.run(name), step, see, done))

    def history_of(
        self, name: str, since: int | None, until: int | None, at_most: int, done: Callable[[Any], None]
    ) -> None:
        """Pass generation and at most `at_most` whole buckets of a range to `done`."""
        self._add_pending(history_of(self.run(name), since, until, at_most, done))

    def when_examined(
        self,
        name: str | None,
        seconds: float,
        now: float,
        see: Callable[[], Any],
        done: Callable[[Any], None],
    ) -> None:
        """Pass what `see` returns to `done` once a run, or all, are examined up to their present steps.

        At the latest after so many seconds.
        """
        targets = {run.name: (run.generation, run.state.step) for run in self._registry.select(name)}
        self._waiting.append(WaitsForFindings(targets, now + seconds, see, done))
        self._answer_waiting(now)

    def when_evaluated(self, see: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Pass what `see` returns to `done` once the runs that rest are evaluated: one in each slice of work."""
        if self._unevaluated:
            self._pending.append(PendingRequest(self._evaluations(see), done))
        else:
            done(see())

    @property
    def _unevaluated(self) -> list[Run]:
        """Runs that rest, and whose evaluation others would wait for."""
        return [run for run in self.runs.values() if run.lacks_evaluation and not self._stepping.moves(run)]

    def _evaluations(self, see: Callable[[], Any]) -> Slices:
        if self._unevaluated:
            yield
        while not self._evaluated_soon():
            yield
        return see()

    def _evaluated_soon(self) -> bool:
        """Evaluate one run, if any has to be; return whether none is left."""
        unevaluated = self._unevaluated
        for run in unevaluated[:1]:
            run.evaluation()
        return len(unevaluated) < 2

    def _answer_waiting(self, now: float) -> None:
        """Answer those whose findings are complete, or whose time is over."""
        ready = [each for each in self._waiting if each.is_over(self.runs, self._schedule.is_examined, now)]
        self._waiting = [each for each in self._waiting if each not in ready]
        for each in ready:
            each.done(each.see())

    def _add_pending(self, request: PendingRequest | None) -> None:
        if request is not None:
            self._pending.append(request)

    # ------------------------------------------------------------------ commands

    def play(self, speed: float | None, pace: str, now: float, until: Until | None = None) -> dict[str, Any]:
        """Play, at most `until` a step or samples; `speed` None is full speed. Raises Conflict if every run is over."""
        if all(run.is_over for run in self.runs.values()):
            raise Conflict(f"every run has {_ended(self.runs.values())}, reset one, or add another")
        ended = self._stepping.drop()
        self._stepping.play(speed, pace, now, until)
        self._journal.require()
        self._publish_playback(now)
        for job in ended:
            job.done(self.state())
        return self.state()

    def pause(self, now: float) -> None:
        """Stop at this step. Step jobs end here too, with the present state as response."""
        self._examine_before_response(now)
        self._stepping.pause()
        self._stepping.end_jobs(self.runs)
        self._finish_jobs(now)
        self._journal.require()
        self._publish_playback(now)

    def step(
        self,
        now: float,
        done: Callable[[dict[str, Any]], None],
        *,
        steps: int | None = None,
        epochs: int | None = None,
        run: str | None = None,
        receipt: Receipt | None = None,
        caller: object = None,
    ) -> None:
        """Pause and begin a step job; `done` gets the state after its last step.

        `caller` identifies the client that waits. An interrupted job with the key of this `receipt` continues to its
        target.
        """
        if (job := self._stepping.resumed_job(receipt, done)) is not None:
            self._begin_job(job, receipt, caller, now)
            return
        runs = self._registry.select(run)
        able = [one for one in runs if not one.is_over]
        if not able:
            who = f"run {run} has" if run is not None else "every run has"
            raise Conflict(f"{who} {_ended(runs)}, reset it, or add another run")
        if epochs is not None:
            job = StepJob.of_epochs(able, epochs, done)
        else:
            job = StepJob.of_steps(able, 1 if steps is None else steps, done)
        self._begin_job(job, receipt, caller, now)

    def _begin_job(self, job: StepJob, receipt: Receipt | None, caller: object, now: float) -> None:
        job.caller = caller
        self._stepping.begin(job, receipt)
        self.publish(now)

    def note_caller(self, caller: object, left_at: float | None) -> None:
        """Note that the caller left, so that its step job pauses in 30 s, or waits again (None)."""
        self._stepping.note_caller(caller, left_at)

    def edit(self, run: str, change: EditRun, now: float) -> dict[str, Any]:
        """Make a live edit, in force from the next step on, or change the label."""
        target = self.run(run)
        at_step = target.state.step
        changed = target.edit(change) if change.changes() else {}
        fact: Json = {"edit": {"at_step": at_step, **changed}} if changed else {}
        if "label" in change.model_fields_set:
            target.relabel(change.label)
            changed = {**changed, "label": change.label}
            fact["label"] = change.label
        self._journal.add("edited", run=run, **fact)
        response = {"run": run, "at_step": at_step, **changed}
        self._publish_event("edit", target, now, edit={"at_step": at_step, **changed})
        if "label" in changed:  # which is in the title of each finding
            self._publish_findings(iter([(target, [*target.case.published.findings], [])]), now)
        return response

    def reset(self, run: str | None, now: float, undo: UndoKey | None = None) -> dict[str, Any]:
        """Return one run, or all, to step 0. With a key it can be undone."""
        for target in self._registry.select(run):
            self._stepping.forget(target.name)
            before, fact = target.provenance, self._keep_for_undo(target, undo)
            target.reset()
            self._record_new_past("reset", target, **fact)
            self._publish_reset(target, now, replay_of(before, target.provenance))
        self._finish_jobs(now)
        self.publish(now)
        return {**self.state(), **_undo_field(undo)}

    def _publish_reset(self, run: Run, now: float, replay: str, **more: Any) -> None:
        recipe = run.recipe.model_dump(mode="json")
        self._publish_event("reset", run, now, recipe=recipe, kernel=run.kernel.name, replay=replay, **more)

    def _keep_for_undo(self, run: Run, undo: UndoKey | None, *, is_removed: bool = False) -> Json:
        """Keep a run before a change; return the fact to store with the change."""
        if undo is None:
            return {}
        place = [*self.runs].index(run.name)
        return self._undos.keep(undo, KeptRun.of(run, place, is_removed=is_removed))

    def undo(self, key: UndoKey, now: float, done: Later) -> None:
        """Bring back the runs before a change, replayed to their steps. `done` gets the state.

        The change may be the experiment's deletion, from which it has just come back.
        """
        if key.id == self._undeleted:
            self._undeleted = None
            done(self.state())
            return
        before = {each.recipe.name: each for each in self._undos.runs(key)}
        runs = {
            name: self._registry.new_run(each.recipe, self._kernels.named(each.kernel))
            for name, each in before.items()
        }

        def arrived() -> dict[str, Any] | FalllineError:
            try:
                self._undos.runs(key)  # not undone meanwhile
                for name, each in before.items():
                    if each.is_removed or name not in self.runs:
                        self._registry.check_place_for(name)
            except FalllineError as error:
                return error
            self._undos.drop(key.id)
            for name, run in runs.items():
                run.is_rounded = before[name].is_rounded
                self._bring_back(run, before[name].place, now, undone=key.id)
            self._finish_jobs(now)
            self.publish(now)
            return self.state()

        positions = {name: each.position for name, each in before.items()}
        self._pending.append(PendingRequest(restoration(runs, positions, arrived), done))

    def _bring_back(self, run: Run, place: int | None, now: float, undone: str) -> None:
        """Let a run take the place that it had; of a run there, it is the next generation."""
        if run.name not in self.runs:
            self._add(run, now, place, undone=undone)
            return
        before = self.run(run.name)
        self._stepping.forget(run.name)
        self._registry.replace(run)
        self._record_new_past("reset", run, undone=undone)
        self._publish_reset(run, now, replay_of(before.provenance, run.provenance), undone=undone)

    def add_run(self, recipe: RunRecipe, named_by_client: bool, now: float) -> dict[str, Any]:
        """Add a run at step 0 with the shared initial parameters."""
        if not named_by_client:
            recipe = recipe.model_copy(update={"name": self._registry.free_name()})
        self._registry.check_place_for(recipe.name)
        recipe = self._registry.checked(recipe)
        if not is_named(recipe):
            others = {run.shown: run.settings for run in self.runs.values()}
            label = new_label(recipe.settings, others, self.problem.train.count)
            recipe = recipe.model_copy(update={"label": label})
        return self._add(self._registry.new_run(recipe), now)

    def _add(self, run: Run, now: float, place: int | None = None, **facts: Any) -> dict[str, Any]:
        """Add a run, at a place among the others or behind them, and publish it with its past."""
        self._registry.join(run)
        move_to(place, run.name, self.runs)
        facts |= {} if place is None else {"place": place}
        for _ in self._schedule.before_response({run.name: run}):
            pass  # the response and the event have its findings
        self._record_new_past("run_added", run, **facts)
        response = run.as_json(playing=self.playing, moving=False)
        recipe = run.recipe.model_dump(mode="json")
        self._publish_event(
            "run_added", run, now, added=response, recipe=recipe, place=[*self.runs].index(run.name)
        )
        return response

    def _record_new_past(self, what: str, run: Run, **facts: Any) -> None:
        provenance = self._provenance_fact(run.kernel.name)
        recipe = run.recipe.model_dump(mode="json")
        self._journal.discard_states(run.name)
        fields = {"generation": run.generation, "rounded": run.is_rounded}
        self._journal.add(what, recipe=recipe, **fields, **provenance, **facts)

    def fork(self, request: AddRun, now: float, done: Later) -> None:
        """Add a run that continues from another's exact state at a step."""
        parent = self.run(request.fork_of or "")
        present = parent.state.step
        at_step = present if request.at_step is None else request.at_step
        if at_step > present:
            raise invalid("/at_step", f"must be a step from 0 to {present}, where {parent.name} stands")
        if "name" not in request.model_fields_set:
            request = request.model_copy(update={"name": self._registry.free_name()})
        self._registry.check_place_for(request.name)
        recipe = self._registry.checked(forked_recipe(parent.recipe, at_step, request))
        if not is_named(recipe):
            shown, fields = [run.shown for run in self.runs.values()], request.model_fields_set
            samples = self.problem.train.count
            label = fork_label(parent.recipe, parent.settings, recipe, fields, shown, samples)
            recipe = recipe.model_copy(update={"label": label})
        if at_step == present:
            done(self._add(parent.fork(recipe), now))
            return

        def arrived(run: Run) -> dict[str, Any]:
            self._registry.check_place_for(run.name)
            return self._add(run, now)

        run = self._registry.new_run(recipe, parent.kernel)
        self._pending.append(PendingRequest(fork_of(run, at_step, arrived), done))

    def remove_run(self, name: str, now: float, undo: UndoKey | None = None) -> dict[str, Any]:
        """Remove a run. An experiment keeps at least one. With a key it can be undone."""
        run = self.run(name)
        if len(self.runs) == 1:
            raise Conflict("an experiment keeps at least one run: delete the experiment instead")
        self._publish_event("run_removed", run, now)
        kept = self._keep_for_undo(run, undo, is_removed=True)
        self._registry.leave(run)
        self._journal.discard_states(name)
        self._journal.add("run_removed", run=name, **kept)
        self._stepping.forget(name)
        self._finish_jobs(now)
        return _undo_field(undo)

    # ------------------------------------------------------------------ making steps

    def wake_at(self, now: float) -> float | None:
        """Return the time of the next work: now, later, or None."""
        step_at = self._stepping.wake_at(now, self._publisher.wanted_at)
        times = [] if step_at is None else [step_at]
        if self._pending or self._is_behind:
            times.append(now)
        times += [max(now, each.until) for each in self._waiting]
        if (due := self._publisher.due_at) < math.inf:
            times.append(max(now, due))
        return min(times, default=None)

    def work(self, budget: float, now: float, clock: Clock) -> None:
        """Work for about `budget` seconds; examine and publish when due."""
        self._schedule.clock = clock
        if not self.in_round:
            self._pause_unattended(now)
            if self._pending:
                if self.moving:
                    budget /= 2  # requests about the past share the time with training
                first = self._pending[0]
                if first.work(budget, clock):
                    self._pending.remove(first)
        self._stepping.work(self.runs, budget, now, self._advancing(now, clock), clock)
        if not self.in_round:
            self._look_around(now)

    @property
    def in_round(self) -> bool:
        """True while some runs have made their steps of a round, and others have not.

        Nothing may then be asked of the experiment, published or stored: its runs are not at the same step.
        """
        return self._stepping.in_round

    def finish_round(self, now: float, clock: Clock) -> None:
        """Make the rest of the present round at once."""
        if self.in_round:
            self._stepping.finish_round(self._advancing(now, clock))
            self._look_around(now)

    def _advancing(self, now: float, clock: Clock) -> Advance:
        return lambda run, steps: self._advance(run, steps, now, clock)

    def _look_around(self, now: float) -> None:
        """Do the work due after a round: end plays and jobs, examine, answer, publish."""
        if self._stepping.has_arrived(self.runs):
            self.pause(now)
        self._finish_jobs(now)
        if self.moving:
            paced = self._stepping.is_paced(now)
            self._publish_findings(self._schedule.during_training(self.runs, now, paced=paced), now)
        elif self._is_behind:
            self._publish_findings(self._schedule.when_idle(self.runs), now)
            if self._schedule.is_complete(self.runs):
                self.publish(now)  # watchers see how far the findings are complete
        self._answer_waiting(now)
        self._answer_readers(now)

    def share(self, allowance: Allowance, cache: ExaminationCache, pace: PositionPace) -> None:
        """Share with other experiments: the time of examinations beside play, their results, the pace of positions."""
        self._schedule.share(allowance, cache)
        self._journal.pace = pace

    def close(self, now: float, why: FalllineError | None = None) -> None:
        """Close the experiment: pending requests get `why`, or NotFound. A play ends without examinations."""
        if why is None:
            self._stepping.pause()
            self._stepping.end_jobs(self.runs)
            while self._stepping.has_finished(self.runs.values()):
                self._finish_jobs(now)
            why = NotFound("the experiment was deleted meanwhile")
        unanswered: list[PendingRequest | StepJob | WaitsForFindings]
        unanswered = [*self._pending, *self._waiting, *self._stepping.drop()]
        self._pending, self._waiting = [], []
        for each in unanswered:
            each.done(why)

    def _advance(self, run: Run, steps: int, now: float, clock: Clock) -> int:
        before = run.seconds
        steps_made = run.advance(steps, clock)
        self._publisher.note_change()
        self.steps_made += steps_made
        self._schedule.add_computing(self.runs, run.seconds - before)
        if run.diverged:
            self._publish_event(
                "diverged", run, now, diverged_at=run.state.diverged_at, latest=run.latest(evaluated=True)
            )
        elif run.finished is not None:
            self._publish_event(
                "finished", run, now, condition=run.finished.model_dump(), latest=run.latest(evaluated=True)
            )
        return steps_made

    def _pause_unattended(self, now: float) -> None:
        dropped = self._stepping.drop_unattended(now)
        for job in dropped:
            self._journal.require()
            job.done(Unattended())
        if dropped:
            self._publish_playback(now)

    def _finish_jobs(self, now: float) -> None:
        if not self._stepping.has_finished(self.runs.values()) or not self._evaluated_soon():
            return
        finished = self._stepping.take_finished(self.runs.values())
        if finished:
            self._examine_before_response(now)
            self.publish(now)
        for job in finished:
            self._journal.require()
            job.done(self.state())

    # ------------------------------------------------------------------ examinations

    @property
    def _is_behind(self) -> bool:
        """True if only examinations are left to do."""
        return not self.is_busy and not self._schedule.is_complete(self.runs)

    def _examine_before_response(self, now: float) -> None:
        self._publish_findings(self._schedule.before_response(self.runs), now)

    def _publish_findings(self, news: News, now: float) -> None:
        for run, findings, withdrawn in news:
            outcomes = run.outcomes()
            for finding in findings:
                payload = finding.as_json(run.name, run.shown, outcomes=outcomes.get(finding.id, ()))
                self._publish_event("finding", run, now, finding=payload)
            for id in withdrawn:
                self._publish_event("finding", run, now, finding={"id": id, "withdrawn": True})

    # ------------------------------------------------------------------ storing

    def take_write(
        self,
        now: float,
        *,
        publishes: bool = False,
        is_final: bool = False,
        saves_all: bool = False,
        receipts: tuple[Receipt, ...] = (),
    ) -> JournalBatch | None:
        """Return the write that must precede further publications, if any.

        - `publishes`: something is about to be published.
        - `receipts` of commands that are about to get their response.
        - `is_final`: nothing is published after it, until the experiment is restored.
        - `saves_all`: it may take the time to store states.
        """
        beside = 0 if self._fall_line is None else self._fall_line.nbytes
        self.usage.count(self.problem, self.runs.values(), now, is_busy=self.is_busy, beside=beside)
        if self._positions is not None:
            return None
        reveals = publishes and self.moving
        return self._journal.take(
            self.runs, self._progress(is_final), now, reveals=reveals, saves_all=saves_all, receipts=receipts
        )

    def _progress(self, is_final: bool) -> Json:
        """Return positions, as they are stored.

        Loose means that clients may have seen steps beyond these.
        """
        return {
            "v": V,
            "playing": self.playing,
            "loose": self.moving and not is_final,
            "runs": {run.name: run.position() for run in self.runs.values()},
            **({"least_generation": self._least_generation} if self._least_generation else {}),
            **self._stepping.as_json(),
        }

    def confirm_write(self, *, stored: bool) -> None:
        """Report whether the oldest unconfirmed write was stored."""
        self._journal.confirm(stored=stored)

    # ------------------------------------------------------------------ publishing

    def ask(self, reader: int, request: FrameRequest | None, due: float) -> None:
        """Keep a reader's request for its next frame until `due` and until there is news; None withdraws it."""
        self._publisher.ask(reader, request, due)

    def publish(self, now: float) -> None:
        """Answer the readers that wait for a change."""
        self._publisher.note_change()
        self._answer_readers(now)

    def _answer_readers(self, now: float) -> None:
        if self._publisher.due_at <= now:
            speeds = self._stepping.most_speeds(self.runs)
            clock = self._schedule.clock
            self._publisher.publish(self.runs, now, playing=self.playing, speeds=speeds, clock=clock)

    def _publish_event(self, event: str, run: Run | None, now: float, **more: Any) -> None:
        """Publish an event of a run, or of the experiment (None), after its frames."""
        self.publish(now)
        self._publisher.add_event(event, run, **more)

    def _publish_playback(self, now: float) -> None:
        """Publish the speed, so that all watchers show the same."""
        self._publish_event("playback", None, now, playing=self.playing, **self._stepping.speed)

    def take_outgoing(self) -> list[Frames | Event]:
        """Return frames and events since the last call, in order."""
        return self._publisher.take()


def _undo_field(undo: UndoKey | None) -> dict[str, Any]:
    """Return what an answer says about undoing it."""
    return {} if undo is None else {"undo": undo.id}


def _ended(runs: Iterable[Run]) -> str:
    """Say in words why runs are over, and what helps."""
    if all(run.diverged for run in runs):
        return "diverged and stays at its last finite step: rewind"
    return "finished or diverged: change stop conditions"
