"""A server that is killed and started again, behind a line that is cut and that falls silent, and those who use it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from browser.proxy import Line
from chaos.client import Client, Tally
from support.serving import BACKEND, compiled_ahead

SERVER = Path(__file__).with_name("server.py")


@dataclass(frozen=True)
class Troubles:
    """Seconds from one trouble to the next of its kind, on average. A server lives at least as long as it took to
    start: on a busy machine none would live to answer.
    """

    kill: float = 2.0
    cut: float = 0.5
    silence: float = 1.5


@dataclass
class Report:
    """What was done, and what went wrong."""

    acknowledged: int
    repeated: int
    kills: int
    cuts: int
    silences: int
    seconds: float
    wrong: list[str]

    def __str__(self) -> str:
        told = (
            f"{self.acknowledged} commands acknowledged, {self.repeated} of them repeated, in {self.seconds:.0f} s; "
            f"{self.kills} kills, {self.cuts} cuts, {self.silences} silences: "
        )
        return told + (f"WRONG: {self.wrong[0]}" if self.wrong else "0 lost, 0 duplicated, 0 different")


class KilledServer:
    """A server on one folder and one port, whatever happens to its process."""

    def __init__(self, folder: Path, mutant: str) -> None:
        self._folder = folder
        self._mutant = mutant
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def start(self) -> None:
        output = self._folder / "output"
        environment = {
            **os.environ,
            "PYTHONPATH": str(BACKEND),
            "OPENBLAS_NUM_THREADS": "1",
            "FALLLINE_DATA": str(self._folder / "data"),
            "FALLLINE_COMMANDS_PER_SECOND": "1000",
            "FALLLINE_REQUESTS_PER_SECOND": "1000",
        }
        with output.open("wb") as sink:
            command = [sys.executable, str(SERVER), self._mutant, "serve", "--port", str(self.port)]
            self._process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT, env=environment)
        give_up = time.monotonic() + 60
        while not (found := re.search(r"listens on http://[^:]+:(\d+)", output.read_text())):
            if time.monotonic() > give_up or self._process.poll() is not None:
                raise AssertionError(f"the server does not start: {output.read_text()}")
            time.sleep(0.01)
        self.port = int(found[1])

    def end(self, number: int = signal.SIGKILL) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)
            self._process.wait(30)


async def chaos(
    seed: int,
    acknowledged: int,
    *,
    kills: int = 1,
    mutant: str = "none",
    clients: int = 6,
    troubles: Troubles = Troubles(),
) -> Report:
    """Let so many commands be acknowledged in chaos, over at least so many kills, then calm down and compare."""
    compiled_ahead()
    rng, tally, began = random.Random(seed), Tally(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        server = KilledServer(Path(folder), mutant)
        await asyncio.to_thread(server.start)
        line = Line(server.port)
        people = [Client(line.address, random.Random(rng.random()), tally) for _ in range(clients)]
        try:
            counts = await _through_troubles(
                people, server, line, rng, (acknowledged, kills), tally, troubles
            )
            line.mend()
            for one in people:
                await one.settle()
        finally:
            for one in people:
                await one.close()
            line.close()
            await asyncio.to_thread(server.end)
    return Report(tally.acknowledged, tally.repeated, *counts, time.monotonic() - began, tally.wrong)


async def _through_troubles(
    people: list[Client],
    server: KilledServer,
    line: Line,
    rng: random.Random,
    least: tuple[int, int],
    tally: Tally,
    troubles: Troubles,
) -> tuple[int, int, int]:
    for one in people:
        await one.begin()
    acknowledged, kills = least

    def enough() -> bool:
        return tally.acknowledged >= acknowledged and happened["kill"] >= kills

    begun: set[asyncio.Future[None]] = set()
    happened = dict.fromkeys(("kill", "cut", "silence"), 0)

    async def kill() -> None:
        await asyncio.to_thread(server.end)
        began = time.monotonic()
        await asyncio.to_thread(server.start)
        await asyncio.sleep(time.monotonic() - began)

    async def cut() -> None:
        line.cut()
        await asyncio.sleep(rng.random() / 5)
        line.mend()

    async def silence() -> None:
        line.fall_silent()
        await asyncio.sleep(rng.random())
        line.cut()
        line.mend()

    async def again_and_again(kind: str) -> None:
        while True:
            await asyncio.sleep(rng.expovariate(1 / getattr(troubles, kind)))
            happened[kind] += 1
            trouble = asyncio.ensure_future({"kill": kill, "cut": cut, "silence": silence}[kind]())
            begun.add(trouble)
            try:
                await asyncio.shield(trouble)
            except AssertionError as error:  # the server does not start again
                tally.wrong.append(str(error))

    tasks = [asyncio.create_task(again_and_again(kind)) for kind in happened]
    await asyncio.gather(*(one.live(enough) for one in people))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.gather(*begun, return_exceptions=True)  # what has begun is ended, so that calm is calm
    return happened["kill"], happened["cut"], happened["silence"]
