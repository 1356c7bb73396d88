"""Who listens to what. Told of frames and events on the event loop; must not know what they say or how they travel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fallline.realtime.backlog import MOST_BYTES, Backlog
from fallline.realtime.frames import FrameCache, Header
from fallline.realtime.outbox import Outbox
from fallline.realtime.weight import weight_of
from fallline.vocabulary.columns import Buckets

ALL_BYTES = 64 * 1024 * 1024
"""What the backlogs of all experiments may hold together; each has an equal share of it."""

LEAST_BYTES = 64 * 1024
"""The share of each, however many are watched."""


@dataclass(slots=True)
class _Audience:
    """Who listens to one experiment, what they have not had yet, and what makes their frames alike."""

    watchers: list[Outbox] = field(default_factory=list)
    backlog: Backlog = field(default_factory=Backlog)
    cache: FrameCache = field(default_factory=FrameCache)


class Hub:
    """The audience of every experiment."""

    def __init__(self) -> None:
        self._audiences: dict[str, _Audience] = {}
        self._catching_up: set[Outbox] = set()

    def peer(self, experiment: str, history_key: object) -> Outbox | None:
        """A watcher that asked for the same past a moment ago, and has not had it yet."""
        audience = self._audiences.get(experiment)
        if audience is None:
            return None
        return next(
            (
                watcher
                for watcher in self._catching_up
                if watcher.experiment == experiment
                and watcher.history_key == history_key
                and watcher.begins_at(audience.backlog.published)
            ),
            None,
        )

    def join(self, experiment: str, watcher: Outbox) -> None:
        """From here on the watcher is told of the experiment."""
        audience = self._audiences.setdefault(experiment, _Audience())
        audience.watchers.append(watcher)
        watcher.join(audience.backlog, audience.cache)
        if watcher.past_bytes:
            self._catching_up.add(watcher)

    def leave(self, experiment: str, watcher: Outbox) -> None:
        """No more. Leaving twice, or without having joined, is nothing."""
        audience = self._audiences.get(experiment)
        if audience is not None and watcher in audience.watchers:
            audience.watchers.remove(watcher)
            if not audience.watchers:
                del self._audiences[experiment]
        self._left(watcher)

    def _left(self, watcher: Outbox) -> None:
        watcher.leave()
        self._catching_up.discard(watcher)

    def _watchers(self, experiment: str) -> list[Outbox]:
        audience = self._audiences.get(experiment)
        return [] if audience is None else audience.watchers

    def watchers(self, experiment: str) -> int:
        """How many listen."""
        return len(self._watchers(experiment))

    @property
    def bytes(self) -> int:
        """Bytes held for readers: what they have not had yet of histories, and of events."""
        return self.past_bytes + sum(
            audience.backlog.bytes + sum(watcher.events_bytes for watcher in audience.watchers)
            for audience in self._audiences.values()
        )

    @property
    def past_bytes(self) -> int:
        """Bytes of pasts that watchers have not had yet."""
        self._catching_up = {watcher for watcher in self._catching_up if watcher.past_bytes}
        return sum({watcher.past: watcher.past_bytes for watcher in self._catching_up}.values())

    def frames(self, experiment: str, runs: dict[str, tuple[Header, Buckets | None]]) -> None:
        """What the runs of an experiment did since they were last told of."""
        audience = self._audiences.get(experiment)
        if audience is None:
            return
        limit = min(max(ALL_BYTES // len(self._audiences), LEAST_BYTES), MOST_BYTES)
        audience.cache.begin(readers=len(audience.watchers))
        is_news = audience.backlog.publish(runs, limit)
        if audience.backlog.is_broken:
            self.interrupted(experiment)
            return
        self._shed(experiment, audience, limit)
        if is_news:
            for watcher in audience.watchers:
                watcher.wake()

    def _shed(self, experiment: str, audience: _Audience, limit: int) -> None:
        """Where even the widest buckets are too many, whoever is furthest behind has to resume."""
        while audience.backlog.bytes > limit and audience.watchers:
            furthest = max(audience.watchers, key=lambda watcher: watcher.lag)
            self.leave(experiment, furthest)
            furthest.interrupt()
            audience.backlog.compact(limit)

    def event(self, experiment: str, message: dict[str, Any]) -> None:
        """Something that happened once."""
        audience = self._audiences.get(experiment)
        if audience is None:
            return
        if message.get("event") == "run_removed":
            audience.backlog.remove(str(message["run"]))
        weight = weight_of(message)
        for watcher in audience.watchers:
            watcher.event(message, weight)

    def closed(self, experiment: str) -> None:
        """The experiment is gone."""
        for watcher in self._taken_out(experiment):
            watcher.close()

    def broadcast(self, news: dict[str, Any]) -> None:
        """Something that concerns whoever listens, whatever to: an event of every experiment."""
        for experiment in self._audiences:
            self.event(experiment, {"type": "event", "experiment": experiment, "run": None, **news})

    def interrupted(self, experiment: str) -> None:
        """What was told of it may not stand: whoever listens has to come back."""
        for watcher in self._taken_out(experiment):
            watcher.interrupt()

    def _taken_out(self, experiment: str) -> list[Outbox]:
        watchers = self._watchers(experiment)
        self._audiences.pop(experiment, None)
        for watcher in watchers:
            self._left(watcher)
        return watchers
