"""A rival as a process: it reads jobs and writes answers."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contest.entries import Entry
from contest.environments import CACHE, Missing, command, last_line

PATIENCE_SECONDS = 300.0


@dataclass(frozen=True)
class Answer:
    """A rival's result: processor time of its process, steps, final parameters."""

    seconds: float
    steps: int
    parameters: list[float]

    @property
    def microseconds(self) -> float:
        """Microseconds a step."""
        return 1e6 * self.seconds / self.steps


class Declined(Exception):
    """A rival cannot do a workload, or failed; the text is the reason."""


class Process:
    """A running rival. Raises Missing if it cannot be installed or does not start."""

    def __init__(self, entry: Entry, cache: Path = CACHE) -> None:
        argv, variables = command(entry, cache)
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115  lives as long as the process
        self._process = subprocess.Popen(
            argv,
            env=variables,
            text=True,
            preexec_fn=_stay_on_one_core,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
        )
        self.versions: dict[str, str] = self._next_line()["versions"]

    def ask(self, job: dict[str, Any]) -> Answer:
        """Raises Declined, and Missing if the process ended."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(job) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise Missing(self._last_words()) from None
        message = self._next_line()
        if "parameters" not in message:
            raise Declined(message.get("cannot") or message["error"])
        return Answer(**message)

    def _next_line(self) -> dict[str, Any]:
        """The next line. A process that is silent for too long is ended."""
        assert self._process.stdout is not None
        timer = threading.Timer(PATIENCE_SECONDS, self._process.kill)
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if not line:
            raise Missing(self._last_words())
        message: dict[str, Any] = json.loads(line)
        return message

    def _last_words(self) -> str:
        self._process.wait()
        self._complaints.seek(0)
        words = last_line(self._complaints.read())
        self.close()
        return words or f"ended with status {self._process.returncode}"

    def close(self) -> None:
        """Let it end; kill a process in the middle of a job."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._complaints.close()


def _stay_on_one_core() -> None:
    """Pin the process to one core, so that one thread is one thread for every library."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
