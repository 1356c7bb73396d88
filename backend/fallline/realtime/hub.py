"""Subscribers by experiment. Called on the event loop."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

from fallline.realtime.frames import Frame
from fallline.realtime.outbox import Ask, Outbox
from fallline.vocabulary.encoding import weight_of
from fallline.vocabulary.frame_requests import Answer

ALL_FRAMES, LEAST_RATE = 3_000, 10.0
"""Frames a second of all experiments together, but as many for each: 100 people see 30 a second, 300 ten."""


class Hub:
    """Delivers frames and events to the watchers of each experiment."""

    def __init__(self) -> None:
        self._audiences: dict[str, dict[int, Outbox]] = {}
        """The watchers of each experiment, by number."""
        self._numbers = count(1)

    def number(self) -> int:
        """Return a number for a new watcher, by which frames will be addressed to it."""
        return next(self._numbers)

    def join(self, number: int, watcher: Outbox, names: tuple[str, ...], ask: Ask) -> None:
        """Subscribe a watcher to its experiment, which has these series and takes requests by `ask`."""
        self._audiences.setdefault(watcher.experiment, {})[number] = watcher
        watcher.join(names, ask, self._least_interval)

    def leave(self, experiment: str, watcher: Outbox) -> int | None:
        """Unsubscribe a watcher; return its number. Does nothing if it is not subscribed."""
        watcher.leave()
        audience = self._audiences.get(experiment, {})
        number = next((number for number, each in audience.items() if each is watcher), None)
        if number is not None:
            del audience[number]
            if not audience:
                del self._audiences[experiment]
        return number

    def _watchers(self, experiment: str) -> list[Outbox]:
        return list(self._audiences.get(experiment, {}).values())

    def watchers(self, experiment: str) -> int:
        return len(self._audiences.get(experiment, ()))

    @property
    def watched(self) -> int:
        """Number of experiments with a watcher."""
        return len(self._audiences)

    def _least_interval(self) -> float:
        """The least seconds between two frames of each experiment, while so many are watched."""
        return min(len(self._audiences) / ALL_FRAMES, 1 / LEAST_RATE)

    @property
    def bytes(self) -> int:
        """Bytes of measurements and events that some watcher still has to receive."""
        watchers = [each for audience in self._audiences.values() for each in audience.values()]
        frames = {each.frame for each in watchers if each.frame is not None}
        return sum(frame.nbytes for frame in frames) + sum(each.events_bytes for each in watchers)

    def frames(self, experiment: str, answers: Iterable[Answer], made_at: float = 0.0) -> None:
        """Deliver answers to the watchers that asked. Their newest steps were measured at this time."""
        audience = self._audiences.get(experiment, {})
        for answer in answers:
            frame = Frame(experiment, answer.runs, answer.request.encoding, made_at)
            for number in answer.readers:
                if (watcher := audience.get(number)) is not None:
                    watcher.put(frame)

    def event(self, experiment: str, message: dict[str, Any]) -> None:
        """Publish an event to all watchers of an experiment."""
        if watchers := self._watchers(experiment):
            weight = weight_of(message)
            for watcher in watchers:
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
        watchers = list(self._audiences.pop(experiment, {}).values())
        for watcher in watchers:
            watcher.leave()
        return watchers
