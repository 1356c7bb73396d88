"""Mutants of the soak: each takes back what keeps one goal, and names the row that must then be missed."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fallline.execution import memory
from fallline.realtime import frames
from fallline.realtime.hub import Hub
from fallline.realtime.outbox import Outbox
from fallline.realtime.session import Session
from fallline.runs.experiment import Experiment
from fallline.runs.persistence.journal_writer import JournalWriter
from fallline.runs.publishing import Publisher
from fallline.runs.stepping import Playback, Stepping
from fallline.services.lab import Lab
from fallline.vocabulary.binary import binary
from fallline.vocabulary.errors import Unavailable
from fallline.vocabulary.frame_requests import Answer, RunUpdate
from fallline.web import server
from fallline.web.connection import Connection, Text
from fallline.web.socket import Socket
from support.planting import replace

STUCK: set[str] = set()
"""Experiments with a reader that acknowledges nothing, for mutants that let them disturb others."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A goal's keeper taken back; a row whose name contains `row` must be missed."""

    row: str
    plant: Callable[[], None]


def burn(seconds: float) -> None:
    """Use a processor, not Python's lock, for so long."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        hashlib.pbkdf2_hmac("sha256", b"soak", b"soak", 4_000)


# ---------------------------------------------------------------------- coming


def create_with(before: Callable[[int], Any]) -> None:
    """Await `before` with the number of each creation first."""
    create, numbers = Lab.create, itertools.count()

    async def creating(self: Lab, *arguments: Any, **named: Any) -> Any:
        await before(next(numbers))
        return await create(self, *arguments, **named)

    replace(Lab, create=creating)


def few_places() -> None:
    """Refuse every second experiment."""

    async def refuse(number: int) -> None:
        if number % 2:
            raise Unavailable("no place", retry_after=1)

    create_with(refuse)


def long_wait() -> None:
    """Make everybody wait for an experiment."""
    create_with(lambda number: asyncio.sleep(4.0))


def costly_coming() -> None:
    """Compute for each new experiment."""

    async def compute(number: int) -> None:
        await asyncio.to_thread(burn, 1.0)

    create_with(compute)


# ---------------------------------------------------------------------- playing


def costly_frames() -> None:
    """Compute for each publication, in both threads."""
    publish, deliver = Publisher.publish, Hub.frames

    def publishing(self: Publisher, *arguments: Any, **named: Any) -> None:
        burn(0.006)
        publish(self, *arguments, **named)

    def delivering(self: Hub, *arguments: Any, **named: Any) -> None:
        burn(0.006)
        deliver(self, *arguments, **named)

    replace(Publisher, publish=publishing)
    replace(Hub, frames=delivering)


def old_frames(when: Callable[[], bool] = lambda: True) -> None:
    """Hold each message back."""
    send = Socket._send

    async def later(self: Socket, message: Text) -> None:
        if when():
            await asyncio.sleep(0.3)
        await send(self, message)

    replace(Socket, _send=later)


def command_with(before: Callable[[str, int], Any]) -> None:
    """Await `before` with the experiment and the number of each command first."""
    command, numbers = Lab.command, itertools.count()

    async def commanding(self: Lab, id: str, *arguments: Any, **named: Any) -> Any:
        await before(id, next(numbers))
        return await command(self, id, *arguments, **named)

    replace(Lab, command=commanding)


def slow_commands() -> None:
    """Make every command wait."""
    command_with(lambda id, number: asyncio.sleep(0.2))


def unfair_steps() -> None:
    """Play every fourth experiment at half its speed."""
    play, numbers = Stepping.play, itertools.count()

    def playing(self: Stepping, speed: float | None, *arguments: Any, **named: Any) -> None:
        slower = speed is not None and next(numbers) % 4 == 0
        play(self, speed / 2 if slower and speed is not None else speed, *arguments, **named)

    replace(Stepping, play=playing)


def wide_frames() -> None:
    """Send each run with 2,000 bytes of nothing."""

    def with_nothing(*run: Any) -> tuple[str, bytes]:
        columns, data = binary(*run)
        return columns, data + bytes(2_000)

    replace(frames, binary=with_nothing)


def more_frames() -> None:
    """Send 30 frames a second to everybody."""
    init = Outbox.__init__

    def thirty(self: Outbox, *arguments: Any, **named: Any) -> None:
        init(self, *arguments, **{**named, "fps": 30.0})

    replace(Outbox, __init__=thirty)


def refused_commands() -> None:
    """Refuse every fifth command."""

    async def refuse(id: str, number: int) -> None:
        if number % 5 == 4:
            raise Unavailable("not now", retry_after=1)

    command_with(refuse)


def kept_frames() -> None:
    """Keep memory for each frame."""
    blocks: list[bytearray] = []
    deliver = Hub.frames

    def keeping(self: Hub, *arguments: Any, **named: Any) -> None:
        blocks.append(bytearray(b"0") * 100_000)
        deliver(self, *arguments, **named)

    replace(Hub, frames=keeping)


# ---------------------------------------------------------------------- trouble


def notice_stuck() -> None:
    """Fill `STUCK`: a reader is stuck that has had no credit for a second."""
    take = Session.take
    since: dict[int, float] = {}

    def taking(self: Session, now: float) -> Any:
        if self.has_credit(now):
            since.pop(id(self), None)
        elif now - since.setdefault(id(self), now) > 1.0:
            STUCK.update(self.watched)
        return take(self, now)

    replace(Session, take=taking)


def endless_credit() -> None:
    """Send frames whether or not they are acknowledged."""
    replace(Session, has_credit=lambda self, now: True)


def slow_return() -> None:
    """Let everybody who comes back wait."""
    join = Connection._join

    async def joining(self: Connection, message: Any) -> None:
        if message.since:
            await asyncio.sleep(2.0)
        await join(self, message)

    replace(Connection, _join=joining)


def lost_buckets() -> None:
    """Leave the first step out of each frame."""
    deliver = Hub.frames

    def cut(update: RunUpdate) -> RunUpdate:
        return dataclasses.replace(update, buckets=update.buckets.part(slice(1, None)))

    def without_first(self: Hub, experiment: str, answers: list[Answer], made_at: float) -> None:
        less = [
            dataclasses.replace(each, runs={run: cut(update) for run, update in each.runs.items()})
            for each in answers
        ]
        deliver(self, experiment, less, made_at)

    replace(Hub, frames=without_first)


def stuck_reader_ages_frames() -> None:
    """Hold each message back while there is a stuck reader."""
    notice_stuck()
    old_frames(lambda: bool(STUCK))


def stuck_reader_blocks() -> None:
    """Let a stuck reader block the event loop for a third of each second."""
    notice_stuck()
    deliver, ends = Hub.frames, [0.0]

    def blocking(self: Hub, experiment: str, *arguments: Any, **named: Any) -> None:
        if experiment in STUCK and time.monotonic() > ends[0] + 0.7:
            time.sleep(0.3)
            ends[0] = time.monotonic()
        deliver(self, experiment, *arguments, **named)

    replace(Hub, frames=blocking)


def stuck_reader_slows_training() -> None:
    """Train an experiment with a stuck reader at a third of its speed."""
    notice_stuck()
    work = Experiment.work

    def slower(self: Experiment, *arguments: Any, **named: Any) -> None:
        playback: Playback | None = self._stepping._playback
        if self.id in STUCK and playback is not None and playback.speed == 60.0:
            playback.speed, playback.since, playback.ticks = 20.0, arguments[1], 0
        work(self, *arguments, **named)

    replace(Experiment, work=slower)


def stuck_reader_breaks_commands() -> None:
    """Refuse all commands while there is a stuck reader."""
    notice_stuck()

    async def refuse(id: str, number: int) -> None:
        if STUCK:
            raise Unavailable("somebody does not read", retry_after=1)

    command_with(refuse)


# ---------------------------------------------------------------------- restarts


def slow_start() -> None:
    """Take 10 s to start."""

    def settling() -> None:
        time.sleep(10.0)
        memory.settle()

    replace(server, settle=settling)


def forgotten_edits() -> None:
    """Acknowledge edits without storing them."""
    add = JournalWriter.add

    def forgetting(self: JournalWriter, what: str, **facts: Any) -> None:
        if what == "edited":
            self.require()
        else:
            add(self, what, **facts)

    replace(JournalWriter, add=forgetting)


MUTANTS: Mapping[str, Mutant] = {
    "few-places": Mutant("people with an experiment", few_places),
    "long-wait": Mutant("longest wait", long_wait),
    "costly-coming": Mutant("cores while people come", costly_coming),
    "costly-frames": Mutant("cores while all play", costly_frames),
    "old-frames": Mutant("99th percentile of a frame's age", old_frames),
    "slow-commands": Mutant("99th percentile of a command", slow_commands),
    "unfair-steps": Mutant("difference of steps", unfair_steps),
    "wide-frames": Mutant("mean bytes of a frame", wide_frames),
    "more-frames": Mutant("bytes a second", more_frames),
    "refused-commands": Mutant("errors", refused_commands),
    "kept-frames": Mutant("memory a person", kept_frames),
    "endless-credit": Mutant("age on 5 kB/s", endless_credit),
    "slow-return": Mutant("back after a cut", slow_return),
    "lost-buckets": Mutant("leave a gap", lost_buckets),
    "stuck-reader-ages-frames": Mutant("frame's age, some in trouble", stuck_reader_ages_frames),
    "stuck-reader-blocks": Mutant("command, some in trouble", stuck_reader_blocks),
    "stuck-reader-slows-training": Mutant("median, some in trouble", stuck_reader_slows_training),
    "stuck-reader-breaks-commands": Mutant("errors, some in trouble", stuck_reader_breaks_commands),
    "slow-start": Mutant("all are back after", slow_start),
    "forgotten-edits": Mutant("changes lost", forgotten_edits),
}
