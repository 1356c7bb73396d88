"""One person: what the page on its first screen sends to the server, without drawing anything."""

from __future__ import annotations

import asyncio
import os
import random
import re
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from siege.wire import API, Closed, Http, Socket
from support import watching
from support.aliases import Json

FPS = 10
SPEED = 60.0
EDIT_SECONDS = 10.0
"""Each person changes a setting this often."""

PATIENCE = 30.0
CUT = (ConnectionError, asyncio.IncompleteReadError)
LOST = (OSError, TimeoutError, asyncio.IncompleteReadError, Closed, ValueError)

RETRY_SECONDS = (0.25, 2.0)
"""Shortest and longest wait before a page connects again."""

PING_SECONDS = 3.0
"""A page pings this often, so that its owner counts as present while nothing plays: see heartbeat.ts."""

CUT_SECONDS = 5.0
SLOW_BYTES = 5_000.0
"""Bytes per second of a slow line."""

NUMBER = re.compile(rb'"frame":(\d+)')
"""A frame's number stands at its beginning, so the generator need not parse the frame."""

STEP = re.compile(rb'"step":(\d+)')

# The page's own times, in seconds: see run-requests.ts and fall-line-requests.ts.
QUICK, EVERY, CHEAP, TROUBLED = 0.1, 0.25, 0.02, 2.0
PLACES, SLOWEST_PLACES = 0.25, 0.48
MOMENT, NEXT_MOMENT = (f"/moment?weights=16&predictions={what}" for what in ("pairs", "predicted"))
PLACES_QUERY = "/instruments/fall_line?encoding=bdata&terrain=false&runs=gd&runs=sgd"
TERRAIN_QUERY = "/instruments/fall_line?encoding=bdata&aspect=1.18&runs=gd&runs=sgd"

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
    id: str = ""
    token: str = ""
    trouble: str = ""
    """What is wrong with the line: "" or "silent", "slow" or "cut"."""

    opened: float = 0.0
    """Seconds from the first request to the first frame."""

    wire_bytes: int = 0
    frames: list[int] = field(default_factory=list)
    """Bytes of each frame of the phase."""

    commands: list[float] = field(default_factory=list)
    """Milliseconds of each command of the phase."""

    looks: int = 0
    """Answers about the runs in the phase, beside frames."""

    look_bytes: int = 0
    """Bytes of these answers."""

    stale: list[float] = field(default_factory=list)
    """Seconds by which a frame on a slow line was behind the server."""

    returns: list[float] = field(default_factory=list)
    """Seconds from each cut to the next frame."""

    holes: int = 0
    """Frames that did not continue what the page has."""

    acknowledged: dict[str, float] = field(default_factory=dict)
    """The learning rate that was acknowledged last, by run."""

    errors: list[str] = field(default_factory=list)
    last_frame: float = 0.0
    _moved: float = 0.0
    """When a frame with steps came last."""

    _lost: float = 0.0
    """When the line was lost last."""

    _positions: dict[str, Json] = field(default_factory=dict)
    _socket: Socket | None = None

    @property
    def is_gone(self) -> bool:
        """True if the line was lost and no step has come since."""
        return self._lost > self._moved

    def forget(self) -> None:
        """Begin a phase."""
        for each in (self.frames, self.commands, self.stale, self.returns):
            each.clear()
        self.looks = self.look_bytes = 0

    # ------------------------------------------------------------------ requests

    async def open(self) -> None:
        """Load the page and its files, make an experiment, and watch it until the first frame."""
        began = time.perf_counter()
        http = Http(self.port)
        for path in ("/", *self.assets, f"{API}/catalog"):
            reply = await http.ask("GET", path, seconds=PATIENCE, Accept_Encoding="br")
            self._expect(200, reply.status, path)
            self.wire_bytes += len(reply.body)
        owner = os.urandom(16).hex()
        reply = await http.ask("POST", f"{API}/experiments", {}, seconds=PATIENCE, Fallline_Owner=owner)
        self._expect(201, reply.status, "create")
        state = reply.json()
        self.id, self.token = state["id"], state["token"]
        start(self._watch_for_ever())
        start(self._ping_for_ever())
        for path in ("/figures/loss?filled=false", "/figures/gradients?filled=false", MOMENT, TERRAIN_QUERY):
            reply = await http.ask("GET", self._at(path), seconds=PATIENCE)
            self._expect(200, reply.status, path)
        http.close()
        while not self.last_frame:
            await asyncio.sleep(0.01)
        self.opened = time.perf_counter() - began

    async def play(self) -> None:
        if await self._command("POST", "/play", {"speed": SPEED}):
            start(self._look_for_ever())
            start(self._follow_for_ever())

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
            reply = await http.ask("GET", self._at(""), seconds=PATIENCE)
            self._expect(200, reply.status, "state")
            answer: Json = reply.json()
            return answer
        finally:
            http.close()

    async def _command(self, method: str, path: str, body: Json) -> bool:
        http, began = Http(self.port), time.perf_counter()
        try:
            reply = await http.ask(method, self._at(path), body, token=self.token, seconds=PATIENCE)
            self._expect(200, reply.status, path)
        except LOST as error:
            self.errors.append(f"{path}: {error!r}")
            return False
        finally:
            http.close()
        self.commands.append(1000 * (time.perf_counter() - began))
        return True

    def _at(self, path: str) -> str:
        return f"{API}/experiments/{self.id}{path}"

    def _expect(self, status: int, answered: int, what: str) -> None:
        if answered != status:
            raise ValueError(f"{what} answered {answered}")

    # ------------------------------------------------------------------ what the page measures beside frames

    async def _look_for_ever(self) -> None:
        """Ask for what the page shows of the runs beside the charts."""
        http = Http(self.port)
        while True:
            began = time.perf_counter()
            answer = await self._ask(http, NEXT_MOMENT)  # the page has the true values since it opened
            took = time.perf_counter() - began
            if answer is None:
                await asyncio.sleep(TROUBLED)
                continue
            every = QUICK if took < CHEAP else EVERY
            await asyncio.sleep(max(min(TROUBLED, max(every - took, took)), answer.get("pace_seconds", 0.0)))

    async def _follow_for_ever(self) -> None:
        """Ask for the runs' places on the fall line, and for its terrain when the steps have doubled."""
        http, doublings, terrain_at = Http(self.port), 0, 0.0
        while True:
            doubled = max((each["step"] for each in self._positions.values()), default=0).bit_length()
            is_terrain = doubled != doublings and time.perf_counter() >= terrain_at
            answer = await self._ask(http, TERRAIN_QUERY if is_terrain else PLACES_QUERY)
            if answer is None:
                await asyncio.sleep(TROUBLED)
                continue
            if is_terrain:
                doublings, terrain_at = doubled, time.perf_counter() + answer["again_seconds"]
            wait = min(SLOWEST_PLACES, max(PLACES, 0.0 if is_terrain else answer["again_seconds"]))
            await asyncio.sleep(max(wait, answer.get("pace_seconds", 0.0)))

    async def _ask(self, http: Http, path: str) -> Json | None:
        if self.trouble:  # its line has no room for it, or is gone
            return None
        try:
            try:
                reply = await http.ask("GET", self._at(path), seconds=PATIENCE)
            except CUT:  # the server closes idle connections, and a browser then asks again
                reply = await http.ask("GET", self._at(path), seconds=PATIENCE)
            self._expect(200, reply.status, path)
        except LOST as error:
            self.errors.append(f"{path}: {error!r}")
            return None
        self.looks += 1
        self.look_bytes += len(reply.body)
        answer: Json = reply.json()
        return answer

    # ------------------------------------------------------------------ frames

    async def _watch_for_ever(self) -> None:
        """Watch; connect again as the page does, soon and then later."""
        wait = RETRY_SECONDS[0]
        while True:
            try:
                self._socket = await Socket.open(self.port)
                self._ask_for_frames(self._socket, watching.PAST_BUCKETS)
                is_live = False
                while True:
                    message = await self._socket.read()
                    if (match := NUMBER.search(message, 0, 64)) is None:
                        continue
                    wait = RETRY_SECONDS[0]
                    await self._take(message)
                    self._socket.send(b'{"type":"got","frame":%s}' % match[1])
                    if not is_live:
                        is_live = True
                        self._ask_for_frames(self._socket, watching.LIVE_BUCKETS)
            except LOST as error:
                self._lost = time.perf_counter()
                if not self.trouble:
                    self.errors.append(f"socket: {error!r}")
            await asyncio.sleep(random.uniform(0.5, 1) * wait)
            wait = min(2 * wait, RETRY_SECONDS[1])

    async def _ping_for_ever(self) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            if self._socket is not None and self._socket.is_open and self.trouble != "silent":
                self._socket.send(b'{"type":"ping","id":"p"}')

    def _ask_for_frames(self, socket: Socket, buckets: int) -> None:
        since = {"since": dict(self._positions)} if self._positions else {}
        socket.send(watching.watch(self.id, self.token, fps=FPS, buckets=buckets, **since))

    async def _take(self, message: bytes) -> None:
        self.frames.append(len(message))
        if self.trouble == "slow":
            await asyncio.sleep(len(message) / SLOW_BYTES)
            behind = max(run["step"] for run in (await self.state())["runs"]) - max(
                map(int, STEP.findall(message))
            )
            self.stale.append(behind / SPEED)
        for run, update in watching.read_binary(message)["runs"].items():
            self._hold(run, update["generation"], update["columns"])
        self.last_frame = time.perf_counter()

    def _hold(self, run: str, generation: int, columns: Json) -> None:
        """Note up to which step the page has a run."""
        position = self._positions.get(run, {"generation": generation, "step": 0})
        if generation != position["generation"]:
            position = {"generation": generation, "step": 0}
        if len(columns["first"]):
            self._moved = time.perf_counter()
            if columns["first"][0] > position["step"]:
                self.holes += 1
            position = {"generation": generation, "step": int(columns["last"][-1]) + 1}
        self._positions[run] = position

    # ------------------------------------------------------------------ trouble

    def suffer(self, trouble: str) -> None:
        """From now on the line is in this trouble; "" ends it."""
        self.trouble = trouble
        if trouble == "silent" and self._socket is not None:
            self._socket.stop_reading()
        elif not trouble and self._socket is not None:
            self._socket.abort()  # the page is loaded anew
        if trouble == "cut":
            start(self._be_cut())

    async def _be_cut(self) -> None:
        await asyncio.sleep(random.uniform(0, CUT_SECONDS))
        while self.trouble == "cut":
            cut, before = time.perf_counter(), self.last_frame
            if self._socket is not None:
                self._socket.abort()
            while self.last_frame == before and self.trouble == "cut":
                await asyncio.sleep(0.02)
            if self.trouble == "cut":
                self.returns.append(self.last_frame - cut)
            await asyncio.sleep(CUT_SECONDS)
