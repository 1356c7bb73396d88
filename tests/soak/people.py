"""A class of people, simulated in a process of its own: each opens the page and an experiment, plays and edits.

Run by `siege.force`; it prints one JSON line for each phase. Loopback only.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from siege.force import say
from siege.wire import API, Closed, Http, Socket
from support.aliases import Json

FPS = 10
SPEED = 60.0
EDIT_SECONDS = 10.0
"""Each person changes a setting this often."""

PATIENCE = 30.0
LOST = (OSError, TimeoutError, asyncio.IncompleteReadError, Closed, ValueError)

RETRY_SECONDS = (0.25, 2.0)
"""Shortest and longest wait before a page connects again."""

GONE_SECONDS = 1.5
"""A person without a frame for so long while playing is gone."""

NUMBER = re.compile(rb'"frame":(\d+)')
"""A frame's number stands at its beginning, so the generator need not parse the frame."""


_TASKS: set[asyncio.Task[None]] = set()
"""What runs beside the phases; the event loop itself keeps only weak references."""


def start(what: Coroutine[Any, Any, None]) -> None:
    task = asyncio.get_running_loop().create_task(what)
    _TASKS.add(task)
    task.add_done_callback(_TASKS.discard)


@dataclass
class Person:
    """One page with its own experiment and socket."""

    port: int
    assets: list[str]
    series: list[str]
    id: str = ""
    token: str = ""
    opened: float = 0.0
    """Seconds from the first request to the first frame."""

    wire_bytes: int = 0
    frames: list[int] = field(default_factory=list)
    """Bytes of each frame of the phase."""

    commands: list[float] = field(default_factory=list)
    """Milliseconds of each command of the phase."""

    acknowledged: dict[str, float] = field(default_factory=dict)
    """The learning rate that was acknowledged last, by run."""

    errors: list[str] = field(default_factory=list)
    last_frame: float = 0.0

    async def open(self) -> None:
        """Load the page and its files, make an experiment, and watch it until the first frame."""
        began = time.perf_counter()
        http = Http(self.port)
        for path in ("/", *self.assets):
            reply = await http.ask("GET", path, seconds=PATIENCE, Accept_Encoding="br")
            self._expect(200, reply.status, path)
            self.wire_bytes += len(reply.body)
        owner = os.urandom(16).hex()
        reply = await http.ask("POST", f"{API}/experiments", {}, seconds=PATIENCE, Fallline_Owner=owner)
        self._expect(201, reply.status, "create")
        state = reply.json()
        self.id, self.token = state["id"], state["token"]
        http.close()
        start(self._watch())
        while not self.last_frame:
            await asyncio.sleep(0.01)
        self.opened = time.perf_counter() - began

    async def play(self) -> None:
        await self._command("POST", "/play", {"speed": SPEED})

    async def edit_for_ever(self) -> None:
        """Change the learning rate of one run or the other, again and again."""
        await asyncio.sleep(random.uniform(0, EDIT_SECONDS))
        while True:
            run = random.choice(("gd", "sgd"))
            rate = round(random.uniform(0.001, 0.01), 6)
            if await self._command("PATCH", f"/runs/{run}", {"learning_rate": rate}):
                self.acknowledged[run] = rate
            await asyncio.sleep(EDIT_SECONDS)

    async def state(self) -> Json:
        http = Http(self.port)
        try:
            reply = await http.ask("GET", f"{API}/experiments/{self.id}", seconds=PATIENCE)
            self._expect(200, reply.status, "state")
            answer: Json = reply.json()
            return answer
        finally:
            http.close()

    async def _command(self, method: str, path: str, body: Json) -> bool:
        http, began = Http(self.port), time.perf_counter()
        address = f"{API}/experiments/{self.id}{path}"
        try:
            reply = await http.ask(method, address, body, token=self.token, seconds=PATIENCE)
            self._expect(200, reply.status, path)
        except LOST as error:
            self.errors.append(f"{path}: {error!r}")
            return False
        finally:
            http.close()
        self.commands.append(1000 * (time.perf_counter() - began))
        return True

    def _expect(self, status: int, answered: int, what: str) -> None:
        if answered != status:
            raise ValueError(f"{what} answered {answered}")

    async def _watch(self) -> None:
        """Watch for ever; connect again as the page does, soon and then later."""
        wait = RETRY_SECONDS[0]
        while True:
            try:
                socket = await Socket.open(self.port)
                watch = {
                    "type": "watch",
                    "experiment": self.id,
                    "token": self.token,
                    "fps": FPS,
                    "encoding": "bdata",
                    "series": self.series,
                }
                socket.send(watch)
                while True:
                    text = await socket.read()
                    if match := NUMBER.search(text, 0, 64):
                        self.frames.append(len(text))
                        self.last_frame = time.perf_counter()
                        wait = RETRY_SECONDS[0]
                        socket.send(b'{"type":"got","frame":%s}' % match[1])
            except LOST as error:
                self.errors.append(f"socket: {error!r}")
            await asyncio.sleep(random.uniform(0.5, 1) * wait)
            wait = min(2 * wait, RETRY_SECONDS[1])


