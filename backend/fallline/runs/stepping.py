"""Play at a speed, and step jobs: which run makes how many steps next.

At pace `steps` a tick of play is one step of every run. At pace `samples` it is one step of the run with the smallest
batch, and the others follow in samples taken. Receives the time, and a function that advances a run.

A round advances every run once. A round of large networks goes on in the next slice of work: one step of eight runs
may take 160 ms.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fallline.runs.past.replay import Clock
from fallline.runs.run import Run
from fallline.vocabulary.commands import SLOWEST, Until
from fallline.vocabulary.journal import Json, Receipt

DEBT_SECONDS = 1.0
"""Most play time that a slow machine catches up on; the rest is dropped. A step in a long round costs less: with 300
people each has a round a second, and makes most of its steps in it.
"""

WAKE_SECONDS = 1 / 30
"""Least interval between two wake-ups at a fast pace: one frame of a display."""

CALM_SECONDS = 1 / 10
"""Most of it, however late the next frame is wanted. `DEBT_SECONDS` must be longer."""

LONG_SECONDS = 0.02
"""If one step of all runs takes longer, a slice may end between two runs. Shorter ones are not divided: with 200 small
experiments, and calls that waited for the rest of a step, one person's training was half as fast.
"""

PATIENCE_SECONDS = 30.0
"""A job continues for so long after its caller left: a lost connection is back by then."""

MOST_UNFINISHED = 100
"""Most interrupted jobs that may continue. Beyond, the oldest are dropped: their keys start anew."""

Advance = Callable[[Run, int], int]
"""Makes up to so many steps of a run; returns their number."""


@dataclass(slots=True)
class Playback:
    """Play since `since` (seconds) at `speed` ticks a second, or None: full speed."""

    speed: float | None
    pace: str
    since: float
    ticks: int = 0
    paid: dict[str, int] = field(default_factory=dict)
    """Samples that each run has taken since play began (pace `samples`)."""
    until: Until | None = None
    paid_up_at: float = -math.inf
    """Time of the last round that made all ticks due."""

    def steps_left(self, run: Run) -> float:
        """Return the steps that `run` may still make: with an end, as far as the next edit."""
        if self.until is None:
            return 0 if run.is_over else math.inf
        return steps_to(run, self.until)

    def due(self, now: float) -> float:
        """Return the ticks that are due; infinity at full speed."""
        if self.speed is None:
            return math.inf
        due = math.floor(self.speed * (now - self.since) + 1e-9) - self.ticks
        debt = max(math.ceil(self.speed * DEBT_SECONDS), 1)
        if due > debt:
            self.since += (due - debt) / self.speed
            due = debt
        return due

    def wake_at(self, now: float, wanted_at: float = 0.0) -> float:
        """Return the time of the next round: when a reader wants its result.

        That is neither soon nor long after the last one that made all ticks due.

        It does not depend on how often one asks: else each request would make a round of one step. A round whose time
        did not suffice is followed at once.
        """
        if self.speed is None:
            return now
        paid = self.paid_up_at
        wanted_at = min(max(wanted_at, paid + WAKE_SECONDS), paid + CALM_SECONDS)
        return max(self.since + (self.ticks + 1) / self.speed, wanted_at, now)

    def take(self, now: float, affordable: float) -> int:
        """Return the ticks of a round at `now`, no more than are affordable."""
        due = self.due(now)
        if 0 < due <= affordable:
            self.paid_up_at = now
        return int(min(due, affordable))


@dataclass(slots=True)
class StepJob:
    """The target of each run: a step (`to_step`) or whole epochs (`to_epoch`).

    A job with a key (`receipt`) that has begun is stored, so that a repeat after a restart has the same target.
    """

    to_step: dict[str, int]
    to_epoch: dict[str, int]
    done: Callable[[Any], None]
    receipt: Receipt | None = None
    has_begun: bool = False
    caller: object = None
    """Identifies the client that waits for the job."""
    left_at: float | None = None
    """Time at which the last caller left, in seconds; None while one waits."""

    @classmethod
    def of_steps(cls, runs: list[Run], steps: int, done: Callable[[Any], None]) -> StepJob:
        return cls({run.name: run.state.step + steps for run in runs}, {}, done)

    @classmethod
    def of_epochs(cls, runs: list[Run], epochs: int, done: Callable[[Any], None]) -> StepJob:
        return cls({}, {run.name: int(run.epoch) + epochs for run in runs}, done)

    @classmethod
    def resumed(cls, stored: Json, done: Callable[[Any], None]) -> StepJob:
        """Return the stored job, which continues to its target."""
        return cls(dict(stored["to_step"]), dict(stored["to_epoch"]), done, has_begun=True)

    def as_json(self) -> Json:
        """Return the targets and a digest of the request, as they are stored."""
        digest = self.receipt.digest.hex() if self.receipt is not None else ""
        return {"to_step": dict(self.to_step), "to_epoch": dict(self.to_epoch), "digest": digest}

    def steps_left(self, run: Run) -> int:
        """Return the steps that `run` still needs with the settings in force."""
        if run.is_over:
            return 0
        if run.name in self.to_step:
            return max(self.to_step[run.name] - run.state.step, 0)
        if run.name in self.to_epoch:
            left = run.steps_until_epoch(self.to_epoch[run.name])
            ahead = run.steps_to_next_edit()
            return left if ahead is None else min(left, ahead)
        return 0

    def postpone(self, run: Run, steps: int, epochs: int) -> None:
        """Move the target by the steps and epochs of an earlier job."""
        if run.name in self.to_step:
            self.to_step[run.name] += steps
        if run.name in self.to_epoch:
            self.to_epoch[run.name] += epochs

    def forget(self, run: str) -> None:
        """Drop the target of a run that was removed or reset."""
        self.to_step.pop(run, None)
        self.to_epoch.pop(run, None)


class Stepping:
    """Steps the runs of one experiment. A job ends play and comes first."""

    def __init__(self) -> None:
        self._playback: Playback | None = None
        self.speed: Json = {"speed": 60.0, "pace": "steps"}
        """The last requested `speed` (steps per second, or "max") and `pace`."""
        self._jobs: list[StepJob] = []
        self._unfinished: dict[str, Json] = {}
        self._round: deque[Callable[[Advance], None]] = deque()
        """The runs that still have to make the present step."""

    @property
    def is_playing(self) -> bool:
        return self._playback is not None

    @property
    def is_at_work(self) -> bool:
        """True if play or a step job makes steps."""
        return self.is_playing or bool(self._jobs)

    @property
    def in_round(self) -> bool:
        """True if some runs have made their steps of the present round, and others have not."""
        return bool(self._round)

    def is_paced(self, now: float) -> bool:
        """True if it plays at a set speed and keeps up."""
        playback = None if self._jobs else self._playback
        return playback is not None and playback.speed is not None and playback.due(now) < 1

    def moves(self, run: Run) -> bool:
        if self._playback is not None:
            return self._playback.steps_left(run) > 0
        return any(job.steps_left(run) for job in self._jobs)

    def has_arrived(self, runs: Mapping[str, Run]) -> bool:
        """Return whether it plays to an end, and no run has steps left."""
        if self._playback is None or self._playback.until is None:
            return False
        return not any(map(self.moves, runs.values()))

    def wake_at(self, now: float, wanted_at: float = 0.0) -> float | None:
        """Return the time of the next work, at a fast pace when a reader wants its result; or None."""
        if self._jobs or self._round:
            return now
        return None if self._playback is None else self._playback.wake_at(now, wanted_at)

    def most_speeds(self, runs: Mapping[str, Run]) -> dict[str, float]:
        """Return the most steps a second of each run that moves."""
        moving = [run for run in runs.values() if self.moves(run)]
        most = math.inf if self._playback is None or self._playback.speed is None else self._playback.speed
        in_step = math.fsum(run.step_seconds for run in moving)
        is_in_step = self._playback is not None and self._playback.pace == "steps"
        return {run.name: min(most, 1 / (in_step if is_in_step else run.step_seconds)) for run in moving}

    # ------------------------------------------------------------------ play

    def play(self, speed: float | None, pace: str, now: float, until: Until | None = None) -> None:
        """Play from now on; `speed` None is full speed."""
        self._playback = Playback(speed, pace, since=now, until=until)
        self.speed = {"speed": "max" if speed is None else speed, "pace": pace}
        if until is not None:
            self.speed["until"] = until.model_dump(exclude_none=True)

    def resume_play(self, now: float) -> None:
        """Play at the last speed and pace."""
        speed = self.speed["speed"]
        until = Until(**self.speed["until"]) if "until" in self.speed else None
        self.play(None if speed == "max" else float(speed), self.speed["pace"], now, until)

    def pause(self) -> None:
        self._playback = None
        self._round.clear()

    # ------------------------------------------------------------------ jobs

    def begin(self, job: StepJob, receipt: Receipt | None) -> None:
        self.pause()
        job.receipt = receipt
        # A job that waits for no other is stored from now on, so its key is known after a crash.
        job.has_begun = job.has_begun or not self._jobs
        self._jobs.append(job)

    def resumed_job(self, receipt: Receipt | None, done: Callable[[Any], None]) -> StepJob | None:
        """Return the interrupted job with the key of this receipt, if any."""
        stored = None if receipt is None else self._unfinished.pop(receipt.key, None)
        return None if stored is None else StepJob.resumed(stored, done)

    def drop(self) -> list[StepJob]:
        jobs, self._jobs = self._jobs, []
        self._round.clear()
        return jobs

    def note_caller(self, caller: object, left_at: float | None) -> None:
        """Note when this caller left, or that it waits for its job again (None)."""
        for job in self._jobs:
            if job.caller is caller:
                job.left_at = left_at

    def drop_unattended(self, now: float) -> list[StepJob]:
        """Remove and return the jobs without a caller for too long."""
        dropped = [
            job for job in self._jobs if job.left_at is not None and now - job.left_at >= PATIENCE_SECONDS
        ]
        self._jobs = [job for job in self._jobs if job not in dropped]
        self._unfinished |= {job.receipt.key: job.as_json() for job in dropped if job.receipt is not None}
        for key in list(self._unfinished)[:-MOST_UNFINISHED]:
            del self._unfinished[key]
        return dropped

    def end_jobs(self, runs: Mapping[str, Run]) -> None:
        """Let all jobs end where the runs are."""
        for job in self._jobs:
            job.to_step, job.to_epoch = {name: run.state.step for name, run in runs.items()}, {}
        self._round.clear()

    def has_finished(self, runs: Iterable[Run]) -> bool:
        """Return whether a job is at its target."""
        return bool(self._finished(runs))

    def take_finished(self, runs: Iterable[Run]) -> list[StepJob]:
        finished = self._finished(runs)
        self._jobs = [job for job in self._jobs if job not in finished]
        return finished

    def _finished(self, runs: Iterable[Run]) -> list[StepJob]:
        runs = list(runs)
        return [job for job in self._jobs if not any(job.steps_left(run) for run in runs)]

    def forget(self, run: str) -> None:
        """Drop the targets of a run that was removed or reset."""
        for job in self._jobs:
            job.forget(run)
        for job_fields in self._unfinished.values():
            job_fields["to_step"].pop(run, None)
            job_fields["to_epoch"].pop(run, None)

    # ------------------------------------------------------------------ storing

    def as_json(self) -> Json:
        active = {
            job.receipt.key: job.as_json() for job in self._jobs if job.receipt is not None and job.has_begun
        }
        return {**self.speed, "unfinished": {**self._unfinished, **active}}

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Restore what `as_json` returned, paused."""
        speed = stored["speed"]
        # Earlier versions accepted any speed above 0, such as 1e-12, a step in 30,000 years.
        self.speed = {"speed": speed if speed == "max" else max(speed, SLOWEST), "pace": stored["pace"]}
        if "until" in stored:
            self.speed["until"] = stored["until"]
        self._unfinished = dict(stored["unfinished"])

    # ------------------------------------------------------------------ making steps

    def work(
        self, runs: Mapping[str, Run], budget: float, now: float, advance: Advance, clock: Clock
    ) -> None:
        """Make steps for about `budget` seconds, and at least the steps of one run."""
        end = clock() + budget
        is_long = math.fsum(run.step_seconds for run in runs.values()) > LONG_SECONDS
        if not self._round:
            self._begin_round(runs, budget, now)
        while self._round:
            self._round.popleft()(advance)
            if is_long and clock() >= end:
                break

    def finish_round(self, advance: Advance) -> None:
        """Make the rest of the present round at once."""
        while self._round:
            self._round.popleft()(advance)

    def _begin_round(self, runs: Mapping[str, Run], budget: float, now: float) -> None:
        if self._jobs:
            self._begin_round_of_jobs(runs, budget)
        elif self._playback is not None:
            able = [run for run in runs.values() if self._playback.steps_left(run) > 0]
            if able:
                self._begin_round_of_play(self._playback, able, budget, now)
            elif self._playback.until is None:
                self._playback = None

    def _begin_round_of_jobs(self, runs: Mapping[str, Run], budget: float) -> None:
        job, *waiting = self._jobs
        job.has_begun = True
        going = [run for run in runs.values() if job.steps_left(run) > 0]

        def go(run: Run, advance: Advance) -> None:
            epochs = int(run.epoch)
            affordable = max(int(budget / len(going) / run.step_seconds), 1)
            count = advance(run, min(job.steps_left(run), affordable))
            for later in waiting:
                later.postpone(run, count, int(run.epoch) - epochs)

        self._round.extend(partial(go, run) for run in going)

    def _begin_round_of_play(self, playback: Playback, able: list[Run], budget: float, now: float) -> None:
        if playback.pace == "samples":
            self._round.extend(_at_equal_samples(playback, able, budget, now))
            return
        affordable = max(int(budget / math.fsum(run.step_seconds for run in able)), 1)
        ticks = playback.take(now, affordable)
        if ticks > 0:
            playback.ticks += ticks

            def go(run: Run, advance: Advance) -> None:
                advance(run, int(min(ticks, playback.steps_left(run))))

            self._round.extend(partial(go, run) for run in able)


