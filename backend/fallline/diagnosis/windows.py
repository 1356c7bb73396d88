"""Windows over the points of a series, one for each new point. Must not know rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from fallline.diagnosis.rule import Held
from fallline.diagnosis.track import Series
from fallline.diagnosis.view import Booleans, Measured, View
from fallline.vocabulary.columns import Floats

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
    key = (name, least)
    if key not in view.computed:  # many rules use the same
        view.computed[key] = _windows(view.series, getattr(view.series, name), least)
    found: Windows = view.computed[key]
    return found


def _windows(series: Series, values: Floats, least: int) -> Windows:
    fresh, count = series.fresh, len(series)
    start = max(fresh, least - 1 - series.offset, WINDOW - 1)
    if start >= count:
        return _nothing(count - fresh)
    rows = sliding_window_view(values[start - WINDOW + 1 :], WINDOW)
    columns = [
        rows[:, :EIGHTH].mean(axis=1),
        rows[:, -EIGHTH:].mean(axis=1),
        rows[:, :HALF].mean(axis=1),
        rows[:, HALF:].mean(axis=1),
        rows[:, HALF:].std(axis=1),
    ]
    if start > fresh:
        missing = np.full(start - fresh, np.nan)
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


def since_first(begins: Booleans, *, is_open: bool) -> Booleans:
    """Return the points from the first on at which a condition begins; all of them, if its finding is open."""
    return np.full(len(begins), fill_value=True) if is_open else np.logical_or.accumulate(begins)


def held_state(view: View, holds: Callable[[Measured], bool]) -> Held | None:
    """Return a condition of states, if it holds now; its first step is found among the states between."""
    if not holds(view.now):
        return None

    def since() -> int:
        first = view.step
        for state in reversed(view.states):
            if not holds(state):
                break
            first = state.step
        return first

    return Held(view.step, since)


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
        # the states between are expensive, and the present one often answers
        state = view.now if ends[place] == view.step else view.states[ends[place] - view.step - 1]
        return state_holds(state)

    if is_open:
        last = next((ends[place] for place in reversed(places) if both_hold(place)), None)
        return None if last is None else Held(last, lambda: last)
    both: Booleans = np.zeros(len(holds), dtype=np.bool_)
    both[places] = [both_hold(place) for place in places]
    return held(view, both)
