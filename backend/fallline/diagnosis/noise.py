"""The noise of batches. Must not know other rules."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fallline.diagnosis.remedies import beats, edit, first_helpful, first_with, keeps_up
from fallline.diagnosis.view import Booleans, Held, Sighting, View, Words
from fallline.diagnosis.windows import HALF, WINDOW, Windows, held_both, held_state, windows
from fallline.diagnosis.words import count, number, plain
from fallline.vocabulary.findings import Remedy, Why

SETTLED = 0.02
"""A loss that changes by less, from one half of the window to the other, no longer falls."""

MOVES = 0.03
"""A loss that spreads by less is flat."""

NOISY = 10.0
"""Ratio of the batch gradient's squared distance from the full one to its squared norm, above which noise dominates."""

WILD = 0.15
"""Spread of a loss whose noise prevents learning."""

UNLEARNT = 0.5
"""Share of the baseline's loss above which the run has learned little."""

WASTES = 20.0
"""A batch of so many times the noise scale is too large."""

LARGE = 32
"""Smallest batch that can be too large."""


def noise_floor(view: View) -> Iterator[Sighting]:
    """Find a loss that moves around a level set by the batches' noise."""
    train = windows(view, least=2 * WINDOW)
    span = _held(view, "noise_floor", _settled(train, MOVES), 1.0)
    if span is not None:
        yield Sighting(lambda since: _floor(view), "info", span)


def small_batch(view: View) -> Iterator[Sighting]:
    """Find the same at a level so high that the run learns little."""
    train = windows(view, least=2 * WINDOW)
    high = train.after >= UNLEARNT * view.task.baseline
    span = _held(view, "small_batch", _settled(train, WILD) & high, NOISY)
    if span is not None:
        yield Sighting(lambda since: _too_noisy(view, train), "warning", span)


def _settled(train: Windows, spread: float) -> Booleans:
    """Return where a loss spreads this much and does not fall."""
    return np.asarray((np.abs(train.fall) < SETTLED) & (train.spread >= spread * train.after))


def _held(view: View, rule: str, settled: Booleans, share: float) -> Held | None:
    """Return where it is settled while the batches' noise is above this share of the gradient."""
    if view.is_full_batch:
        return None
    return held_both(
        view,
        settled,
        lambda state: state.noise.share(view.batch, replaced=view.is_replaced) > share,
        is_open=view.is_open(rule, ()),
    )


def _floor(view: View) -> Words:
    low, high = np.quantile(view.series.loss[-HALF:], [0.05, 0.95]).tolist()
    return Words(
        title="{run}: noise floor.",
        evidence=f"The loss moves between {number(low)} and {number(high)} and no longer falls: "
        f"the noise of {_samples(view)}.",
        mark="noise floor",
        why=Why(
            "The gradient of a batch differs from the gradient of all samples. If the slope is small, steps follow "
            "the difference.",
            view.line("W1"),
        ),
        remedies=lambda: first_helpful(
            lambda: first_with(beats, view, _lower(view)), lambda: first_with(beats, view, _larger(view))
        ),
    )


def _samples(view: View) -> str:
    batch = view.batch
    return "single samples" if batch == 1 else f"batches of {batch:,}"


def _too_noisy(view: View, train: Windows) -> Words:
    batch, times = view.batch, view.noise_share**0.5
    far = f"{number(times)} times its length" if np.isfinite(times) else "infinitely many times its length"
    return Words(
        title="{run}: the batch is too noisy.",
        evidence=f"The gradient of {count(batch, 'sample')} differs from the full gradient by {far}; the loss is "
        f"{number(float(train.after[-1]))} ± {number(float(train.spread[-1]))} and no longer falls.",
        mark="batch too noisy",
        why=Why(
            "A step follows the samples of its batch, which differ from all samples.",
            view.line("W1"),
        ),
        remedies=lambda: first_helpful(
            lambda: first_with(beats, view, _larger(view)), lambda: first_with(beats, view, _lower(view))
        ),
    )


def _lower(view: View) -> Iterator[Remedy]:
    yield edit(view, "Lower the rate", learning_rate=plain(view.settings.learning_rate / 5))


def _larger(view: View) -> Iterator[Remedy]:
    size = min(max(32, 4 * view.batch), 512)
    if view.batch < size < view.task.samples:
        yield edit(view, f"Batch of {size}", batch_size=size)


def wasteful_batch(view: View) -> Iterator[Sighting]:
    """Find a batch whose gradient far fewer samples would give."""
    batch = view.batch
    span = held_state(view, lambda state: batch > WASTES * state.noise.scale) if batch >= LARGE else None
    if span is not None:
        yield Sighting(lambda since: _wastes(view), "info", span)


def _wastes(view: View) -> Words:
    batch, noise = view.batch, view.now.noise
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
            view.line("dW1"),
        ),
        remedies=lambda: first_helpful(
            lambda: first_with(keeps_up, view, [edit(view, f"Batch of {size}", batch_size=size)])
        ),
    )
