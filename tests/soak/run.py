"""`make soak`: a class of 300 on one server, with each goal beside its figure.

python tests/soak/run.py [--people 300] [--arriving 60] [--playing 60]

People open the page and an experiment of their own, play two runs at 60 steps a second, and edit. Then the server is
ended by SIGTERM and by SIGKILL while all are connected. Everything runs on loopback, is bounded in count and time, and
ends what it started. The exit status is 1 if a goal is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import socket
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "backend")]

from siege.force import Force, force  # noqa: E402
from siege.person import quantile  # noqa: E402
from siege.report import Report, Row, all_of, at_most  # noqa: E402
from siege.server import Server, open_server  # noqa: E402
from siege.wire import API, Http  # noqa: E402
from soak.people import come  # noqa: E402
from support.aliases import Json  # noqa: E402
from support.serving import compiled_ahead  # noqa: E402

OPEN_SECONDS = 3.0
OPENING_CORE, PLAYING_CORE = 0.4, 1.0
"""Shares of one core while people come, and while all play."""

FRAME_AGE_MS, COMMAND_MS = 150.0, 100.0
UNFAIR = 0.2
"""Largest difference of a person's steps from the median, as a share of it."""

FRAME_BYTES, BYTES_A_SECOND = 2_500.0, 25_000.0
PERSON_MEGABYTES = 3.0
BACK_SECONDS = 8.0
LONGEST = 900.0
"""Limit on the whole soak, in seconds."""

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
        found = re.findall(r'fallline_frame_age_seconds_bucket\{le="([^"]+)"\} (\S+)', text)
        return {float(most): float(count) for most, count in found}


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


async def page_of(port: int) -> tuple[list[str], list[str]]:
    """The files that the page loads at first, and the series that it asks for."""
    http = Http(port)
    page = (await http.ask("GET", "/")).body.decode()
    assets = ["/" + path for path in dict.fromkeys(re.findall(r'(?:src|href)="(assets/[^"]+)"', page))]
    state = (await http.ask("POST", f"{API}/experiments", {}, seconds=30)).json()
    path = f"{API}/experiments/{state['id']}"
    names = list((await http.ask("GET", f"{path}/runs/gd/history?buckets=4")).json()["series"])
    await http.ask("DELETE", path, token=state["token"])
    http.close()
    drawn = re.compile(r"(objective|(train|test)_(loss|r2)|(grad_l1|grad_l2|grad_mean|ratio)/W\d+)$")
    return assets, [name for name in names if drawn.match(name)]


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


async def until_back(crowd: Force, ended: float, phases: int) -> tuple[float, Json]:
    """Seconds until all people have frames again, and what the crowd says of its losses."""
    give_up = time.monotonic() + 5 * BACK_SECONDS
    while time.monotonic() < give_up:
        backs = [line for line in crowd.said if line["phase"] == "back"]
        if len(backs) > phases:
            here = [line for line in crowd.said if line["phase"] == "here" and line["at"] > ended]
            last_gone = max((line["at"] for line in here if line["gone"]), default=ended)
            return last_gone - ended, backs[-1]
        await asyncio.sleep(0.25)
    return 5 * BACK_SECONDS, {"acknowledged": 0, "lost": -1, "errors": []}


async def soak(report: Report, people: int, arriving: float, playing: float) -> None:
    """One class, from its first page to the second restart."""

    def note(row: Row) -> None:
        report.note("class", row)

    with tempfile.TemporaryDirectory() as folder:
        port, metrics = free_port(), free_port()
        settings = {"FALLLINE_METRICS_PORT": str(metrics), "FALLLINE_EXPERIMENTS": str(max(1_000, people))}
        start = partial(open_server, "--port", str(port), folder=Path(folder), **settings)
        with start() as server:
            assets, series = await page_of(port)
            seconds = {"arriving": arriving, "playing": playing}
            options = {"people": people, "assets": assets, "series": series, **seconds}
            async with force(come, port, LONGEST, **options) as crowd:
                await _come_and_play(note, Watched(server, metrics), crowd, people, seconds)
                ended = time.time()
                server.end(signal.SIGTERM)
                with start() as second:
                    _note_back(note, "SIGTERM", *await until_back(crowd, ended, 0))
                    ended = time.time()
                    second.end(signal.SIGKILL)
                    with start():
                        _note_back(note, "SIGKILL", *await until_back(crowd, ended, 1))


async def _come_and_play(
    note: Callable[[Row], None], watched: Watched, crowd: Force, people: int, seconds: Mapping[str, float]
) -> None:
    memory, cpu, began = watched.server.memory, watched.cpu, time.perf_counter()
    opened = await said(crowd, "opened", seconds["arriving"] + 60)
    cores = (watched.cpu - cpu) / (time.perf_counter() - began)
    note(all_of("people with an experiment on their page", opened["people"], people))
    longest = max(opened["seconds"], default=0.0)
    note(at_most("longest wait for page, experiment and first frame", longest, OPEN_SECONDS, "s", digits=1))
    note(at_most("cores while people come", cores, OPENING_CORE, "", digits=2))
    await said(crowd, "playing", 120)
    cpu, ages, began = watched.cpu, watched.frame_ages(), time.perf_counter()
    played = await said(crowd, "played", seconds["playing"] + 120)
    cores = (watched.cpu - cpu) / (time.perf_counter() - began)
    note(at_most("cores while all play", cores, PLAYING_CORE, "", digits=2))
    _note_play(note, played, people, age_quantile(ages, watched.frame_ages(), 0.99))
    each = (watched.server.memory - memory) / people / 2**20
    note(at_most("memory a person", each, PERSON_MEGABYTES, "MB", digits=2))


def _note_play(note: Callable[[Row], None], played: Json, people: int, age: float) -> None:
    seconds = played["seconds"]
    note(at_most("99th percentile of a frame's age", age, FRAME_AGE_MS, "ms"))
    note(at_most("99th percentile of a command", quantile(played["commands"], 0.99), COMMAND_MS, "ms"))
    usual = statistics.median(played["steps"])
    worst = max(abs(steps - usual) for steps in played["steps"]) / max(usual, 1)
    note(at_most("difference of a person's steps from the median", 100 * worst, 100 * UNFAIR, "%"))
    note(at_most("mean bytes of a frame", statistics.fmean(played["bytes"] or [0]), FRAME_BYTES, "B"))
    note(at_most("bytes a second and person", sum(played["bytes"]) / seconds / people, BYTES_A_SECOND, "B"))
    note(at_most("errors of all people", len(played["errors"]), 0, ""))
    rate, frames = usual / seconds, played["frames"] / seconds / people
    print(f"  ({rate:.0f} steps/s of two runs a person, {frames:.1f} frames/s, {played['errors'][:3]})")


def _note_back(note: Callable[[Row], None], how: str, seconds: float, back: Json) -> None:
    note(at_most(f"time until all are back after {how}", seconds, BACK_SECONDS, "s", digits=1))
    note(at_most(f"acknowledged changes lost by {how}", abs(back["lost"]), 0, f"of {back['acknowledged']}"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--arriving", type=float, default=60.0, help="seconds in which all open the page")
    parser.add_argument("--playing", type=float, default=60.0, help="seconds in which all play")
    options = parser.parse_args()
    compiled_ahead()
    report, began = Report(), time.monotonic()

    async def bounded() -> None:
        async with asyncio.timeout(LONGEST):
            await soak(report, options.people, options.arriving, options.playing)

    asyncio.run(bounded())
    print(
        f"{len(report.rows)} figures, {len(report.missed)} goals missed, in {time.monotonic() - began:.0f} s"
    )
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main())
