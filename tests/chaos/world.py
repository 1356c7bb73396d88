"""A server that is killed and started again, behind a line that is cut and falls silent, on a disk that may fill up;
and those who use it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
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
    full: float = 1.0


@dataclass
class Report:
    """What was done, and what went wrong."""

    acknowledged: int
    repeated: int
    kills: int
    cuts: int
    silences: int
    full: int
    refused: int
    seconds: float
    wrong: list[str]

    def __str__(self) -> str:
        told = (
            f"{self.acknowledged} commands acknowledged, {self.repeated} of them repeated, in {self.seconds:.0f} s; "
            f"{self.kills} kills, {self.cuts} cuts, {self.silences} silences"
        )
        told += f", {self.full} full disks with {self.refused} refusals: " if self.full else ": "
        return told + (f"WRONG: {self.wrong[0]}" if self.wrong else "0 lost, 0 duplicated, 0 different")


class Disk:
    """A file system that is filled up by a file of no use, and freed again. `folder` is where it is mounted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """To the last byte."""
        piece = b"x" * 65536
        with self._filler.open("ab", buffering=0) as file:
            while piece:
                try:
                    file.write(piece)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    piece = piece[: len(piece) // 2]

    def free(self) -> None:
        """Room again."""
        self._filler.unlink(missing_ok=True)


class KilledServer:
    """A server on one folder and one port, whatever happens to its process."""

    def __init__(self, folder: Path, mutant: str, data: Path) -> None:
        self._folder = folder
        self._data = data
        self._mutant = mutant
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def start(self) -> None:
        output = self._folder / "output"
        environment = {
            **os.environ,
            "PYTHONPATH": str(BACKEND),
            "OPENBLAS_NUM_THREADS": "1",
            "FALLLINE_DATA": str(self._data),
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
    disk: Disk | None = None,
) -> Report:
    """Let so many commands be acknowledged in chaos, over at least so many kills, then calm down and compare.

    With a `disk` the server stores there, and it fills up now and then.
    """
    compiled_ahead()
    rng, tally, began = random.Random(seed), Tally(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        server = KilledServer(Path(folder), mutant, (disk.folder if disk else Path(folder)) / "data")
        await asyncio.to_thread(server.start)
        line = Line(server.port)
        people = [Client(line.address, random.Random(rng.random()), tally) for _ in range(clients)]
        try:
            world = _World(server, line, disk, rng, tally, troubles)
            await world.live(people, acknowledged, kills)
            line.mend()
            for one in people:
                await one.settle()
        finally:
            for one in people:
                await one.close()
            line.close()
            await asyncio.to_thread(server.end)
    counts, seconds = world.happened.values(), time.monotonic() - began
    return Report(tally.acknowledged, tally.repeated, *counts, tally.refused, seconds, tally.wrong)


class _World:
    """What may break, and how often it did."""

    def __init__(
        self,
        server: KilledServer,
        line: Line,
        disk: Disk | None,
        rng: random.Random,
        tally: Tally,
        troubles: Troubles,
    ) -> None:
        self._server, self._line, self._disk = server, line, disk
        self._rng, self._tally, self._troubles = rng, tally, troubles
        self._begun: set[asyncio.Future[None]] = set()
        self.happened = dict.fromkeys(("kill", "cut", "silence", "full"), 0)

    async def live(self, people: list[Client], acknowledged: int, kills: int) -> None:
        """Until so many commands are acknowledged and so many servers killed."""
        for one in people:
            await one.begin()

        def enough() -> bool:
            return self._tally.acknowledged >= acknowledged and self.happened["kill"] >= kills

        kinds = [kind for kind in self.happened if kind != "full" or self._disk is not None]
        tasks = [asyncio.create_task(self._again_and_again(kind)) for kind in kinds]
        await asyncio.gather(*(one.live(enough) for one in people))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(
            *self._begun, return_exceptions=True
        )  # what has begun is ended, so that calm is calm

    async def _again_and_again(self, kind: str) -> None:
        while True:
            await asyncio.sleep(self._rng.expovariate(1 / getattr(self._troubles, kind)))
            self.happened[kind] += 1
            trouble = asyncio.ensure_future(getattr(self, f"_{kind}")())
            self._begun.add(trouble)
            try:
                await asyncio.shield(trouble)
            except AssertionError as error:  # the server does not start again
                self._tally.wrong.append(str(error))

    async def _kill(self) -> None:
        await asyncio.to_thread(self._server.end)
        began = time.monotonic()
        await asyncio.to_thread(self._server.start)
        await asyncio.sleep(time.monotonic() - began)

    async def _cut(self) -> None:
        self._line.cut()
        await asyncio.sleep(self._rng.random() / 5)
        self._line.mend()

    async def _silence(self) -> None:
        self._line.fall_silent()
        await asyncio.sleep(self._rng.random())
        self._line.cut()
        self._line.mend()

    async def _full(self) -> None:
        """Until somebody was refused, and a little longer; nobody may be, when what is written fits into old pages."""
        assert self._disk is not None
        before, give_up = self._tally.refused, time.monotonic() + 5
        await asyncio.to_thread(self._disk.fill)
        while self._tally.refused == before and time.monotonic() < give_up:
            await asyncio.sleep(0.05)
        await asyncio.sleep(self._rng.random())
        self._disk.free()
