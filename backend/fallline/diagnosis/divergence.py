"""A run that has left the finite numbers. Must not know other rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from fallline.diagnosis.remedies import fork
from fallline.diagnosis.rule import Sighting, Subject, Words
from fallline.diagnosis.view import View
from fallline.diagnosis.words import count, number, plain, setting
from fallline.vocabulary.findings import Remedy, Why

AFTER_EDIT = 200
"""A change of the rate this many steps ago may be what made the run diverge."""

SHORT = 1.0
"""The length to which gradients are cut: that of a step of `rate`."""


def diverged(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """The run stays at its last finite state."""
    if view.diverged:
        yield Sighting(lambda since: _diverged(view), "problem", view.step)


def _diverged(view: View) -> Words:
    raised = _raised(view)
    at_step, rate = (
        (raised[0], raised[1]) if raised else (_best(view), plain(view.settings.learning_rate / 10))
    )
    after = ""
    if raised:
        went = f"the rate went from {setting(raised[1])} to {setting(view.settings.learning_rate)}"
        after = f", {count(view.step - raised[0], 'step')} after {went}"
    clipped = fork(view, "Clip gradients", at_step, clip_norm=SHORT)
    return Words(
        title=f"{{run}} diverged at step {view.step:,}.",
        evidence=f"{_size(view)}{after}. The step after it would not be finite, or beyond a million times the start.",
        mark="diverged",
        why=Why(
            "Where a step is too long for the curve of the loss, it ends higher on the other side than it began; there "
            "the gradient is larger, and the next step longer still.",
            "W1 = W1 - lr * dW1",
        ),
        remedies=(
            fork(view, f"Rewind to step {at_step:,}", at_step, learning_rate=rate),
            _kept(clipped, view),
        ),
    )


def _kept(remedy: Remedy, view: View) -> Remedy:
    """With the rate that was wished for, which a fork from before the change would not have."""
    return Remedy(remedy.label, remedy.hint, {**remedy.command, "learning_rate": view.settings.learning_rate})


def _size(view: View) -> str:
    times = view.loss / view.task.initial_loss if view.task.initial_loss > 0 else math.inf
    if times >= 10 and math.isfinite(times):
        return f"Loss {number(view.loss)}, {number(times)} times its start"
    return f"Loss {number(view.loss)}"


def _raised(view: View) -> tuple[int, float] | None:
    """The step of the last change of the rate and the rate before it, if it was raised not long ago."""
    changes = [(step, change["learning_rate"]) for step, change in view.edits if "learning_rate" in change]
    if not changes or view.step - changes[-1][0] > AFTER_EDIT:
        return None
    before = changes[-2][1] if len(changes) > 1 else view.first_rate
    return (changes[-1][0], before) if before < changes[-1][1] else None


def _best(view: View) -> int:
    """The step with the least training loss."""
    if view.step == 0:
        return 0
    told = view.columns(0, 200)
    losses = told.minimum[told.names.index("train_loss")]
    return int(told.first[int(np.nanargmin(losses))]) if np.isfinite(losses).any() else 0
