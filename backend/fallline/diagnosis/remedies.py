"""What a finding may offer: commands that act at once and can be undone. Must not know which rule offers them.

Rewinding means a fork from an earlier step: the past is never rewritten. A command leaves out the run that it is for.
"""

from __future__ import annotations

from fallline.diagnosis.view import View
from fallline.diagnosis.words import plain, setting
from fallline.vocabulary.findings import Json, Remedy

LOWER = 5.0
"""A rate that led to dead units is divided by this."""


ADAM_RATE = 0.01
"""Adam divides gradients by their size, so that its rate is another thing than that of plain descent."""

SHORT = 1.0
"""The length to which gradients are cut."""


def redraw(view: View, weights: str = "he") -> Remedy:
    """A fork that draws all layers anew: one alone dies again at the same rate, more often than not."""
    layers = list(range(1, len(view.layers) + 2))
    command = {"do": "add_run", "at_step": view.step, "redraw": {"layers": layers, "weights": weights}}
    hint = f"a fork from step {view.step:,} with all layers drawn anew"
    return Remedy(f"Fork with {weights.split('_')[0].capitalize()} init", hint, command)


def adam(view: View) -> tuple[Remedy, ...]:
    """Another optimizer; none for a run that has it."""
    if view.settings.optimizer.startswith("adam"):
        return ()
    return (edit("Switch to Adam", optimizer="adam", learning_rate=ADAM_RATE),)


def faster(view: View) -> tuple[Remedy, ...]:
    """Longer steps, for a loss that hardly moves."""
    rate = plain(3 * view.settings.learning_rate)
    return (edit("Raise the rate 3 times", learning_rate=rate), *adam(view))


def clip(view: View) -> tuple[Remedy, ...]:
    """Shorter gradients; none for a run that cuts them as short."""
    if view.settings.clip_norm is not None and view.settings.clip_norm <= SHORT:
        return ()
    return (edit("Clip gradients", clip_norm=SHORT),)


def rewind(view: View, since: int) -> tuple[Remedy, ...]:
    """A fork from well before that step, with a lower rate; none where there is nothing before it."""
    at_step = since * 9 // 10 // 10 * 10 if since >= 20 else 0
    if since == 0:
        return ()
    return (
        fork(view, "Rewind, lower rate", at_step, learning_rate=plain(view.settings.learning_rate / LOWER)),
    )


def fork(view: View, label: str, at_step: int, **changes: float | int | str | None) -> Remedy:
    """A run that shares the past up to a step and changes these settings there."""
    command: Json = {"do": "add_run", "at_step": at_step, **changes}
    return Remedy(label, f"a fork from step {at_step:,} with {_told(changes)}", command)


def edit(label: str, **changes: float | int | str | None) -> Remedy:
    """A change of settings from the next step on."""
    return Remedy(label, f"from the next step on: {_told(changes)}", {"do": "edit", **changes})


_WORDS = {"learning_rate": "rate", "batch_size": "batch", "clip_norm": "gradients cut to length", "l2": "L2"}


def _told(changes: dict[str, float | int | str | None]) -> str:
    return ", ".join(f"{_WORDS.get(name, name)} {_value(value)}" for name, value in changes.items())


def _value(value: float | int | str | None) -> str:
    return setting(value) if isinstance(value, (int, float)) else str(value)
