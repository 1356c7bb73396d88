"""Frames and events for the readers of an experiment. Frames are pulled: a reader's request waits here for news.

A frame is a range of the history. So a reader costs nothing between two requests, and whoever comes late gets the
picture that the others have.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fallline.runs.past.replay import Clock
from fallline.runs.run import Run
from fallline.runs.stepping import WAKE_SECONDS
from fallline.vocabulary.columns import Buckets, coarsen, floor
from fallline.vocabulary.encoding import weight_of
from fallline.vocabulary.frame_requests import (
    FEWEST_BUCKETS,
    Answer,
    FrameRequest,
    Header,
    Held,
    RunUpdate,
)

ON_CHANGE = ("findings", "doctor")
"""Header fields that a frame holds only if they differ from those that the reader has."""

EXACT_STEPS = 256
"""Steps of a frame up to which it ends with the newest one. The history has the last 1,024 one by one, so the next
frame may take four times as long and still go on there. A longer frame ends where buckets have an edge for as long.
"""


TURN_SECONDS = 0.002
"""Time after which other requests wait for another turn, so that others' experiments come between."""

MOST_EDGES = 64
"""Buckets of widths 1, 2, 4 ... that are enough to begin at any stored step. A frame with fewer merges them."""


@dataclass(frozen=True, slots=True)
class Frames:
    """Answers to requests of an experiment's readers."""

    experiment: str
    answers: list[Answer]


@dataclass(frozen=True, slots=True)
class Event:
    """A message that is never dropped or merged."""

    experiment: str
    message: dict[str, Any]


@dataclass(slots=True)
class _News:
    """The header of a run, and the version in which it, and each field of `ON_CHANGE`, changed last."""

    header: Header = field(default_factory=dict)
    version: int = -1
    changed: dict[str, int] = field(default_factory=dict)

    def update(self, header: Header) -> None:
        if header == self.header:
            return
        self.version += 1
        for key in ON_CHANGE:
            if header.get(key) != self.header.get(key):
                self.changed[key] = self.version
        self.header = header

    def since(self, version: int) -> Header:
        """Return the fields for a reader who has that version."""
        return {
            key: value for key, value in self.header.items() if self.changed.get(key, version + 1) > version
        }


