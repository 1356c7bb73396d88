"""What was trained, as tables of plain text: where the runs stand, their settings, their edits.

Owns words and formats of numbers. Must not know HTML.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fallline.engine.optimizers import OPTIMIZERS
from fallline.exports.taken import Taken
from fallline.vocabulary.run_settings import RunSettings


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
                how(run.recipe.settings_at(run.step)),
                f"{run.step:,}" + (" (diverged)" if run.diverged else ""),
                f"{run.samples_seen / problem.train.count:,.2f}",
                f"{run.samples_seen:,}",
                *(number(now[f"{split}_loss"]) for split in splits),
                f"{now[f'{splits[-1]}_{problem.score.name}']:.3f}",
            )
        )
    return Table("Where the runs stand", (*head, f"{score} {splits[-1]}"), rows, list(range(len(rows))))


def edits(found: Taken) -> Table:
    """What was changed while it was training, run by run."""
    rows: list[tuple[str, ...]] = []
    lanes: list[int] = []
    for lane, (run, told) in enumerate(zip(found.runs, found.recipe.as_json()["runs"], strict=True)):
        for edit in told["edits"]:
            rows.append((run.label, f"{edit['at_step']:,}", _changes(edit)))
            lanes.append(lane)
    return Table("Edits while training", ("Run", "From step", "Changed"), rows, lanes)


def how(settings: RunSettings) -> str:
    """How a run goes about it: "batch of 32, momentum (momentum 0.9), rate 0.03, cosine"."""
    size = "full batch" if settings.batch_size is None else f"batch of {settings.batch_size:,}"
    filled = OPTIMIZERS[settings.optimizer].filled(settings.own)
    own = ", ".join(f"{name} {value:g}" for name, value in filled.items())
    method = f"{settings.optimizer}{f' ({own})' if own else ''}"
    asides = {
        "l1": settings.l1,
        "l2": settings.l2,
        "clip_norm": settings.clip_norm,
        "clip_value": settings.clip_value,
    }
    schedule = [settings.schedule.name] if settings.schedule.name != "constant" else []
    further = [f"{name} {value:g}" for name, value in asides.items() if value]
    return ", ".join([size, method, f"rate {settings.learning_rate:g}", *schedule, *further])


def number(value: float) -> str:
    """Three significant digits; exactly 0 is not small."""
    return "0" if value == 0 else f"{value:#.3g}".rstrip(".")


def _changes(edit: dict[str, Any]) -> str:
    return ", ".join(f"{name} {json.dumps(value)}" for name, value in edit.items() if name != "at_step")
