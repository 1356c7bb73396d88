"""A rate that is too high to settle, or too low to get anywhere. Must not know other rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from fallline.diagnosis.remedies import edit, faster
from fallline.diagnosis.rule import Sighting, Subject, Words
from fallline.diagnosis.view import Course, View
from fallline.diagnosis.words import bears, number, percent, plain
from fallline.vocabulary.findings import Severity, Why

WATCHED = 100
"""Steps of which those are counted at which the loss rose."""

RISES, STILL_RISES = 30, 15
"""So many of them are the edge; less than the second, no longer."""

NOTABLE = 1e-4
"""A loss that rises by a smaller share of itself counts as flat."""

NEAR = 0.8
"""The share of the limit beyond which curvature bears the edge out."""

FALLING = 0.02
"""A loss that falls by more at the edge is no warning, nor is one whose curvature cannot be had."""

CREEPS = 0.01
"""A loss that falls by less is almost flat."""

TINY = 2e-5
"""Changes beside their weights, where 1e-3 is a rule of thumb (Karpathy; cs231n), that get nowhere."""

UNSPENT = 0.3
"""A gradient this long beside the first has hardly been followed."""

UNLEARNT = 0.05
"""Below this share of the baseline's loss there is little left to get."""


def rate_at_edge(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """The full batch's loss goes up as often as down: a step is as long as the curve of the loss bears."""
    losses, steps = view.last("train_loss", WATCHED + 1), view.steps_of("train_loss")
    course = view.course("train_loss")
    if not view.is_full_batch or len(losses) <= WATCHED or course is None:
        return
    rose = int((np.diff(losses) > NOTABLE * losses[:-1]).sum())
    if rose < (STILL_RISES if is_open(()) else RISES):
        return
    edge = view.edge()
    if edge is None or edge.sharpness > NEAR * edge.limit:
        since = int(steps[-WATCHED - 1])
        severity: Severity = "info" if edge is None or course.fell > FALLING else "warning"
        yield Sighting(lambda _: _at_edge(view, rose), severity, since)


def _at_edge(view: View, rose: int) -> Words:
    return Words(
        title="{run}: the rate is at the edge.",
        evidence=f"The loss rose in {rose} of the last {WATCHED} steps.{bears(view.edge(), view.step)}",
        mark="rate at the edge",
        why=Why(
            "Along the steepest curve of the loss a step jumps to the other side, as high as it "
            "began. Lower curves are "
            "still descended, so that the loss may fall in the long run.",
            "W1 = W1 - lr * dW1",
        ),
        remedies=lambda: (edit("Halve the rate", learning_rate=plain(view.settings.learning_rate / 2)),),
    )


def rate_too_small(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """The slope is as steep as ever, and the run hardly moves along it."""
    course, slopes = view.course("train_loss"), view.slopes()
    if course is None or slopes is None or view.rate < 0.5 * view.settings.learning_rate:
        return
    slack = 2.0 if is_open(()) else 1.0
    creeps = 0.0 < course.fell < slack * CREEPS and course.after > UNLEARNT * view.task.baseline
    moved = max(float(np.median(view.last(f"ratio/{name}"))) for name in view.weights())
    if creeps and 0.0 < moved < slack * TINY and slopes.now > UNSPENT / slack * slopes.first:
        yield Sighting(lambda since: _too_small(view, course, moved), "warning", course.since)


def _too_small(view: View, course: Course, moved: float) -> Words:
    return Words(
        title="{run}: almost flat.",
        evidence=f"Loss fell {percent(course.fell)} in the last {course.steps:,} steps; update / "
        f"weight is {number(moved)}.",
        mark="almost flat",
        why=Why(
            "The gradient is as long as at the start, and the rate makes almost nothing of it.",
            "W1 = W1 - lr * dW1",
        ),
        remedies=lambda: faster(view),
    )