class Publisher:
    """Answers the requests for frames of one experiment (`id`), and keeps its events."""

    def __init__(self, id: str) -> None:
        self._id = id
        self._requests: dict[int, tuple[float, FrameRequest]] = {}
        """By reader: when it wants its frame, and its request."""
        self._without_news: set[int] = set()
        """Readers whose requests wait for a change."""
        self._news: dict[str, _News] = {}
        self._outgoing: list[Frames | Event] = []

    def ask(self, reader: int, request: FrameRequest | None, due: float) -> None:
        """Keep the request of a reader, in the place of its last one, until `due` and until there is news.

        None withdraws it. Readers of one experiment wait for common moments, so that one frame serves many.
        """
        self._without_news.discard(reader)
        self._requests.pop(reader, None)
        if request is not None:
            self._requests[reader] = round(due / WAKE_SECONDS) * WAKE_SECONDS, request

    @property
    def due_at(self) -> float:
        """When the first request that may have news is due."""
        return min(
            (due for reader, (due, _) in self._requests.items() if reader not in self._without_news),
            default=math.inf,
        )

    @property
    def wanted_at(self) -> float:
        """When a reader wants the next frame; 0 if none waits for one."""
        return min((due for due, _ in self._requests.values()), default=0.0)

    def note_change(self) -> None:
        """Note that there may be news."""
        self._without_news.clear()

    def publish(
        self,
        runs: Mapping[str, Run],
        now: float,
        *,
        playing: bool,
        speeds: Mapping[str, float],
        clock: Clock = lambda: 0.0,
    ) -> None:
        """Answer the requests that are due, or those that one turn affords by the `clock`.

        `speeds` has the most steps a second of the runs that move.
        """
        began = clock()
        self._news = {name: self._news.get(name) or _News() for name in runs}
        for name, run in runs.items():
            self._news[name].update(run.header(playing=playing))
        answers: dict[FrameRequest, Answer | None] = {}
        for reader, (due, request) in list(self._requests.items()):
            if due > now or reader in self._without_news:
                continue
            if request not in answers:
                if answers and clock() - began > TURN_SECONDS:
                    continue
                updates = self._updates(request, runs, speeds)
                answers[request] = Answer(request, [], updates) if updates else None
            if (answer := answers[request]) is None:
                self._without_news.add(reader)
            else:
                answer.readers.append(reader)
                del self._requests[reader]
        if made := [answer for answer in answers.values() if answer is not None]:
            self._outgoing.append(Frames(self._id, made))

    def _updates(
        self, request: FrameRequest, runs: Mapping[str, Run], speeds: Mapping[str, float]
    ) -> dict[str, RunUpdate]:
        """Return the changes of the runs since the steps that the reader has, as many as fit into its frame."""
        had = {each.run: each for each in request.held}
        due: dict[str, tuple[Held, int]] = {}
        for name, run in runs.items():
            held = had.get(name)
            if held is None or held.generation != run.generation or held.step > run.state.step:
                held = Held(name, run.generation, 0, left=request.buckets)
            end = _end(run.state.step, held.step, request.interval * speeds.get(name, 0.0))
            if held.step < end or held.version != self._news[name].version:
                due[name] = held, end
        served = self._whose_turn_it_is(request, due)
        return {name: self._update(request, runs[name], *due[name], len(served)) for name in served}

    def _whose_turn_it_is(self, request: FrameRequest, due: Mapping[str, tuple[Held, int]]) -> list[str]:
        """Return the runs that fit into one frame with few buckets each, from the one behind `after` on."""
        names = [*due]
        start = names.index(request.after) + 1 if request.after is not None and request.after in due else 0
        served: list[str] = []
        left = request.most_bytes
        for name in (*names[start:], *names[:start]):
            left -= request.run_bytes + self._news_bytes(due[name][0]) + FEWEST_BUCKETS * request.bucket_bytes
            if served and left < 0:
                break
            served.append(name)
        return served

    def _news_bytes(self, held: Held) -> int:
        header = self._news[held.run].since(held.version)
        return weight_of([header[key] for key in ON_CHANGE if key in header])

    def _update(self, request: FrameRequest, run: Run, held: Held, end: int, runs: int) -> RunUpdate:
        news = self._news[run.name]
        fitting = request.buckets_within(runs, self._news_bytes(held))
        buckets, left = _next_buckets(run, request, held, end, fitting)
        step = int(buckets.last[-1]) + 1 if len(buckets) else held.step
        now_held = Held(run.name, run.generation, step, news.version, left, _edges(held, buckets))
        return RunUpdate(news.since(held.version), buckets, now_held)

    def add_event(self, event: str, run: Run | None, **more: Any) -> None:
        """Queue an event of one run, or of the whole experiment (`run` None)."""
        message = {
            "type": "event",
            "experiment": self._id,
            "run": run and run.name,
            "step": run and run.state.step,
            "generation": run and run.generation,
            "event": event,
            **more,
        }
        self._outgoing.append(Event(self._id, message))
        self.note_change()

    def take(self) -> list[Frames | Event]:
        """Return frames and events since the last call, in order."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing


def _end(step: int, since: int, steps: float) -> int:
    """Return where a frame from `since` on ends, of a run at this step that makes so many until the next frame."""
    if steps <= EXACT_STEPS:
        return step
    return max(floor(step, 1 << int(steps / 4).bit_length()), since)


def _next_buckets(run: Run, request: FrameRequest, held: Held, end: int, fitting: int) -> tuple[Buckets, int]:
    """Return the buckets of a frame from `held` on, and how many of the past are left after it.

    The past goes out in several frames instead of wider buckets. The history may have become so coarse that none of its
    buckets begins there. Then the frame begins earlier, where a bucket of the reader and one of the history do.
    """
    names = run.history.names if request.names is None else request.names
    left = held.left
    if held.step >= end:
        return Buckets.empty(names), left if end < run.state.step else 0
    for start in (held.step, *held.edges, 0):
        stop, at_most = end, min(left or request.buckets, fitting)
        if left:  # as wide as if the past came in one frame
            width = 1 << (-(-(end - start) // left) - 1).bit_length()
            stop = min(end, start + at_most * width)
        buckets = coarsen(
            run.history.range(start, stop - 1, max(at_most, MOST_EDGES), request.names), at_most
        )
        if int(buckets.first[0]) == start:
            break
        left = left and request.buckets
    has_more = left > 0 and buckets.last[-1] + 1 < end
    return buckets, max(left - len(buckets), 1) if has_more else 0


def _edges(held: Held, buckets: Buckets) -> tuple[int, ...]:
    """Return the newest step at which a bucket of the reader begins, and before it those where wider ones may."""
    edges, width = [], 0
    before = [edge for edge in held.edges if not len(buckets) or edge < buckets.first[0]]
    for edge in (*buckets.first[::-1].tolist(), *before):
        if edge & -edge > width:
            edges.append(edge)
            width = edge & -edge
    return tuple(edges)
