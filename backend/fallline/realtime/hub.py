"""Subscribers by experiment. Called on the event loop."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fallline.realtime.backlog import MOST_BYTES, Backlog
from fallline.realtime.frames import FrameCache, Header
from fallline.realtime.limits import weight_of
from fallline.realtime.outbox import Outbox
from fallline.vocabulary.columns import Buckets

ALL_BYTES = 64 * 1024 * 1024
"""Bytes for the backlogs of all experiments, in equal shares."""

LEAST_BYTES = 64 * 1024
"""The smallest share of one experiment, however many are watched."""

STUCK = 30
"""Publications, one to three seconds, after which a watcher who takes no frame is stuck. Its rate does not count."""

SLOWEST = 1.0
"""Publications a second for watchers who are all stuck."""

ALL_PUBLICATIONS, LEAST_RATE = 3_000, 10.0
"""Publications a second of all experiments together, but as many for each: 100 people see 30 a second, 300 ten."""

GRADES = 5.0
"""Publications a second by which their rate changes, so that not every new watcher changes it for all."""


@dataclass(slots=True)
class _Audience:
    """The watchers of one experiment, their shared backlog, and the frames they share."""

    watchers: list[Outbox] = field(default_factory=list)
    backlog: Backlog = field(default_factory=Backlog)
    cache: FrameCache = field(default_factory=FrameCache)
    limit: float = math.inf
    """The last limit on the publications a second; NaN if it may have been lost."""

    def fitting_limit(self, most: float) -> float:
        """Return the highest rate of a watcher who takes frames, at most `most`; infinity if nobody wants more."""
        rate = min(max((each.fps for each in self.watchers if each.missed <= STUCK), default=SLOWEST), most)
        return rate if any(each.fps > rate for each in self.watchers) else math.inf


class Hub:
    """Delivers frames and events to the watchers of each experiment."""

    limit_rate: Callable[[str, float], None] = staticmethod(lambda experiment, rate: None)
    """Called with an experiment and the most publications a second that its watchers take."""

    def __init__(self) -> None:
        self._audiences: dict[str, _Audience] = {}
        self._catching_up: set[Outbox] = set()

    def peer(self, experiment: str, history_key: object) -> Outbox | None:
        """Return a recent watcher with the same history still to receive, or None."""
        audience = self._audiences.get(experiment)
        if audience is None:
            return None
        return next(
            (
                watcher
                for watcher in self._catching_up
                if watcher.experiment == experiment
                and watcher.history_key == history_key
                and watcher.can_share_at(audience.backlog.published)
            ),
            None,
        )

    def join(self, experiment: str, watcher: Outbox) -> None:
        """Subscribe a watcher to the experiment."""
        audience = self._audiences.setdefault(experiment, _Audience())
        audience.watchers.append(watcher)
        if audience.limit != math.inf:
            audience.limit = math.nan  # the experiment forgets it when a watcher joins
        watcher.join(audience.backlog, audience.cache)
        if watcher.past_bytes:
            self._catching_up.add(watcher)

    def leave(self, experiment: str, watcher: Outbox) -> None:
        """Unsubscribe a watcher. Does nothing if it is not subscribed."""
        audience = self._audiences.get(experiment)
        if audience is not None and watcher in audience.watchers:
            audience.watchers.remove(watcher)
            if not audience.watchers:
                del self._audiences[experiment]
        self._release(watcher)

    def _release(self, watcher: Outbox) -> None:
        watcher.leave()
        self._catching_up.discard(watcher)

    def _watchers(self, experiment: str) -> list[Outbox]:
        audience = self._audiences.get(experiment)
        return [] if audience is None else audience.watchers

    def watchers(self, experiment: str) -> int:
        return len(self._watchers(experiment))

    @property
    def watched(self) -> int:
        """Number of experiments with a watcher."""
        return len(self._audiences)

    @property
    def _most_rate(self) -> float:
        """The most publications a second of each experiment, while so many are watched."""
        return max(ALL_PUBLICATIONS / len(self._audiences) // GRADES * GRADES, LEAST_RATE)

    @property
    def bytes(self) -> int:
        """Bytes of measurements and events that some watcher still has to receive."""
        return self.past_bytes + sum(
            audience.backlog.bytes + sum(watcher.events_bytes for watcher in audience.watchers)
            for audience in self._audiences.values()
        )

    @property
    def past_bytes(self) -> int:
        """Bytes of histories that watchers still have to receive."""
        self._catching_up = {watcher for watcher in self._catching_up if watcher.past_bytes}
        return sum({watcher.past: watcher.past_bytes for watcher in self._catching_up}.values())

    def frames(
        self, experiment: str, runs: dict[str, tuple[Header, Buckets | None]], made_at: float = 0.0
    ) -> None:
        """Publish what the runs of an experiment did since the last publication, which was made at this time."""
        audience = self._audiences.get(experiment)
        if audience is None:
            return
        audience.backlog.made_at = made_at
        limit = min(max(ALL_BYTES // len(self._audiences), LEAST_BYTES), MOST_BYTES)
        audience.cache.start(readers=len(audience.watchers))
        has_changed = audience.backlog.publish(runs, limit)
        if audience.backlog.is_broken:
            self.interrupted(experiment)
            return
        self._shed(experiment, audience, limit)
        if has_changed:
            for watcher in audience.watchers:
                watcher.wake()
        if (rate := audience.fitting_limit(self._most_rate)) != audience.limit:
            audience.limit = rate
            self.limit_rate(experiment, rate)

    def _shed(self, experiment: str, audience: _Audience, limit: int) -> None:
        """Make the slowest watchers resume if even the widest buckets exceed the limit."""
        while audience.backlog.bytes > limit and audience.watchers:
            slowest = max(audience.watchers, key=lambda watcher: watcher.lag)
            self.leave(experiment, slowest)
            slowest.interrupt()
            audience.backlog.compact(limit)

    def event(self, experiment: str, message: dict[str, Any]) -> None:
        """Publish an event to all watchers of an experiment."""
        audience = self._audiences.get(experiment)
        if audience is None:
            return
        if message.get("event") == "run_removed":
            audience.backlog.remove(str(message["run"]))
        weight = weight_of(message)
        for watcher in audience.watchers:
            watcher.event(message, weight)

    def closed(self, experiment: str) -> None:
        """Close all watchers of an experiment that has been deleted."""
        for watcher in self._remove(experiment):
            watcher.close()

    def broadcast(self, event: dict[str, Any]) -> None:
        """Publish an event to all watchers of every experiment."""
        for experiment in self._audiences:
            self.event(experiment, {"type": "event", "experiment": experiment, "run": None, **event})

    def interrupted(self, experiment: str) -> None:
        """Make all watchers resume, because steps they received may not be stored."""
        for watcher in self._remove(experiment):
            watcher.interrupt()

    def _remove(self, experiment: str) -> list[Outbox]:
        watchers = self._watchers(experiment)
        self._audiences.pop(experiment, None)
        for watcher in watchers:
            self._release(watcher)
        return watchers
