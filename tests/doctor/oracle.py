"""The oracle: which faults a run has, from which step on, by definitions that need all of its numbers.

docs/reference/doctor-definitions.md has the definitions in words, with their sources. A function here has one of them
each. Thresholds stand beside the formula that uses them: nothing is shared with the Doctor.

At step n a run has records 0 to n - 1, as in the API. A rule about a state looks at state n.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from doctor.numbers import Array, Booleans, Numbers

Severity = Literal["problem", "warning", "info"]

WINDOW = 200
"""Records of a rule about a series."""

EIGHTH = WINDOW // 8
LATER = 50
"""Steps in which a fault must be named. A fault that ends sooner need not be."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule that holds from step `since` to `until` (None: to the end).

    `shows` is the first step whose past proves it. `units` are pairs of a unit and its own first step. `label` sets
    `grave`.
    """

    rule: str
    since: int
    shows: int
    until: int | None = None
    severity: Severity = "warning"
    layer: int | None = None
    units: tuple[tuple[int, int], ...] = ()
    grave: bool = False

    def overlaps(self, first: int, last: int) -> bool:
        """Return whether it holds anywhere between two steps."""
        return self.since <= last and (self.until is None or self.until >= first)

    def lasts(self, steps: int) -> bool:
        """Return whether it holds for `LATER` steps after it shows, in a run of so many."""
        if self.rule in ("diverged", "will_diverge", "spike"):
            return True
        return (steps if self.until is None else self.until) - self.shows >= LATER


# ---------------------------------------------------------------------- steps at which something holds


def stretches(holds: Booleans) -> Iterator[tuple[int, int | None]]:
    """Yield the first step of each unbroken stretch, and the step at which it is over."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], holds, [False]]).astype(np.int8)))
    for first, stop in zip(edges[0::2], edges[1::2], strict=True):
        yield int(first), int(stop) if stop < len(holds) else None


def _lasting(run: Numbers, holds: Booleans, hold: int) -> Iterator[tuple[int, int, int | None]]:
    """Yield (since, shows, until) of the stretches of `hold` steps or more.

    A stretch holds at each examined step in it. It begins before the first of them, as far as it holds at every step.
    """
    examined = np.flatnonzero(run.examined)
    for first, stop in stretches(holds[examined]):
        since, until = int(examined[first]), None if stop is None else int(examined[stop])
        while since > 0 and holds[since - 1]:
            since -= 1
        if (len(holds) if until is None else until) - since > hold:
            yield since, since + hold, until


def _joined(holds: Booleans, back: int) -> Iterator[tuple[int, int, int | None]]:
    """Yield the same for a rule about the last `back` records; gaps below `LATER` steps are closed."""
    parts: list[tuple[int, int | None]] = []
    for first, until in stretches(holds):
        if parts and (end := parts[-1][1]) is not None and first - end < LATER:
            parts[-1] = parts[-1][0], until
        else:
            parts.append((first, until))
    for first, until in parts:
        yield max(first - back, 0), first, until


class Window:
    """The last 200 records of a series at each step n, NaN before there are so many.

    `first` and `last` are the means of an eighth, `before` and `after` of a half, `spread` the standard deviation of
    the later half.
    """

    def __init__(self, values: Array, steps: int, least: int = WINDOW) -> None:
        rows = sliding_window_view(values[:steps], WINDOW) if steps >= WINDOW else np.empty((0, WINDOW))
        half = WINDOW // 2

        def column(each: Array) -> Array:
            whole = np.full(steps + 1, np.nan)
            whole[WINDOW:] = each
            whole[:least] = np.nan
            return whole

        self.first = column(rows[:, :EIGHTH].mean(axis=1))
        self.last = column(rows[:, -EIGHTH:].mean(axis=1))
        self.before = column(rows[:, :half].mean(axis=1))
        self.after = column(rows[:, half:].mean(axis=1))
        self.spread = column(rows[:, half:].std(axis=1))

    @property
    def fall(self) -> Array:
        return np.asarray(1.0 - self.after / self.before)

    @property
    def fell(self) -> Array:
        return np.asarray(1.0 - self.last / self.first)


# ---------------------------------------------------------------------- rules


def diverged(run: Numbers) -> Iterator[Fault]:
    """The next state is not finite, or its loss is over a million times the loss of step 0."""
    if run.diverged_at is not None:
        yield Fault("diverged", run.diverged_at, run.diverged_at, severity="problem")


