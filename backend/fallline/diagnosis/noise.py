"""How the noise of batches lies to the slope that is descended. Must not know other rules."""

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
"""A loss that is spread by less of itself lies still."""

DROWNED = 10.0
"""A batch drowns where the square of its gradient's distance from the full one is so many times that of the full."""

LINGERS = 4.0
"""What was said is over when the loss falls so many times faster, or is so many times calmer."""

WILD = 0.15
"""So far a loss is spread where noise keeps it from being learnt at all."""

UNLEARNT = 0.5
"""Above this share of the baseline's loss little has been learnt."""

WASTES, STILL_WASTES = 20.0, 10.0
"""A batch is large at so many times the noise scale; less than the second, no longer."""

LARGE = 32
"""A smaller batch is no waste whatever the noise."""


def noise_floor(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """The loss moves around a level to which the noise of batches keeps it."""
    course = _unsettled(view, MOVES, is_open(()))
    if course is not None and (noise := view.noise()) is not None and noise.share(_batch(view)) > 1.0:
        yield Sighting(lambda since: _floor(view, course), "info", course.since)


def small_batch(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """The same, so high that little is learnt."""
    course = _unsettled(view, WILD, is_open(()))
    if course is None or course.after < UNLEARNT * view.task.baseline:
        return
    if (noise := view.noise()) is not None and noise.share(_batch(view)) > DROWNED:
        yield Sighting(lambda since: _drowns(view, course, noise), "warning", course.since)


def _unsettled(view: View, spread: float, is_open: bool) -> Course | None:
    """How the loss went, if it moves that much and does not fall; None for full batches."""
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
            "The gradient of a batch differs from that of all samples. Where the slope is small, "
            "steps follow the difference.",
            "W1 = W1 - lr * dW1",
        ),
        remedies=lambda: (_lower(view), *_larger(view)),
    )


def _samples(view: View) -> str:
    batch = _batch(view)
    return "single samples" if batch == 1 else f"batches of {batch:,}"


def _drowns(view: View, course: Course, noise: Noise) -> Words:
    batch, times = _batch(view), noise.share(_batch(view)) ** 0.5
    far = f"{number(times)} times as far" if np.isfinite(times) else "infinitely far"
    return Words(
        title="{run}: the batch drowns in noise.",
        evidence=f"The gradient of {count(batch, 'sample')} lies {far} from that of all samples as "
        f"that is long; the loss is "
        f"{number(course.after)} ± {number(course.spread)} and no longer falls.",
        mark="drowns in noise",
        why=Why(
            "A step follows the samples of its batch, and they say something else than all samples do.",
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
    """Far fewer samples would give almost the same gradient."""
    batch = _batch(view)
    if batch < LARGE or view.step < 20 or (noise := view.noise()) is None:
        return
    if batch > (STILL_WASTES if is_open(()) else WASTES) * noise.scale:
        yield Sighting(lambda since: _wastes(batch, noise), "info", view.step)


def _wastes(batch: int, noise: Noise) -> Words:
    size = 2 ** int(np.clip(np.ceil(np.log2(max(4 * noise.scale, 1.0))), 0, 9))
    scale = count(round(noise.scale), "sample") if noise.scale >= 1.0 else "less than 1 sample"
    return Words(
        title="{run}: the batch is larger than it needs to be.",
        evidence=f"At the noise scale, {scale}, noise and signal are "
        f"equal; a step takes "
        f"{count(batch, 'sample')}.",
        mark="batch wastes work",
        why=Why(
            "Beyond the noise scale more samples hardly change the gradient, and each of them costs as much.",
            "dW1 = X[batch].T @ dz1",
        ),
        remedies=lambda: (edit(f"Batch of {size}", batch_size=size),),
    )
