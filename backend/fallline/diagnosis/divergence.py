"""Runs that diverged or are about to. Must not know other rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from fallline.diagnosis.remedies import (
    ADAM_RATE,
    SHORT,
    drawn_anew,
    edit,
    first_helpful,
    first_rate,
    first_tried,
    fork,
    holds,
    learns,
    lower_rates,
    raised,
)
from fallline.diagnosis.rule import Sighting, Subject, Words
from fallline.diagnosis.view import View
from fallline.diagnosis.words import count, number, percent, plain, setting, sharpness_sentence
from fallline.vocabulary.findings import Remedy, Why

WATCHED = 13
"""Number of train losses from which the growth is estimated."""

STEADY = 0.8
"""Share of them that must be above the one before."""

FAR = 3.0
"""A loss below this many times its start may still come down by itself."""

BEYOND = 1e6
"""A loss of this many times its start ends a run."""

LOWER = 10.0
"""First divisor of a rate that diverged."""

USUAL_RATES = (0.1, 0.01, 0.001)
"""Rates to try with new weights, for which the old rate says nothing."""

SOON = 2_000
"""Number of steps that a forecast looks ahead."""

_WHY = Why(
    "A step that is too long for the curve of the loss ends higher on the other side than it began. There the "
    "gradient is larger, and the next step is even longer.",
    "W1 = W1 - lr * dW1",
)


def diverged(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """Report a run at its last finite state."""
    if view.diverged:
        yield Sighting(lambda since: _diverged(view), "problem", view.step)


def _diverged(view: View) -> Words:
    raise_before = raised(view, view.step + 1)
    after = ""
    if raise_before:
        went = f"the rate went from {setting(raise_before[1])} to {setting(view.settings.learning_rate)}"
        after = f", {count(view.step - raise_before[0], 'step')} after {went}"
    return Words(
        title=f"{{run}} diverged at step {view.step:,}.",
        evidence=f"{_size(view)}{after}. The next step would not be finite, or its loss would be a million "
        "times the start.",
        mark="diverged",
        why=_WHY,
        remedies=lambda: _ways_back(view, raise_before),
    )


def _ways_back(view: View, raise_before: tuple[int, float] | None) -> tuple[Remedy, ...]:
    """Return a rewind to a stable rate, and other remedies.

    The rewind goes to before the rate was raised, to the best step or to the start. The others clip gradients, use
    other weights, or another optimizer.
    """
    at_step = raise_before[0] if raise_before else _best(view)
    return first_helpful(
        lambda: _rewound(view, at_step, raise_before),
        lambda: first_tried(learns, view, (_clipped(view, at_step),)),
        lambda: first_tried(holds, view, _drawn(view)),
        lambda: first_tried(holds, view, _with_adam(view)),
    )


def _rewound(view: View, at_step: int, raise_before: tuple[int, float] | None) -> Remedy | None:
    """Return a rewind to that step, or if no rate is stable from there, to the start."""
    rates = [raise_before[1]] if raise_before else []

    def ways(step: int) -> Iterator[Remedy]:
        for rate in (*rates, *lower_rates(view, LOWER)):
            yield fork(view, f"Rewind to step {step:,}", step, learning_rate=rate)

    return first_rate(view, ways(at_step)) or (first_rate(view, ways(0)) if at_step else None)


def _drawn(view: View) -> Iterator[Remedy]:
    """Yield forks with other weights, with a short first step before the redraw."""
    for rate in USUAL_RATES:
        yield drawn_anew(view, "he", 0, learning_rate=rate, clip_norm=SHORT)


def _with_adam(view: View) -> Iterator[Remedy]:
    if not view.settings.optimizer.startswith("adam"):
        yield fork(view, "Start with Adam", 0, optimizer="adam", learning_rate=ADAM_RATE)


def _short(view: View) -> float:
    """Return a gradient length at which no step is longer than 1."""
    return (
        min(SHORT, plain(1.0 / view.settings.learning_rate)) if view.settings.learning_rate > 0.0 else SHORT
    )


def _clipped(view: View, at_step: int) -> Remedy:
    """Return a fork with clipped gradients and the present rate."""
    rate = view.settings.learning_rate
    return fork(view, "Clip gradients", at_step, clip_norm=_short(view), learning_rate=rate)


def will_diverge(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """Find a loss that grows from step to step, far above its start."""
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
    beyond = sharpness_sentence(edge, view.step) if edge is not None and edge.sharpness > edge.limit else ""
    lower = (edit("Lower the rate", learning_rate=rate) for rate in lower_rates(view, LOWER))
    return Words(
        title="{run} is about to diverge.",
        evidence=f"The loss rose in {rose} of the last {WATCHED - 1} steps, by "
        f"{percent(math.expm1(pace))} a step; at this "
        f"pace it is a million times its start at about step {at_step:,}.{beyond}",
        mark="about to diverge",
        why=_WHY,
        remedies=lambda: first_helpful(
            lambda: first_rate(view, lower),
            lambda: _rewound(view, turned, None),
        ),
    )


def _turned(view: View) -> int:
    """Return the step with the lowest recent loss, after which it grew."""
    return int(view.steps_of("train_loss")[np.argmin(view.last("train_loss"))])


def _size(view: View) -> str:
    times = view.loss / view.task.initial_loss if view.task.initial_loss > 0 else math.inf
    if times >= 10 and math.isfinite(times):
        return f"Loss {number(view.loss)}, {number(times)} times its start"
    return f"Loss {number(view.loss)}"


def _best(view: View) -> int:
    """Return the step with the lowest training loss."""
    if view.step == 0:
        return 0
    buckets = view.columns(0, 200)
    losses = buckets.minimum[buckets.names.index("train_loss")]
    return int(buckets.first[int(np.nanargmin(losses))]) if np.isfinite(losses).any() else 0