def will_diverge(run: Numbers) -> Iterator[Fault]:
    """The run diverges, known by hindsight: from the last trough on.

    The trough is the last step whose loss is lowest, to a part in 10^9, from 200 steps before it to the end. It shows
    once the loss has doubled since.
    """
    if run.diverged_at is None:
        return
    losses = run.train_loss
    lowest = np.minimum.accumulate(losses[::-1])[::-1]
    troughs = [
        n
        for n in range(len(losses))
        if losses[n] <= (1 + 1e-9) * min(lowest[n], losses[max(n - 200, 0) : n + 1].min())
    ]
    since = troughs[-1]
    doubled = np.flatnonzero(losses[since:] > 2.0 * losses[since])
    if len(doubled) and since + int(doubled[0]) < run.diverged_at:
        yield Fault("will_diverge", since, since + int(doubled[0]), run.diverged_at, "problem")


def dead_layer(run: Numbers) -> Iterator[Fault]:
    """Every unit of a relu layer outputs exactly 0 for every training sample; only the first such layer."""
    behind: Booleans = np.zeros(run.steps + 1, dtype=np.bool_)
    for layer, dead in sorted(run.dead.items()):
        whole = np.asarray(dead.all(axis=1))
        for since, shows, until in _lasting(run, np.asarray(whole & ~behind), 0):
            yield Fault("dead_layer", since, shows, until, "problem", layer)
        behind = np.asarray(behind | whole)


def dead_units(run: Numbers) -> Iterator[Fault]:
    """Units of a relu layer that output 0 for every training sample for 25 steps, but not the whole layer.

    Each unit has its own first step; the fault has the earliest of them. A warning from half of the layer on.
    """
    for layer, dead in run.dead.items():
        some = np.asarray(dead.any(axis=1) & ~dead.all(axis=1))
        for first, shows, until in _lasting(run, some, 25):
            end = run.steps + 1 if until is None else until
            dates = tuple(
                (unit, since)
                for unit in range(dead.shape[1])
                for since, _, over in _lasting(run, dead[:, unit], 25)
                if since < end and (over is None or over > first) and (over is None or until is not None)
            )
            if dates:
                many = (dead[first:end].sum(axis=1) >= 0.5 * dead.shape[1]).any()
                since = min(step for _, step in dates)
                yield Fault(
                    "dead_units",
                    since,
                    max(shows, since + 25),
                    until,
                    "warning" if many else "info",
                    layer,
                    dates,
                )


def symmetric_units(run: Numbers) -> Iterator[Fault]:
    """Units of a hidden layer with equal incoming and outgoing weights, to 1e-9 of the largest."""
    for layer, groups in run.groups.items():
        equal = groups != np.arange(groups.shape[1])
        for since, shows, until in _lasting(run, equal.any(axis=1), 0):
            units = tuple((int(unit), since) for unit in np.flatnonzero(equal[since]))
            yield Fault("symmetric_units", since, shows, until, "warning", layer, units)


def saturated_units(run: Numbers) -> Iterator[Fault]:
    """At 80 % of a layer's outputs the slope is below 5 % of the steepest, for 20 steps, at a score below 0.9."""
    for layer, share in run.saturated.items():
        for since, shows, until in _lasting(run, (share >= 0.8) & (run.score <= 0.9), 20):
            yield Fault("saturated_units", since, shows, until, "warning", layer)


def vanishing_gradients(run: Numbers) -> Iterator[Fault]:
    """Single samples' gradient entries are 1,000 times smaller in the first of 3 or more layers, for 20 steps."""
    if run.network.layers >= 3:
        first, last = run.sizes[:, 0], run.sizes[:, -1]
        for since, shows, until in _lasting(run, (first > 0.0) & (last > 1000.0 * first), 20):
            yield Fault("vanishing_gradients", since, shows, until)


def exploding_gradients(run: Numbers) -> Iterator[Fault]:
    """Single samples' bias gradients are 100 times larger in the first of 3 or more layers, for 20 steps.

    The loss is above 5 % of the baseline.
    """
    if run.network.layers >= 3:
        large = run.bias_sizes[:, 0] > 100.0 * run.bias_sizes[:, -1]
        for since, shows, until in _lasting(run, large & (run.train_loss > 0.05 * run.baseline), 20):
            yield Fault("exploding_gradients", since, shows, until)


