"""How the loss goes along: as good as guessing, learning. Must not know other rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fallline.diagnosis.remedies import edit
from fallline.diagnosis.rule import Sighting, Subject, Words
from fallline.diagnosis.view import Course, View
from fallline.diagnosis.words import number, percent, plain
from fallline.vocabulary.findings import Remedy, Why

GUESSING = (0.98, 1.1)
"""A loss between these shares of the baseline's is that of guessing; a rate that is not 0 keeps it a little above."""

STOPPED = 0.005
"""A loss that falls by less, from one half of the window to the other, has stopped."""

EARLY = 50
"""Steps after which a run may be said to learn."""

ADAM_RATE = 0.01
"""Adam divides gradients by their size, so that its rate is another thing than that of plain descent."""

LEARNING, LEARNS_ON = 0.05, 0.01
"""A loss that falls by more is learning; by less than the second, no longer."""


def predicts_the_mean(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """The loss is that of who knows no inputs, and no longer falls."""
    course = view.course("train_loss")
    if course is None or not view.task.baseline > 0:
        return
    low, high = GUESSING
    slack = 0.02 if is_open(()) else 0.0
    is_guess = low - slack <= course.after / view.task.baseline <= high + slack
    if is_guess and course.fall < STOPPED + slack:
        yield Sighting(lambda since: _guesses(view, course), "problem", course.since)


def _guesses(view: View, course: Course) -> Words:
    what = view.task.guessing.removeprefix("predicting ")
    rate = plain(3 * view.settings.learning_rate)
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
        remedies=(edit("Raise the rate 3 times", learning_rate=rate), *_adam(view)),
    )


def _adam(view: View) -> tuple[Remedy, ...]:
    if view.settings.optimizer.startswith("adam"):
        return ()
    return (edit("Switch to Adam", optimizer="adam", learning_rate=ADAM_RATE),)


def healthy(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """The loss falls, on the test samples too."""
    course = view.course("train_loss", EARLY)
    if course is None or course.fell < (LEARNS_ON if is_open(()) else LEARNING):
        return
    tested = view.course("test_loss", EARLY) if view.task.has_test else None
    if tested is None or tested.fell > 0.0:
        yield Sighting(lambda since: _healthy(course, tested), "info", course.since)


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
