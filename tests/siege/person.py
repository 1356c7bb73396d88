"""The legitimate user: trains at full speed, watches a socket with credit, edits, and looks back.

The siege measures the effects on this person. Times are in milliseconds, rates in steps a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from siege.server import Server
from siege.wire import API, Closed, Http, Reply, Socket
from support.aliases import Json

Asking = Callable[[Http], Awaitable[None]]

PATIENCE = 5.0
"""Seconds until the person gives up a request, which then counts as an error of that duration."""

MOST_STOLEN = 0.9
UNHEARD = 0.5
"""Longest time in seconds without a response that does not count as time without steps."""

MOST_PHASES = 3
"""Most phases in which a speed must be reached."""

EDIT_EVERY = 41
"""Every so many commands, one changes a setting."""

FPS = 10
LOST = (OSError, TimeoutError, asyncio.IncompleteReadError, Closed, ValueError)


def quantile(values: list[float], share: float) -> float:
    """The quantile at `share`; 0 without values."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


def share_error(share: float, count: int) -> float:
    """Standard error of the share of values below a quantile, of that many values: a binomial's."""
    return math.sqrt(share * (1 - share) / max(count, 1))


@dataclass
class Samples:
    """Measurements, each with the time of its completion."""

    all: list[tuple[float, float]] = field(default_factory=list)

    def add(self, value: float) -> None:
        self.all.append((time.perf_counter(), value))

    def between(self, start: float, end: float) -> list[float]:
        return [value for at, value in self.all if start <= at <= end]


@dataclass(frozen=True)
class Figures:
    """A person's measurements in one phase."""

    seconds: float
    stolen: float
    """Share of the time that other processes kept the server from a processor."""

    rate: float
    rate_error: float
    """Standard error of the rate, from its values in each second."""

    commands: list[float]
    looks: list[float]
    health: list[float]
    gaps: list[float]
    errors: list[str]

    def p99(self, which: str) -> float:
        return quantile(getattr(self, which), 0.99)

    def p99_range(self, which: str) -> tuple[float, float]:
        """The 99th percentile less and plus one standard error of its rank."""
        values: list[float] = getattr(self, which)
        error = share_error(0.99, len(values))
        return quantile(values, 0.99 - error), quantile(values, 0.99 + error)

    def p50(self, which: str) -> float:
        values: list[float] = getattr(self, which) or [0.0]
        return statistics.median(values)

    def longest(self, which: str) -> float:
        return max(getattr(self, which), default=0.0)

    def __str__(self) -> str:
        parts = [
            f"{which} {self.p50(which):.1f}/{self.p99(which):.1f}/{self.longest(which):.0f} ms"
            for which in ("commands", "looks", "health", "gaps")
        ]
        return (
            f"{self.rate:,.0f} ± {self.rate_error:,.0f} steps/s, {', '.join(parts)}, {len(self.errors)} errors; "
            f"{100 * self.stolen:.0f} % of the time taken by other processes"
        )


