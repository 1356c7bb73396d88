"""The contents of a report as plain text: tables of runs and edits, and findings.

The findings are the Doctor's, and a comparison with a guess: a prediction without inputs. Owns the formats of numbers,
and the order and words of findings. Must not know HTML.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from fallline.engine.problem import Problem
from fallline.exports.export_data import ExportData, ExportRun
from fallline.exports.report.words import edit_words, run_sentence
from fallline.vocabulary.findings import Severity
from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.words import word_for


@dataclass(frozen=True, slots=True)
class Table:
    """A table. `lanes` has the lane of the run of each row."""

    caption: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]
    lanes: list[str]


def race(data: ExportData, values: Mapping[str, Mapping[str, float]]) -> Table:
    """Compare the present state of the runs.

    `values` are their losses and scores by name.
    """
    problem = data.problem
    splits = ("train", "test") if problem.test is not None else ("train",)
    score = {"r2": "R²"}.get(problem.score.name, problem.score.name)
    losses = (f"{split.title()} loss" for split in splits)
    head = ("Run", "How", "Step", "Epoch", "Samples seen", *losses, f"{score} {splits[-1]}", "State")
    rows = []
    for run in data.runs:
        now = values[run.name]
        rows.append(
            (
                run.label,
                run_sentence(run.recipe.settings_at(run.step)),
                f"{run.step:,}",
                f"{run.samples_seen / problem.train.count:,.2f}",
                f"{run.samples_seen:,}",
                *(number(now[f"{split}_loss"]) for split in splits),
                _minus(f"{now[f'{splits[-1]}_{problem.score.name}']:.3f}"),
                word_for("verdicts", run.verdict),
            )
        )
    return Table("State of the runs", head, rows, _lanes(data))


def _lanes(data: ExportData) -> list[str]:
    return [line.lane for line in data.figures.runs]


def edits(data: ExportData) -> Table:
    """List the edits of all runs."""
    rows: list[tuple[str, ...]] = []
    lanes: list[str] = []
    for lane, run in zip(_lanes(data), data.runs, strict=True):
        for step, words in _changes(run.recipe):
            rows.append((run.label, f"{step:,}", words))
            lanes.append(lane)
    return Table("Edits while training", ("Run", "From step", "Changed"), rows, lanes)


Marks = tuple[tuple[int, str], ...]
"""Ascending steps with words for each."""


def marks(data: ExportData) -> dict[str, Marks]:
    """Return the edits of each run up to its present step.

    Edits that a fork shares with its parent are listed only for the parent, if that is in the data.
    """
    labels = {run.name: run.label for run in data.runs}
    return {
        run.name: tuple((step, f"{run.label}, step {step:,}: {words}") for step, words in _marks(run, labels))
        for run in data.runs
    }


def _marks(run: ExportRun, labels: Mapping[str, str]) -> list[tuple[int, str]]:
    origin = run.recipe.origin
    past = [(step, words) for step, words in _changes(run.recipe) if step <= run.step]
    if origin is None:
        return past
    at_fork = [words for step, words in past if step == origin.at_step]
    fork = ", ".join([f"fork of {labels.get(origin.run, origin.run)}", *at_fork])
    shared = [] if origin.run in labels else [(step, words) for step, words in past if step < origin.at_step]
    own = [(step, words) for step, words in past if step > origin.at_step]
    return [*shared, (origin.at_step, fork), *own]


def _changes(recipe: RunRecipe) -> list[tuple[int, str]]:
    """Return each edit's step and what it changed."""
    changes, before = [], recipe.settings
    for edit in recipe.edits:
        after = before.changed(edit.changes(), edit.at_step)
        changes.append((edit.at_step, edit_words(edit.changes(), before, after)))
        before = after
    return changes


def number(value: float) -> str:
    """Format with three significant digits; only exactly 0 is "0"."""
    return "0" if value == 0 else _minus(f"{value:#.3g}".rstrip("."))


def _minus(text: str) -> str:
    return text.replace("-", "\u2212")


# ---------------------------------------------------------------------- findings

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
        sentences = [evidence, *([] if until is None else [f"It was over at step {until:,}."])]
        sentences += [outcome["text"] for outcome in each["outcomes"]]
        yield Finding(tone if until is None else "plain", each["title"], " ".join(sentences))
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