def rate_at_edge(run: Numbers) -> Iterator[Fault]:
    """A full batch's loss rose by 1e-4 of itself in 30 of the last 100 steps, and fell by as much in 30.

    A warning if it does not fall by 2 %.
    """
    if not run.is_full_batch or run.steps < WINDOW:
        return
    losses = run.train_loss[: run.steps]
    change, notable = np.diff(losses), 1e-4 * losses[:-1]
    often = [_lately(change > notable) >= 30, _lately(change < -notable) >= 30]
    fell = Window(run.train_loss, run.steps).fell
    holds = often[0] & often[1] & np.isfinite(fell)
    warns = holds & (fell <= 0.02) & (run.train_loss > 0.05 * run.baseline)
    for since, shows, until in _joined(holds, 101):
        yield Fault("rate_at_edge", since, shows, until, "warning" if warns[shows:until].any() else "info")


def _lately(changes: Booleans) -> Array:
    """Count the last 100 changes of a series at each step; 0 before there are so many."""
    counts = np.concatenate([[0], np.cumsum(changes)])
    lately = np.zeros(len(counts) + 1)
    lately[101:] = counts[100:] - counts[:-100]
    return lately


def rate_too_small(run: Numbers) -> Iterator[Fault]:
    """The loss fell by less than 1 % in 200 steps, update / weight is below 2e-5, and the gradient is not spent."""
    if run.steps < WINDOW:
        return
    window, moved = Window(run.train_loss, run.steps), np.full(run.steps + 1, np.nan)
    rows = sliding_window_view(run.moved, WINDOW, axis=0)
    moved[WINDOW:] = np.median(rows, axis=2).max(axis=1)
    unspent = np.sqrt(run.squared) > 0.3 * np.sqrt(run.squared[0])
    creeps = (window.fell > 0.0) & (window.fell < 0.01) & (window.last > 0.05 * run.baseline)
    for since, shows, until in _joined(creeps & (moved > 0.0) & (moved < 2e-5) & unspent, WINDOW):
        yield Fault("rate_too_small", since, shows, until)


def _settled(run: Numbers, spread: float) -> tuple[Window, Booleans]:
    """Return where a mini-batch's loss no longer falls (2 % between halves) and spreads by this share of itself."""
    window = Window(run.train_loss, run.steps, 2 * WINDOW)
    return window, (np.abs(window.fall) < 0.02) & (window.spread >= spread * window.after)


def _noise(run: Numbers) -> Array:
    """Return E |batch gradient - full gradient|² / |full gradient|² at each step."""
    with np.errstate(all="ignore"):
        share = (run.samples - run.batch) / (run.samples * run.batch)
        return np.asarray(share * run.trace / run.squared)


def small_batch(run: Numbers) -> Iterator[Fault]:
    """It no longer falls, spreads by 15 %, above half of the baseline; the gradient's noise is 10 times its size."""
    if not run.is_full_batch:
        window, settled = _settled(run, 0.15)
        holds = settled & (window.after >= 0.5 * run.baseline) & (_noise(run) > 10.0)
        for since, shows, until in _joined(holds, WINDOW):
            yield Fault("small_batch", since, shows, until)


def noise_floor(run: Numbers) -> Iterator[Fault]:
    """It no longer falls and spreads by 3 %; the gradient's noise is larger than the gradient."""
    if not run.is_full_batch:
        _, settled = _settled(run, 0.03)
        for since, shows, until in _joined(settled & (_noise(run) > 1.0), WINDOW):
            yield Fault("noise_floor", since, shows, until, "info")


def wasteful_batch(run: Numbers) -> Iterator[Fault]:
    """A step takes 32 samples or more, and 20 times the noise scale, for 100 steps."""
    if run.batch >= 32:
        with np.errstate(all="ignore"):
            large = run.batch > 20.0 * run.trace / run.squared
        for since, shows, until in _lasting(run, large, 100):
            yield Fault("wasteful_batch", since, shows, until, "info")


def unscaled_inputs(run: Numbers) -> Iterator[Fault]:
    """The inputs' standard deviations differ by 100 times, or a mean is 10 of them from 0."""
    spreads, means = run.input_spreads, np.abs(run.input_means)
    vary = spreads > 0.0
    if vary.any() and (
        spreads[vary].max() > 100.0 * spreads[vary].min() or (means[vary] > 10.0 * spreads[vary]).any()
    ):
        yield Fault("unscaled_inputs", 0, 0)


