"""Play and step jobs: which run makes how many steps next.

Told the time, what a slice may cost, and how a run is advanced. Must not know what is told or stored of steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fallline.runs.jobs import StepJob
from fallline.runs.playback import Playback
from fallline.runs.run import Run
from fallline.vocabulary.commands import SLOWEST
from fallline.vocabulary.journal import Json, Receipt

PATIENCE_SECONDS = 30.0
"""A job whose caller has left goes on for so long: a connection that broke is back by then."""

MOST_UNFINISHED = 100
"""Jobs that were cut off and may go on. Of more, the oldest are forgotten: their keys would begin anew."""

Advance = Callable[[Run, int], int]
"""Makes so many steps of a run, or fewer; returns how many."""


class Stepping:
    """Of the runs of one experiment. Jobs come before play, which they end."""

    def __init__(self) -> None:
        self._playback: Playback | None = None
        self._speed: Json = {"speed": 60.0, "pace": "steps"}
        self._jobs: list[StepJob] = []
        self._unfinished: dict[str, Json] = {}

    @property
    def is_playing(self) -> bool:
        return self._playback is not None

    @property
    def is_at_work(self) -> bool:
        """Whether steps are being made, by play or by a step job."""
        return self.is_playing or bool(self._jobs)

    @property
    def speed(self) -> Json:
        """The last `speed` (steps per second, or "max") and `pace` that were asked for."""
        return self._speed

    def is_paced(self, now: float) -> bool:
        """Whether it plays at a speed, with time to spare."""
        playback = None if self._jobs else self._playback
        return playback is not None and playback.speed is not None and playback.due(now) < 1

    def moves(self, run: Run) -> bool:
        if run.is_over:
            return False
        return self.is_playing or any(job.steps_left(run) for job in self._jobs)

    def wake_at(self, now: float) -> float | None:
        """When there is something to do: now, a later time, or never (None)."""
        if self._jobs:
            return now
        return None if self._playback is None else self._playback.wake_at(now)

    # ------------------------------------------------------------------ play

    def play(self, speed: float | None, pace: str, now: float) -> None:
        """Play from here on; `speed` None is as fast as it goes."""
        self._playback = Playback(speed, pace, since=now)
        self._speed = {"speed": "max" if speed is None else speed, "pace": pace}

    def play_on(self, now: float) -> None:
        """As it was played last."""
        speed = self._speed["speed"]
        self.play(None if speed == "max" else float(speed), self._speed["pace"], now)

    def pause(self) -> None:
        self._playback = None

    # ------------------------------------------------------------------ jobs

    def begin(self, job: StepJob, receipt: Receipt | None) -> None:
        self._playback = None
        job.receipt = receipt
        # what waits for no other is told, and stored, from now on: a key that was taken in is known after a kill
        job.has_begun = job.has_begun or not self._jobs
        self._jobs.append(job)

    def goes_on(self, receipt: Receipt | None, done: Callable[[Any], None]) -> StepJob | None:
        """The job that was asked for before with the key of this receipt, and was cut off."""
        begun = None if receipt is None else self._unfinished.pop(receipt.key, None)
        return None if begun is None else StepJob.goes_on(begun, done)

    def drop(self) -> list[StepJob]:
        """All jobs, which end here."""
        jobs, self._jobs = self._jobs, []
        return jobs

    def left(self, caller: object, now: float) -> None:
        """Nobody waits any more for the job of this caller."""
        for job in self._jobs:
            if job.caller is caller:
                job.left_at = now

    def came_back(self, caller: object) -> None:
        """Somebody waits again for the job of this caller."""
        for job in self._jobs:
            if job.caller is caller:
                job.left_at = None

    def drop_unattended(self, now: float) -> list[StepJob]:
        """Jobs that nobody has waited for too long. One with a key goes on when its key comes again."""
        dropped = [
            job for job in self._jobs if job.left_at is not None and now - job.left_at >= PATIENCE_SECONDS
        ]
        self._jobs = [job for job in self._jobs if job not in dropped]
        self._unfinished |= {job.receipt.key: job.as_json() for job in dropped if job.receipt is not None}
        for key in list(self._unfinished)[:-MOST_UNFINISHED]:
            del self._unfinished[key]
        return dropped

    def take_finished(self, runs: Iterable[Run]) -> list[StepJob]:
        """Jobs of which nothing is left to do."""
        runs = list(runs)
        finished = [job for job in self._jobs if not any(job.steps_left(run) for run in runs)]
        self._jobs = [job for job in self._jobs if job not in finished]
        return finished

    def forget(self, run: str) -> None:
        """The run was removed or reset: no job leads it anywhere any more."""
        for job in self._jobs:
            job.forget(run)
        for begun in self._unfinished.values():
            begun["to_step"].pop(run, None)
            begun["to_epoch"].pop(run, None)

    # ------------------------------------------------------------------ as it is stored

    def as_json(self) -> Json:
        begun = {
            job.receipt.key: job.as_json() for job in self._jobs if job.receipt is not None and job.has_begun
        }
        return {**self._speed, "unfinished": {**self._unfinished, **begun}}

    def put_back(self, told: Mapping[str, Any]) -> None:
        """Stand as the one that told this, at rest."""
        speed = told["speed"]
        # Earlier versions took any speed above 0, and one of 1e-12 waits for 30,000 years.
        self._speed = {"speed": speed if speed == "max" else max(speed, SLOWEST), "pace": told["pace"]}
        self._unfinished = dict(told["unfinished"])

    # ------------------------------------------------------------------ making steps

    def work(self, runs: Mapping[str, Run], budget: float, now: float, advance: Advance) -> None:
        """Have steps made that are worth about `budget` seconds."""
        if self._jobs:
            self._work_on_jobs(runs, budget, advance)
        elif self._playback is not None:
            self._work_on_playback(self._playback, runs, budget, now, advance)

    def _work_on_jobs(self, runs: Mapping[str, Run], budget: float, advance: Advance) -> None:
        job, *waiting = self._jobs
        job.has_begun = True
        going = [(run, left) for run in runs.values() if (left := job.steps_left(run)) > 0]
        for run, left in going:
            epochs = int(run.epoch)
            affordable = max(int(budget / len(going) / run.step_seconds), 1)
            made = advance(run, min(left, affordable))
            for later in waiting:
                later.begins_later(run, made, int(run.epoch) - epochs)

    def _work_on_playback(
        self, playback: Playback, runs: Mapping[str, Run], budget: float, now: float, advance: Advance
    ) -> None:
        able = [run for run in runs.values() if not run.is_over]
        if not able:
            self._playback = None
            return
        if playback.pace == "samples":
            playback.made += _follow(playback, able, budget, now, advance)
            return
        affordable = max(int(budget / math.fsum(run.step_seconds for run in able)), 1)
        ticks = int(min(playback.due(now), affordable))
        if ticks > 0:
            for run in able:
                advance(run, ticks)
            playback.made += ticks


def _follow(playback: Playback, runs: list[Run], budget: float, now: float, advance: Advance) -> int:
    """One slice at equal samples: the run with the smallest batch leads, the others follow. Returns its steps."""
    leader = min(runs, key=Run.next_batch)
    affordable = max(int(budget / leader.step_seconds), 1)
    ticks = _until_an_edit(leader, int(min(playback.due(now), affordable)))
    made = _pay(playback, leader, ticks, advance)
    for run in runs:
        if run is not leader:
            allowed = run.steps_within(playback.paid.get(leader.name, 0) - playback.paid.get(run.name, 0))
            _pay(playback, run, _until_an_edit(run, allowed), advance)
    return made


def _until_an_edit(run: Run, steps: int) -> int:
    """Cut where an edit may change the batch, so that steps can be counted in samples."""
    ahead = run.steps_to_next_edit()
    return steps if ahead is None else min(steps, ahead)


def _pay(playback: Playback, run: Run, steps: int, advance: Advance) -> int:
    before = run.state.samples_seen
    made = advance(run, steps) if steps > 0 else 0
    playback.paid[run.name] = playback.paid.get(run.name, 0) + run.state.samples_seen - before
    return made
