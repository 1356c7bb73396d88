"""The noise of batches. Must not know other rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from fallline.diagnosis.remedies import edit
from fallline.diagnosis.rule import Sighting, Subject, Words
from fallline.diagnosis.view import Course, Noise, View
from fallline.diagnosis.words import count, number, plain
from fallline.vocabulary.findings import Remedy, Why

SETTLED = 0.02
"""A loss that changes by less, from one half of the window to the other, no longer falls."""

MOVES = 0.03
"""A loss that spreads by less is flat."""

NOISY = 10.0
"""Ratio of the batch gradient's squared distance from the full one to its squared norm, above which noise dominates."""

LINGERS = 4.0
"""Factor by which the loss must fall faster, or spread less, before the finding closes."""

WILD = 0.15
"""Spread of a loss whose noise prevents learning."""

UNLEARNT = 0.5
"""Share of the baseline's loss above which the run has learned little."""

WASTES, STILL_WASTES = 20.0, 10.0
"""A batch is too large at this many times the noise scale: to open, and to stay open."""

LARGE = 32
"""Smallest batch that can be too large."""


def noise_floor(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """Find a loss that moves around a level set by the batches' noise."""
    course = _unsettled(view, MOVES, is_open(()))
    if course is not None and (noise := view.noise()) is not None and noise.share(_batch(view)) > 1.0:
        yield Sighting(lambda since: _floor(view, course), "info", course.since)


def small_batch(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """Find the same at a level so high that the run learns little."""
    course = _unsettled(view, WILD, is_open(()))
    if course is None or course.after < UNLEARNT * view.task.baseline:
        return
    if (noise := view.noise()) is not None and noise.share(_batch(view)) > NOISY:
        yield Sighting(lambda since: _too_noisy(view, course, noise), "warning", course.since)


def _unsettled(view: View, spread: float, is_open: bool) -> Course | None:
    """Return the course of a loss that spreads this much and does not fall."""
    course = view.course("train_loss", 2 * 200)
    if view.is_full_batch or course is None:
        return None
    slack = LINGERS if is_open else 1.0
    stays = abs(course.fall) < slack * SETTLED
    return course if stays and course.spread * slack >= spread * course.after else None


def _batch(view: View) -> int:
    return view.settings.batch_size or view.task.samples


def _floor(view: View, course: Course) -> Words:
    return Words(
        title="{run}: noise floor.",
        evidence=f"The loss moves between {number(course.low)} and {number(course.high)} and no longer falls: "
        f"the noise of {_samples(view)}.",
        mark="noise floor",
        why=Why(
            "The gradient of a batch differs from the gradient of all samples. If the slope is small, steps follow "
            "the difference.",
            "W1 = W1 - lr * dW1",
        ),
        remedies=lambda: (_lower(view), *_larger(view)),
    )


def _samples(view: View) -> str:
    batch = _batch(view)
    return "single samples" if batch == 1 else f"batches of {batch:,}"


def _too_noisy(view: View, course: Course, noise: Noise) -> Words:
    batch, times = _batch(view), noise.share(_batch(view)) ** 0.5
    far = f"{number(times)} times its length" if np.isfinite(times) else "infinitely many times its length"
    return Words(
        title="{run}: the batch is too noisy.",
        evidence=f"The gradient of {count(batch, 'sample')} differs from the full gradient by {far}; the loss is "
        f"{number(course.after)} ± {number(course.spread)} and no longer falls.",
        mark="batch too noisy",
        why=Why(
            "A step follows the samples of its batch, which differ from all samples.",
            "W1 = W1 - lr * dW1",
        ),
        remedies=lambda: (*_larger(view), _lower(view)),
    )


def _lower(view: View) -> Remedy:
    return edit("Lower the rate", learning_rate=plain(view.settings.learning_rate / 5))


def _larger(view: View) -> tuple[Remedy, ...]:
    size = min(max(32, 4 * _batch(view)), 512)
    return (edit(f"Batch of {size}", batch_size=size),) if _batch(view) < size < view.task.samples else ()


def wasteful_batch(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """Find a batch whose gradient far fewer samples would give."""
    batch = _batch(view)
    if batch < LARGE or view.step < 20 or (noise := view.noise()) is None:
        return
    if batch > (STILL_WASTES if is_open(()) else WASTES) * noise.scale:
        yield Sighting(lambda since: _wastes(batch, noise), "info", view.step)


def _wastes(batch: int, noise: Noise) -> Words:
    size = 2 ** int(np.clip(np.ceil(np.log2(max(4 * noise.scale, 1.0))), 0, 9))
    scale = count(round(noise.scale), "sample") if noise.scale >= 1.0 else "less than 1 sample"
    return Words(
        title="{run}: the batch is larger than necessary.",
        evidence=f"At the noise scale, {scale}, noise and signal are "
        f"equal; a step takes "
        f"{count(batch, 'sample')}.",
        mark="batch too large",
        why=Why(
            "Beyond the noise scale more samples hardly change the gradient, and each costs the same.",
            "dW1 = X[batch].T @ dz1",
        ),
        remedies=lambda: (edit(f"Batch of {size}", batch_size=size),),
    )
