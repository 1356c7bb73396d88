"""What there is to say of runs: what the Doctor has found, and how they do beside who knows no inputs.

Owns the order, and the words of the latter. Must not know HTML.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from fallline.engine.problem import Problem
from fallline.exports.report.facts import number
from fallline.exports.taken import Taken, TakenRun
from fallline.vocabulary.findings import Severity

Tone = Literal["problem", "good", "plain"]

ORDER: dict[Severity, int] = {"problem": 0, "warning": 1, "info": 2}
TONES: dict[Severity, Tone] = {"problem": "problem", "warning": "problem", "info": "plain"}


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
    """What the Doctor has found, the worst first and what is over last; then how the run does beside a guess."""
    for each in sorted(
        run.findings, key=lambda each: (each["until_step"] is not None, ORDER[each["severity"]])
    ):
        tone, until = TONES[each["severity"]], each["until_step"]
        seen = f"{each['evidence']} Seen at step {each['seen_at']:,}."
        over = "" if until is None else f" It was over at step {until:,}."
        yield Finding(tone if until is None else "plain", each["title"], seen + over)
    if not run.diverged:
        yield _beside_the_baseline(run, loss, problem.baseline["train"], guessing)


def _beside_the_baseline(run: TakenRun, loss: float, baseline: float, guessing: str) -> Finding:
    told = f"Training loss {number(loss)} at step {run.step:,}; {guessing}, without any input, has {number(baseline)}."
    if not loss < baseline:
        return Finding("problem", f"{run.label} is no better than {guessing}.", told)
    if loss == 0:
        return Finding("good", f"{run.label} has a training loss of exactly 0.", told)
    times = f"its loss is {baseline / loss:,.3g} times smaller"
    return Finding("good", f"{run.label} does better than {guessing}: {times}.", told)
