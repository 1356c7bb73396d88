"""How the loss goes along: as good as guessing, learning. Must not know other rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from fallline.diagnosis.remedies import fork, freed
from fallline.diagnosis.rule import Sighting, Subject, Words
from fallline.diagnosis.view import RECENT, Course, View
from fallline.diagnosis.words import number, percent, plain
from fallline.vocabulary.columns import Floats
from fallline.vocabulary.findings import Remedy, Why

GUESSING = (0.995, 1.1)
"""A loss between these shares of the baseline's is that of guessing; a rate that is not 0 keeps it a little above."""

WANDERS = 0.1
"""A loss that is spread by more of itself is not kept where it is by the network."""

STOPPED = 0.005
"""A loss that falls by less, from one half of the window to the other, has stopped."""

EARLY = 50
"""Steps after which a run may be said to learn."""

STILL = 0.01
"""A loss that falls by less, and is spread by less, lies still."""

NOTHING_LEFT, MUCH_LEFT = 0.05, 0.5
"""Of the baseline's loss: below the first a flat loss is the end of a good run, above the second it is a warning."""

ROSE, STILL_ROSE = 0.2, 0.1
"""The share by which the test loss lies above its best."""

VISIBLE = 0.03
"""And the share of the baseline's loss, since in small losses everything is a large share."""

LASTED = 100
"""Steps since the best test loss."""

PICTURE = 128
"""Buckets in which the best test loss is looked for: their means, so that no single step's noise is the best."""

KEEPS_SMALL = 0.001
"""A coefficient of the L2 penalty to begin with."""

LEARNING, LEARNS_ON = 0.05, 0.01
"""A loss that falls by more is learning; by less than the second, no longer."""

AT_REST, MOVED = 25, 1e-4
"""A loss that moved by less of itself in the last steps has come to rest, however far it fell before."""


def predicts_the_mean(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """The loss is that of who knows no inputs, and no longer falls."""
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
        evidence=f"Train loss {number(course.after)} over the last {course.steps:,} steps, and no longer falling; "
        f"{view.task.guessing}, without any input, has {number(view.task.baseline)}.",
        mark=f"predicts {what}",
        why=Why(
            "The last bias alone can reach this loss. What the network says does not depend on its inputs, or not in "
            "a way that helps.",
            "y_pred = a_last @ W_out + b_out",
        ),
        remedies=lambda: freed(view),
    )


def plateau(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """The loss lies still where there is much left to learn."""
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
    told = f"; train {score} is {number(view.score)}" if math.isfinite(view.score) else ""
    return Words(
        title="{run}: flat.",
        evidence=f"Loss {moved} in the last {course.steps:,} steps{told}.",
        mark="flat",
        why=Why(
            "The slope is all but gone: a minimum, or a level stretch on the way to a lower one.",
            "W1 = W1 - lr * dW1",
        ),
        # without hidden layers there is but one minimum, and this is it
        remedies=lambda: freed(view) if view.layers else (),
    )


def overfitting(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """The loss of the test samples rises while that of the training samples falls on."""
    train = view.course("train_loss")
    test = view.course("test_loss") if view.task.has_test else None
    if train is None or test is None:
        return
    told = view.columns(0, PICTURE)
    losses = told.mean[told.names.index("test_loss")]
    best = int(np.nanargmin(losses))
    least, then = float(losses[best]), float(told.mean[told.names.index("train_loss")][best])
    rose = test.last - least > max(
        (STILL_ROSE if is_open(()) else ROSE) * least, VISIBLE * view.task.baseline
    )
    lately = view.step - int(told.last[best]) >= LASTED
    if rose and lately and train.last < then and (is_open(()) or test.last >= test.first):
        step = int(told.last[best])
        yield Sighting(lambda since: _overfits(view, step, least, test.last), "warning", step + 1)


def _overfits(view: View, step: int, least: float, now: float) -> Words:
    return Words(
        title="{run}: overfitting.",
        evidence=f"Train loss falls, test loss has risen for {view.step - step:,} steps "
        f"({number(least)} to {number(now)}).",
        mark="overfitting",
        why=Why(
            "The network has more freedom than the samples can hold: it learns their noise too, and "
            "says it of samples "
            "that it has not seen.",
            "dy_pred = (y_pred - y) / m",
        ),
        remedies=lambda: (
            _best(view, step, least),
            fork(view, "Rewind, keep weights small", step, l2=KEEPS_SMALL),
        ),
    )


def _best(view: View, step: int, least: float) -> Remedy:
    """A fork that would go the same way again stops before it is there."""
    above = plain(least + max(ROSE * least, VISIBLE * view.task.baseline))
    stop = [{"when": "test_loss", "above": above}]
    hint = f"a fork from step {step:,} that stops where its test loss is above {number(above)}"
    return Remedy("Rewind to the best test loss", hint, {"do": "add_run", "at_step": step, "stop": stop})


def healthy(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """The loss falls, on the test samples too."""
    course = view.course("train_loss", EARLY)
    if course is None or course.fell < (LEARNS_ON if is_open(()) else LEARNING):
        return
    if not is_open(()) and course.first - course.last < course.spread:
        return  # it may be noise
    if _has_stopped(view.last("train_loss", AT_REST)):
        return  # it fell, and does no more
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
            "Each step goes a little way down the slope of the loss, and the slope is still there.",
            "W1 = W1 - lr * dW1",
        ),
    )
