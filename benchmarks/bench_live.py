"""A live server: start, responses while training at full speed, speeds, frames, stop.

python benchmarks/bench_live.py [--seconds 10] [--quick]

Prints one line per figure: its name, its value, and its goal, if any.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import math
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from websockets.asyncio.client import ClientConnection, connect

from beside import Taker, as_percent, threads

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from support.watching import watch

JSON = dict[str, Any]
SPEEDS = (1, 10, 60, 1000)
INSTRUMENTS = ("curvature", "alpha", "noise")
"""The instruments that the page opens first."""
PAIRS, TURN_SECONDS = 24, 2.0
"""Turns with instruments open, and as many without.

They are short, so that a slow spell of the machine affects few of them. Each covers every instrument.
"""

COMPILING = "being compiled"

FRAME = re.compile(rb'\{"type":"frame","frame":([0-9]+),')

WIDE: JSON = {
    "network": {"layers": [{"units": 64, "activation": "relu"}] * 2, "weights": "he_normal"},
    "runs": [{"name": "gd", "learning_rate": 0.01}, {"name": "sgd", "learning_rate": 0.001, "batch_size": 1}],
}
"""5-64-64-1: its units die again and again, and the Doctor searches for the step each time."""

MOMENTS = (1.0, 4.0, 10.0)
"""Seconds from the start at which the Doctor's share is read."""


def line(what: str, figure: str, goal: str = "") -> None:
    print(f"{what:<58} {figure:>22}   {goal}", flush=True)


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


@dataclass(frozen=True, slots=True)
class Served:
    url: str
    pid: int


@contextmanager
def server(data: str | None = None) -> Iterator[Served]:
    """A separate server on a free port; measures its start and stop.

    Without a folder, its data is deleted with it.
    """
    folder = tempfile.TemporaryDirectory()
    environment = {
        **os.environ,
        "OPENBLAS_NUM_THREADS": "1",
        "FALLLINE_COMMANDS_PER_SECOND": "1000",
        "FALLLINE_DATA": data or folder.name,
    }
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "fallline", "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    url = process.stdout.readline().split()[-1].rstrip("/")
    httpx.get(f"{url}/readyz").raise_for_status()
    line("start to ready", f"{time.perf_counter() - began:.2f} s", "under 2 s")
    try:
        yield Served(url, process.pid)
    finally:
        began = time.perf_counter()
        process.send_signal(signal.SIGTERM)
        status = process.wait(timeout=20)
        line("SIGTERM to exit", f"{time.perf_counter() - began:.2f} s, status {status}", "3 s, status 0")
        folder.cleanup()


class Lab:
    """One experiment over REST."""

    def __init__(self, url: str, recipe: JSON) -> None:
        self.goes_to(url)
        steps_made = self.http.post("/experiments", json=recipe).raise_for_status().json()
        self.id, self.token = steps_made["id"], steps_made["token"]

    def goes_to(self, url: str) -> None:
        """Use the server at this address from now on."""
        self.http = httpx.Client(base_url=f"{url}/api/v1", timeout=600)

    def do(self, verb: str, body: JSON | None = None) -> JSON:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer: JSON = (
            self.http.post(f"/experiments/{self.id}/{verb}", json=body or {}, headers=headers)
            .raise_for_status()
            .json()
        )
        return answer

    def state(self) -> JSON:
        answer: JSON = self.http.get(f"/experiments/{self.id}").raise_for_status().json()
        return answer

    def step(self) -> int:
        return int(self.state()["runs"][0]["step"])


def full_speed(lab: Lab, seconds: float) -> None:
    """REST responses beside a run that trains at full speed."""
    began, first = time.perf_counter(), lab.step()
    lab.do("play", {"speed": "max"})
    took = []
    while time.perf_counter() - began < seconds:
        before = time.perf_counter()
        lab.state()
        took.append(1000 * (time.perf_counter() - before))
        time.sleep(0.02)
    steps = lab.do("pause")["runs"][0]["step"] - first
    rate = steps / (time.perf_counter() - began)
    line("GD and SGD of the notebook, at max, each", f"{rate:,.0f} steps/s")
    line("GET while at max, median", f"{statistics.median(took):.1f} ms", "under 50 ms")
    line("GET while at max, 99 %", f"{quantile(took, 0.99):.1f} ms")


