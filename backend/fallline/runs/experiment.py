"""One experiment: runs that share a data set and initial parameters, and the one door through which they change.

Owns that whatever happens to runs is examined, noted to be stored, and told, in this order. Who races, how steps are
shared out, what is examined when, what is told and what is stored are `roster`'s, `stepping`'s, `rounds`', `telling`'s
and `books`'. Told the time and handed a clock for measuring; must not know threads, sockets, tokens, or where things
are stored.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from fallline.engine.kernels.choice import Kernels
from fallline.engine.problem import Problem, build_problem
from fallline.engine.saved_parameters import SavedParameters
from fallline.engine.tabular import Table
from fallline.figures.binding import MOST_POINTS
from fallline.figures.view import FigureView
from fallline.runs.asked_past import Later, See, SeeWay, state_at, stretch_of, way_to
from fallline.runs.books import Books
from fallline.runs.checkpoints import Room
from fallline.runs.data_check import dataset_of
from fallline.runs.forking import Forking, forked_recipe
from fallline.runs.jobs import StepJob
from fallline.runs.lookback import Waiting
from fallline.runs.problem_view import figure_view_of, samples_of, shared_by
from fallline.runs.recipe_check import check_recipe
from fallline.runs.reopening import Arrival, reopened_runs
from fallline.runs.roster import Roster
from fallline.runs.rounds import Found, Rounds
from fallline.runs.run import Clock, Run
from fallline.runs.standing import Standing, standing_of
from fallline.runs.stepping import Stepping
from fallline.runs.telling import Event, Frames, Pieces, Telling
from fallline.runs.usage import COUNT_SECONDS, Usage
from fallline.vocabulary.commands import AddRun, EditRun
from fallline.vocabulary.errors import (
    Conflict,
    FalllineError,
    FieldError,
    InvalidRequest,
    NotFound,
    Unattended,
)
from fallline.vocabulary.findings import shown_name
from fallline.vocabulary.journal import JournalBatch, Json, Receipt, StoredExperiment, V
from fallline.vocabulary.provenance import TO_ROUNDING, replay_of
from fallline.vocabulary.recipe import Recipe, RunRecipe


class Experiment:
    """Runs that race on one problem. With `saves`, states are among what is to be stored of it."""

    def __init__(
        self,
        id: str,
        recipe: Recipe,
        kernels: Kernels | None = None,
        table: Table | None = None,
        start: SavedParameters | None = None,
        *,
        saves: bool = False,
        room: Room | None = None,
        usage: Usage | None = None,
    ) -> None:
        """`table` and `start` are what the recipe's data and network name of what people sent, if they do. `usage`
        takes what the experiment counts of itself.
        """
        self.id = id
        self._kernels = Kernels() if kernels is None else kernels
        dataset = dataset_of(recipe.data, table)
        shared = check_recipe(recipe, dataset, start)
        self.problem: Problem = build_problem(shared.data, shared.network, shared.loss, dataset, start)
        self._roster = Roster(shared, self.problem, self._kernels, room)
        self._rounds = Rounds(self.problem)
        self._stepping = Stepping()
        self._telling = Telling(id)
        self._waiting: list[Waiting] = []
        self._positions: dict[str, Json] | None = None
        self._plays_on = False
        self.usage = Usage() if usage is None else usage
        self._count_at = -math.inf
        self._books = Books(saves=saves)
        self._books.note(
            "began", recipe=self.recipe.as_json(), **self._made_by(self._kernels.of(self.problem).name)
        )

    @classmethod
    def reopened(
        cls,
        id: str,
        kept: StoredExperiment,
        kernels: Kernels,
        table: Table | None = None,
        start: SavedParameters | None = None,
        *,
        saves: bool = False,
        is_paused: bool = False,
        stands_still: bool = False,
        room: Room | None = None,
        usage: Usage | None = None,
    ) -> Experiment:
        """The experiment of which this is stored, on its way to where it stood; `when_there` says when it is.

        Nothing may be asked of it before. It plays if it did, unless it `is_paused`. One that `stands_still` is only
        there to be looked at: it does not play, and nothing is stored of it.
        """
        standing = standing_of(kept.entries)
        one = cls(id, standing.with_edits(), kernels, table, start, room=room, usage=usage)
        one._books = Books(saves=saves)
        one._put_back(standing, kept, room, stands_still=stands_still)
        one._plays_on = kept.progress["playing"] and not (is_paused or stands_still)
        return one

    def _put_back(
        self, standing: Standing, kept: StoredExperiment, room: Room | None, *, stands_still: bool
    ) -> None:
        found = reopened_runs(self.problem, standing, kept, self._kernels, room)
        progress = kept.progress
        self._roster.put_back(found.runs, standing.gone)
        self._positions = progress["runs"]
        self._stepping.put_back(progress)
        if stands_still:
            self._books.close()
            return
        self._books.resume(found.saved, progress)
        if found.generations or found.rounded:
            builds = dict(self._kernels.builds)
            self._books.note("resumed", generations=found.generations, rounded=found.rounded, builds=builds)

    def when_there(self, now: float, done: Later) -> None:
        """`done` gets the state: at once, or for one that was opened again when its runs are where they stood."""
        if self._positions is None:
            done(self.state())
            return

        def arrived() -> dict[str, Any]:
            self._positions = None
            if self._plays_on and not all(run.is_over for run in self.runs.values()):
                self._stepping.play_on(now)
            return self.state()

        self._waiting.append(Arrival(self.runs, self._positions, arrived, done))

    def _made_by(self, kernel: str) -> Json:
        """What makes the numbers of runs that begin now, as a fact."""
        return {"kernel": kernel, "builds": dict(self._kernels.builds)}

    # ------------------------------------------------------------------ what it is

    @property
    def recipe(self) -> Recipe:
        """The recipe with all edits so far."""
        return self._roster.recipe

    @property
    def runs(self) -> dict[str, Run]:
        """Those that race, by their names."""
        return self._roster.runs

    @property
    def playing(self) -> bool:
        return self._stepping.is_playing

    @property
    def moving(self) -> bool:
        """Whether steps are being made, by play or by a step job."""
        return self._stepping.is_at_work

    @property
    def is_busy(self) -> bool:
        """Whether steps are being made, or somebody waits for steps of the past."""
        return self.moving or bool(self._waiting)

    @property
    def only_looks(self) -> bool:
        """Whether steps of the past are made again for somebody, and no others."""
        return bool(self._waiting) and not self.moving

    def run(self, name: str) -> Run:
        return self._roster.find(name)

    def state(self) -> dict[str, Any]:
        """The experiment as `GET /experiments/{id}` answers it."""
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
            **shared_by(self.problem),
        }

    def _provenance(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "kernels": {run.name: run.kernel.name for run in self.runs.values()},
            "builds": dict(self._kernels.builds),
        }
        if rounded := {run.name: TO_ROUNDING for run in self.runs.values() if run.is_rounded}:
            told["restored"] = rounded
        return told

    def data(self) -> dict[str, Any]:
        """All samples in the network's units, and which rows train and test."""
        return samples_of(self.problem)

    def figure_view(self, names: Iterable[str] | None = None, at_most: int = MOST_POINTS) -> FigureView:
        """What figures may see: these runs, or all, with their whole history, at the resolution of a picture."""
        shown = map(self.run, self.runs if names is None else names)
        return figure_view_of(self.problem, self.runs, shown, at_most)

    # ------------------------------------------------------------------ any step, past or present

    def look(self, name: str, step: int | None, see: See, done: Later) -> None:
        """Show `see` the run's state at a step (None: the present one), exactly; `done` gets what it says."""
        self._wait_for(state_at(self.problem, self.run(name), step, see, done))

    def way(self, name: str, step: int | None, see: SeeWay, done: Later) -> None:
        """Show `see` the way that a run went to a step (None: the present one), as states by their steps."""
        self._wait_for(way_to(self.problem, self.run(name), step, see, done))

    def stretch(
        self, name: str, since: int | None, until: int | None, at_most: int, done: Callable[[Any], None]
    ) -> None:
        """The history from step `since` to `until`, both included, in at most so many whole buckets; `done` gets the
        run's generation with it.
        """
        self._wait_for(stretch_of(self.run(name), since, until, at_most, done))

    def _wait_for(self, answer: Waiting | None) -> None:
        if answer is not None:
            self._waiting.append(answer)

    # ------------------------------------------------------------------ commands

    def play(self, speed: float | None, pace: str, now: float) -> dict[str, Any]:
        """Play from here on; `speed` None is as fast as it goes. 409 when every run has diverged or finished."""
        if all(run.is_over for run in self.runs.values()):
            raise Conflict(f"every run has {_ended(self.runs.values())}, reset one, or add another")
        self._end_jobs()
        self._stepping.play(speed, pace, now)
        self._books.need()
        self._tell_playback(now)
        return self.state()

    def pause(self, now: float) -> dict[str, Any]:
        """Stop at this step. Step jobs end here too, and are answered with the state as it is."""
        self._examine_before_an_answer(now)
        self._stepping.pause()
        self._end_jobs()
        self._books.need()
        self._tell_playback(now)
        return self.state()

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
        """Begin a step job; `done` gets the state when its last step is made. A playing experiment is paused first.

        `caller` stands for whoever waits for it, and is named again when they leave.
        One that was asked for before with the key of this `receipt`, and was cut off, goes on to where it was going.
        """
        if (job := self._stepping.goes_on(receipt, done)) is not None:
            self._begin_job(job, receipt, caller, now)
            return
        runs = self._roster.chosen(run)
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

    def caller_left(self, caller: object, now: float) -> None:
        """Nobody waits for that caller's step job: it pauses in 30 s."""
        self._stepping.left(caller, now)

    def caller_came_back(self, caller: object) -> None:
        """Somebody waits for it again."""
        self._stepping.came_back(caller)

    def edit(self, run: str, change: EditRun, now: float) -> dict[str, Any]:
        """A live edit, in force from the next step on; and the run's label, which is none."""
        target = self.run(run)
        at_step = target.state.step
        changed = target.edit(change) if change.changes() else {}
        fact: Json = {"edit": {"at_step": at_step, **changed}} if changed else {}
        if "label" in change.model_fields_set:
            target.relabel(change.label)
            changed = {**changed, "label": change.label}
            fact["label"] = change.label
        self._books.note("edited", run=run, **fact)
        answer = {"run": run, "at_step": at_step, **changed}
        self._tell("edit", target, now, edit={"at_step": at_step, **changed})
        return answer

    def reset(self, run: str | None, now: float) -> dict[str, Any]:
        """Back to step 0: one run, or all."""
        for target in self._roster.chosen(run):
            self._stepping.forget(target.name)
            before = target.provenance
            target.reset()
            recipe, replay = target.recipe.model_dump(mode="json"), replay_of(before, target.provenance)
            self._note_beginning("reset", target)
            self._tell("reset", target, now, recipe=recipe, kernel=target.kernel.name, replay=replay)
        self._finish_jobs(now)
        self.publish(now)
        return self.state()

    def add_run(self, recipe: RunRecipe, named_by_client: bool, now: float) -> dict[str, Any]:
        """A new run from step 0, from the initial parameters that all runs share."""
        if not named_by_client:
            recipe = recipe.model_copy(update={"name": self._roster.free_name()})
        self._roster.check_place_for(recipe.name)
        return self._admit(self._roster.new_run(self._roster.checked(recipe)), now)

    def _admit(self, run: Run, now: float) -> dict[str, Any]:
        """Take a run in, and tell watchers of it and of the past it may have."""
        self._roster.join(run)
        if run.state.step:
            run.case.leaves(run.state)
        self._note_beginning("run_added", run)
        answer = run.as_json(playing=self.playing, moving=False)
        self._tell("run_added", run, now, added=answer, recipe=run.recipe.model_dump(mode="json"))
        self._telling.past(run, playing=self.playing)
        return answer

    def _note_beginning(self, what: str, run: Run) -> None:
        made_by = self._made_by(run.kernel.name)
        recipe = run.recipe.model_dump(mode="json")
        self._books.begin(run.name)
        findings = [each.stored() for each in run.case.findings]
        told = {"generation": run.generation, "rounded": run.is_rounded, "findings": findings}
        self._books.note(what, recipe=recipe, **told, **made_by)

    def fork(self, asked: AddRun, now: float, done: Later) -> None:
        """A run that continues from another's exact state at a step; `done` gets the new run when its past is made."""
        parent = self.run(asked.fork_of or "")
        present = parent.state.step
        at_step = present if asked.at_step is None else asked.at_step
        if at_step > present:
            raise InvalidRequest(
                FieldError("/at_step", f"a step from 0 to {present}, where {parent.name} stands")
            )
        if "name" not in asked.model_fields_set:
            asked = asked.model_copy(update={"name": self._roster.free_name()})
        self._roster.check_place_for(asked.name)
        recipe = self._roster.checked(forked_recipe(parent.recipe, at_step, asked))
        if at_step == present:
            done(self._admit(parent.fork(recipe), now))
            return

        def arrived(run: Run) -> dict[str, Any]:
            self._roster.check_place_for(run.name)
            return self._admit(run, now)

        run = self._roster.new_run(recipe, parent.kernel)
        run.case = parent.case.forked(at_step)
        self._waiting.append(Forking(run, at_step, arrived, done))

    def remove_run(self, name: str, now: float) -> dict[str, Any]:
        """Take a run out. An experiment keeps at least one."""
        run = self.run(name)
        if len(self.runs) == 1:
            raise Conflict("an experiment keeps at least one run: delete the experiment instead")
        self._tell("run_removed", run, now)
        self._roster.leave(run)
        self._books.begin(name)
        self._books.note("run_removed", run=name)
        self._stepping.forget(name)
        self._finish_jobs(now)
        return {}

    # ------------------------------------------------------------------ making steps

    def wake_at(self, now: float) -> float | None:
        """When there is something to do: now, a later time, or never (None)."""
        step_at = self._stepping.wake_at(now)
        times = [] if step_at is None else [step_at]
        if self._waiting or self._has_to_examine:
            times.append(now)
        if any(run.has_unpublished for run in self.runs.values()):
            times.append(max(now, self._telling.due_at))
        return min(times, default=None)

    def work(self, budget: float, now: float, clock: Clock) -> None:
        """Make steps worth about `budget` seconds, for jobs, play and looks, and publish when it is time to."""
        self._rounds.clock = clock
        if self._waiting:
            # Whoever looks back waits a moment; who watches goes on meanwhile.
            budget /= 2
            self._work_on_waiting(budget, clock)
        self._pause_unattended(now)
        self._stepping.work(self.runs, budget, now, lambda run, steps: self._advance(run, steps, now, clock))
        self._finish_jobs(now)
        if self.moving:
            paced = self._stepping.is_paced(now)
            self._tell_found(self._rounds.beside_training(self.runs, now, paced=paced), now)
        elif self._has_to_examine:
            self._tell_found(self._rounds.at_rest(self.runs, now), now)
        if now >= self._telling.due_at:
            self.publish(now)

    def _work_on_waiting(self, budget: float, clock: Clock) -> None:
        first = self._waiting[0]
        if first.work(budget, clock):
            self._waiting.remove(first)

    def close(self, now: float, why: FalllineError | None = None) -> None:
        """The experiment goes: whoever still waits is answered, with `why` where it goes to be opened again."""
        if why is None:
            self.pause(now)
            why = NotFound("the experiment was deleted meanwhile")
        waiting: list[Waiting | StepJob] = [*self._waiting, *self._stepping.drop()]
        self._waiting = []
        for each in waiting:
            each.done(why)

    def _advance(self, run: Run, steps: int, now: float, clock: Clock) -> int:
        before = run.seconds
        made = run.advance(steps, clock, told=self._telling.is_watched)
        self._rounds.trained(self.runs, run.seconds - before)
        if run.diverged:
            self._tell(
                "diverged", run, now, diverged_at=run.state.diverged_at, latest=run.latest(evaluated=True)
            )
        elif run.finished is not None:
            self._tell(
                "finished", run, now, condition=run.finished.model_dump(), latest=run.latest(evaluated=True)
            )
        return made

    def _end_jobs(self) -> None:
        for job in self._stepping.drop():
            self._books.need()
            job.done(self.state())

    def _pause_unattended(self, now: float) -> None:
        dropped = self._stepping.drop_unattended(now)
        for job in dropped:
            self._books.need()
            job.done(Unattended())
        if dropped:
            self._tell_playback(now)

    def _finish_jobs(self, now: float) -> None:
        finished = self._stepping.take_finished(self.runs.values())
        if finished:
            self._examine_before_an_answer(now)
            self.publish(now)
        for job in finished:
            self._books.need()
            job.done(self.state())

    # ------------------------------------------------------------------ being examined

    @property
    def _has_to_examine(self) -> bool:
        """Whether that is left to do, and nothing else."""
        return not self.is_busy and self._rounds.has_put_off(self.runs)

    def _examine_before_an_answer(self, now: float) -> None:
        self._tell_found(self._rounds.before_an_answer(self.runs, now), now)

    def _tell_found(self, found: Found, now: float) -> None:
        for run, finding in found:
            shown = shown_name(run.name, run.recipe.label)
            self._books.mention("found", run=run.name, finding=finding.stored())
            self._tell("finding", run, now, finding=finding.as_json(run.name, shown))

    # ------------------------------------------------------------------ being stored

    def take_written(
        self, now: float, *, tells: bool = False, settles: bool = False, receipts: tuple[Receipt, ...] = ()
    ) -> JournalBatch | None:
        """What is to be stored now, if anything, before anything further is told.

        `tells`: something is to be told; `receipts` are those of commands that are to be answered; with `settles`
        nothing is told after it, until the experiment is opened again.
        """
        self._count_usage(now)
        if self._positions is not None:
            return None
        reveals = tells and self.moving
        return self._books.take(self.runs, self._progress(settles), now, reveals=reveals, receipts=receipts)

    def _count_usage(self, now: float) -> None:
        """Count bytes now and then while it makes steps, and whenever something else happened."""
        usage, is_busy = self.usage, self.is_busy
        if now >= self._count_at or (is_busy, len(self.runs)) != (usage.is_busy, usage.runs) or not is_busy:
            self._count_at = now + COUNT_SECONDS
            usage.count(self.problem, self.runs.values(), is_busy=is_busy)

    def _progress(self, settles: bool) -> Json:
        """Where the runs stand, and the numbers of findings as they were seen last. Loose: by the time that it is read,
        steps may have been seen beyond these.
        """
        return {
            "v": V,
            "playing": self.playing,
            "loose": self.moving and not settles,
            "runs": {run.name: run.position() for run in self.runs.values()},
            "seen": {run.name: run.case.seen() for run in self.runs.values() if run.case.record.fresh},
            **self._stepping.as_json(),
        }

    def stored(self, *, well: bool) -> None:
        """The oldest of what was taken to be stored is stored, or could not be."""
        self._books.confirmed(stored=well)

    # ------------------------------------------------------------------ telling

    def join(
        self,
        since: dict[str, dict[str, int]],
        buckets: int,
        now: float,
        room: float = math.inf,
        *,
        watchers: int = 1,
    ) -> Pieces:
        """So many more watchers: what they have missed since the generation and step that they name for each run.

        In at most so many `buckets` a run, and about `room` bytes in all. Whatever happens afterwards is published, and
        continues these pieces without a gap.
        """
        self.publish(now)
        return self._telling.join(self.runs, since, buckets, room, playing=self.playing, watchers=watchers)

    def leave(self) -> None:
        """One watcher less; without any, nothing is kept to be told."""
        self._telling.leave(self.runs)

    def publish(self, now: float) -> None:
        """Put what happened since the last publication among the outgoing frames."""
        self._telling.publish(self.runs, now, playing=self.playing)

    def _tell(self, event: str, run: Run | None, now: float, **more: Any) -> None:
        """An event of one run, or of the whole experiment (`run` None), after the frames that led to it."""
        self.publish(now)
        self._telling.event(event, run, **more)

    def _tell_playback(self, now: float) -> None:
        """So that whoever else watches shows the same speed."""
        self._tell("playback", None, now, playing=self.playing, **self._stepping.speed)

    def take_outgoing(self) -> list[Frames | Event]:
        """Frames and events since the last call, in the order in which they happened."""
        return self._telling.take()


def _ended(runs: Iterable[Run]) -> str:
    """How runs that are over came to it, and what helps."""
    if all(run.diverged for run in runs):
        return "diverged and stays at its last finite step: rewind"
    return "finished or diverged: change stop conditions"
