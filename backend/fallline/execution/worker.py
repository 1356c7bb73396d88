"""Scheduler of many experiments. Pure: the caller passes the time and a clock.

Three kinds of work alternate by measured cost:

- commands, which come next unless they are above their part of the time,
- reads: calls that change nothing, and replays of past steps for a reader,
- training.

Each kind gets an equal part of the time while all have work. Reads are charged a little more than their time, so they
get less than half of it beside training. Within a kind, all shares get equal time, and so do the experiments of a
share. The caller defines the shares.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable

from fallline.execution.fairness import DeficitRoundRobin, Shares
from fallline.runs.experiment import Experiment

QUANTUM = 0.005
"""Seconds of a turn: short enough for calls to wait little, long enough for low overhead."""

Clock = Callable[[], float]

Call = Callable[[], None]

COMMANDS, READS, TRAINING = "commands", "reads", "training"

READ_PRICE = 1.2
"""Cost of a second of reading, in seconds. The rest is work outside this thread that slows training too: parsing the
request, sending the response. Without it, one reader took 55 % of the speed of training.
"""


class TurnFailed(Exception):
    """The turn of the experiment `id` raised."""

    def __init__(self, id: str) -> None:
        super().__init__("a turn failed")  # logged, so without the id, which grants access
        self.id = id


class Worker:
    """Schedules turns of experiments that have work, and wakes sleeping ones."""

    def __init__(self, quantum: float = QUANTUM) -> None:
        self._experiments: dict[str, Experiment] = {}
        self._share_of: dict[str, str] = {}
        self._calls: dict[str, dict[str, deque[Call]]] = {COMMANDS: {}, READS: {}}
        self._kinds = DeficitRoundRobin(quantum)
        self._ready = {kind: Shares(quantum) for kind in (COMMANDS, READS, TRAINING)}
        self._sleeping: list[tuple[float, str]] = []
        self._wakes: dict[str, float] = {}

    def open(self, experiment: Experiment) -> None:
        self._experiments[experiment.id] = experiment

    def close(self, id: str) -> None:
        """Remove an experiment. Its waiting calls still run, and fail to find it."""
        self._experiments.pop(id, None)
        self._wakes.pop(id, None)
        self.reconsider(id, 0.0)

    def find(self, id: str) -> Experiment | None:
        return self._experiments.get(id)

    def share(self, id: str, share: str) -> None:
        """Put the experiment into this share."""
        if self._share_of.get(id) != share:
            self._share_of[id] = share
            for kind, ready in self._ready.items():
                self._place(id, kind, here=id in ready)

    def command(self, id: str, call: Call) -> None:
        """Queue a command, for the next turn of commands and of the experiment's share."""
        self._queue(id, COMMANDS, call)

    def read(self, id: str, call: Call) -> None:
        """Queue a read, for the turn of the experiment's reads."""
        self._queue(id, READS, call)

    def _queue(self, id: str, kind: str, call: Call) -> None:
        self._calls[kind].setdefault(id, deque()).append(call)
        self._place(id, kind, here=True)

    def charge(self, id: str, seconds: float) -> None:
        """Charge the experiment's reads for seconds spent outside the worker."""
        self._charge(id, READS, seconds)

    def reconsider(self, id: str, now: float) -> None:
        """Update when the experiment has work, after it changed."""
        experiment = self._experiments.get(id)
        wake = experiment.wake_at(now) if experiment is not None else None
        self._wakes.pop(id, None)
        has_commands, has_reads = id in self._calls[COMMANDS], id in self._calls[READS]
        if experiment is None and not (has_commands or has_reads):
            self._share_of.pop(id, None)
        is_awake = wake is not None and wake <= now
        only_replays = experiment is not None and experiment.only_replays
        self._place(id, TRAINING, here=is_awake and not only_replays)
        self._place(id, READS, here=has_reads or (is_awake and only_replays))
        self._place(id, COMMANDS, here=has_commands)
        if wake is not None and not is_awake:
            self._wakes[id] = wake
            heapq.heappush(self._sleeping, (wake, id))

    def wake_at(self, now: float) -> float | None:
        """Return when `turn` has work: now, a later time, or None for never."""
        if len(self._kinds):
            return now
        self._drop_stale()
        return self._sleeping[0][0] if self._sleeping else None

    def _place(self, id: str, kind: str, *, here: bool) -> None:
        ready = self._ready[kind]
        if here:
            ready.join(id, self._share_of.get(id, ""))
        else:
            ready.leave(id)
        if len(ready):
            self._kinds.join(kind)
        else:
            self._kinds.leave(kind)

    def _charge(self, id: str, kind: str, seconds: float) -> None:
        self._kinds.charge(kind, seconds * (READ_PRICE if kind == READS else 1.0))
        self._ready[kind].charge(id, self._share_of.get(id, ""), seconds)

    def _drop_stale(self) -> None:
        while self._sleeping and self._wakes.get(self._sleeping[0][1]) != self._sleeping[0][0]:
            heapq.heappop(self._sleeping)

    def _wake_sleepers(self, now: float) -> None:
        self._drop_stale()
        while self._sleeping and self._sleeping[0][0] <= now:
            _, id = heapq.heappop(self._sleeping)
            try:
                self.reconsider(id, now)
            except Exception as error:
                raise TurnFailed(id) from error
            self._drop_stale()

    def turn(self, clock: Clock) -> str | None:
        """Run one slice or one call of an experiment. Returns its id, None without work.

        Raises TurnFailed. The caller then stores and sends the changes of the experiment.
        """
        now = clock()
        self._wake_sleepers(now)
        if not len(self._kinds):
            return None
        if len(self._ready[COMMANDS]):
            self._kinds.prefer(COMMANDS)
        kind, budget = self._kinds.next()
        id, own = self._ready[kind].next()
        try:
            if (call := self._next_call(id, kind)) is not None:
                call()
            else:
                self._experiments[id].work(min(budget, own), now, clock)
            after = clock()
            self._charge(id, kind, after - now)
            self.reconsider(id, after)
        except Exception as error:
            raise TurnFailed(id) from error
        return id

    def _next_call(self, id: str, kind: str) -> Call | None:
        calls = self._calls.get(kind, {})
        if id not in calls:
            return None
        call = calls[id].popleft()
        if not calls[id]:
            del calls[id]
        return call
