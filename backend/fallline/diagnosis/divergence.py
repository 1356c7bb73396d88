"""A run that has left the finite numbers. Must not know other rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from fallline.diagnosis.remedies import SHORT, edit, fork
from fallline.diagnosis.rule import Sighting, Subject, Words
from fallline.diagnosis.view import View
from fallline.diagnosis.words import count, number, percent, plain, setting
from fallline.vocabulary.findings import Remedy, Why

AFTER_EDIT = 200
"""A change of the rate this many steps ago may be what made the run diverge."""


WATCHED = 13
"""Values of the train loss from which its growth is told."""

STEADY = 0.8
"""The share of them that has to be above the one before."""

FAR = 3.0
"""A loss below so many times its start may still come down by itself."""

BEYOND = 1e6
"""So many times its start the loss ends a run."""

SOON = 2_000
"""Steps that a forecast reaches ahead."""

_WHY = Why(
    "Where a step is too long for the curve of the loss, it ends higher on the other side than it began; there the "
    "gradient is larger, and the next step longer still.",
    "W1 = W1 - lr * dW1",
)


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
        why=_WHY,
        remedies=(
            fork(view, f"Rewind to step {at_step:,}", at_step, learning_rate=rate),
            _kept(clipped, view),
        ),
    )


def _kept(remedy: Remedy, view: View) -> Remedy:
    """With the rate that was wished for, which a fork from before the change would not have."""
    return Remedy(remedy.label, remedy.hint, {**remedy.command, "learning_rate": view.settings.learning_rate})


def will_diverge(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """The loss grows from step to step, far above its start: told before it leaves the finite numbers."""
    losses, steps = view.last("train_loss", WATCHED), view.steps_of("train_loss")[-WATCHED:]
    if view.diverged or len(losses) < WATCHED or not losses[-1] > FAR * view.task.initial_loss > 0.0:
        return
    with np.errstate(all="ignore"):
        grown = np.diff(np.log(losses))
    pace = float(grown.sum() / (steps[-1] - steps[0]))
    if (grown > 0.0).mean() < STEADY or not pace > 0.0:
        return
    at_step = int(steps[-1] + math.log(BEYOND * view.task.initial_loss / losses[-1]) / pace)
    if at_step - view.step <= SOON:
        turned = _turned(view)
        words = _will_diverge(view, int((grown > 0.0).sum()), pace, at_step, turned)
        yield Sighting(lambda since: words, "problem", turned)


def _will_diverge(view: View, rose: int, pace: float, at_step: int, turned: int) -> Words:
    edge, rate = view.edge(), view.settings.learning_rate
    bears = ""
    if edge is not None and edge.sharpness > edge.limit:
        bears = f" The sharpness is {number(edge.sharpness)}; this rate bears {number(edge.limit)}."
    lower = plain(rate / 10)
    return Words(
        title="{run} is about to diverge.",
        evidence=f"The loss rose in {rose} of the last {WATCHED - 1} steps, by "
        f"{percent(math.expm1(pace))} a step; at this "
        f"pace it is a million times its start at about step {at_step:,}.{bears}",
        mark="about to diverge",
        why=_WHY,
        remedies=(
            edit("Lower the rate", learning_rate=lower),
            fork(view, f"Rewind to step {turned:,}", turned, learning_rate=lower),
        ),
    )


def _turned(view: View) -> int:
    """The step with the least recent loss: from there on it grew."""
    return int(view.steps_of("train_loss")[np.argmin(view.last("train_loss"))])


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
