"""A run that has left the finite numbers. Must not know other rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from fallline.diagnosis.remedies import SHORT, edit, fork, raised
from fallline.diagnosis.rule import Sighting, Subject, Words
from fallline.diagnosis.view import View
from fallline.diagnosis.words import bears, count, number, percent, plain, setting
from fallline.vocabulary.findings import Remedy, Why

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
    went_up = raised(view, view.step + 1)
    at_step, rate = went_up if went_up else (_best(view), plain(view.settings.learning_rate / 10))
    if not went_up and at_step == view.step:
        rate = min(rate, _borne(view))
    after = ""
    if went_up:
        went = f"the rate went from {setting(went_up[1])} to {setting(view.settings.learning_rate)}"
        after = f", {count(view.step - went_up[0], 'step')} after {went}"
    clipped = fork(view, "Clip gradients", at_step, clip_norm=_short(view))
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


def _borne(view: View) -> float:
    """Half of the rate that the curvature bears here, where it can be had."""
    edge = view.edge()
    if edge is None or not 0.0 < edge.sharpness < math.inf or edge.limit == math.inf:
        return math.inf
    return plain(0.5 * view.settings.learning_rate * edge.limit / edge.sharpness)


def _short(view: View) -> float:
    """A length of gradients at which no step is longer than 1."""
    return (
        min(SHORT, plain(1.0 / view.settings.learning_rate)) if view.settings.learning_rate > 0.0 else SHORT
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
    beyond = bears(edge, view.step) if edge is not None and edge.sharpness > edge.limit else ""
    lower = plain(rate / 10)
    return Words(
        title="{run} is about to diverge.",
        evidence=f"The loss rose in {rose} of the last {WATCHED - 1} steps, by "
        f"{percent(math.expm1(pace))} a step; at this "
        f"pace it is a million times its start at about step {at_step:,}.{beyond}",
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


def _best(view: View) -> int:
    """The step with the least training loss."""
    if view.step == 0:
        return 0
    told = view.columns(0, 200)
    losses = told.minimum[told.names.index("train_loss")]
    return int(told.first[int(np.nanargmin(losses))]) if np.isfinite(losses).any() else 0
