"""Slowdown of training by other work: turns with it and without, in pairs.

So a slow spell of the machine affects both. On a quiet machine the clock measures the slowdown. Linux also counts how
long each thread had a processor and waited for one, which measures it on a shared machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Threads = dict[str, tuple[float, float]]
"""By thread: seconds on a processor, and seconds waiting for one, so far."""


def threads(pid: int) -> Threads | None:
    """The threads of a process; None if the system does not count their time."""
    times: Threads = {}
    try:
        for each in Path(f"/proc/{pid}/task").iterdir():
            had, in_line, *_ = (each / "schedstat").read_text().split()
            times[each.name] = (int(had) * 1e-9, int(in_line) * 1e-9)
    except FileNotFoundError:  # no such count, or a thread that has just ended; then one more turn has none
        return None
    return times


@dataclass(frozen=True, slots=True)
class Turn:
    """A number of steps in a number of seconds.

    `beside` is a share of the time. In it, other threads of the process had a processor and training waited for
    them, as for Python's lock. It excludes waiting for a processor that other processes use. None if the system
    does not count it.
    """

    steps: int
    seconds: float
    beside: float | None = None

    @property
    def rate(self) -> float:
        return self.steps / self.seconds


@dataclass(frozen=True, slots=True)
class Taker:
    """Takes turns: `steps` is the number of steps so far, `count` the threads' times."""

    steps: Callable[[], int]
    count: Callable[[], Threads | None]
    clock: Callable[[], float] = time.perf_counter

    def turn(self, seconds: float, do: Callable[[], None]) -> Turn:
        """Do something repeatedly for that long."""
        first, before, began = self.steps(), self.count(), self.clock()
        while self.clock() - began < seconds:
            do()
        took, after, last = self.clock() - began, self.count(), self.steps()
        if before is None or after is None:
            return Turn(last - first, took)
        had = {name: now[0] - before.get(name, (0.0, 0.0))[0] for name, now in after.items()}
        trains = max(had, key=lambda name: had[name])
        in_line = after[trains][1] - before.get(trains, (0.0, 0.0))[1]
        waited = max(took - had[trains] - in_line, 0.0)
        return Turn(last - first, took, (sum(had.values()) - had[trains] + waited) / took)

    def pairs(self, many: int, seconds: float, do: Callable[[], None], without: Callable[[], None]) -> Pairs:
        """That many pairs of turns, with it and without, in alternating order."""
        turns = []
        for number in range(many):
            one, other = (do, without) if number % 2 else (without, do)
            first, second = self.turn(seconds, one), self.turn(seconds, other)
            turns.append((first, second) if number % 2 else (second, first))
        return Pairs(turns)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Turns with the other work, each with one without."""

    turns: list[tuple[Turn, Turn]]

    @property
    def rates(self) -> list[float]:
        """Relative speed with the other work."""
        return [one.rate / other.rate for one, other in self.turns]

    @property
    def losses(self) -> list[float]:
        """Share of time that training can lose on a single processor; empty if not counted."""
        both = ((one.beside, other.beside) for one, other in self.turns)
        return [one - other for one, other in both if one is not None and other is not None]


def as_percent(shares: list[float]) -> str:
    """Median of shares in percent, and its standard error from the quartiles."""
    low, middle, high = statistics.quantiles(shares, n=4)
    return f"{100 * middle:.1f} % ± {100 * 0.93 * (high - low) / len(shares) ** 0.5:.1f}"
