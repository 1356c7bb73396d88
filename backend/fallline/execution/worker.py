"""Many experiments in turn: calls first, then one fair slice. Pure: it is told the time and handed a clock to measure.

Must not know threads, futures or the event loop; `in_process` pumps it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from fallline.execution.fairness import DeficitRoundRobin
from fallline.runs.experiment import Experiment

QUANTUM = 0.005
"""Seconds a turn: short enough that calls wait little, long enough that turns cost little."""

Clock = Callable[[], float]


class Worker:
    """Holds experiments, wakes those that have something to do, and gives them equal time."""

    def __init__(self, quantum: float = QUANTUM) -> None:
        self._experiments: dict[str, Experiment] = {}
        self._ready = DeficitRoundRobin(quantum)
        self._sleeping: list[tuple[float, str]] = []
        self._wakes: dict[str, float] = {}

    def open(self, experiment: Experiment) -> None:
        self._experiments[experiment.id] = experiment

    def close(self, id: str) -> None:
        self._experiments.pop(id, None)
        self._ready.leave(id)
        self._wakes.pop(id, None)

    def find(self, id: str) -> Experiment | None:
        return self._experiments.get(id)

    def reconsider(self, id: str, now: float) -> None:
        """Something about the experiment changed: look again when it has something to do."""
        experiment = self._experiments.get(id)
        wake = experiment.wake_at(now) if experiment is not None else None
        self._wakes.pop(id, None)
        if wake is None:
            self._ready.leave(id)
        elif wake <= now:
            self._ready.join(id)
        else:
            self._ready.leave(id)
            self._wakes[id] = wake
            heapq.heappush(self._sleeping, (wake, id))

    def wake_at(self, now: float) -> float | None:
        """When `turn` has something to do: now, a later time, or never (None)."""
        if len(self._ready):
            return now
        self._drop_stale()
        return self._sleeping[0][0] if self._sleeping else None

    def _drop_stale(self) -> None:
        while self._sleeping and self._wakes.get(self._sleeping[0][1]) != self._sleeping[0][0]:
            heapq.heappop(self._sleeping)

    def _wake_sleepers(self, now: float) -> None:
        self._drop_stale()
        while self._sleeping and self._sleeping[0][0] <= now:
            _, id = heapq.heappop(self._sleeping)
            self._wakes.pop(id, None)
            self._ready.join(id)
            self._drop_stale()

    def turn(self, clock: Clock) -> Experiment | None:
        """One slice of one experiment, which is returned: it may have something to tell, and to be stored before that.

        An experiment that fails is let go, and raises.
        """
        now = clock()
        self._wake_sleepers(now)
        if not len(self._ready):
            return None
        id, budget = self._ready.next()
        experiment = self._experiments[id]
        try:
            experiment.work(budget, now, clock)
        except Exception:
            self.close(id)
            raise
        after = clock()
        self._ready.charge(id, after - now)
        self.reconsider(id, after)
        return experiment
