"""What a finding may offer: commands that act at once and can be undone. Must not know which rule offers them.

Rewinding means a fork from an earlier step: the past is never rewritten. A command leaves out the run that it is for.
"""

from __future__ import annotations

from fallline.diagnosis.view import View
from fallline.diagnosis.words import plain, setting
from fallline.vocabulary.findings import Json, Remedy

LOWER = 5.0
"""A rate that led to dead units is divided by this."""

AGAIN = 2.0
"""And by this for units that are drawn anew: at the same rate those of the notebook died again in 4 of 12 forks, at
half of it in none."""

ADAM_RATE = 0.01
"""Adam divides gradients by their size, so that its rate is another thing than that of plain descent."""

SHORT = 1.0
"""The length to which gradients are cut."""

AFTER_EDIT = 200
"""A change of the rate this many steps ago may be what led to what is found."""

CLIPPED_RATE = 0.01
"""The least rate beside it: so long is a step then."""


def redraw(view: View, weights: str) -> Remedy:
    """A fork that draws all layers anew: one alone dies again, more often than not."""
    layers = list(range(1, len(view.layers) + 2))
    command = {"do": "add_run", "at_step": view.step, "redraw": {"layers": layers, "weights": weights}}
    hint = f"a fork from step {view.step:,} with all layers drawn anew"
    return Remedy(f"Fork with {weights.split('_')[0].capitalize()} init", hint, command)


def revive(view: View) -> Remedy:
    """The same for units that died, at a rate that lets the new ones live."""
    again, rate = redraw(view, "he"), plain(view.settings.learning_rate / AGAIN)
    hint = f"{again.hint} and {_told({'learning_rate': rate})}"
    return Remedy(again.label, hint, {**again.command, "learning_rate": rate})


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
    """Shorter gradients, and a rate for them, since what the long ones bore is next to nothing. None for a run that
    cuts them as short.
    """
    if view.settings.clip_norm is not None and view.settings.clip_norm <= SHORT:
        return ()
    rate = max(view.settings.learning_rate, CLIPPED_RATE)
    return (edit("Clip gradients", clip_norm=SHORT, learning_rate=rate),)


def rewind(view: View, since: int) -> tuple[Remedy, ...]:
    """A fork from where the rate was raised shortly before that step, else from the start with a lower one: shortly
    before a layer dies most of it is dead, and a lower rate does not revive it. None where there is nothing before.
    """
    if since == 0:
        return ()
    lower = (0, plain(view.settings.learning_rate / LOWER))
    at_step, rate = raised(view, since) or lower
    return (fork(view, "Rewind, lower rate", at_step, learning_rate=rate),)


def raised(view: View, step: int) -> tuple[int, float] | None:
    """The step of the last change of the rate and the rate before it, if it was raised not long before that step."""
    changes = [
        (at_step, change["learning_rate"])
        for at_step, change in view.edits
        if at_step < step and "learning_rate" in change
    ]
    if not changes or step - changes[-1][0] > AFTER_EDIT:
        return None
    before = changes[-2][1] if len(changes) > 1 else view.first_rate
    return (changes[-1][0], before) if before < changes[-1][1] else None


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