def overfitting(run: Numbers) -> Iterator[Fault]:
    """The test loss is 20 % above its lowest, 100 steps after it, and not falling, while the train loss fell on."""
    if not len(run.test_loss) or run.steps < WINDOW:
        return
    train, test = Window(run.train_loss, run.steps), Window(run.test_loss, run.steps)
    best = _first_lowest(run.test_loss[: run.steps])
    best = np.concatenate([best[:1], best])  # at step n: the best of records 0 to n - 1
    least, then = run.test_loss[best], run.train_loss[best]
    rose = test.last - least > np.maximum(0.2 * least, 0.03 * run.baseline)
    lately = np.arange(run.steps + 1) - best >= 100
    holds = rose & lately & (train.last < then) & (test.last >= test.first)
    for _, shows, until in _joined(holds, 0):
        yield Fault("overfitting", int(best[shows]) + 1, shows, until)


def _first_lowest(values: Array) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the place of the first lowest value up to each place."""
    lower = np.concatenate([[True], values[1:] < np.minimum.accumulate(values)[:-1]])
    return np.asarray(np.maximum.accumulate(np.where(lower, np.arange(len(values)), 0)))


def predicts_the_mean(run: Numbers) -> Iterator[Fault]:
    """Over 100 steps the loss was 0.98 to 1.1 times the baseline's, spread by below 10 %, and no longer fell.

    Then it lasts up to 1.2 times the baseline's, a spread of 20 % and a fall of 5 %. It begins after the last mean of
    25 losses below half of the baseline's.
    """
    window = Window(run.train_loss, run.steps)
    begins: list[bool] = []
    lasts: list[bool] = []
    for holds, most, spread, fall in ((begins, 1.1, 0.1, 0.005), (lasts, 1.2, 0.2, 0.05)):
        near = (window.after >= 0.98 * run.baseline) & (window.after <= most * run.baseline)
        holds.extend(near & (window.fall < fall) & (window.spread < spread * window.after))
    for since, shows, until in _joined(_continued(begins, lasts), WINDOW):
        low = [
            end for end in range(max(since + 1, EIGHTH), shows) if _mean_before(run, end) < 0.5 * run.baseline
        ]
        yield Fault("predicts_the_mean", low[-1] if low else since, shows, until, "problem")


def _mean_before(run: Numbers, step: int) -> float:
    """Return the mean of the last 25 losses before this step."""
    return float(run.train_loss[step - EIGHTH : step].mean())


def _continued(begins: list[bool], lasts: list[bool]) -> Booleans:
    """Return where a condition holds that begins and lasts so; gaps below `LATER` steps do not end it."""
    holds: Booleans = np.zeros(len(begins), dtype=np.bool_)
    last = -LATER
    for step, (begin, stay) in enumerate(zip(begins, lasts, strict=True)):
        if begin or (stay and step - last < LATER):
            holds[step], last = True, step
    return holds


def stuck(run: Numbers) -> Iterator[Fault]:
    """In 200 steps the loss was above 0.98 of the baseline's in both halves, and fell by less than 5 % between them.

    No mean of 25 losses so far is below half of the baseline's.
    """
    window = Window(run.train_loss, run.steps, 2 * WINDOW)
    high = (window.before >= 0.98 * run.baseline) & (window.after >= 0.98 * run.baseline)
    learned = [
        step >= EIGHTH and _mean_before(run, step) < 0.5 * run.baseline for step in range(run.steps + 1)
    ]
    never = ~np.logical_or.accumulate(learned)
    for since, shows, until in _joined(high & (window.fall < 0.05) & never, WINDOW):
        yield Fault("stuck", since, shows, until, "problem")


def plateau(run: Numbers) -> Iterator[Fault]:
    """After 400 steps the loss changed by less than 1 % in 200, above 5 % of the baseline; a warning above half."""
    window = Window(run.train_loss, run.steps, 2 * WINDOW)
    flat = (np.abs(window.fell) < 0.01) & (window.spread < 0.01 * window.after)
    warns = flat & (window.after > 0.5 * run.baseline)
    for since, shows, until in _joined(flat & (window.after >= 0.05 * run.baseline), WINDOW):
        yield Fault("plateau", since, shows, until, "warning" if warns[shows:until].any() else "info")


def spike(run: Numbers) -> Iterator[Fault]:
    """The loss is 5 times the median of the 50 steps before, and higher by 5 % of the baseline's."""
    losses, over = run.train_loss, np.zeros(run.steps + 1, dtype=np.bool_)
    if run.steps >= 50:
        usual = np.median(sliding_window_view(losses[:-1], 50), axis=1)
        over[50:] = losses[50:] > np.maximum(5.0 * usual, usual + 0.05 * run.baseline)
    for _, shows, until in _joined(over, 0):
        yield Fault("spike", shows, shows, until)


