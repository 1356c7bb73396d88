"""A server with kills, bad connections and a full disk, and its clients."""

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
    """Mean seconds between two troubles of a kind.

    A server lives at least as long as its start took, so that it can answer on a busy machine.
    """

    kill: float = 2.0
    cut: float = 0.5
    silence: float = 1.5
    full: float = 1.0


@dataclass
class Report:
    """Counts and errors."""

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
        text = (
            f"{self.acknowledged} commands acknowledged, {self.repeated} of them repeated, in {self.seconds:.0f} s; "
            f"{self.kills} kills, {self.cuts} cuts, {self.silences} silences"
        )
        text += f", {self.full} full disks with {self.refused} refusals: " if self.full else ": "
        return text + (f"WRONG: {self.wrong[0]}" if self.wrong else "0 lost, 0 duplicated, 0 different")


class Disk:
    """A file system mounted at `folder`, filled by a filler file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Fill the disk to the last byte."""
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
        """Delete the filler file."""
        self._filler.unlink(missing_ok=True)


class KilledServer:
    """A server that restarts on the same folder and port."""

    def __init__(self, folder: Path, mutant: str, data: Path) -> None:
        self._folder = folder
        self._data = data
        self._mutant = mutant
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.faults: list[str] = []
        """Exceptions that a server logged, the first of each."""

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
        deadline = time.monotonic() + 60
        while not (match := re.search(r"listens on http://[^:]+:(\d+)", output.read_text())):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise AssertionError(f"the server does not start: {output.read_text()}")
            time.sleep(0.01)
        self.port = int(match[1])

    def end(self, number: int = signal.SIGKILL) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)
            self._process.wait(30)
            _, traceback, rest = (self._folder / "output").read_text().partition("Traceback")
            if traceback:
                self.faults.append(f"the server logged: {traceback}{rest[:3000]}")


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
    """Run for this many acknowledged commands and kills, then compare.

    With a `disk`, the server stores there, and it fills up at times.
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
    counts, seconds = world.counts, time.monotonic() - began
    return Report(
        tally.acknowledged,
        tally.repeated,
        counts["kill"],
        counts["cut"],
        counts["silence"],
        counts["full"],
        tally.refused,
        seconds,
        tally.wrong + server.faults,
    )


class _World:
    """Causes the troubles and counts them."""

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
        self._started: set[asyncio.Future[None]] = set()
        self.counts = dict.fromkeys(("kill", "cut", "silence", "full"), 0)

    async def live(self, people: list[Client], acknowledged: int, kills: int) -> None:
        """Run until enough commands are acknowledged and enough servers killed."""
        for one in people:
            await one.begin()

        def enough() -> bool:
            return self._tally.acknowledged >= acknowledged and self.counts["kill"] >= kills

        kinds = [kind for kind in self.counts if kind != "full" or self._disk is not None]
        tasks = [asyncio.create_task(self._repeat(kind)) for kind in kinds]
        await asyncio.gather(*(one.live(enough) for one in people))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*self._started, return_exceptions=True)  # wait for the started troubles to end

    async def _repeat(self, kind: str) -> None:
        while True:
            await asyncio.sleep(self._rng.expovariate(1 / getattr(self._troubles, kind)))
            self.counts[kind] += 1
            trouble = asyncio.ensure_future(getattr(self, f"_{kind}")())
            self._started.add(trouble)
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
        """Keep the disk full until a command is refused.

        After 5 s, give up: writes may fit into free pages.
        """
        assert self._disk is not None
        before, deadline = self._tally.refused, time.monotonic() + 5
        await asyncio.to_thread(self._disk.fill)
        while self._tally.refused == before and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        await asyncio.sleep(self._rng.random())
        self._disk.free()