def speeds(lab: Lab, seconds: float) -> None:
    """Requested and actual speeds."""
    for speed in SPEEDS:
        first = lab.do("pause")["runs"][0]["step"]
        lab.do("play", {"speed": speed})
        began = time.perf_counter()
        time.sleep(max(seconds, 5 / speed))
        # The response comes less than a tick after the tick is due, so count ticks, not time.
        steps_made = lab.do("pause")["runs"][0]["step"] - first
        shares = steps_made / (speed * (time.perf_counter() - began))
        line(f"asked for {speed} steps/s, held", f"{100 * shares:.1f} %", "95 to 105 % (and one step)")


def alone(url: str) -> None:
    """Wait until no compiler runs beside the server: with new sources it takes minutes."""
    while COMPILING in httpx.get(f"{url}/healthz").json().get("not_compiled", ""):
        time.sleep(1.0)


def measured(url: str, pid: int, pairs: int) -> None:
    """Training at full speed with the first three instruments open, and with none.

    Instruments are requested as the page does. The Doctor's cost is included in both.
    """
    lab = Lab(url, {})
    lab.do("play", {"speed": "max"})
    spent: list[float] = []
    measurement = Taker(lab.step, lambda: threads(pid)).pairs(
        pairs, TURN_SECONDS, asking(lab, spent), lambda: time.sleep(0.05)
    )
    waits = [run["doctor"] for run in lab.do("pause")["runs"]]
    doctor = sum(each["waited_seconds"] for each in waits) / sum(each["computed_seconds"] for each in waits)
    line("at max, three instruments open beside none", as_percent(measurement.rates), "95 % or more")
    line("measuring, of a processor", f"{100 * sum(spent) / (pairs * TURN_SECONDS):.1f} %", "under 2 %")
    if measurement.losses:
        line("all that they bring with them, of training's time", as_percent(measurement.losses), "under 2 %")
        line(
            "and what the Doctor takes, of late",
            f"{100 * (statistics.median(measurement.losses) + doctor):.1f} %",
            "under 5 %",
        )


def examined(url: str, name: str, recipe: JSON, seconds: float) -> None:
    """The Doctor's share of runs at full speed, from their first second on."""
    lab = Lab(url, recipe)
    lab.do("play", {"speed": "max"})
    began = time.perf_counter()
    for moment in MOMENTS:
        if moment > seconds:
            break
        time.sleep(max(began + moment - time.perf_counter(), 0.0))
        shares = [f"{100 * run['doctor']['share']:.1f}" for run in lab.state()["runs"]]
        line(
            f"the Doctor beside GD and SGD of {name}, first {moment:.0f} s",
            f"{' and '.join(shares)} %",
            "2.5 % and one look",
        )
    lab.do("pause")


def asking(lab: Lab, spent: list[float]) -> Callable[[], None]:
    """One request, then the pause that the server names; instruments in turn."""
    turns = itertools.cycle(INSTRUMENTS)

    def ask() -> None:
        before = time.perf_counter()
        answer = lab.http.get(f"/experiments/{lab.id}/runs/gd/instruments/{next(turns)}").raise_for_status()
        body = answer.json()
        spent.append(body["cost_seconds"])
        time.sleep(max(0.1, body["again_seconds"], time.perf_counter() - before))

    return ask


async def socket(url: str, lab: Lab, seconds: float) -> None:
    """Two runs at 30 frames a second at full speed, and the delay of the event loop."""
    await asyncio.to_thread(lab.do, "play", {"speed": "max"})
    frames, late, size = 0, [], 0
    async with connect(url.replace("http", "ws") + "/api/v1/stream", max_size=None) as stream:

        async def ask() -> float:
            await stream.send(json.dumps({"type": "ping", "id": "0"}))
            return time.perf_counter()

        await stream.send(
            json.dumps({"type": "watch", "experiment": lab.id, "fps": 30, "encoding": "binary"})
        )
        began = time.perf_counter()
        sent_at = await ask()
        while time.perf_counter() - began < seconds:
            message = await stream.recv()
            if isinstance(message, bytes):
                frames, size = frames + 1, size + len(message)
                await acknowledge(stream, message)
            elif json.loads(message)["type"] == "pong":
                late.append(1000 * (time.perf_counter() - sent_at))
                await asyncio.sleep(0.05)
                sent_at = await ask()
    await asyncio.to_thread(lab.do, "pause")
    line("frames of two runs at max, asked for 30 a second", f"{frames / seconds:.1f} a second")
    line("a frame of two runs", f"{size / max(frames, 1) / 1024:.0f} KB")
    line("ping beside them, median", f"{statistics.median(late):.2f} ms")
    line("ping beside them, 99 %", f"{quantile(late, 0.99):.2f} ms")


