"""Who listens to what. Told of frames and events on the event loop; must not know what they say or how they travel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fallline.realtime.frames import Header, Press
from fallline.realtime.outbox import Outbox
from fallline.vocabulary.columns import Buckets


@dataclass(slots=True)
class _Audience:
    """Who listens to one experiment, and what makes their frames alike."""

    watchers: list[Outbox] = field(default_factory=list)
    press: Press = field(default_factory=Press)


class Hub:
    """The audience of every experiment."""

    def __init__(self) -> None:
        self._audiences: dict[str, _Audience] = {}

    def join(self, experiment: str, watcher: Outbox) -> None:
        """From here on the watcher is told of the experiment."""
        audience = self._audiences.setdefault(experiment, _Audience())
        audience.watchers.append(watcher)
        watcher.press = audience.press

    def leave(self, experiment: str, watcher: Outbox) -> None:
        """No more. Leaving twice, or without having joined, is nothing."""
        audience = self._audiences.get(experiment, _Audience())
        audience.watchers = [one for one in audience.watchers if one is not watcher]
        if not audience.watchers:
            self._audiences.pop(experiment, None)

    def _watchers(self, experiment: str) -> list[Outbox]:
        audience = self._audiences.get(experiment)
        return [] if audience is None else audience.watchers

    def watchers(self, experiment: str) -> int:
        """How many listen."""
        return len(self._watchers(experiment))

    def frames(self, experiment: str, runs: dict[str, tuple[Header, Buckets | None]]) -> None:
        """What the runs of an experiment did since they were last told of."""
        audience = self._audiences.get(experiment)
        if audience is None:
            return
        audience.press.begin(readers=len(audience.watchers))
        for watcher in audience.watchers:
            for run, (header, buckets) in runs.items():
                watcher.offer(run, header, buckets)

    def event(self, experiment: str, message: dict[str, Any]) -> None:
        """Something that happened once."""
        for watcher in self._watchers(experiment):
            watcher.event(message)

    def closed(self, experiment: str) -> None:
        """The experiment is gone."""
        for watcher in self._taken_out(experiment):
            watcher.close()

    def everybody(self, news: dict[str, Any]) -> None:
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
        return watchers
