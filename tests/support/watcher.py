"""A reader of an experiment without a server: it asks for a frame, takes it, and asks for the next one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fallline.runs.experiment import Experiment
from fallline.runs.publishing import Event, Frames
from fallline.vocabulary.frame_requests import Answer, FrameRequest, Held

LARGE = 1 << 30


class Watcher:
    """Asks as often as `fps` allows, for the series `names` (None: all) in at most `buckets` a run."""

    def __init__(
        self,
        one: Experiment,
        now: float,
        *,
        fps: float = 30.0,
        buckets: int = 100,
        names: tuple[str, ...] | None = None,
        since: dict[str, tuple[int, int]] | None = None,
        number: int = 1,
    ) -> None:
        self._one, self._number = one, number
        held = {
            run: Held(run, generation, step, left=buckets)
            for run, (generation, step) in (since or {}).items()
        }
        self.held = held
        self._request = FrameRequest(names, buckets, "json", LARGE, 100, 100, 1 / fps)
        self.answers: list[Answer] = []
        self.events: list[dict[str, Any]] = []
        self.ask(now)

    def ask(self, now: float) -> None:
        """Ask for the next frame, wanted at `now`."""
        self._one.ask(self._number, replace(self._request, held=tuple(self.held.values())), now)

    def take(self, now: float, outgoing: list[Frames | Event] | None = None) -> list[Answer]:
        """Take what the experiment has sent; after a frame ask for the next one. Returns the new answers."""
        answers: list[Answer] = []
        for item in self._one.take_outgoing() if outgoing is None else outgoing:
            if isinstance(item, Event):
                self.events.append(item.message)
            else:
                answers += [each for each in item.answers if self._number in each.readers]
        for answer in answers:
            self.held |= {run: update.held for run, update in answer.runs.items()}
            self.ask(now + self._request.interval)
        self.answers += answers
        return answers
