"""The tables of a report as plain text: present state and edits of the runs.

Owns the formats of numbers. Must not know HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fallline.exports.export_data import ExportData, ExportRun
from fallline.exports.report.words import edit_words, run_sentence
from fallline.vocabulary.recipe import RunRecipe


@dataclass(frozen=True, slots=True)
class Table:
    """A table. `places` has, for each row, the place of its run in the experiment."""

    caption: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]
    places: list[int]


def race(data: ExportData, values: Mapping[str, Mapping[str, float]]) -> Table:
    """Compare the present state of the runs.

    `values` are their losses and scores by name.
    """
    problem = data.problem
    splits = ("train", "test") if problem.test is not None else ("train",)
    score = {"r2": "R²"}.get(problem.score.name, problem.score.name)
    head = ("Run", "How", "Step", "Epoch", "Samples seen", *(f"{split.title()} loss" for split in splits))
    rows = []
    for run in data.runs:
        now = values[run.name]
        rows.append(
            (
                run.label,
                run_sentence(run.recipe.settings_at(run.step)),
                f"{run.step:,}" + (" (diverged)" if run.diverged else ""),
                f"{run.samples_seen / problem.train.count:,.2f}",
                f"{run.samples_seen:,}",
                *(number(now[f"{split}_loss"]) for split in splits),
                _minus(f"{now[f'{splits[-1]}_{problem.score.name}']:.3f}"),
            )
        )
    return Table("State of the runs", (*head, f"{score} {splits[-1]}"), rows, _places(data))


def _places(data: ExportData) -> list[int]:
    """Return the place of each run in its experiment."""
    return [line.place or 0 for line in data.figures.runs]


def edits(data: ExportData) -> Table:
    """List the edits of all runs."""
    rows: list[tuple[str, ...]] = []
    places: list[int] = []
    for place, run in zip(_places(data), data.runs, strict=True):
        for step, words in _changes(run.recipe):
            rows.append((run.label, f"{step:,}", words))
            places.append(place)
    return Table("Edits while training", ("Run", "From step", "Changed"), rows, places)


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
