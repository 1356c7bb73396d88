"""The settings of a run and the changes of an edit, in the words of the page.

The page has them in frontend/core/run-words.ts. Tests compare both. Must not know HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fallline.diagnosis.words import setting
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.methods.schedules import SCHEDULES
from fallline.vocabulary.run_settings import CONSTANT, RunSettings, ScheduleSettings, Stage, StopCondition
from fallline.vocabulary.words import word_for

_ASIDES = ("l1", "l2", "clip_norm", "clip_value", "layer_rates")


def run_sentence(settings: RunSettings) -> str:
    """Describe settings: "full batch, momentum 0.9, rate 0.03, cosine, L2 0.001"."""
    size = "full batch" if settings.batch_size is None else f"batch of {settings.batch_size:,}"
    asides = [_setting_words(name, value) for name in _ASIDES if (value := getattr(settings, name))]
    words = [
        size,
        _method(settings),
        f"rate {setting(settings.learning_rate)}",
        None
        if settings.schedule == CONSTANT
        else " then ".join(map(_schedule_word, settings.schedule.stages)),
        *asides,
    ]
    return ", ".join(word for word in words if word)


def edit_words(change: Mapping[str, Any], before: RunSettings, after: RunSettings) -> str:
    """Describe an edit: "rate 0.03 → 0.006", "SGD → mini-batch 32", "clip norm 1".

    Unchanged settings are left out, and so are the defaults of a new optimizer.
    """
    is_other = after.optimizer != before.optimizer
    own = OPTIMIZERS[after.optimizer].filled({} if is_other else before.own)
    words = [
        _moved(before.batch_size, after.batch_size, _batch),
        (_method(after) or word_for("optimizers", after.optimizer)) if is_other else None,
        *(
            _setting_words(name, value)
            for name, value in after.own.items()
            if name in change and value != own.get(name) and not (is_other and name == "momentum")
        ),
        _moved(before.learning_rate, after.learning_rate, setting, "rate "),
        *(
            _setting_words(name, now)
            for name in _ASIDES
            if (now := getattr(after, name)) != getattr(before, name)
        ),
        _schedule(after.schedule) if "schedule" in change else None,
        word_for("orders", after.order) if after.order != before.order else None,
        _redraw(change["redraw"]) if "redraw" in change else None,
        _stops(after.stop) if "stop" in change else None,
    ]
    return ", ".join(word for word in words if word)


def _redraw(redraw: Mapping[str, Any]) -> str:
    """ "layers 1, 2 reinitialized, He"."""
    layers = ", ".join(map(str, redraw["layers"]))
    word = word_for("initializers", redraw["weights"])
    return f"{'layers' if len(redraw['layers']) > 1 else 'layer'} {layers} reinitialized, {word}"


def _stops(stop: Sequence[StopCondition]) -> str:
    """ "stops when a layer dies or when test R² is above 0.9"."""
    return f"stops {' or '.join(map(_condition, stop))}" if stop else "no stop condition"


def _condition(one: StopCondition) -> str:
    if one.when == "layer_dies":
        return "when a layer dies"
    if one.when == "loss_stalls":
        return f"when the loss stalls{'' if one.steps is None else f' for {one.steps:,} steps'}"
    bound = f"below {setting(one.below or 0.0)}" if one.above is None else f"above {setting(one.above)}"
    return f"when {one.when.replace('r2', 'R²').replace('_', ' ')} is {bound}"


def _setting_words(name: str, value: float | Sequence[float] | None) -> str:
    """Return "clip norm 1", "clip norm off", "layer rates 1, 0.1"."""
    if value is None or isinstance(value, Sequence):
        return f"{word_for('settings', name)} {', '.join(map(setting, value or ())) or 'off'}"
    return f"{word_for('settings', name)} {setting(value)}"


def _method(settings: RunSettings) -> str | None:
    """Return "momentum 0.9" or "Adam"; None for plain gradient descent."""
    if settings.optimizer == "sgd":
        return None
    word, own = (
        word_for("optimizers", settings.optimizer),
        OPTIMIZERS[settings.optimizer].filled(settings.own),
    )
    return f"{word} {setting(own['momentum'])}" if "momentum" in own else word


def _batch(size: int | None) -> str:
    """Return "GD" for all samples, "SGD" for one."""
    return "GD" if size is None else "SGD" if size == 1 else f"mini-batch {size:,}"


def _moved(before: Any, after: Any, words: Any, lead: str = "") -> str | None:
    return None if before == after else f"{lead}{words(before)} → {words(after)}"


def _schedule(schedule: ScheduleSettings) -> str:
    """Describe a schedule.

    An edit that names it restarts it, so it is described even if it was in force.
    """
    words = []
    for lead, stage in zip(("schedule", "then"), schedule.stages, strict=False):
        words.append(f"{lead} {_schedule_word(stage)}")
        words += [
            _setting_words(row.name, value)
            for row in SCHEDULES[stage.name].parameters
            if (value := stage.own.get(row.name, row.default)) != row.default
        ]
    return ", ".join(words)


def _schedule_word(stage: Stage) -> str:
    return word_for("schedules", stage.name)
