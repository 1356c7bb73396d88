"""Windows over the points of a series, one for each new point, and how a run is doing by them.

That is its best numbers, its verdict, and whether it came to grave harm. Must not know rules.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from fallline.diagnosis.rolling import mean, median, rolling
from fallline.diagnosis.track import Series, distance
from fallline.diagnosis.view import Best, Booleans, Held, Level, Measured, View
from fallline.vocabulary.columns import Floats
from fallline.vocabulary.findings import Verdict

WINDOW = 200
"""Points of a window."""

EIGHTH, HALF = WINDOW // 8, WINDOW // 2


@dataclass(frozen=True, slots=True)
class Windows:
    """The last 200 points of a series at each new point; NaN where there are fewer.

    `first` and `last` are the means of an eighth, `before` and `after` of a half, `spread` is the standard deviation of
    the later half.
    """

    first: Floats
    last: Floats
    before: Floats
    after: Floats
    spread: Floats

    @property
    def fall(self) -> Floats:
        """Share by which it fell from one half to the other; below 0 if it rose."""
        return np.asarray(1.0 - self.after / self.before)

    @property
    def fell(self) -> Floats:
        """Share by which it fell from the first eighth to the last."""
        return np.asarray(1.0 - self.last / self.first)


@cache
def _nothing(count: int) -> Windows:
    return Windows(*(np.full(count, np.nan) for _ in range(5)))


def windows(view: View, name: str = "loss", least: int = WINDOW) -> Windows:
    """Return the windows of a series, with at least so many points up to their end."""
    series = view.series
    start = max(series.fresh, least - 1 - series.offset, WINDOW - 1)
    if start >= len(series):
        return _nothing(len(series) - series.fresh)
    key = (name, start)
    if key not in view.computed:  # many rules use the same
        view.computed[key] = _windows(series, getattr(series, name), start)
    series_windows: Windows = view.computed[key]
    return series_windows


def _windows(series: Series, values: Floats, start: int) -> Windows:
    """Return the windows from place `start` on; at the new points before, NaN."""
    rows = rolling(values[start - WINDOW + 1 :], WINDOW)
    columns = [
        mean(rows[:, :EIGHTH]),
        mean(rows[:, -EIGHTH:]),
        mean(rows[:, :HALF]),
        mean(rows[:, HALF:]),
        rows[:, HALF:].std(axis=1),
    ]
    if start > series.fresh:
        missing = np.full(start - series.fresh, np.nan)
        columns = [np.concatenate([missing, column]) for column in columns]
    return Windows(*columns)


def held(view: View, holds: Booleans, back: int = WINDOW) -> Held | None:
    """Return a condition of the new points that began `back` points before its first, if it held at one."""
    places = np.flatnonzero(holds)
    if not len(places):
        return None
    series = view.series
    first, last = series.fresh + int(places[0]), series.fresh + int(places[-1])
    since = int(series.steps[max(first - back + 1, 0)])
    return Held(int(series.steps[last]) + 1, lambda: since)


def held_above(view: View, holds: Booleans, least: float) -> Held | None:
    """Return `held` of a loss's windows; it began after the last `MEAN` of its points with a mean below `least`."""
    lasts = held(view, holds)
    if lasts is None:
        return None
    end = view.series.fresh + int(np.flatnonzero(holds)[0]) + 1
    start = max(end - WINDOW - MEAN + 1, 0)  # the first of these means ends in the window
    low = np.flatnonzero(mean(rolling(view.series.loss[start:end], MEAN)) < least)
    if not len(low):
        return lasts
    since = int(view.series.steps[min(start + int(low[-1]) + MEAN, end - 1)])
    return Held(lasts.last, lambda: since)


def since_first(begins: Booleans, *, is_open: bool) -> Booleans:
    """Return the points from the first on at which a condition begins; all of them, if its finding is open."""
    return np.full(len(begins), fill_value=True) if is_open else np.logical_or.accumulate(begins)


def held_state(view: View, holds: Callable[[Measured], bool]) -> Held | None:
    """Return a condition of states, if it holds now; its first step is found among the states between."""
    return Held(view.step, lambda: view.since(holds)) if holds(view.now) else None


def held_both(
    view: View, holds: Booleans, state_holds: Callable[[Measured], bool], *, is_open: bool
) -> Held | None:
    """Return a condition of a series and the state at its end, if both held at a new point.

    If the finding is open, only the last such point is looked for.
    """
    places = np.flatnonzero(holds).tolist()
    if not places:
        return None
    ends = (view.series.steps[view.series.fresh :] + 1).tolist()

    def both_hold(place: int) -> bool:
        return state_holds(view.state(ends[place]))

    if is_open:
        last = next((ends[place] for place in reversed(places) if both_hold(place)), None)
        return None if last is None else Held(last, lambda: last)
    both: Booleans = np.zeros(len(holds), dtype=np.bool_)
    both[places] = [both_hold(place) for place in places]
    return held(view, both)


# ---------------------------------------------------------------------- how a run is doing

MEAN = 25
"""Points of a mean that is compared with the lowest such mean."""

UNLEARNT = 0.98
"""A loss above this share of the baseline's has learned nothing."""

CLIMBS_DOWN = 0.05
"""A loss that falls by less than this share, from one half of the window to the other, is not on its way."""

WORSE, VISIBLE = 2.0, 0.05
"""A mean loss above so many times its lowest, and by this share of the baseline above it, is grave harm."""

