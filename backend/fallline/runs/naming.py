"""Labels of added runs that nobody named: what differs, as the page names the runs that it adds.

The page has the same words in frontend/core/run-names.ts, and tests compare both. A label that says nothing, such as
"Run 3", would stand on the page and in the Doctor's sentences.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from itertools import count
from typing import Any

from fallline.diagnosis.words import setting
from fallline.vocabulary.findings import shown_name
from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.run_settings import RunSettings
from fallline.vocabulary.words import word_for

MOST_CHANGES = 2
"""Most changes in a label."""

MOST_LETTERS = 64
"""Most letters of a label."""


def is_named(run: RunRecipe) -> bool:
    """Return whether the run has a label, or a name that says something: "run-3" does not."""
    return run.label is not None or re.fullmatch(r"run-\d+", run.name) is None


def fork_label(
    parent: RunRecipe,
    now: RunSettings,
    fork: RunRecipe,
    fields: Collection[str],
    shown: Collection[str],
    samples: int,
) -> str | None:
    """Return "SGD, rate 0.02" for a fork of "SGD", and "SGD, rate 0.02, He" for a fork of that.

    - `now` are the parent's settings in force.
    - `fields` are the request's own: a new optimizer's defaults are no change to name.
    - `shown` has the names of all runs on the page.
    - `samples` counts training samples.

    None if the label would be too long.
    """
    assert fork.origin is not None
    step = fork.origin.at_step
    edits = (edit.changes() for edit in fork.edits if edit.at_step == step)
    changes = {name: value for edit in edits for name, value in edit.items() if name in fields}
    then = parent.settings_at(step - 1) if step else parent.settings
    root, *parts = shown_name(parent.name, parent.label).split(", ")
    if root == method_word(now, samples):
        root = method_word(then, samples)
    in_force = then.as_json()
    untrue = {*_change_words(now.as_json())} - {*_change_words(in_force)}
    untrue |= {*_change_words({name: in_force[name] for name in changes if name in in_force})}
    news = _change_words(changes)[:MOST_CHANGES]
    kept = [part for part in parts if part not in untrue]
    kept = kept[max(len(kept) + len(news) - MOST_CHANGES, 0) :]
    return _free(", ".join([root, *kept, *news]), shown)


def new_label(new: RunSettings, others: Mapping[str, RunSettings], samples: int) -> str | None:
    """Return the method, else the batch or the rate in which the run differs from all others, by their names."""
    method = method_word(new, samples)
    wished = [method]
    if new.batch_size is not None and all(each.batch_size != new.batch_size for each in others.values()):
        wished.append(f"Batch {new.batch_size:,}")
    if all(each.learning_rate != new.learning_rate for each in others.values()):
        wished.append(f"Rate {setting(new.learning_rate)}")
    return next((label for label in wished if label not in others), None) or _free(method, others)


def method_word(settings: RunSettings, samples: int) -> str:
    """Return "GD", "Mini-batch" or "SGD" for plain descent, else the optimizer's name."""
    if settings.optimizer != "sgd":
        return shown_name(settings.optimizer, None)
    size = settings.batch_size
    if size is None or (size != 1 and size >= samples and settings.order != "replacement"):
        return "GD"
    return "SGD" if size == 1 else "Mini-batch"


def _free(label: str, shown: Collection[str]) -> str | None:
    """Add a number if another run has that name: "SGD 2"."""
    numbered = (label if number == 1 else f"{label} {number}" for number in count(1))
    free = next(each for each in numbered if each not in shown)
    return free if len(free) <= MOST_LETTERS else None


_WITH_WORDS = frozenset({"optimizer", "batch_size", "learning_rate", "redraw", "schedule", "order", "stop"})


def _change_words(changes: Mapping[str, Any]) -> list[str]:
    """Return "Adam", "batch 8", "rate 0.02", "He", the method first."""
    words = []
    if "optimizer" in changes:
        words.append(word_for("optimizers", changes["optimizer"]))
    if "batch_size" in changes:
        size = changes["batch_size"]
        words.append("all samples" if size is None else f"batch {size:,}")
    if "learning_rate" in changes:
        words.append(f"rate {setting(changes['learning_rate'])}")
    if (redraw := changes.get("redraw")) is not None:
        words.append(word_for("initializers", redraw["weights"]))
    if "schedule" in changes:
        schedule = changes["schedule"]
        words.append(word_for("schedules", schedule if isinstance(schedule, str) else schedule["name"]))
    if "order" in changes:
        words.append(word_for("orders", changes["order"]))
    for name, value in changes.items():
        if name not in _WITH_WORDS and (value is None or isinstance(value, (int, float))):
            words.append(f"{word_for('settings', name)} {'off' if value is None else setting(value)}")
    if changes.get("stop"):
        words.append("stop")
    return words
