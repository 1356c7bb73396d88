"""A loss that jumps up, or stays above what the run has already reached. Must not know other rules."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fallline.diagnosis.remedies import (
    LOWER,
    NEAR,
    first_helpful,
    first_tried,
    fork,
    gets_away,
    lower_rates,
    lowered,
    raised,
    slower,
    to_the_best,
)
from fallline.diagnosis.rolling import mean, median, rolling
from fallline.diagnosis.track import point_before
from fallline.diagnosis.view import Held, Sighting, Trial, View, Words
from fallline.diagnosis.windows import MEAN, VISIBLE, WORSE, held, lifted
from fallline.diagnosis.words import number
from fallline.vocabulary.findings import Remedy, Why

USUAL = 50
"""Points before a spike whose median is the usual loss."""

JUMPS = 5.0
"""Factor by which a spike is above the usual loss."""

LASTED = 100
"""Least points since the lowest mean."""

CLIPS = (1.0, 0.1)
"""Bounds of the gradient to try."""


def spike(view: View) -> Iterator[Sighting]:
    """Find a loss far above the steps before it (Chowdhery et al. 2022, arXiv:2204.02311)."""
    series = view.series
    start = max(series.fresh, USUAL)
    if start >= len(series):
        return
    usual = median(rolling(series.loss[start - USUAL : -1], USUAL))
    peaks = series.peak[start:]
    jumps = peaks > np.maximum(JUMPS * usual, usual + VISIBLE * view.task.baseline)
    # between the usual losses and the peak no layer was drawn anew, which would explain it
    is_drawn = (series.steps[start - USUAL : -USUAL] < view.drawn_since) & (
        view.drawn_since <= series.steps[start:]
    )
    over = np.flatnonzero(jumps & ~is_drawn)
    if len(over):
        first, last = start + int(over[0]), start + int(over[-1])
        step = int(series.peak_step[first])
        here = Held(int(series.steps[last]) + 1, lambda: step)
        yield Sighting(
            lambda since: _jump(view, since, first),
            "warning",
            here,
            did=lambda since: _jumped_at(view, since),
        )


def _jumped_at(view: View, since: int) -> int | None:
    """Return the step whose change raised the loss most, since the point before that step."""
    rise = view.rise(point_before(since), since)
    return None if rise is None else rise.step


def _jump(view: View, since: int, newest: int) -> Words:
    """Return the words for the jump at step `since`, or for the newest if the points of that one are gone."""
    series = view.series
    rows = np.flatnonzero(series.peak_step == since)
    place = int(rows[0]) if len(rows) and rows[0] >= USUAL else newest
    usual = float(median(series.loss[place - USUAL : place]))
    return _spike(view, int(series.peak_step[place]), usual, float(series.peak[place]))


def _spike(view: View, step: int, usual: float, peak: float) -> Words:
    return Words(
        title="{run}: the loss jumped.",
        evidence=f"At step {step:,} the loss was {number(peak)}; "
        f"the median of the {USUAL} points before is {number(usual)}.",
        mark="loss jumped",
        why=Why(
            "One step moved the parameters across a steep slope of the loss, to a place far above.",
            view.line("W1"),
        ),
        remedies=lambda: _without_the_jump(view, step, usual),
    )


def _without_the_jump(view: View, step: int, usual: float) -> tuple[Remedy, ...]:
    """Return forks from before the jump, with a lower rate or clipped gradients, whose loss stays as it was."""
    before, raise_before = max(step - 1, 0), raised(view, step)
    rates = lower_rates(view, LOWER, view.settings_before(step).learning_rate)
    lower = (
        slower(view, before, rates)
        if raise_before is None
        else slower(view, raise_before[0], raise_before[1:])
    )

    def stays(view: View, trial: Trial) -> bool:
        return trial.after <= NEAR * max(trial.before, usual)

    clipped = [
        fork(view, f"Rewind to step {before:,}", before, clip_norm=norm)
        for norm in CLIPS
        if _bounds(view, norm)
    ]
    return first_helpful(
        lambda: first_tried(stays, view, lower),
        lambda: first_tried(stays, view, clipped),
    )


def _bounds(view: View, norm: float) -> bool:
    """Return whether this bound of the gradient is below the present one."""
    return view.settings.clip_norm is None or norm < view.settings.clip_norm


def worse_than_before(view: View) -> Iterator[Sighting]:
    """Find a loss that has long been above what the run had reached, with the layers that it has."""
    series = view.series
    start = max(series.fresh, MEAN - 1)
    if start >= len(series) or not view.best:
        return
    means = mean(rolling(series.loss[start - MEAN + 1 :], MEAN))
    best = view.best[start - series.fresh :]
    least = np.array([each.mean for each in best])
    best_steps = np.array([each.mean_step for each in best])
    since_best = series.steps[start:] - best_steps
    worse = means > np.maximum(WORSE * least, least + VISIBLE * view.task.baseline)
    holds = np.zeros(len(series) - series.fresh, dtype=np.bool_)
    holds[start - series.fresh :] = (
        worse & (since_best >= LASTED * view.apart) & (best_steps >= view.drawn_since)
    )
    lasts = held(view, holds)
    if lasts is not None:
        then = view.best[int(np.flatnonzero(holds)[0])]
        here = Held(lasts.last, lambda: then.level_step + 1)
        now = float(means[-1])
        words = _worse(view, now, then.mean, then.level_step)
        yield Sighting(lambda since: words, "warning", here, did=lambda since: lifted(view, then, now))


def _worse(view: View, now: float, least: float, step: int) -> Words:
    return Words(
        title="{run} was better before.",
        evidence=f"Train loss {number(now)} over the last {MEAN * view.apart:,} steps; until step {step:,} it was as "
        f"low as {number(least)}.",
        mark="worse than before",
        why=Why(
            "A step led to a worse place, and no step since has led back.",
            view.line("W1"),
        ),
        remedies=lambda: first_helpful(
            lambda: first_tried(_stays, view, to_the_best(view)),
            lambda: first_tried(gets_away, view, lowered(view)),
        ),
    )


def _stays(view: View, trial: Trial) -> bool:
    return trial.after <= NEAR * trial.before