async def come(
    port: int, people: int, arriving: float, playing: float, assets: list[str], series: list[str]
) -> None:
    """Open `people` pages within `arriving` seconds, play for `playing` seconds, then stay and report who is back.

    Seconds count from the start; the phases are printed as they end.
    """
    crowd = [Person(port, assets, series) for _ in range(people)]
    await asyncio.gather(*(_arrive(each, arriving * place / people) for place, each in enumerate(crowd)))
    opened = [each for each in crowd if each.opened]
    say(
        {
            "phase": "opened",
            "people": len(opened),
            "seconds": [each.opened for each in opened],
            "bytes": max((each.wire_bytes for each in crowd), default=0),
            "errors": _taken(crowd),
        }
    )
    await asyncio.gather(*(each.play() for each in opened))
    for each in opened:
        each.frames.clear()
        each.commands.clear()
        start(each.edit_for_ever())
    before = [await _steps(each) for each in opened]
    say({"phase": "playing", "errors": _taken(crowd)})
    began = time.perf_counter()
    await asyncio.sleep(playing)
    seconds = time.perf_counter() - began
    frames = [size for each in opened for size in each.frames]
    commands = [took for each in opened for took in each.commands]
    after = [await _steps(each) for each in opened]
    say(
        {
            "phase": "played",
            "seconds": seconds,
            "frames": len(frames),
            "bytes": frames,
            "commands": commands,
            "steps": [later - earlier for earlier, later in zip(before, after, strict=True)],
            "errors": _taken(crowd),
        }
    )
    # The server ends twice: say who is gone, and what was lost once all are back.
    were_gone = 0
    while True:
        await asyncio.sleep(0.25)
        now = time.perf_counter()
        gone = sum(now - each.last_frame > GONE_SECONDS for each in opened)
        say({"phase": "here", "at": time.time(), "gone": gone})
        if were_gone and not gone:
            lost = sum(await asyncio.gather(*map(_lost, opened)))
            acknowledged = sum(len(each.acknowledged) for each in opened)
            say({"phase": "back", "acknowledged": acknowledged, "lost": lost, "errors": _taken(crowd)})
        were_gone = gone


async def _lost(person: Person) -> int:
    """How many of the person's acknowledged changes the server has forgotten."""
    runs = {run["name"]: run for run in (await person.state())["recipe"]["runs"]}
    rates = {name: {edit.get("learning_rate") for edit in run["edits"]} for name, run in runs.items()}
    return sum(rate not in rates[run] for run, rate in person.acknowledged.items())


async def _arrive(person: Person, at: float) -> None:
    await asyncio.sleep(at)
    try:
        await person.open()
    except LOST as error:
        person.errors.append(f"open: {error!r}")


async def _steps(person: Person) -> int:
    return sum(run["step"] for run in (await person.state())["runs"])


def _taken(crowd: list[Person]) -> list[str]:
    """Take the errors of all people."""
    errors = [error for each in crowd for error in each.errors]
    for each in crowd:
        each.errors.clear()
    return errors
