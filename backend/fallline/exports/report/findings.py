"""The findings of a report: the Doctor's, and a comparison with a guess.

The guess is a prediction without inputs. Owns the order, and the words of the comparison. Must not know HTML.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from fallline.engine.problem import Problem
from fallline.exports.export_data import ExportData, ExportRun
from fallline.exports.report.facts import number
from fallline.vocabulary.findings import Severity

Tone = Literal["problem", "good", "plain"]

ORDER: dict[Severity, int] = {"problem": 0, "warning": 1, "info": 2}
TONES: dict[Severity, Tone] = {"problem": "problem", "warning": "problem", "info": "plain"}


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding in plain text: a statement, and its evidence. Labels are not escaped."""

    tone: Tone
    title: str
    evidence: str


def findings_of(data: ExportData, losses: dict[str, float]) -> list[Finding]:
    """Return the findings of all runs, run by run.

    `losses` are their present training losses by name.
    """
    return [
        each
        for run in data.runs
        for each in _of_run(run, losses[run.name], data.problem, data.figures.baseline_words)
    ]


def _of_run(run: ExportRun, loss: float, problem: Problem, guessing: str) -> Iterator[Finding]:
    """Yield the Doctor's findings, then the comparison with a guess.

    The worst findings come first, closed ones last.
    """
    for each in sorted(
        run.findings, key=lambda each: (each["until_step"] is not None, ORDER[each["severity"]])
    ):
        tone, until = TONES[each["severity"]], each["until_step"]
        evidence = f"{each['evidence']} Seen at step {each['seen_at']:,}."
        over = "" if until is None else f" It was over at step {until:,}."
        yield Finding(tone if until is None else "plain", each["title"], evidence + over)
    if not run.diverged:
        yield _beside_the_baseline(run, loss, problem.baseline["train"], guessing)


def _beside_the_baseline(run: ExportRun, loss: float, baseline: float, guessing: str) -> Finding:
    evidence = f"Training loss {number(loss)} at step {run.step:,}; {guessing}, without inputs, has {number(baseline)}."
    if not loss < baseline:
        return Finding("problem", f"{run.label} is no better than {guessing}.", evidence)
    if loss == 0:
        return Finding("good", f"{run.label} has a training loss of exactly 0.", evidence)
    times = f"its loss is {baseline / loss:,.3g} times smaller"
    return Finding("good", f"{run.label} does better than {guessing}: {times}.", evidence)
