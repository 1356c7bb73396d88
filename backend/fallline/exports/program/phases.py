"""What is in force when: a run's settings from its first step on, and at each edit only what it changes.

Settings are told as the program reads them: a name and a Python expression each. Must not know the program's other
lines.
"""

from __future__ import annotations

from dataclasses import dataclass

from fallline.engine.optimizers import OPTIMIZERS
from fallline.engine.schedules import SCHEDULES
from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.run_settings import RunSettings

Lines = dict[str, str]

NEVER_NEEDED = {
    "order": '"shuffle"',
    "schedule": "None",
    "since": "0",
    "l1": "0.0",
    "l2": "0.0",
    "clip_norm": "None",
    "clip_value": "None",
    "own": "{}",
}
"""A setting that always stands so is left out of the program, and so is the code that would read it."""


@dataclass(frozen=True, slots=True)
class Phases:
    """`first` is in force from step 0 on, `edits` say from which step on what is different.

    `ones` and `several` say whether a batch may hold one sample, or more; `whole` and `parts` whether it may be all
    samples in data order, or the next ones of a pass. `redraws` say at the end of which step which layers are drawn
    anew, and by which initializer.
    """

    first: Lines
    edits: dict[int, Lines]
    redraws: dict[int, tuple[list[int], str]]
    ones: bool
    several: bool
    whole: bool
    parts: bool

    def has(self, name: str) -> bool:
        """Whether the program has to read that setting."""
        return name in self.first


def phases_of(run: RunRecipe, m: int) -> Phases:
    """The phases of a run on m training samples."""
    starts = sorted({0, *(edit.at_step for edit in run.edits)})
    settings = [run.settings_at(step) for step in starts]
    told = [_told(each) for each in settings]
    kept = [
        name
        for name in told[0]
        if name not in NEVER_NEEDED or any(each[name] != NEVER_NEEDED[name] for each in told)
    ]
    for each in told:
        if "schedule" in kept and each["schedule"] == "None":
            each["schedule"] = "lambda t: 1.0"
    edits = {}
    for step, before, after in zip(starts[1:], told, told[1:], strict=False):
        changes = {name: after[name] for name in kept if after[name] != before[name]}
        if changes:
            edits[step] = changes
    return Phases(
        first={name: told[0][name] for name in kept},
        edits=edits,
        redraws={
            edit.at_step: (edit.redraw.layers, edit.redraw.weights)
            for edit in run.edits
            if edit.redraw is not None
        },
        ones=any(
            _may_take_one(each.batch_size, step, m) for step, each in zip(starts, settings, strict=True)
        ),
        several=any(each.batch_size != 1 for each in settings),
        whole=any(each.batch_size is None for each in settings),
        parts=any(each.batch_size is not None for each in settings),
    )


def _told(settings: RunSettings) -> Lines:
    row = OPTIMIZERS[settings.optimizer]
    filled = row.filled(settings.own)
    own = ", ".join(f'"{name}": {value!r}' for name, value in filled.items())
    return {
        "update": row.name,
        "own": f"{{{own}}}",
        "learning_rate": repr(settings.learning_rate),
        "schedule": _schedule(settings),
        "since": repr(settings.schedule_since if settings.schedule.name != "constant" else 0),
        "batch_size": repr(settings.batch_size),
        "order": f'"{settings.order}"',
        "l1": repr(float(settings.l1)),
        "l2": repr(float(settings.l2)),
        "clip_norm": repr(settings.clip_norm),
        "clip_value": repr(settings.clip_value),
    }


def _schedule(settings: RunSettings) -> str:
    """The factor as a function of the steps since the schedule was set; None for a constant rate."""
    row = SCHEDULES[settings.schedule.name]
    if row.name == "constant":
        return "None"
    own = [f"{each.name}={settings.schedule.own.get(each.name, each.default)!r}" for each in row.parameters]
    return f"lambda t: {row.name}_schedule(t, {', '.join(own)})"


def _may_take_one(size: int | None, since: int, m: int) -> bool:
    """Whether a batch of one sample comes: as asked, as the rest of a pass, or because an edit begins within a pass."""
    return size is not None and (size == 1 or m % size == 1 or since > 0)