def _at_equal_samples(
    playback: Playback, runs: list[Run], budget: float, now: float
) -> list[Callable[[Advance], None]]:
    """Return the parts of a round at equal samples: the leading run first, then its followers."""
    leader = min(runs, key=Run.next_batch)
    affordable = max(int(budget / leader.step_seconds), 1)
    ticks = playback.take(now, _until_an_edit(leader, int(min(affordable, playback.steps_left(leader)))))

    def lead(advance: Advance) -> None:
        playback.ticks += _pay(playback, leader, ticks, advance)

    def follow(run: Run, advance: Advance) -> None:
        allowed = run.steps_within(playback.paid.get(leader.name, 0) - playback.paid.get(run.name, 0))
        allowed = int(min(allowed, playback.steps_left(run)))
        _pay(playback, run, _until_an_edit(run, allowed), advance)

    return [lead, *(partial(follow, run) for run in runs if run is not leader)]


def steps_to(run: Run, until: Until) -> int:
    """Return the steps of a run to an end, but at most to its next edit; 0 if it is over."""
    if run.is_over:
        return 0
    if until.steps is not None:
        return max(until.steps - run.state.step, 0)
    return _until_an_edit(run, run.steps_within((until.samples or 0) - run.state.samples_seen))


def _until_an_edit(run: Run, steps: int) -> int:
    """Limit steps to the next edit, which may change the batch size."""
    ahead = run.steps_to_next_edit()
    return steps if ahead is None else min(steps, ahead)


def _pay(playback: Playback, run: Run, steps: int, advance: Advance) -> int:
    before = run.state.samples_seen
    count = advance(run, steps) if steps > 0 else 0
    playback.paid[run.name] = playback.paid.get(run.name, 0) + run.state.samples_seen - before
    return count
