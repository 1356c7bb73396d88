"""A server of the soak, and the class that uses it, as seen from outside."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import time
import urllib.request
from pathlib import Path

from siege.force import Force
from siege.server import Server
from siege.wire import Http
from support.aliases import Json

TICKS = os.sysconf("SC_CLK_TCK")


class Watched:
    """A server whose use of processor and memory is measured."""

    def __init__(self, server: Server, metrics: int) -> None:
        self.server = server
        self._metrics = metrics

    @property
    def cpu(self) -> float:
        """Processor seconds of all its threads so far."""
        fields = Path(f"/proc/{self.server.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def frame_ages(self) -> dict[float, float]:
        """How many frames were at most so many seconds old when a socket took them."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._metrics}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        buckets = re.findall(r'fallline_frame_age_seconds_bucket\{le="([^"]+)"\} (\S+)', text)
        return {float(most): float(count) for most, count in buckets}


def age_quantile(before: dict[float, float], after: dict[float, float], share: float) -> float:
    """The quantile of the ages between two readings in ms: the upper bound of its bucket."""
    counts = {most: count - before.get(most, 0.0) for most, count in sorted(after.items())}
    total = max(counts.values(), default=0.0)
    return 1000 * next((most for most, count in counts.items() if count >= share * total), 0.0)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


async def files_of_the_page(port: int) -> list[str]:
    """The files that the page loads at first."""
    http = Http(port)
    page = (await http.ask("GET", "/")).body.decode()
    http.close()
    return ["/" + path for path in dict.fromkeys(re.findall(r'(?:src|href)="(assets/[^"]+)"', page))]


async def said(crowd: Force, phase: str, seconds: float) -> Json:
    """Wait for the report of a phase."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up and not crowd.is_over:
        for line in crowd.said:
            if line["phase"] == phase:
                report: Json = line
                return report
        await asyncio.sleep(0.2)
    raise TimeoutError(f"the crowd did not come to {phase!r} within {seconds:.0f} s")
