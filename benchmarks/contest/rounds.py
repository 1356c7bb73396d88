"""The contest: rivals with the right loss are timed in turn, round after round.

So a slow spell of the machine affects all of them.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from contest.entries import Entry
from contest.environments import Missing
from contest.processes import Answer, Declined
from contest.workloads import STEADY, Workload

TOLERANCE = {"float64": 1e-9, "float32": 1e-3}
"""Tolerance for the final training losses, as a share of the reference's."""

REFERENCE = "fallline_numpy"


class Player(Protocol):
    """A rival that answers jobs, and raises Declined or Missing."""

    def ask(self, job: dict[str, Any]) -> Answer: ...


@dataclass
class Figures:
    """One rival in one workload: microseconds a step by round, or why there are none."""

    steady: list[float] = field(default_factory=list)
    from_start: list[float] = field(default_factory=list)
    loss: float | None = None
    reason: str = ""
    disagrees: bool = False


Table = dict[str, Figures]
"""Figures by the rival's key."""


@dataclass(frozen=True)
class Pace:
    """Minimum length of a timing in seconds, and number of rounds."""

    seconds: float
    rounds: int


def hold(
    workload: Workload,
    players: Sequence[tuple[Entry, Player]],
    pace: Pace,
    tell: Callable[[str], None] = lambda _: None,
) -> Table:
    """Run all rounds of one workload."""
    table = {entry.key: Figures() for entry, _ in players}
    jobs: dict[tuple[str, int], dict[str, Any]] = {}
    for entry, player in players:
        figures = table[entry.key]
        try:
            answer = player.ask(workload.job())
            figures.loss = workload.loss(answer.parameters)
            for first in (STEADY, 0) if entry.evaluates else (STEADY,):
                jobs[entry.key, first] = _timed(workload.job(first), player, pace, whole=entry.evaluates)
        except (Declined, Missing) as reason:
            figures.reason = str(reason)
        tell(f"{workload.name}: {entry.name}: {figures.reason or f'loss {figures.loss:.12g}'}")
    judge(table, [entry for entry, _ in players])
    for number in range(pace.rounds):
        for entry, player in players:
            if not table[entry.key].reason:
                _time(table[entry.key], player, [jobs[key] for key in jobs if key[0] == entry.key])
        tell(f"{workload.name}: round {number + 1} of {pace.rounds}")
    return table


def judge(table: Table, entries: Sequence[Entry]) -> None:
    """Remove entries with a different final loss: their times measure something else."""
    expected = table[REFERENCE].loss
    if expected is None:
        raise SystemExit(f"{REFERENCE} has to be there, to tell the loss: {table[REFERENCE].reason}")
    for entry in entries:
        figures = table[entry.key]
        if figures.loss is None:
            continue
        if not abs(figures.loss - expected) <= TOLERANCE[entry.precision] * abs(expected):
            figures.reason = f"ends at a loss of {figures.loss:.9g} instead of {expected:.9g}"
            figures.disagrees = True


def _timed(job: dict[str, Any], player: Player, pace: Pace, *, whole: bool) -> dict[str, Any]:
    """The job cut or repeated to the length of a timing; run once, to compile and warm up.

    With `whole` it is never cut, since the first steps cost more than the others.
    """
    seconds = player.ask(job).seconds
    if seconds < pace.seconds or whole:
        job = {**job, "repeats": max(round(pace.seconds / max(seconds, 1e-6)), 1)}
    else:
        job = {**job, "steps": max(int(job["steps"] * pace.seconds / seconds), 1)}
    player.ask(job)
    return job


def _time(figures: Figures, player: Player, jobs: list[dict[str, Any]]) -> None:
    for job in jobs:
        try:
            answer = player.ask(job)
        except (Declined, Missing) as reason:
            figures.reason = str(reason)
            return
        into = figures.steady if job["first_step"] == STEADY else figures.from_start
        into.append(answer.microseconds)


def ratio(ours: list[float], theirs: list[float]) -> float:
    """Ratio of their time to ours: the median of the ratios within one round."""
    return statistics.median(their / our for our, their in zip(ours, theirs, strict=True))
