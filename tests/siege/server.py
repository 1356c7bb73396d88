"""A real server for the siege: a separate process on loopback with its own data folder.

It also measures the server's use of processor and memory.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

BACKEND = Path(__file__).parents[2] / "backend"
TESTS = Path(__file__).parents[1]
START_SECONDS = 90.0
NOT_OURS = ("FALLLINE_",)


DISK = ("unshare", "--user", "--map-root-user", "--mount")
"""Prefix of a command in its own namespace, where it may mount."""

MOUNT = 'mount -t tmpfs -o "size=$0" tmpfs "$1" && shift && exec "$@"'


class TheServerEnded(Exception):
    """The server refused to start; `output` is its log."""

    def __init__(self, output: str) -> None:
        super().__init__(f"the server does not start: {output[-500:]}")
        self.output = output


class Server:
    """A running server."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, output: Path, folder: Path) -> None:
        self.process = process
        self.port = port
        self.folder = folder
        self._output = output

    @property
    def output(self) -> str:
        """Its log."""
        return self._output.read_text(errors="replace")

    @property
    def loop_seconds(self) -> float:
        """Processor time of the thread that runs the event loop, in seconds."""
        return int(self._proc("schedstat").split()[0]) * 1e-9

    def stolen(self) -> float:
        """Seconds that its training waited for a processor used by other processes.

        The server is not responsible for this time. Waiting for Python's lock is not part of it.
        """
        threads = dict(self._threads())
        threads.pop(self.process.pid, None)
        return max(threads.values(), default=(0.0, 0.0))[1]

    def _threads(self) -> Iterator[tuple[int, tuple[float, float]]]:
        """For each thread, seconds on a processor and seconds waiting for one."""
        for each in Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                had, in_line, _ = (each / "schedstat").read_text().split()
                yield int(each.name), (int(had) * 1e-9, int(in_line) * 1e-9)

    @property
    def memory(self) -> int:
        """Resident memory that is not backed by files, in bytes."""
        return self._bytes_of("RssAnon")

    @property
    def resident(self) -> int:
        """All resident memory, in bytes."""
        return self._bytes_of("VmRSS")

    def _bytes_of(self, field: str) -> int:
        match = re.search(rf"{field}:\s+(\d+) kB", self._proc("status"))
        assert match is not None
        return int(match[1]) * 1024

    @property
    def sockets(self) -> int:
        """Number of open sockets of the process."""
        count = 0
        for each in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                count += os.readlink(each).startswith("socket:")
        return count

    def _proc(self, name: str) -> str:
        return Path(f"/proc/{self.process.pid}/{name}").read_text()

    def end(self, number: int = signal.SIGTERM, seconds: float = 20.0) -> None:
        """End it as a service manager does."""
        self.process.send_signal(number)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def open_server(
    *arguments: str,
    plants: Sequence[str] = (),
    folder: Path | None = None,
    disk: str | None = None,
    launch: str = "siege",
    **environment: str,
) -> Iterator[Server]:
    """Start a server on a free port. `plants` names faults and mutants of `launch`, a folder of tests.

    `folder` contains its data and outlives it; the default is a temporary folder. With `disk`, a size such as "3m",
    the data is on a disk of that size which only the server sees.
    """
    with tempfile.TemporaryDirectory() as own:
        place = Path(own) if folder is None else folder
        output = place / "output"
        clean = {name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)}
        settings = {
            "PYTHONPATH": str(BACKEND),
            "OPENBLAS_NUM_THREADS": "1",
            "FALLLINE_DATA": str(place / "data"),
            **environment,
        }
        launched = [sys.executable, str(TESTS / launch / "launch.py"), ",".join(plants), str(place)]
        command = [*launched, "serve", "--port", "0", *arguments]
        if disk is not None:
            (place / "data").mkdir()
            command = [*DISK, "sh", "-c", MOUNT, disk, str(place / "data"), *command]
        with output.open("wb") as sink:
            process = subprocess.Popen(
                command,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env={**clean, **settings},
            )
        try:
            yield Server(process, _port(process, output), output, place)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()


def _port(process: subprocess.Popen[bytes], output: Path) -> int:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        if match := re.search(r"listens on http://[^:]+:(\d+)", output.read_text(errors="replace")):
            return int(match[1])
        time.sleep(0.02)
    raise TheServerEnded(output.read_text(errors="replace"))