def worse_than_before(run: Numbers) -> Iterator[Fault]:
    """The mean of 25 steps is twice the lowest such mean, and 5 % of the baseline above, 100 steps after it."""
    if run.steps < 125:
        return
    means = sliding_window_view(run.train_loss[: run.steps], 25).mean(
        axis=1
    )  # of records s to s + 24, at step s + 25
    best = _first_lowest(means)
    least, place = means[best], np.arange(len(means))
    worse = (means > np.maximum(2.0 * least, least + 0.05 * run.baseline)) & (place - best >= 100)
    holds = np.concatenate([np.zeros(25, dtype=np.bool_), worse])
    for _, shows, until in _joined(holds, 0):
        level = least[shows - 25]
        since = int(np.flatnonzero(run.train_loss[:shows] <= level)[-1]) + 1
        yield Fault("worse_than_before", since, shows, until)


RULES: tuple[Callable[[Numbers], Iterator[Fault]], ...] = (
    diverged, will_diverge, dead_layer, dead_units, symmetric_units, saturated_units, vanishing_gradients,
    exploding_gradients, rate_at_edge, rate_too_small, small_batch, noise_floor, wasteful_batch, unscaled_inputs,
    overfitting, predicts_the_mean, stuck, plateau, spike, worse_than_before,
)  # fmt: skip
"""The definitions, named like their rules."""

NAMES = tuple(rule.__name__ for rule in RULES)

_CAUSES = frozenset(
    {
        "dead_layer",
        "symmetric_units",
        "saturated_units",
        "vanishing_gradients",
        "exploding_gradients",
        "rate_too_small",
        "will_diverge",
    }
)
_STILL = frozenset({"predicts_the_mean", "small_batch"})

EXPLAINED_BY: dict[str, frozenset[str]] = {
    "dead_units": frozenset({"dead_layer"}),
    "symmetric_units": frozenset({"dead_layer"}),
    "vanishing_gradients": frozenset({"dead_layer", "symmetric_units", "saturated_units"}),
    "exploding_gradients": frozenset({"dead_layer"}),
    "rate_at_edge": frozenset({"will_diverge"}),
    "small_batch": frozenset({"dead_layer"}),
    "predicts_the_mean": _CAUSES | {"small_batch", "rate_at_edge"},
    "stuck": _CAUSES | _STILL | {"rate_at_edge"},
    "plateau": _CAUSES | _STILL | {"stuck"},
    "noise_floor": _CAUSES | _STILL | {"stuck"},
    "wasteful_batch": _CAUSES | _STILL | {"stuck"},
    "spike": frozenset({"will_diverge"}),
    "worse_than_before": _CAUSES | _STILL | {"stuck"},
    "overfitting": frozenset({"will_diverge"}),
}
"""Which rules say nothing beside a better explanation."""


def faults_of(run: Numbers) -> list[Fault]:
    """Return every fault, explained or not, in the order of `RULES`."""
    with np.errstate(all="ignore"):
        return [fault for rule in RULES for fault in rule(run)]


def unexplained(faults: list[Fault]) -> list[Fault]:
    """Return the faults without one that explains them while they show."""
    return [
        each
        for each in faults
        if not any(
            other.rule in EXPLAINED_BY.get(each.rule, frozenset())
            and other.shows <= each.shows + LATER
            and (other.until is None or other.until > each.shows)
            for other in faults
        )
    ]


def is_grave(run: Numbers) -> bool:
    """Return whether the run came to grave harm.

    It diverged, has learnt nothing and is not on the way, or its loss (train or test) is twice its lowest.
    """
    if run.diverged_at is not None:
        return True
    before, after = (float(half.mean()) for half in np.array_split(run.train_loss[-WINDOW:], 2))
    if _ends(run.train_loss)[0] >= 0.98 * run.baseline and after > 0.95 * before:
        return True
    return any(
        now > max(2.0 * best, best + 0.05 * run.baseline)
        for now, best in map(_ends, (run.train_loss, run.test_loss))
    )


def _ends(losses: Array) -> tuple[float, float]:
    """Return the mean of the last 25 losses, and the lowest mean of 25; both 0 without losses."""
    if not len(losses):
        return 0.0, 0.0
    means = sliding_window_view(losses, min(25, len(losses))).mean(axis=1)
    return float(means[-1]), float(means.min())


def label(run: Numbers) -> list[Fault]:
    """Return the unexplained faults. In a run with grave harm they are grave if they last to its end."""
    grave = is_grave(run)
    return [
        replace(
            each,
            grave=grave and each.severity != "info" and (each.until is None or each.rule == "will_diverge"),
        )
        for each in unexplained(faults_of(run))
    ]