async def acknowledge(stream: ClientConnection, message: bytes) -> None:
    """Acknowledge a binary frame."""
    match = FRAME.search(message, 0, 64)
    assert match is not None
    await stream.send(f'{{"type":"got","frame":{int(match[1])}}}')


class Audience(NamedTuple):
    """Frames of each reader and all bytes of them, and the server's processor time, in so many seconds."""

    frames: list[int]
    size: int
    spent: float
    seconds: float


async def audience(served: Served, watches: list[JSON], seconds: float) -> Audience:
    """Readers of playing experiments, each with its message."""
    counts, sizes = [0] * len(watches), [0] * len(watches)

    async def read(place: int) -> None:
        async with connect(served.url.replace("http", "ws") + "/api/v1/stream", max_size=None) as stream:
            await stream.send(json.dumps(watches[place]))
            async for message in stream:
                if isinstance(message, bytes):
                    counts[place] += 1
                    sizes[place] += len(message)
                    await acknowledge(stream, message)

    readers = []
    for place in range(len(watches)):
        readers.append(asyncio.create_task(read(place)))
        await asyncio.sleep(0.01)  # at once, one address may have 50 sockets that watch nothing yet
    await asyncio.sleep(2)  # until all have caught up
    before, size = list(counts), sum(sizes)
    spent, began = processor_seconds(served.pid), time.perf_counter()
    await asyncio.sleep(seconds)
    elapsed, spent = time.perf_counter() - began, processor_seconds(served.pid) - spent
    frames = [now - then for now, then in zip(counts, before, strict=True)]
    size = sum(sizes) - size
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    return Audience(frames, size, spent, elapsed)


def one_class(served: Served, lab: Lab, seconds: float, many: int) -> None:
    """A class that watches one experiment at 60 steps a second."""
    lab.do("play", {"speed": 60})
    message = {"type": "watch", "experiment": lab.id, "encoding": "binary"}
    seen = asyncio.run(audience(served, [message] * many, seconds))
    lab.do("pause")
    worst = min(seen.frames) / seen.seconds
    line(f"frames for each of {many} who watch one experiment, at worst", f"{worst:.1f} a second", "10")
    line("the server, of a processor", f"{100 * seen.spent / seen.seconds:.0f} %", "under 50 %")


def processor_seconds(pid: int) -> float:
    """Processor time of a process's threads until now; NaN if the system does not count it."""
    times = threads(pid)
    return math.nan if times is None else sum(had for had, _ in times.values())


def crowd(served: Served, seconds: float, many: int) -> None:
    """Many experiments at 60 steps a second on one machine, unwatched and then each with a page."""
    labs = [Lab(served.url, {}) for _ in range(many)]
    for lab in labs:
        lab.do("play", {"speed": 60})
    firsts, began = [lab.step() for lab in labs], time.perf_counter()
    time.sleep(seconds)
    took = []
    for lab in labs:
        before = time.perf_counter()
        lab.state()
        took.append(1000 * (time.perf_counter() - before))
    elapsed = time.perf_counter() - began
    shares = [(lab.step() - first) / (60 * elapsed) for lab, first in zip(labs, firsts, strict=True)]
    line(
        f"{many} experiments at 60 steps/s, held at worst and best",
        f"{100 * min(shares):.0f} to {100 * max(shares):.0f} %",
    )
    line("GET beside them, median", f"{statistics.median(took):.1f} ms", "under 50 ms")
    watches = [watch(lab.id, lab.token, fps=30) for lab in labs]
    seen = asyncio.run(audience(served, watches, seconds))
    for lab in labs:
        lab.do("pause")
    frames = sum(seen.frames)
    worst = min(seen.frames) / seen.seconds
    line("frames for each page of them, asked for 30, at worst", f"{worst:.1f} a second")
    line("the server's processor time a frame, training included", f"{1e3 * seen.spent / frames:.2f} ms")
    line("such a frame, on average", f"{seen.size / frames / 1000:.2f} kB", "2.5 kB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each figure is watched")
    parser.add_argument("--quick", action="store_true", help="a fifth of the time")
    options = parser.parse_args()
    seconds = options.seconds / 5 if options.quick else options.seconds
    with server() as served:
        url = served.url
        alone(url)
        lab = Lab(url, {})
        full_speed(lab, seconds)
        measured(url, served.pid, PAIRS // 4 if options.quick else PAIRS)
        examined(url, "the notebook", {}, seconds)
        examined(url, "5-64-64-1", WIDE, seconds)
        speeds(lab, seconds)
        asyncio.run(socket(url, lab, seconds))
        one_class(served, lab, seconds, many=100)
        crowd(served, seconds, many=30)


if __name__ == "__main__":
    main()
