"""Who listens to what. Told of frames and events on the event loop; must not know what they say or how they travel."""

from __future__ import annotations

from typing import Any

from fallline.realtime.outbox import Header, Outbox
from fallline.vocabulary.columns import Buckets


class Hub:
    """The audience of every experiment."""

    def __init__(self) -> None:
        self._audience: dict[str, list[Outbox]] = {}

    def join(self, experiment: str, watcher: Outbox) -> None:
        """From here on the watcher is told of the experiment."""
        self._audience.setdefault(experiment, []).append(watcher)

    def leave(self, experiment: str, watcher: Outbox) -> None:
        """No more. Leaving twice, or without having joined, is nothing."""
        left = [one for one in self._audience.get(experiment, []) if one is not watcher]
        if left:
            self._audience[experiment] = left
        else:
            self._audience.pop(experiment, None)

    def watchers(self, experiment: str) -> int:
        """How many listen."""
        return len(self._audience.get(experiment, ()))

    def frames(self, experiment: str, runs: dict[str, tuple[Header, Buckets | None]]) -> None:
        """What the runs of an experiment did since they were last told of."""
        for watcher in self._audience.get(experiment, ()):
            for run, (header, buckets) in runs.items():
                watcher.offer(run, header, buckets)

    def event(self, experiment: str, message: dict[str, Any]) -> None:
        """Something that happened once."""
        for watcher in self._audience.get(experiment, ()):
            watcher.event(message)

    def closed(self, experiment: str) -> None:
        """The experiment is gone."""
        for watcher in self._audience.pop(experiment, ()):
            watcher.close()

    def everybody(self, news: dict[str, Any]) -> None:
        """Something that concerns whoever listens, whatever to: an event of every experiment."""
        for experiment in self._audience:
            self.event(experiment, {"type": "event", "experiment": experiment, "run": None, **news})

    def interrupted(self, experiment: str) -> None:
        """What was told of it may not stand: whoever listens has to come back."""
        for watcher in self._audience.pop(experiment, ()):
            watcher.interrupt()
