"""What was trained, as tables of plain text: where the runs stand, their settings, their edits.

Owns formats of numbers. Must not know HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fallline.exports.report.words import edit_words, run_sentence
from fallline.exports.taken import Taken, TakenRun
from fallline.vocabulary.recipe import RunRecipe


@dataclass(frozen=True, slots=True)
class Table:
    """`lanes` has for each row the place of the run that it belongs to."""

    caption: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]
    lanes: list[int]


def race(found: Taken, values: Mapping[str, Mapping[str, float]]) -> Table:
    """Where every run stands; `values` are its losses and scores now, by name."""
    problem = found.problem
    splits = ("train", "test") if problem.test is not None else ("train",)
    score = {"r2": "R²"}.get(problem.score.name, problem.score.name)
    head = ("Run", "How", "Step", "Epoch", "Samples seen", *(f"{split.title()} loss" for split in splits))
    rows = []
    for run in found.runs:
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
    return Table("Where the runs stand", (*head, f"{score} {splits[-1]}"), rows, _lanes(found))


def _lanes(found: Taken) -> list[int]:
    """The place of each run in its experiment."""
    return [line.place or 0 for line in found.figures.runs]


def edits(found: Taken) -> Table:
    """What was changed while it was training, run by run."""
    rows: list[tuple[str, ...]] = []
    lanes: list[int] = []
    for lane, run in zip(_lanes(found), found.runs, strict=True):
        for step, words in _changes(run.recipe):
            rows.append((run.label, f"{step:,}", words))
            lanes.append(lane)
    return Table("Edits while training", ("Run", "From step", "Changed"), rows, lanes)


Marks = tuple[tuple[int, str], ...]
"""Steps, rising, and words for each."""


def marks(found: Taken) -> dict[str, Marks]:
    """Where each run was edited, up to where it stands. What a fork shares with its parent is the parent's, if that one
    is there.
    """
    labels = {run.name: run.label for run in found.runs}
    return {
        run.name: tuple((step, f"{run.label}, step {step:,}: {words}") for step, words in _marks(run, labels))
        for run in found.runs
    }


def _marks(run: TakenRun, labels: Mapping[str, str]) -> list[tuple[int, str]]:
    origin = run.recipe.origin
    made = [(step, words) for step, words in _changes(run.recipe) if step <= run.step]
    if origin is None:
        return made
    there = [words for step, words in made if step == origin.at_step]
    forked = ", ".join([f"fork of {labels.get(origin.run, origin.run)}", *there])
    shared = [] if origin.run in labels else [(step, words) for step, words in made if step < origin.at_step]
    own = [(step, words) for step, words in made if step > origin.at_step]
    return [*shared, (origin.at_step, forked), *own]


def _changes(recipe: RunRecipe) -> list[tuple[int, str]]:
    """Each edit's step, and what it changed."""
    found, before = [], recipe.settings
    for edit in recipe.edits:
        after = before.changed(edit.changes(), edit.at_step)
        found.append((edit.at_step, edit_words(edit.changes(), before, after)))
        before = after
    return found


def number(value: float) -> str:
    """Three significant digits; exactly 0 is not small."""
    return "0" if value == 0 else _minus(f"{value:#.3g}".rstrip("."))


def _minus(text: str) -> str:
    return text.replace("-", "\u2212")
