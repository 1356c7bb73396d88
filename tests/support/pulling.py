"""A small experiment whose readers pull frames through a hub, without threads, at times that a test sets."""

from __future__ import annotations

import math
from typing import Any

from fallline.realtime.frames import Frame
from fallline.realtime.hub import Hub
from fallline.realtime.outbox import Outbox
from fallline.runs.experiment import Experiment
from fallline.runs.publishing import Frames
from fallline.vocabulary.recipe import Recipe
from support.clocks import Clock
from support.readers import as_buckets

TINY: dict[str, Any] = {
    "data": {"samples": 8, "features": 1},
    "network": {"layers": []},
    "runs": [{"name": "gd"}, {"name": "sgd"}],
}


def tiny(*names: str) -> dict[str, Any]:
    """Return the recipe with runs of these names."""
    return {**TINY, "runs": [{"name": name} for name in names]}


class Source:
    """The experiment, and the hub of its readers."""

    def __init__(self, id: str = "e", recipe: dict[str, Any] = TINY) -> None:
        self.one = Experiment(id, Recipe.model_validate(recipe))
        self.hub = Hub()
        self.now = 0.0
        self.playing = False
        self.speed: float | None = 0.0
        """Most steps a second: 0 at rest, None for no limit."""

    def watch(self, **options: Any) -> Outbox:
        box = Outbox(self.one.id, **options)
        self.join(box)
        return box

    def join(self, box: Outbox) -> None:
        number = self.hub.number()
        self.hub.join(
            number,
            box,
            self.one.series,
            lambda request, seconds: self.one.ask(number, request, self.now + seconds),
        )

    def advance(self, steps: int, *runs: str) -> None:
        """Make steps of these runs, or of all."""
        for run in runs or self.one.runs:
            self.one.run(run).advance(steps, Clock(tick=1e-5))
        self.one._publisher.note_change()

    def publish(self, now: float | None = None) -> None:
        """Answer the requests that are due, and deliver frames and events."""
        self.now = self.now if now is None else now
        self.one._publisher.note_change()
        most = math.inf if self.speed is None else self.speed
        speeds = {name: min(most, 1 / run.step_seconds) for name, run in self.one.runs.items()}
        self.one._publisher.publish(self.one.runs, self.now, playing=self.playing, speeds=speeds)
        self.deliver()

    def deliver(self) -> None:
        """Deliver the frames and events that the experiment has sent."""
        for item in self.one.take_outgoing():
            if isinstance(item, Frames):
                self.hub.frames(item.experiment, item.answers, self.now)
            else:
                self.hub.event(item.experiment, item.message)

    def frames(self, *boxes: Outbox) -> list[Frame | None]:
        """Let these readers ask, a second later take their frames; None for a reader that waits for news."""
        for box in boxes:
            box.ask(self.now)
        self.publish(self.now + 1.0)
        return [box.take_frame() if box.frame else None for box in boxes]

    def frame(self, box: Outbox) -> Frame:
        (frame,) = self.frames(box)
        assert frame is not None
        return frame

    def stored(self, run: str) -> list[Any]:
        """Return the finest buckets that the history has."""
        each = self.one.run(run)
        return as_buckets(each.history.range(0, each.state.step - 1, 1 << 20).as_json(0))


def columns(frame: Frame, run: str = "gd") -> dict[str, Any]:
    result: dict[str, Any] = frame.message()["runs"][run]["columns"]
    return result
