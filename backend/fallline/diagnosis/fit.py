"""The course of the loss. Must not know other rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from fallline.diagnosis.remedies import fork, unstuck
from fallline.diagnosis.rule import Sighting, Subject, Words
from fallline.diagnosis.view import RECENT, Course, View
from fallline.diagnosis.words import number, percent, plain
from fallline.vocabulary.columns import Floats
from fallline.vocabulary.findings import Remedy, Why

GUESSING = (0.995, 1.1)
"""A loss between these shares of the baseline's counts as guessing; steps keep it a little above."""

WANDERS = 0.1
"""Largest spread, as a share of the loss, of a network that predicts the mean."""

STOPPED = 0.005
"""A loss that falls by less, from one half of the window to the other, has stopped."""

EARLY = 50
"""Earliest step of the finding `healthy`."""

STILL = 0.01
"""A loss that falls by less, and spreads by less, is flat."""

NOTHING_LEFT, MUCH_LEFT = 0.05, 0.5
"""Shares of the baseline's loss: a flat loss below the first ends a good run, above the second it is a warning."""

ROSE, STILL_ROSE = 0.2, 0.1
"""Shares by which the test loss is above its best: to open, and to stay open."""

VISIBLE = 0.03
"""Least rise as a share of the baseline's loss: in a small loss every change is a large share."""

LASTED = 100
"""Least steps since the best test loss."""

PICTURE = 128
"""Buckets for the best test loss: their means, so that no single step's noise is the best."""

KEEPS_SMALL = 0.001
"""A first coefficient of the L2 penalty."""

LEARNING, LEARNS_ON = 0.05, 0.01
"""A loss that falls by more than the first share is learning; by less than the second, no longer."""

AT_REST, MOVED = 25, 1e-4
"""A loss that moved by less than this share in the last `AT_REST` steps has stopped."""


def predicts_the_mean(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """Find a loss at the baseline that no longer falls."""
    course = view.course("train_loss")
    if course is None or not view.task.baseline > 0:
        return
    low, high = GUESSING
    slack = 0.02 if is_open(()) else 0.0
    is_guess = low - slack <= course.after / view.task.baseline <= high + slack
    if is_guess and course.fall < STOPPED + slack and course.spread < WANDERS * course.after:
        yield Sighting(lambda since: _guesses(view, course), "problem", course.since)


def _guesses(view: View, course: Course) -> Words:
    what = view.task.guessing.removeprefix("predicting ")
    return Words(
        title=f"{{run}} predicts {what}.",
        evidence=f"Train loss {number(course.after)} over the last {course.steps:,} steps, no longer falling; "
        f"{view.task.guessing}, without any input, has {number(view.task.baseline)}.",
        mark=f"predicts {what}",
        why=Why(
            "The last bias alone can reach this loss. The predictions do not depend on the inputs, or not in a way "
            "that helps.",
            "y_pred = a_last @ W_out + b_out",
        ),
        remedies=lambda: unstuck(view),
    )


def plateau(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """Find a flat loss with much left to learn."""
    course = view.course("train_loss", 2 * RECENT)
    if course is None or course.after < NOTHING_LEFT * view.task.baseline:
        return
    slack = 2.0 if is_open(()) else 1.0
    if abs(course.fell) < slack * STILL and course.spread < slack * STILL * course.after:
        much = course.after > MUCH_LEFT * view.task.baseline
        yield Sighting(lambda since: _plateau(view, course), "warning" if much else "info", course.since)


def _plateau(view: View, course: Course) -> Words:
    moved = f"fell {percent(course.fell)}" if course.fell >= 0.0005 else "did not fall"
    score = {"r2": "R²"}.get(view.task.score, view.task.score)
    text = f"; train {score} is {number(view.score)}" if math.isfinite(view.score) else ""
    return Words(
        title="{run}: flat.",
        evidence=f"Loss {moved} in the last {course.steps:,} steps{text}.",
        mark="flat",
        why=Why(
            "The slope is almost 0: a minimum, or a flat stretch before a lower one.",
            "W1 = W1 - lr * dW1",
        ),
        # without hidden layers this is the only minimum
        remedies=lambda: unstuck(view) if view.layers else (),
    )


def overfitting(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """Find a test loss that rises while the train loss falls."""
    train = view.course("train_loss")
    test = view.course("test_loss") if view.task.has_test else None
    if train is None or test is None:
        return
    buckets = view.columns(0, PICTURE)
    losses = buckets.mean[buckets.names.index("test_loss")]
    best = int(np.nanargmin(losses))
    least, then = float(losses[best]), float(buckets.mean[buckets.names.index("train_loss")][best])
    rose = test.last - least > max(
        (STILL_ROSE if is_open(()) else ROSE) * least, VISIBLE * view.task.baseline
    )
    lately = view.step - int(buckets.last[best]) >= LASTED
    if rose and lately and train.last < then and (is_open(()) or test.last >= test.first):
        step = int(buckets.last[best])
        yield Sighting(lambda since: _overfits(view, step, least, test.last), "warning", step + 1)


def _overfits(view: View, step: int, least: float, now: float) -> Words:
    return Words(
        title="{run}: overfitting.",
        evidence=f"Train loss falls, test loss has risen for {view.step - step:,} steps "
        f"({number(least)} to {number(now)}).",
        mark="overfitting",
        why=Why(
            "The network has more freedom than the samples need: it learns their noise too, and predicts it for "
            "new samples.",
            "dy_pred = (y_pred - y) / m",
        ),
        remedies=lambda: (
            _best(view, step, least),
            fork(view, "Rewind, keep weights small", step, l2=KEEPS_SMALL),
        ),
    )


def _best(view: View, step: int, least: float) -> Remedy:
    """Return a fork from the best step that stops before it overfits again."""
    above = plain(least + max(ROSE * least, VISIBLE * view.task.baseline))
    stop = [{"when": "test_loss", "above": above}]
    hint = f"a fork from step {step:,} that stops where its test loss is above {number(above)}"
    return Remedy("Rewind to the best test loss", hint, {"do": "add_run", "at_step": step, "stop": stop})


def healthy(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """Find a loss that falls, on the test samples too."""
    course = view.course("train_loss", EARLY)
    if course is None or course.fell < (LEARNS_ON if is_open(()) else LEARNING):
        return
    if not is_open(()) and course.first - course.last < course.spread:
        return  # it may be noise
    if _has_stopped(view.last("train_loss", AT_REST)):
        return  # it no longer falls
    tested = view.course("test_loss", EARLY) if view.task.has_test else None
    if tested is None or tested.fell > 0.0:
        yield Sighting(lambda since: _healthy(course, tested), "info", course.since)


def _has_stopped(losses: Floats) -> bool:
    return len(losses) >= AT_REST // 2 and float(np.ptp(losses)) <= MOVED * float(losses[-1])


def _healthy(course: Course, tested: Course | None) -> Words:
    follows = ", and the test loss follows it" if tested is not None else ""
    return Words(
        title="{run} is learning.",
        evidence=f"Train loss fell {percent(course.fell)} in the last {course.steps:,} steps{follows}.",
        mark="learning",
        why=Why(
            "Each step goes a little way down the slope of the loss, and there is still a slope.",
            "W1 = W1 - lr * dW1",
        ),
    )
