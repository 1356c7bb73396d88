"""Runs that diverged or are about to, and a learning rate at its edge or too small. Must not know other rules."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from fallline.diagnosis.remedies import (
    ADAM_RATE,
    RELU_WEIGHTS,
    SHORT,
    adam,
    beats,
    edit,
    first_helpful,
    first_rate,
    first_tried,
    first_with,
    fork,
    holds,
    learns,
    lower_rates,
    raised,
    raised_by,
    redraws,
    slower,
)
from fallline.diagnosis.view import Ahead, Held, Sighting, Trial, View, Words, change_before
from fallline.diagnosis.windows import WINDOW, held, held_both, windows
from fallline.diagnosis.words import count, number, percent, plain, setting, sharpness_sentence
from fallline.vocabulary.columns import Floats
from fallline.vocabulary.findings import Remedy, Severity, Why
from fallline.vocabulary.run_settings import CONSTANT

WATCHED = 13
"""Number of train losses from which the growth is estimated."""

STEADY = 0.8
"""Share of them that must be above the one before."""

FAR = 3.0
"""A loss below this many times its start may still come down by itself."""

DOUBLED = 2.0
"""A loss of this many times its lowest, and above its start, has grown if it rose `IN_A_ROW` times in a row."""

NO_WAY_BACK = 6.0
"""Factor of the stable curvature beyond which no catapult brings the loss down. This is a rate above 12 / sharpness in
a relu network, and above 4 / sharpness in a linear one (Lewkowycz et al. 2020, arXiv:2003.02218).
"""

IN_A_ROW, ON_A_PARABOLA = 5, 3
"""Rises in a row beyond the stable curvature. Without hidden layers that curvature hardly changes, so fewer tell."""

FAR_OUT = 30.0
"""Factor of the first loss. A loss on a parabola that is higher, and rose three times in a row, does not come back. Of
92 mini-batch runs that did not diverge only one, at the limit itself, was so high; all 18 that diverged were.
"""

CLEARLY = 1.05
"""Factor of the limit of a constant curvature, above which each step of any batch makes the loss grow. Closer to the
limit, the noise of one rise says nothing about the pace.
"""

RISEN, AGO, LATELY = 1.5, 25, 5
"""The next steps of mini-batches are looked at if the loss is so many times its lowest of `AGO` points, and above the
last `LATELY` points. A loss that will diverge rises so far before it has doubled; others rarely do.
"""

BEYOND = 1e6
"""A loss of this many times its start ends a run."""

LOWER = 10.0
"""First divisor of a rate that diverged."""

USUAL_RATES = (0.1, 0.01, 0.001)
"""Rates to try with new weights, for which the old rate says nothing."""

SAME = 1.0 + 1e-9
"""A loss up to so many times the lowest one is as low: of a flat loss, rounding would choose the lowest step."""

SOON = 2_000
"""Number of steps that a forecast looks ahead."""


def _why(view: View) -> Why:
    return Why(
        "A step that is too long for the curve of the loss ends higher on the other side than it began. There the "
        "gradient is larger, and the next step is even longer.",
        view.line("W1"),
    )


def diverged(view: View) -> Iterator[Sighting]:
    """Report a run at its last finite state."""
    if view.diverged:
        yield Sighting(
            lambda since: _diverged(view), "problem", Held(view.step, lambda: view.step), did=change_before
        )


def _diverged(view: View) -> Words:
    raise_before = raised(view, view.step + 1)
    after = ""
    if raise_before:
        went = f"the rate went from {setting(raise_before[1])} to {setting(view.settings.learning_rate)}"
        after = f", {count(view.step - raise_before[0], 'step')} after {went}"
    return Words(
        title=f"{{run}} diverged at step {view.step:,}.",
        evidence=f"{_size(view)}{after}. The next step would not be finite, or its loss would be a million "
        "times the start.",
        mark="diverged",
        why=_why(view),
        remedies=lambda: _ways_back(view, raise_before),
    )


def _ways_back(view: View, raise_before: tuple[int, float] | None) -> tuple[Remedy, ...]:
    """Return a rewind to a stable rate, and other remedies.

    The rewind goes to before the rate was raised, to the best step or to the start. The others clip gradients, use
    other weights, or another optimizer.
    """
    at_step = raise_before[0] if raise_before else (view.best[-1].loss_step if view.best else 0)
    return first_helpful(
        lambda: _rewound(view, at_step, raise_before),
        lambda: first_tried(learns, view, (_clipped(view, at_step),)),
        lambda: first_tried(holds, view, _drawn(view)),
        lambda: first_tried(holds, view, _with_adam(view)),
    )


def _rewound(view: View, at_step: int, raise_before: tuple[int, float] | None) -> Remedy | None:
    """Return a rewind to that step, or if no rate is stable from there, to the start."""
    rates = [raise_before[1]] if raise_before else []

    def way(step: int) -> Remedy | None:
        return first_rate(view, slower(view, step, (*rates, *lower_rates(view, LOWER))))

    return way(at_step) or (way(0) if at_step else None)


def _drawn(view: View) -> Iterator[Remedy]:
    """Yield forks with other weights, with a short first step before the redraw."""
    return redraws(view, RELU_WEIGHTS, 0, USUAL_RATES, clip_norm=SHORT)


def _with_adam(view: View) -> Iterator[Remedy]:
    if not view.settings.optimizer.startswith("adam"):
        yield fork(view, "Start with Adam", 0, optimizer="adam", learning_rate=ADAM_RATE)


def _short(view: View) -> float:
    """Return a gradient length at which no step is longer than 1."""
    return (
        min(SHORT, plain(1.0 / view.settings.learning_rate)) if view.settings.learning_rate > 0.0 else SHORT
    )


def _clipped(view: View, at_step: int) -> Remedy:
    """Return a fork with clipped gradients and the present rate."""
    rate = view.settings.learning_rate
    changes = {} if rate == view.settings_before(at_step).learning_rate else {"learning_rate": rate}
    return fork(view, f"Rewind to step {at_step:,}", at_step, clip_norm=_short(view), **changes)


def will_diverge(view: View) -> Iterator[Sighting]:
    """Find a loss that grows from step to step and will not come down."""
    if view.diverged or len(view.seen) < 2:
        return
    steps, losses = (np.array(each) for each in zip(*view.seen[-WATCHED:], strict=True))
    with np.errstate(all="ignore"):
        grown = np.diff(np.log(losses))
    row = _in_a_row(grown)
    lowest, turned = _turned(view)
    grows = _grows_far(view, grown) or _is_beyond_the_edge(view, grown, row, lowest)
    ahead = _ahead(view, grows=grows)
    if ahead is not None and ahead.diverged_at is not None:
        yield from _diverges_ahead(view, ahead, ahead.diverged_at)
    elif grows:
        rises = grown[-row:] if row >= ON_A_PARABOLA else grown
        pace = float(rises.sum() / (steps[-1] - steps[-1 - len(rises)]))
        left = math.log(BEYOND * view.task.initial_loss / view.loss) / pace if pace > 0.0 else math.inf
        is_known = ahead is None or (
            left > ahead.steps and _has_constant_edge(view) and _goes_on(view, ahead, pace)
        )
        if left <= SOON and is_known:
            at_step = int(view.step + left)
            words = partial(_will_diverge, view, rises, pace, at_step, turned)
            yield Sighting(lambda since: words(), "problem", Held(view.step, lambda: turned))


def _goes_on(view: View, ahead: Ahead, pace: float) -> bool:
    """Return whether the next steps grow at half of this pace at least.

    Driven by batches that differ too much, a loss may rise for long and come back. Clearly beyond its limit none does.
    """
    if _times_the_limit(view) > CLEARLY:
        return True
    return math.log(ahead.highest / view.loss) >= pace * ahead.steps / 2


def _in_a_row(grown: Floats) -> int:
    """Return how many of the last changes were rises."""
    others = np.flatnonzero(~(grown > 0.0))
    return len(grown) - 1 - int(others[-1]) if len(others) else len(grown)


def _grows_far(view: View, grown: Floats) -> bool:
    """Return whether it rose in most of the last examinations, far above its start."""
    far = view.loss > FAR * view.task.initial_loss > 0.0
    is_smooth = (
        view.is_full_batch and not view.scales
    )  # noise, and steps of a fixed length, also come down again
    return far and len(grown) >= (IN_A_ROW if is_smooth else WATCHED - 1) and (grown > 0.0).mean() >= STEADY


def _is_beyond_the_edge(view: View, grown: Floats, row: int, lowest: float) -> bool:
    """Return whether it rises in a row while the curvature is above its limit."""
    if row < 1:
        return False
    if _has_constant_edge(view) and (_times_the_limit(view) > CLEARLY or _is_driven_by_noise(view, row)):
        return True
    if not view.is_full_batch or row < 2:
        return False
    if not view.layers:
        return row >= ON_A_PARABOLA and _times_the_limit(view) > 1.0
    if view.loss < view.task.initial_loss:
        return False
    half = row // 2
    slows = row < IN_A_ROW or grown[-half:].mean() < grown[-row : len(grown) - half].mean()
    has_grown = not slows and view.loss >= DOUBLED * lowest
    return _times_the_limit(view) > (1.0 if has_grown else NO_WAY_BACK)


def _has_constant_edge(view: View) -> bool:
    """Return whether curvature and limit stay as they are, so that the mean over batches follows one linear map.

    Then one rise is enough. With hidden layers it is not. In mini-batches, 20 of 616 runs that did not diverge rose
    twice in a row at 6 times the limit and came back; 24 of the 126 that diverged rose so.
    """
    settings = view.settings
    is_bounded = view.scales or settings.clipped
    return view.task.is_quadratic and not is_bounded and settings.schedule == CONSTANT


def _is_driven_by_noise(view: View, row: int) -> bool:
    """Return whether the loss grows on a parabola whose mean over batches is stable: the batches differ too much."""
    return row >= ON_A_PARABOLA and view.loss > FAR_OUT * view.task.initial_loss


def _times_the_limit(view: View) -> float:
    """Return the curvature over its limit; 0 if it cannot be measured."""
    edge = view.edge()
    return 0.0 if edge is None else edge.sharpness / edge.limit


def _ahead(view: View, *, grows: bool) -> Ahead | None:
    """Return the next steps of a run in mini-batches: these differ too much to judge by growth and curvature.

    They are made on a copy once the loss is above the last ones, and as long as a forecast stands. None if they are not
    needed or take too long.
    """
    if view.is_full_batch:
        return None
    losses = view.series.loss[-AGO:]
    rises = len(losses) > 0 and view.loss > max(losses[-LATELY:].max(), RISEN * losses.min())
    return view.ahead() if grows or rises or view.is_open("will_diverge", ()) else None


def _diverges_ahead(view: View, ahead: Ahead, at_step: int) -> Iterator[Sighting]:
    """Find a run whose next steps diverge after the loss was twice the trough's; none if that lies ahead too.

    The trough is the last point whose loss is the lowest, to rounding, from 200 points before it to the end.
    """
    losses = np.append(view.series.loss, view.loss)
    later = np.minimum.accumulate(np.append(losses, ahead.lowest)[::-1])[::-1][:-1]
    padded = np.concatenate([np.full(WINDOW, math.inf), losses])
    before = sliding_window_view(padded, WINDOW + 1).min(axis=1)
    troughs = np.flatnonzero((losses <= SAME * later) & (losses <= SAME * before))
    if len(troughs) and max(view.loss, ahead.highest) > DOUBLED * losses[troughs[-1]]:
        trough = int(np.append(view.series.steps, view.step)[troughs[-1]])
        words = _diverges(view, at_step, float(losses[troughs[-1]]), trough)
        yield Sighting(lambda since: words, "problem", Held(view.step, lambda: trough))


def _diverges(view: View, at_step: int, least: float, trough: int) -> Words:
    return Words(
        title="{run} is about to diverge.",
        evidence=f"Loss {number(view.loss)}, up from {number(least)} at step {trough:,}. Its next steps, made on a "
        f"copy, diverge at step {at_step:,}.",
        mark="about to diverge",
        why=_why(view),
        remedies=lambda: _calmer(view, trough),
    )


def _calmer(view: View, turned: int) -> tuple[Remedy, ...]:
    """Return a lower rate, and a rewind to where the loss turned."""
    lower = (edit(view, "Lower the rate", learning_rate=rate) for rate in lower_rates(view, LOWER))
    return first_helpful(lambda: first_rate(view, lower), lambda: _rewound(view, turned, None))


def _will_diverge(view: View, rises: Floats, pace: float, at_step: int, turned: int) -> Words:
    edge = view.edge() if view.is_full_batch or _has_constant_edge(view) else None
    beyond = sharpness_sentence(edge, view.step) if edge is not None and edge.sharpness > edge.limit else ""
    return Words(
        title="{run} is about to diverge.",
        evidence=f"The loss rose in {int((rises > 0.0).sum())} of the last {count(len(rises), 'check')}, by "
        f"{percent(math.expm1(pace))} a step; at this "
        f"pace it is a million times its start at about step {at_step:,}.{beyond}",
        mark="about to diverge",
        why=_why(view),
        remedies=lambda: _calmer(view, turned),
    )


def _turned(view: View) -> tuple[float, int]:
    """Return the lowest recent loss and the last step so low, after which it grew."""
    losses, steps = view.series.loss[-WINDOW:], view.series.steps[-WINDOW:]
    if not len(losses) or view.loss <= SAME * losses.min():
        return view.loss, view.step
    place = int(np.flatnonzero(losses <= SAME * losses.min())[-1])
    return float(losses[place]), int(steps[place])


def _size(view: View) -> str:
    times = view.loss / view.task.initial_loss if view.task.initial_loss > 0 else math.inf
    if times >= 10 and math.isfinite(times):
        return f"Loss {number(view.loss)}, {number(times)} times its start"
    return f"Loss {number(view.loss)}"


# ---------------------------------------------------------------------- learning rate

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
    is_full_batch = series.steps[ends - CHANGES] >= view.batch_since
    holds[ends - series.fresh] = (rose >= RISES) & (fell >= RISES) & is_full_batch
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
            view.line("W1"),
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
    train = windows(view)
    creeps = (train.fell > 0.0) & (train.fell < CREEPS) & (train.last > UNLEARNT * view.task.baseline)
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
        words = _too_small(view, float(train.fell[-1]), float(moved[-1]))
        yield Sighting(lambda since: words, "warning", both)


def _too_small(view: View, fell: float, moved: float) -> Words:
    return Words(
        title="{run}: almost flat.",
        evidence=f"Loss fell {percent(fell)} in the last {WINDOW * view.apart:,} steps; update / "
        f"weight is {number(moved)}.",
        mark="almost flat",
        why=Why(
            "The gradient is almost as long as at the start, but the rate makes the steps tiny.",
            view.line("W1"),
        ),
        remedies=lambda: first_helpful(
            lambda: first_with(beats, view, _raises(view, moved)), lambda: first_with(beats, view, adam(view))
        ),
    )


def _raises(view: View, moved: float) -> Iterator[Remedy]:
    """Yield higher rates: first the power of ten that brings the ratio nearest below `USUAL`."""
    for power in range(min(math.floor(math.log10(USUAL / moved)), MOST_POWERS), 0, -1):
        yield raised_by(view, 10**power)
