"""What training loses by something beside it: turns with it and without, in pairs, so that a slow spell hits both.

By the clock that is told where the machine is quiet. Linux also counts how long each thread had a processor and stood
in line for one, which tells it where others have the machine too. Must not know what trains, or what is beside it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Threads = dict[str, tuple[float, float]]
"""Seconds that each thread of a process had a processor, and stood in line for one, so far."""


def threads(pid: int) -> Threads | None:
    """Those of a process; None where the system does not count them."""
    found: Threads = {}
    try:
        for each in Path(f"/proc/{pid}/task").iterdir():
            had, in_line, *_ = (each / "schedstat").read_text().split()
            found[each.name] = (int(had) * 1e-9, int(in_line) * 1e-9)
    except (
        FileNotFoundError
    ):  # no such count; or a thread that ended just now, and then one more turn has none
        return None
    return found


@dataclass(frozen=True, slots=True)
class Turn:
    """So many steps in so many seconds. `beside` is the part of them that other threads of the process had a processor,
    and that the thread which trains waited for them, as for Python's lock: none of it in line for a processor that
    others have. None where that is not counted.
    """

    steps: int
    seconds: float
    beside: float | None = None

    @property
    def rate(self) -> float:
        return self.steps / self.seconds


@dataclass(frozen=True, slots=True)
class Taker:
    """Takes turns: `steps` says how many are made so far, `count` what the threads had."""

    steps: Callable[[], int]
    count: Callable[[], Threads | None]
    clock: Callable[[], float] = time.perf_counter

    def turn(self, seconds: float, do: Callable[[], None]) -> Turn:
        """Something is done again and again for so long."""
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
        """So many pairs of turns, with it and without, each first in turn."""
        taken = []
        for number in range(many):
            one, other = (do, without) if number % 2 else (without, do)
            first, second = self.turn(seconds, one), self.turn(seconds, other)
            taken.append((first, second) if number % 2 else (second, first))
        return Pairs(taken)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Turns with something beside the training, each with one without."""

    taken: list[tuple[Turn, Turn]]

    @property
    def rates(self) -> list[float]:
        """The speed with it, of that without."""
        return [one.rate / other.rate for one, other in self.taken]

    @property
    def losses(self) -> list[float]:
        """What training can lose of its time, where one processor is all there is for it and what is beside it. Empty
        where that is not counted.
        """
        both = ((one.beside, other.beside) for one, other in self.taken)
        return [one - other for one, other in both if one is not None and other is not None]


def told(shares: list[float]) -> str:
    """The median of shares in percent, and how far that may be off by chance: its standard error, by the quartiles."""
    low, middle, high = statistics.quantiles(shares, n=4)
    return f"{100 * middle:.1f} % ± {100 * 0.93 * (high - low) / len(shares) ** 0.5:.1f}"
