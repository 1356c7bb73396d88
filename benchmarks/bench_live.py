"""What a live server costs and holds: start, answers while training at full speed, speeds, frames, stop.

    python benchmarks/bench_live.py [--seconds 10] [--quick]

Prints one line a figure: what is measured, the figure, and the goal where there is one.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from websockets.asyncio.client import connect

JSON = dict[str, Any]
SPEEDS = (1, 10, 60, 1000)
INSTRUMENTS = ("curvature", "alpha", "noise")
"""What the page opens first."""
ROUNDS = 20
"""Short ones, so that a slow spell of the machine hits few of them."""

WIDE: JSON = {
    "network": {"layers": [{"units": 64, "activation": "relu"}] * 2, "weights": "he_normal"},
    "runs": [{"name": "gd", "learning_rate": 0.01}, {"name": "sgd", "learning_rate": 0.001, "batch_size": 1}],
}
"""5-64-64-1: units of it die again and again, and each time the Doctor looks since when."""

MOMENTS = (1.0, 4.0, 10.0)
"""Seconds from the start at which the Doctor's share is read."""


def line(what: str, figure: str, goal: str = "") -> None:
    print(f"{what:<58} {figure:>22}   {goal}", flush=True)


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


@contextmanager
def server(data: str | None = None) -> Iterator[str]:
    """A server of its own on a free port, ready; its start and stop are measured. What it stores goes with it, if no
    folder is named.
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
        yield url
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
        made = self.http.post("/experiments", json=recipe).raise_for_status().json()
        self.id, self.token = made["id"], made["token"]

    def goes_to(self, url: str) -> None:
        """The server is there from now on."""
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
    """REST answers beside a run that trains as fast as it goes."""
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
    """Speeds that were asked for, and held."""
    for speed in SPEEDS:
        first = lab.do("pause")["runs"][0]["step"]
        lab.do("play", {"speed": speed})
        began = time.perf_counter()
        time.sleep(max(seconds, 5 / speed))
        # Between the moment at which a tick is due and the answer lies less than a tick, so count ticks, not time.
        made = lab.do("pause")["runs"][0]["step"] - first
        held = made / (speed * (time.perf_counter() - began))
        line(f"asked for {speed} steps/s, held", f"{100 * held:.1f} %", "95 to 105 % (and one step)")


def measured(lab: Lab, seconds: float) -> None:
    """Training at full speed with the first three instruments open, asked as the page asks them, beside that with none.

    Taken in turn, and each first in turn, so that a slow spell of the machine hits both. The range is that of half of
    the rounds: where it is wide, others had the machine, and only what measuring took of a processor tells something.
    """
    ratios, costs = [], []
    share = seconds / ROUNDS
    lab.do("play", {"speed": "max"})
    for number in range(ROUNDS):
        spent: list[float] = []
        ways = {"closed": lambda: time.sleep(0.05), "open": asking(lab, spent)}
        order = ("closed", "open") if number % 2 else ("open", "closed")
        rates = {way: rate_while(lab, share, ways[way]) for way in order}
        ratios.append(rates["open"] / rates["closed"])
        costs.append(sum(spent) / share)
    lab.do("pause")
    low, high = (100 * quantile(ratios, part) for part in (0.25, 0.75))
    line(
        "at max, three instruments open beside none",
        f"{100 * statistics.median(ratios):.0f} % ({low:.0f} to {high:.0f})",
        "95 % or more",
    )
    line("measuring, of a processor", f"{100 * statistics.mean(costs):.1f} %", "under 5 %")


def examined(url: str, name: str, recipe: JSON, seconds: float) -> None:
    """What the Doctor takes of runs that train as fast as they go, from their first second on."""
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
            "5 % and one look",
        )
    lab.do("pause")


def rate_while(lab: Lab, seconds: float, do: Callable[[], None]) -> float:
    """Steps a second while something is done again and again."""
    began, first = time.perf_counter(), lab.step()
    while time.perf_counter() - began < seconds:
        do()
    last = lab.step()
    return (last - first) / (time.perf_counter() - began)


def asking(lab: Lab, spent: list[float]) -> Callable[[], None]:
    """One question, and the pause after it that the server names; which instrument, in turn."""
    turns = itertools.cycle(INSTRUMENTS)

    def ask() -> None:
        before = time.perf_counter()
        answer = lab.http.get(f"/experiments/{lab.id}/runs/gd/instruments/{next(turns)}").raise_for_status()
        told = answer.json()
        spent.append(told["cost_seconds"])
        time.sleep(max(0.1, told["again_seconds"], time.perf_counter() - before))

    return ask


async def socket(url: str, lab: Lab, seconds: float) -> None:
    """Two runs at 30 frames a second while training at full speed, and how late the event loop answers."""
    await asyncio.to_thread(lab.do, "play", {"speed": "max"})
    frames, late, size = 0, [], 0
    async with connect(url.replace("http", "ws") + "/api/v1/stream", max_size=None) as stream:

        async def ask() -> float:
            await stream.send(json.dumps({"type": "ping", "id": "0"}))
            return time.perf_counter()

        await stream.send(json.dumps({"type": "watch", "experiment": lab.id, "fps": 30, "encoding": "bdata"}))
        began = time.perf_counter()
        asked = await ask()
        while time.perf_counter() - began < seconds:
            text = await stream.recv()
            message = json.loads(text)
            if message["type"] == "frame":
                frames, size = frames + 1, size + len(text)
                await stream.send(json.dumps({"type": "got", "frame": message["frame"]}))
            elif message["type"] == "pong":
                late.append(1000 * (time.perf_counter() - asked))
                await asyncio.sleep(0.05)
                asked = await ask()
    await asyncio.to_thread(lab.do, "pause")
    line("frames of two runs at max, asked for 30 a second", f"{frames / seconds:.1f} a second")
    line("a frame of two runs", f"{size / max(frames, 1) / 1024:.0f} KB")
    line("ping beside them, median", f"{statistics.median(late):.2f} ms")
    line("ping beside them, 99 %", f"{quantile(late, 0.99):.2f} ms")


def crowd(url: str, seconds: float, many: int) -> None:
    """Many experiments at 60 steps a second on one machine."""
    labs = [Lab(url, {}) for _ in range(many)]
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
    held = [(lab.step() - first) / (60 * elapsed) for lab, first in zip(labs, firsts, strict=True)]
    for lab in labs:
        lab.do("pause")
    line(
        f"{many} experiments at 60 steps/s, held at worst and best",
        f"{100 * min(held):.0f} to {100 * max(held):.0f} %",
    )
    line("GET beside them, median", f"{statistics.median(took):.1f} ms", "under 50 ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each figure is watched")
    parser.add_argument("--quick", action="store_true", help="a fifth of the time")
    asked = parser.parse_args()
    seconds = asked.seconds / 5 if asked.quick else asked.seconds
    with server() as url:
        lab = Lab(url, {})
        full_speed(lab, seconds)
        measured(lab, 2 * seconds)
        examined(url, "the notebook", {}, seconds)
        examined(url, "5-64-64-1", WIDE, seconds)
        speeds(lab, seconds)
        asyncio.run(socket(url, lab, seconds))
        crowd(url, seconds, many=30)


if __name__ == "__main__":
    main()
