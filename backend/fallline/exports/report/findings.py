"""What there is to say of runs as they stand: diverged, units that are dead, no better than who knows no inputs.

Owns when something is said and in which words. Must not know HTML.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from fallline.engine.probes import units
from fallline.engine.problem import Problem
from fallline.exports.report.facts import number
from fallline.exports.taken import Taken, TakenRun

Tone = Literal["problem", "good", "plain"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`title` is what is the case, `evidence` how one sees it. Plain text, labels as people typed them."""

    tone: Tone
    title: str
    evidence: str


def findings_of(found: Taken, losses: dict[str, float]) -> list[Finding]:
    """Of all runs, those of a run together; `losses` are their training losses now, by the runs' names."""
    return [
        each
        for run in found.runs
        for each in _of_run(run, losses[run.name], found.problem, found.figures.baseline_words)
    ]


def _of_run(run: TakenRun, loss: float, problem: Problem, guessing: str) -> Iterator[Finding]:
    if run.diverged:
        yield Finding(
            "problem",
            f"{run.label} diverged at step {run.step:,}.",
            "The step after it would hold a number that is not finite, or a loss above a million times that of the"
            " start. The run stays at its last finite parameters.",
        )
    yield from _dead(run, problem)
    if not run.diverged:
        yield _beside_the_baseline(run, loss, problem.baseline["train"], guessing)


def _dead(run: TakenRun, problem: Problem) -> Iterator[Finding]:
    *hidden, _ = units(problem, run.parameters)
    for place, layer in enumerate(hidden, start=1):
        dead, count = sum(layer.dead), len(layer.dead)
        silent = f"output 0 for all {problem.train.count:,} training samples at step {run.step:,}"
        if dead == count:
            title = f"{run.label}: layer {place} is dead."
            yield Finding(
                "problem", title, f"Its {count} units {silent}, so no gradient reaches the layers before it."
            )
        elif dead:
            title = f"{run.label}: {dead} of {count} units in layer {place} are dead."
            yield Finding("problem", title, f"They {silent}. The others still learn.")


def _beside_the_baseline(run: TakenRun, loss: float, baseline: float, guessing: str) -> Finding:
    told = f"Training loss {number(loss)} at step {run.step:,}; {guessing}, without any input, has {number(baseline)}."
    if not loss < baseline:
        return Finding("problem", f"{run.label} is no better than {guessing}.", told)
    if loss == 0:
        return Finding("good", f"{run.label} has a training loss of exactly 0.", told)
    times = f"its loss is {baseline / loss:,.3g} times smaller"
    return Finding("good", f"{run.label} does better than {guessing}: {times}.", told)