FALLING = 0.95
"""A median loss below this share of the median before is falling."""

OVERFITS = 1.2
"""A test loss above so many times its best, above the train loss, and rising, overfits."""

FEWEST = 8
"""Fewest points of an eighth of the run, for a verdict on whether the loss falls."""


def best_of(best: Best, series: Series) -> tuple[Best, ...]:
    """Return the best numbers up to each new point, after the `best` ones up to the last examination."""
    bests = []
    losses, tests, steps = series.loss, series.test, series.steps.tolist()
    for place in range(series.fresh, len(series)):
        changes: dict[str, Any] = {}
        loss, test, step = float(losses[place]), float(tests[place]), steps[place]
        if loss < best.loss:
            changes |= {"loss": loss, "loss_step": step}
        if test < best.test:
            changes |= {"test": test, "test_step": step, "train_then": loss}
        lowest = best.mean
        if place >= MEAN - 1:
            part = slice(place - MEAN + 1, place + 1)
            now, test_now = float(mean(losses[part])), float(mean(tests[part]))
            if test_now < best.test_mean:
                changes["test_mean"] = test_now
            if now < lowest:
                lowest = now
                changes |= {"mean": now, "mean_step": step}
                below = np.flatnonzero(losses[part] <= now)
                if len(below):
                    changes["level_step"] = steps[place - MEAN + 1 + int(below[-1])]
        if loss <= lowest and math.isfinite(lowest):
            changes["level_step"] = step
        if changes:
            best = replace(best, **changes)
        bests.append(best)
    return tuple(bests)


HALF_WAY = 0.5
"""Share of the way up to the present loss that a single step must have made to be named as the cause."""


def lifted(view: View, best: Best, now: float) -> int | None:
    """Return the step whose change made at least half of the way from the lowest loss up to the loss `now`.

    It is looked for between the last point at the lowest mean and the next one. None if no single step did, or if the
    loss is hardly above.
    """
    if now - best.mean < VISIBLE * view.task.baseline:
        return None
    low = best.level_step
    rise = view.rise(low, min(low + distance(low), view.step))
    if rise is None or rise.after - rise.before < HALF_WAY * (now - rise.before):
        return None
    return rise.step


def is_grave(view: View) -> bool:
    """Return whether it diverged, has learned nothing and is not on its way, or is twice as bad as it was."""
    if view.diverged:
        return True
    losses, level = view.series.loss[-WINDOW:], level_of(view)
    if level is None or not view.best:
        return False
    baseline, last = view.task.baseline, level[0]
    if len(losses) >= WINDOW and last >= UNLEARNT * baseline:
        before, after = float(mean(losses[:HALF])), float(mean(losses[HALF:]))
        if after > (1.0 - CLIMBS_DOWN) * before:
            return True
    return times_worse(level, [lowest_of(view.best[-1])], baseline) > WORSE


def level_of(view: View) -> Level | None:
    """Return the means of the last `MEAN` losses, or None before there are so many."""
    if len(view.series) < MEAN:
        return None
    train, test = (float(mean(each[-MEAN:])) for each in (view.series.loss, view.series.test))
    return train, test if view.task.has_test else None


def lowest_of(best: Best) -> Level:
    """Return the lowest such means."""
    return best.mean, best.test_mean


def times_worse(level: Level, others: Iterable[Level], baseline: float) -> float:
    """Return how many times a level is above the lowest of the others: the larger factor of train and test loss.

    A loss below the share `VISIBLE` of the baseline's differs little from 0, so there the distance counts in this unit.
    """
    times = [1.0]
    for now, *others_here in zip(level, *others, strict=True):
        if now is not None:
            least = min((each for each in others_here if each is not None), default=now)
            above, unit = now - least, max(least, VISIBLE * baseline)
            times.append(1.0 + above / unit if unit > 0.0 else math.inf if above > 0.0 else 1.0)
    return max(times)


def verdict_of(view: View) -> Verdict:
    """Return the verdict on the run; the later of two that hold counts."""
    task = view.task
    if view.diverged:
        return "diverged"
    if any(layer.is_dead for layer in view.layers):
        return "dead"
    if not view.step:
        return "waiting"
    if not view.loss < UNLEARNT * task.baseline:
        is_early = view.step < 2 * FEWEST
        falls = is_early or _moves(view, lambda now, before: now < FALLING * before)
        return "on_the_way" if falls else "flat"
    best = min([view.now.test_loss, *(each.test for each in view.best[-1:])])
    overfits = task.has_test and view.now.test_loss > max(OVERFITS * best, view.loss)
    if overfits and _moves(view, lambda now, before: now > before, view.series.test):
        return "overfitting"
    return "learning"


def _moves(view: View, compares: Callable[[float, float], bool], values: Floats | None = None) -> bool:
    """Return whether the medians of the last eighth of the steps, and of the eighth before, compare so.

    Before there are enough points, the last half of the points is compared with the first.
    """
    values = view.series.loss if values is None else values
    if len(values) < 2:
        return False
    eighth = view.step / 8.0
    start, middle = np.searchsorted(
        view.series.steps, [view.step - 2.0 * eighth, view.step - eighth]
    ).tolist()
    if len(values) - middle < FEWEST or middle - start < FEWEST:
        start, middle = max(len(values) - 2 * FEWEST, 0), len(values) - min(len(values) // 2, FEWEST)
    return compares(float(median(values[middle:])), float(median(values[start:middle])))
