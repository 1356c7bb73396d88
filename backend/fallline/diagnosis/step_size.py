"""A learning rate that is too high or too low. Must not know other rules."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from fallline.diagnosis.remedies import (
    adam,
    beats,
    edit,
    first_helpful,
    first_with,
    raised_by,
)
from fallline.diagnosis.rule import Sighting, Words
from fallline.diagnosis.view import Trial, View
from fallline.diagnosis.windows import WINDOW, held, held_both, windows
from fallline.diagnosis.words import number, percent, plain, sharpness_sentence
from fallline.vocabulary.findings import Remedy, Severity, Why

CHANGES = 100
"""Number of recent changes of the loss, from point to point, in which rises are counted."""

RISES = 30
"""Number of rises at the edge, and of falls: a loss that only rises, as beside a penalty, is not at the edge."""

FALLING = 0.02
"""A loss that falls by more is no warning at the edge."""

CREEPS = 0.01
"""A loss that falls by less is almost flat."""

TINY = 2e-5
"""Ratio of update to weight that is too small; 1e-3 is a rule of thumb (Karpathy; cs231n)."""

USUAL = 1e-3
"""Usual ratio of update to weight, by that rule of thumb."""

MOST_POWERS = 3
"""Most powers of ten by which a rate is raised."""

UNSPENT = 0.3
"""Ratio of the present gradient length to the first, above which the run has hardly moved."""

UNLEARNT = 0.05
"""Share of the baseline's loss below which little is left to learn."""


def rate_at_edge(view: View) -> Iterator[Sighting]:
    """Find a full-batch loss that rises as often as it falls."""
    series = view.series
    if not view.is_full_batch or series.count < WINDOW:
        return
    ends = np.arange(max(series.fresh, CHANGES, WINDOW - 1 - series.offset), len(series))
    rose, fell = (
        (counts[ends] - counts[ends - CHANGES]) / view.apart for counts in (series.rises, series.falls)
    )
    holds = np.zeros(len(series) - series.fresh, dtype=np.bool_)
    holds[ends - series.fresh] = (rose >= RISES) & (fell >= RISES)
    held_here = held(view, holds, CHANGES + 1)
    if held_here is not None:
        falls = (
            bool((windows(view).fell[holds] > FALLING).all()) or view.loss <= UNLEARNT * view.task.baseline
        )
        share = float(rose[-1]) / CHANGES
        severity: Severity = "info" if falls else "warning"
        yield Sighting(lambda since: _at_edge(view, share), severity, held_here)


def _at_edge(view: View, share: float) -> Words:
    return Words(
        title="{run}: the rate is at the edge.",
        evidence=f"The loss rose in {percent(share)} of the last {CHANGES * view.apart:,} steps."
        f"{sharpness_sentence(view.edge(), view.step)}",
        mark="rate at the edge",
        why=Why(
            "Along the steepest curve of the loss a step jumps to the other side, as high as it began. Along flatter "
            "curves it still descends, so the loss may fall in the long run.",
            "W1 = W1 - lr * dW1",
        ),
        remedies=lambda: first_helpful(lambda: first_with(_calms, view, [_halved(view)])),
    )


def _halved(view: View) -> Remedy:
    return edit(view, "Halve the rate", learning_rate=plain(view.settings.learning_rate / 2))


def _calms(view: View, trial: Trial) -> bool:
    return trial.after <= trial.before


def rate_too_small(view: View) -> Iterator[Sighting]:
    """Find a run that hardly moves although its gradient is still large."""
    series = view.series
    seen = windows(view)
    creeps = (seen.fell > 0.0) & (seen.fell < CREEPS) & (seen.last > UNLEARNT * view.task.baseline)
    if not creeps.any() or view.rate < 0.5 * view.settings.learning_rate:
        return
    rows = sliding_window_view(series.moved[:, max(series.fresh - WINDOW + 1, 0) :], WINDOW, axis=1)
    moved = np.full(len(creeps), np.nan)
    moved[-rows.shape[1] :] = np.median(rows, axis=2).max(axis=0)
    unspent = (UNSPENT * view.first_slope) ** 2
    both = held_both(
        view,
        creeps & (moved > 0.0) & (moved < TINY),
        lambda state: state.noise.mean_squared > unspent,
        is_open=view.is_open("rate_too_small", ()),
    )
    if both is not None:
        words = _too_small(view, float(seen.fell[-1]), float(moved[-1]))
        yield Sighting(lambda since: words, "warning", both)


def _too_small(view: View, fell: float, moved: float) -> Words:
    return Words(
        title="{run}: almost flat.",
        evidence=f"Loss fell {percent(fell)} in the last {WINDOW * view.apart:,} steps; update / "
        f"weight is {number(moved)}.",
        mark="almost flat",
        why=Why(
            "The gradient is almost as long as at the start, but the rate makes the steps tiny.",
            "W1 = W1 - lr * dW1",
        ),
        remedies=lambda: first_helpful(
            lambda: first_with(beats, view, _raises(view, moved)), lambda: first_with(beats, view, adam(view))
        ),
    )


def _raises(view: View, moved: float) -> Iterator[Remedy]:
    """Yield higher rates: first the power of ten that brings the ratio nearest below `USUAL`."""
    for power in range(min(math.floor(math.log10(USUAL / moved)), MOST_POWERS), 0, -1):
        yield raised_by(view, 10**power)
