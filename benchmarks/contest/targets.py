"""The targets of the compiled kernel, and whether the figures meet them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contest.rounds import Table, ratio
from contest.sharing import Sharing

OURS = "fallline_compiled"

SMALL = ("sgd", "gd", "batch_32")
WIDE = ("tanh_64", "relu_256")


@dataclass(frozen=True)
class Verdict:
    """One target and its measurement, in words; `met` is None without a measurement."""

    goal: str
    measured: str
    met: bool | None


@dataclass(frozen=True)
class Target:
    """A minimum speed or a maximum time in a workload, relative to a rival."""

    workload: str
    beside: str
    at_least: float = 0.0
    at_most: float = 0.0

    def judged(self, title: str, names: Mapping[str, str], table: Table) -> Verdict:
        name = names.get(self.beside, self.beside)
        theirs, ours = table.get(self.beside), table.get(OURS)
        goal = f"{title}: at most {self.at_most:g} times the time of {name}"
        if self.at_least:
            goal = f"{title}: at least {self.at_least:g} times as fast as {name}"
        if self.at_least == 1.0:
            goal = f"{title}: not slower than {name}"
        if theirs is None or ours is None or not theirs.steady or not ours.steady:
            return Verdict(goal, "not measured", None)
        speed = ratio(ours.steady, theirs.steady)
        if self.at_most:
            return Verdict(goal, f"{1 / speed:.2f} times", 1 / speed <= self.at_most)
        return Verdict(goal, f"{speed:.3g} times", speed >= self.at_least)


TARGETS = (
    Target("sgd", "notebook", at_least=100),
    Target("sgd", "c_loop", at_most=2),
    Target("gd", "notebook", at_least=12),
    Target("gd", "c_loop", at_most=2),
    Target("batch_32", "c_loop", at_most=2.5),
    *(Target(workload, "careful_numpy", at_least=1) for workload in SMALL + WIDE),
    *(Target(workload, "jax_scan", at_least=1) for workload in SMALL),
    *(
        Target(workload, rival, at_least=1)
        for rival in ("torch_eager", "torch_compiled", "scikit_learn", "convnetjs")
        for workload in SMALL + WIDE
    ),
    Target("sgd", "brain_js", at_least=1),
)

TWO_THREADS, LATE_MS = 1.8, 5.0


def verdicts(
    titles: Mapping[str, str], names: Mapping[str, str], tables: Mapping[str, Table]
) -> list[Verdict]:
    """Every target of the measured workloads; titles and names by key."""
    return [
        target.judged(titles[target.workload], names, tables[target.workload])
        for target in TARGETS
        if target.workload in tables
    ]


def sharing_verdicts(sharing: Sharing) -> list[Verdict]:
    """The targets for threads that share a machine."""
    goal = f"two threads: at least {TWO_THREADS:g} times the steps of one"
    speedups = [
        Verdict(f"{goal} ({name})", f"{gain:.2f} times", gain >= TWO_THREADS)
        for name, gain in sharing.gains.items()
    ]
    late = f"an event loop beside a running kernel: late by less than {LATE_MS:g} ms in 99 % of cases"
    return [
        *speedups,
        *(
            Verdict(f"{late} ({name})", f"{milliseconds:.2f} ms", milliseconds < LATE_MS)
            for name, milliseconds in sharing.late_ms.items()
        ),
    ]