class Person:
    """One user of a server, from the first request on."""

    def __init__(self, server: Server, recipe: Json | None = None) -> None:
        self._server = server
        self._port = server.port
        self._recipe = recipe or {}
        self.owner = os.urandom(16).hex()
        self.id = self.token = ""
        self._runs: list[str] = []
        self._edits = 0
        self._commands, self._looks, self._health = Samples(), Samples(), Samples()
        self._gaps = Samples()
        self._errors: list[tuple[float, str]] = []
        self._steps: list[tuple[float, int, float]] = []
        """Total steps of the runs at each time, and the stolen time until then."""

        self._last_frame: float | None = None
        self._asked: dict[str, float] = {}
        """Start of a pending request, by kind."""

    @property
    def here(self) -> str:
        return f"{API}/experiments/{self.id}"

    async def create(self) -> Reply:
        """Make the experiment under the person's owner key."""
        http = Http(self._port)
        reply = await http.ask(
            "POST", f"{API}/experiments", self._recipe, seconds=30, Fallline_Owner=self.owner
        )
        if reply.status == 201:
            state = reply.json()
            self.id, self.token = state["id"], state["token"]
            self._runs = [run["name"] for run in state["runs"]]
        http.close()
        return reply

    async def ask(self, method: str, path: str = "", body: Any = None, seconds: float = PATIENCE) -> Reply:
        """Send a request about the experiment on a separate connection."""
        http = Http(self._port)
        try:
            return await http.ask(method, self.here + path, body, token=self.token, seconds=seconds)
        finally:
            http.close()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Hold an acknowledging socket during the block, which makes the person's owner present."""
        task = asyncio.create_task(self._watch())
        try:
            while self._last_frame is None:
                await asyncio.sleep(0.05)
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @asynccontextmanager
    async def living(self, speed: float | str = "max") -> AsyncIterator[None]:
        """Watch, play, edit and look back during the block."""
        tasks = [asyncio.create_task(self._watch())]
        await asyncio.sleep(0.2)
        await self.ask("POST", "/play", {"speed": speed})
        tasks += [
            asyncio.create_task(self._again_and_again(0.05, self._edit, self._commands)),
            asyncio.create_task(self._again_and_again(0.05, self._look, self._looks)),
            asyncio.create_task(self._again_and_again(1.0, self._look_back, None)),
            asyncio.create_task(self._again_and_again(0.03, self._ask_health, self._health)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def phase(self, seconds: float) -> Figures:
        """Live for that long; return the measurements."""
        began = time.perf_counter()
        await asyncio.sleep(seconds)
        return self.since(began)

    async def fastest_phase(self, seconds: float, enough: float) -> Figures:
        """Live for phases of that length until one is fast enough; return the fastest, with the errors of all.

        An attack slows down all of them, a slow moment of the machine one.
        """
        phases = [await self.phase(seconds)]
        while phases[-1].rate < enough and len(phases) < MOST_PHASES:
            phases.append(await self.phase(seconds))
        fastest = max(phases, key=lambda phase: phase.rate)
        return replace(fastest, errors=[error for phase in phases for error in phase.errors])

    def since(self, began: float) -> Figures:
        """Measurements from that moment of `time.perf_counter` until now."""
        now = time.perf_counter()
        gaps = self._gaps.between(began, now)
        if self._last_frame is not None:
            gaps.append(1000 * (now - max(self._last_frame, began)))
        rate, stolen = self._rate(began, now)
        seconds = [began + second for second in range(int(now - began))]
        rates = [self._rate(second, second + 1.0)[0] for second in seconds]
        return Figures(
            now - began,
            stolen,
            rate,
            statistics.stdev(rates) / math.sqrt(len(rates)) if len(rates) > 1 else 0.0,
            self._had(self._commands, self._edit, began, now),
            self._had(self._looks, self._look, began, now),
            self._had(self._health, self._ask_health, began, now),
            gaps,
            [what for at, what in self._errors if began <= at <= now],
        )

    def _had(self, samples: Samples, asking: Asking, began: float, now: float) -> list[float]:
        """Measurements in that time. A pending request counts as lasting until now."""
        waits = self._asked.get(asking.__name__)
        return samples.between(began, now) + ([] if waits is None else [1000 * (now - waits)])

    def _rate(self, start: float, end: float) -> tuple[float, float]:
        """Steps of all runs per second, and the stolen share of the time, which does not count.

        Without responses the person sees no steps.
        """
        heard = [(at, steps, stolen) for at, steps, stolen in self._steps if start <= at <= end]
        if len(heard) < 2:
            return 0.0, 0.0
        (first, before, stolen_before), (last, after, stolen_after) = heard[0], heard[-1]
        seconds = max(last - first, end - start - UNHEARD)
        stolen = min((stolen_after - stolen_before) / seconds, MOST_STOLEN)
        return (after - before) / (seconds * (1 - stolen)), stolen

    # ------------------------------------------------------------------ repeated requests

    async def _again_and_again(self, pause: float, do: Asking, samples: Samples | None) -> None:
        http = Http(self._port)
        try:
            while True:
                self._asked[do.__name__] = began = time.perf_counter()
                try:
                    await do(http)
                except LOST as error:
                    self._errors.append((time.perf_counter(), f"{do.__name__}: {error!r}"))
                finally:
                    del self._asked[do.__name__]
                if samples is not None:
                    samples.add(1000 * (time.perf_counter() - began))
                await asyncio.sleep(pause)
        finally:
            http.close()

    async def _edit(self, http: Http) -> None:
        self._edits += 1
        run = self._runs[self._edits % len(self._runs)]
        # Edits lengthen the recipe and slow down training, so most commands change only the view.
        change: Json = {"label": f"number {self._edits}"}
        if self._edits % EDIT_EVERY == 0:
            change = {"learning_rate": 0.01 + 1e-9 * self._edits}
        self._expect(
            200,
            await http.ask("PATCH", f"{self.here}/runs/{run}", change, token=self.token, seconds=PATIENCE),
        )

    async def _look(self, http: Http) -> None:
        reply = self._expect(200, await http.ask("GET", self.here, seconds=PATIENCE))
        steps = sum(run["step"] for run in reply.json()["runs"])
        self._steps.append((time.perf_counter(), steps, self._server.stolen()))

    async def _look_back(self, http: Http) -> None:
        path = f"{self.here}/runs/{self._runs[0]}/history?buckets=200&series=batch_loss"
        self._expect(200, await http.ask("GET", path, seconds=PATIENCE))

    async def _ask_health(self, http: Http) -> None:
        self._expect(200, await http.ask("GET", "/healthz", seconds=PATIENCE))

    def _expect(self, status: int, reply: Reply) -> Reply:
        if reply.status != status:
            raise ValueError(f"{reply.status} {reply.body[:300]!r}")
        return reply

    async def _watch(self) -> None:
        while True:
            try:
                socket = await Socket.open(self._port)
                socket.send(
                    {
                        "type": "watch",
                        "experiment": self.id,
                        "token": self.token,
                        "fps": FPS,
                        "encoding": "bdata",
                    }
                )
                await self._take_frames(socket)
            except LOST as error:
                self._errors.append((time.perf_counter(), f"watching: {error!r}"))
            await asyncio.sleep(0.2)

    async def _take_frames(self, socket: Socket) -> None:
        try:
            while True:
                message = json.loads(await socket.read())
                if message["type"] != "frame":
                    continue
                now = time.perf_counter()
                if self._last_frame is not None:
                    self._gaps.add(1000 * (now - self._last_frame))
                self._last_frame = now
                socket.send({"type": "got", "frame": message["frame"]})
        finally:
            with contextlib.suppress(RuntimeError):
                socket.close()
