"""The settings of a run: all at step 0, and the changes of each edit.

Each setting is a name and a Python expression. Must not know the program's other lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fallline.engine.methods.optimizers import BIAS_DECAY, OPTIMIZERS, arguments_of
from fallline.engine.methods.schedules import SCHEDULES, sequence_of
from fallline.engine.problem import Layout
from fallline.engine.training import plateau_of
from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.run_settings import PLATEAU, RunSettings, Stage

Lines = dict[str, str]

NEUTRAL = {
    "order": '"shuffle"',
    "schedule": "None",
    "since": "0",
    "looks": "None",
    "l1": "0.0",
    "l2": "0.0",
    "clip_norm": "None",
    "clip_value": "None",
    "layer_rates": "1.0",
    "own": "{}",
}
"""Neutral values. A setting that never differs from them is left out of the program, with the code that reads it."""

PAIRS = (("l1", "l2"), ("clip_norm", "clip_value"))
"""Settings that one function reads: both stay if one does."""


@dataclass(frozen=True, slots=True)
class Phases:
    """The settings from step 0 (`first`), and the changes by step (`edits`).

    Batches may have one sample (`ones`) or more (`several`). They may be all samples in data order (`whole`), or the
    next ones of a pass (`parts`). By step, `redraws` has the layers that are reinitialized, and the initializer.
    """

    first: Lines
    edits: dict[int, Lines]
    redraws: dict[int, tuple[list[int], str]]
    ones: bool
    several: bool
    whole: bool
    parts: bool

    def has(self, name: str) -> bool:
        """Return whether the program reads this setting."""
        return name in self.first

    def values(self, name: str) -> set[str]:
        """Return all values of this setting; none if the program does not read it."""
        return {lines[name] for lines in (self.first, *self.edits.values()) if name in lines}


def phases_of(run: RunRecipe, m: int, layout: Layout) -> Phases:
    """Return the phases of a run on m training samples, of a network with this layout."""
    starts = sorted({0, *(edit.at_step for edit in run.edits)})
    settings = [run.settings_at(step) for step in starts]
    lines = [_lines(each, layout.lengths) for each in settings]
    needed = {name for name in NEUTRAL if any(each[name] != NEUTRAL[name] for each in lines)}
    needed.update(name for pair in PAIRS if not needed.isdisjoint(pair) for name in pair)
    names = [name for name in lines[0] if name not in NEUTRAL or name in needed]
    for each in lines:
        if "schedule" in names and each["schedule"] == "None":
            each["schedule"] = "lambda t: 1.0"
    edits = {}
    for step, before, after in zip(starts[1:], lines, lines[1:], strict=False):
        changes = {name: after[name] for name in names if after[name] != before[name]}
        if changes:
            edits[step] = changes
    return Phases(
        first={name: lines[0][name] for name in names},
        edits=edits,
        redraws={
            edit.at_step: (edit.redraw.layers, edit.redraw.weights)
            for edit in run.edits
            if edit.redraw is not None
        },
        ones=any(
            _may_take_one(each.batch_size, step, m) for step, each in zip(starts, settings, strict=True)
        ),
        several=any(each.batch_size != 1 for each in settings) or "looks" in needed,
        whole=any(each.batch_size is None for each in settings),
        parts=any(each.batch_size is not None for each in settings),
    )


def _lines(settings: RunSettings, lengths: Sequence[int]) -> Lines:
    row = OPTIMIZERS[settings.optimizer]
    own = ", ".join(f'"{name}": {value}' for name, value in _own(row.filled(settings.own), lengths).items())
    return {
        "update": row.name,
        "own": f"{{{own}}}",
        "learning_rate": repr(settings.learning_rate),
        "schedule": _schedule(settings),
        "since": repr(settings.schedule_since if settings.schedule.name != "constant" else 0),
        "looks": _looks(settings),
        "batch_size": repr(settings.batch_size),
        "order": f'"{settings.order}"',
        "l1": repr(float(settings.l1)),
        "l2": repr(float(settings.l2)),
        "clip_norm": repr(settings.clip_norm),
        "clip_value": repr(settings.clip_value),
        "layer_rates": _layer_rates(settings.layer_rates, lengths),
    }


def _own(filled: dict[str, float], lengths: Sequence[int]) -> Lines:
    """Return the arguments of a step; the weight decay for each entry if it differs for biases."""
    lines = {name: repr(value) for name, value in arguments_of(filled).items()}
    share = filled.get(BIAS_DECAY, 1.0)
    if share != 1.0:
        decay = filled["weight_decay"]
        decays = [decay, decay * share] * (len(lengths) // 2)
        lines["weight_decay"] = f"np.repeat({decays}, {list(lengths)})"
    return lines


def _layer_rates(factors: Sequence[float], lengths: Sequence[int]) -> str:
    """Return the factor of the rate for each entry; 1 if it is the same for all."""
    if not factors:
        return "1.0"
    sizes = [weights + biases for weights, biases in zip(lengths[0::2], lengths[1::2], strict=True)]
    return f"np.repeat({list(factors)}, {sizes})"


def _schedule(settings: RunSettings) -> str:
    """Return the factor as a function of the steps; None for a constant rate."""
    if settings.schedule.name == "constant":
        return "None"
    stages, sequence = settings.schedule.stages, sequence_of(settings.schedule)
    text = f"lambda t: {_factor(stages[0], 't')}"
    for stage, (begin, _, _) in zip(stages[1:], sequence[1:], strict=True):
        text += f" if t < {begin} else {_factor(stage, f't - {begin}')}"
    return text


def _factor(stage: Stage, t: str) -> str:
    """Return the call of a schedule's function, or the factor that a plateau has reached."""
    if stage.name == PLATEAU:
        return "plateau.factor"
    own = [f"{row.name}={stage.own.get(row.name, row.default)!r}" for row in SCHEDULES[stage.name].parameters]
    return f"{stage.name}_schedule({', '.join([t, *own])})"


def _looks(settings: RunSettings) -> str:
    """Return the first step of a plateau, the steps between its looks, and its numbers; None without one."""
    plateau = plateau_of(settings)
    return "None" if plateau is None else repr((plateau.since, plateau.every, plateau.own))


def _may_take_one(size: int | None, since: int, m: int) -> bool:
    """Return whether a batch may have one sample.

    That is by its size, at the end of a pass, or after an edit within a pass.
    """
    return size is not None and (size == 1 or m % size == 1 or since > 0)
