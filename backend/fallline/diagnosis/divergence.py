"""A run that has left the finite numbers. Must not know other rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from fallline.diagnosis.remedies import (
    ADAM_RATE,
    SHORT,
    drawn_anew,
    edit,
    first_rate,
    fork,
    holds,
    learns,
    lower_rates,
    raised,
    those_that_help,
    tried,
)
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

LOWER = 10.0
"""A rate that led away from the numbers is divided by this first."""

USUAL_RATES = (0.1, 0.01, 0.001)
"""Rates for other weights: what the ones that are there did not bear says nothing of them."""

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
    after = ""
    if went_up:
        went = f"the rate went from {setting(went_up[1])} to {setting(view.settings.learning_rate)}"
        after = f", {count(view.step - went_up[0], 'step')} after {went}"
    return Words(
        title=f"{{run}} diverged at step {view.step:,}.",
        evidence=f"{_size(view)}{after}. The step after it would not be finite, or beyond a million times the start.",
        mark="diverged",
        why=_WHY,
        remedies=lambda: _ways_back(view, went_up),
    )


def _ways_back(view: View, went_up: tuple[int, float] | None) -> tuple[Remedy, ...]:
    """Back to before the rate was raised, or to the best step, or the start, at a rate that holds; and what keeps the
    rate, or begins with other weights, or another optimizer.
    """
    at_step = went_up[0] if went_up else _best(view)
    return those_that_help(
        lambda: _rewound(view, at_step, went_up),
        lambda: tried(learns, view, (_clipped(view, at_step),)),
        lambda: tried(holds, view, _drawn(view)),
        lambda: tried(holds, view, _with_adam(view)),
    )


def _rewound(view: View, at_step: int, went_up: tuple[int, float] | None) -> Remedy | None:
    """To that step, or where no rate holds from there on, to the start."""
    rates = [went_up[1]] if went_up else []

    def ways(step: int) -> Iterator[Remedy]:
        for rate in (*rates, *lower_rates(view, LOWER)):
            yield fork(view, f"Rewind to step {step:,}", step, learning_rate=rate)

    return first_rate(view, ways(at_step)) or (first_rate(view, ways(0)) if at_step else None)


def _drawn(view: View) -> Iterator[Remedy]:
    """Other weights, which come with the end of the first step: it has to be short enough not to leave the numbers."""
    for rate in USUAL_RATES:
        yield drawn_anew(view, "he", 0, learning_rate=rate, clip_norm=SHORT)


def _with_adam(view: View) -> Iterator[Remedy]:
    if not view.settings.optimizer.startswith("adam"):
        yield fork(view, "Start with Adam", 0, optimizer="adam", learning_rate=ADAM_RATE)


def _short(view: View) -> float:
    """A length of gradients at which no step is longer than 1."""
    return (
        min(SHORT, plain(1.0 / view.settings.learning_rate)) if view.settings.learning_rate > 0.0 else SHORT
    )


def _clipped(view: View, at_step: int) -> Remedy:
    """With the rate that was wished for, which a fork from before the change would not have."""
    rate = view.settings.learning_rate
    return fork(view, "Clip gradients", at_step, clip_norm=_short(view), learning_rate=rate)


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
    edge = view.edge()
    beyond = bears(edge, view.step) if edge is not None and edge.sharpness > edge.limit else ""
    lower = (edit("Lower the rate", learning_rate=rate) for rate in lower_rates(view, LOWER))
    return Words(
        title="{run} is about to diverge.",
        evidence=f"The loss rose in {rose} of the last {WATCHED - 1} steps, by "
        f"{percent(math.expm1(pace))} a step; at this "
        f"pace it is a million times its start at about step {at_step:,}.{beyond}",
        mark="about to diverge",
        why=_WHY,
        remedies=lambda: those_that_help(
            lambda: first_rate(view, lower),
            lambda: _rewound(view, turned, None),
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
