"""A learning rate that is too high or too low. Must not know other rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from fallline.diagnosis.remedies import edit, faster
from fallline.diagnosis.rule import Sighting, Subject, Words
from fallline.diagnosis.view import Course, View
from fallline.diagnosis.words import number, percent, plain, sharpness_sentence
from fallline.vocabulary.findings import Severity, Why

WINDOW = 100
"""Number of recent steps in which rises of the loss are counted."""

RISES, STILL_RISES = 30, 15
"""Number of rises at the edge: to open, and to stay open."""

NOTABLE = 1e-4
"""Smallest share by which a loss must rise to count."""

NEAR = 0.8
"""Share of the limit above which the curvature confirms the edge."""

FALLING = 0.02
"""A loss that falls by more is no warning at the edge, nor is one without a measured curvature."""

CREEPS = 0.01
"""A loss that falls by less is almost flat."""

TINY = 2e-5
"""Ratio of update to weight that is too small; 1e-3 is a rule of thumb (Karpathy; cs231n)."""

UNSPENT = 0.3
"""Ratio of the present gradient length to the first, above which the run has hardly moved."""

UNLEARNT = 0.05
"""Share of the baseline's loss below which little is left to learn."""


def rate_at_edge(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """Find a full-batch loss that rises as often as it falls."""
    losses, steps = view.last("train_loss", WINDOW + 1), view.steps_of("train_loss")
    course = view.course("train_loss")
    if not view.is_full_batch or len(losses) <= WINDOW or course is None:
        return
    rose = int((np.diff(losses) > NOTABLE * losses[:-1]).sum())
    if rose < (STILL_RISES if is_open(()) else RISES):
        return
    edge = view.edge()
    if edge is None or edge.sharpness > NEAR * edge.limit:
        since = int(steps[-WINDOW - 1])
        severity: Severity = "info" if edge is None or course.fell > FALLING else "warning"
        yield Sighting(lambda _: _at_edge(view, rose), severity, since)


def _at_edge(view: View, rose: int) -> Words:
    return Words(
        title="{run}: the rate is at the edge.",
        evidence=f"The loss rose in {rose} of the last {WINDOW} steps.{sharpness_sentence(view.edge(), view.step)}",
        mark="rate at the edge",
        why=Why(
            "Along the steepest curve of the loss a step jumps to the other side, as high as it began. Along flatter "
            "curves it still descends, so the loss may fall in the long run.",
            "W1 = W1 - lr * dW1",
        ),
        remedies=lambda: (edit("Halve the rate", learning_rate=plain(view.settings.learning_rate / 2)),),
    )


def rate_too_small(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """Find a run that hardly moves although its gradient is still large."""
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
            "The gradient is almost as long as at the start, but the rate makes the steps tiny.",
            "W1 = W1 - lr * dW1",
        ),
        remedies=lambda: faster(view),
    )
