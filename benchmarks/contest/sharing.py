"""Threads that share a machine: throughput of two kernels, and delay of an event loop."""

from __future__ import annotations

import asyncio
import statistics
import threading
import time
from dataclasses import dataclass, field

from contest.workloads import Workload
from fallline.engine.kernels.interface import Kernel
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.vocabulary.recipe import Recipe

SLICE_SECONDS = 0.005
SLEEP_SECONDS = 0.001


@dataclass
class Sharing:
    """By workload: the speedup of two threads, and the 99 % quantile of the delay in ms."""

    gains: dict[str, float] = field(default_factory=dict)
    late_ms: dict[str, float] = field(default_factory=dict)


class Trainer:
    """Slices as in a live run, on the calling thread, until stopped."""

    def __init__(self, workload: Workload, kernel: Kernel) -> None:
        self._problem, self._kernel = workload.problem, kernel
        self._run = Recipe.model_validate(workload.recipe).runs[0]
        self._state = begin(self._problem)
        self._length = 1
        while self._seconds(self._length) < SLICE_SECONDS and self._length < 100_000:
            self._length *= 2
        self.stop = threading.Event()
        self.steps = 0

    def _seconds(self, steps: int) -> float:
        began = time.perf_counter()
        advance(self._problem, self._state, self._run, steps, self._kernel)
        return time.perf_counter() - began

    def work(self) -> None:
        self.stop.clear()
        self.steps = 0
        while not self.stop.is_set():
            advance(self._problem, self._state, self._run, self._length, self._kernel)
            self.steps += self._length


def measured(workloads: list[Workload], kernel: Kernel, seconds: float, rounds: int) -> Sharing:
    """All figures, each a median over the rounds."""
    sharing = Sharing()
    for workload in workloads:
        pair = [Trainer(workload, kernel) for _ in range(2)]
        gains, late = [], []
        for _ in range(rounds):
            alone = _rate(pair[:1], seconds)
            gains.append(_rate(pair, seconds) / alone)
            late.append(_late_beside(pair[0], seconds))
        sharing.gains[workload.title] = statistics.median(gains)
        sharing.late_ms[workload.title] = statistics.median(late)
    return sharing


def _rate(trainers: list[Trainer], seconds: float) -> float:
    """Steps a second of all together."""
    threads = [threading.Thread(target=trainer.work) for trainer in trainers]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    for trainer in trainers:
        trainer.stop.set()
    for thread in threads:
        thread.join()
    return sum(trainer.steps for trainer in trainers) / (time.perf_counter() - began)


def _late_beside(trainer: Trainer, seconds: float) -> float:
    """The 99 % quantile of the delay of short sleeps, in ms."""
    thread = threading.Thread(target=trainer.work)
    thread.start()
    try:
        late = asyncio.run(_lateness(seconds))
    finally:
        trainer.stop.set()
        thread.join()
    return 1000 * sorted(late)[int(0.99 * len(late))]


async def _lateness(seconds: float) -> list[float]:
    late: list[float] = []
    end = time.perf_counter() + seconds
    while (due := time.perf_counter() + SLEEP_SECONDS) < end:
        await asyncio.sleep(SLEEP_SECONDS)
        late.append(time.perf_counter() - due)
    return late
