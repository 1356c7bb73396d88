"""Units that are dead, saturated, or equal to another. Must not know other rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np

from fallline.diagnosis.remedies import beats, first_helpful, holds, revive, rewind, separate
from fallline.diagnosis.view import (
    SATURATED,
    Held,
    Layer,
    Measured,
    Sighting,
    Trial,
    View,
    Words,
    change_before,
)
from fallline.diagnosis.windows import held_state
from fallline.diagnosis.words import count, every, number, percent
from fallline.vocabulary.findings import Severity, Why

MANY = 0.5
"""Share of a layer from which dead units are a warning. Fewer are common: "as much as 40 %" of a network if the rate
is too high (cs231n, neural-networks-1).
"""

LASTS = 25
"""Steps that a unit must be dead before a finding names it: a batch may revive it."""

JOINS = 10
"""The same for a unit of a layer that the finding already names."""

FLAT_R2 = 0.005
"""Largest |R²| that counts as 0, the R² of predicting the mean."""


def dead_layer(view: View) -> Iterator[Sighting]:
    """Find the first layer with only dead units, behind which no input arrives."""
    for place, layer in enumerate(view.layers, start=1):
        if layer.is_dead:
            span = Held(view.step, partial(max, view.dates["dead", place].values()))
            yield Sighting(
                _dead_layer(view, place, layer), "problem", span, (("layer", place),), did=change_before
            )
            return


def _dead_layer(view: View, place: int, layer: Layer) -> Callable[[int], Words]:
    def words(since: int) -> Words:
        of_all = every(view.task.samples, "sample")
        silent = f"{layer.units} of {count(layer.units, 'unit')} output 0 for {of_all} since step {since:,}."
        return Words(
            title=f"{{run}}: layer {place} is dead.",
            evidence=f"{silent} {_outcome(view)}",
            mark=f"layer {place} dead",
            why=_why(view, place, "every unit of the layer is off for every sample"),
            remedies=lambda: first_helpful(lambda: revive(view), lambda: rewind(view, since)),
        )

    return words


def _outcome(view: View) -> str:
    """Name the training score: the page shows the test score beside it."""
    if not math.isfinite(view.score):
        return f"Train loss {number(view.loss)}."
    if view.task.score == "r2":
        if abs(view.score) < FLAT_R2:
            return "Train R² = 0.00: the network predicts the mean."
        return f"Train R² = {number(view.score)}: the network predicts the same for every sample."
    return f"Train accuracy {number(view.score)}: the network predicts the same for every sample."


def dead_units(view: View) -> Iterator[Sighting]:
    """Find layers with some units that have been dead for a while."""
    for place, layer in enumerate(view.layers, start=1):
        if any(layer.dead) and not layer.is_dead:
            yield _some_dead(view, place, layer)


def _some_dead(view: View, place: int, layer: Layer) -> Sighting:
    dates = view.dates["dead", place]
    least = JOINS if view.step - min(dates.values()) >= LASTS else LASTS
    lasting = {unit: since for unit, since in dates.items() if view.step - since >= least}
    severity: Severity = "warning" if len(lasting) >= MANY * layer.units else "info"

    def some(state: Measured) -> bool:
        return any(state.layers[place - 1].dead) and not state.layers[place - 1].is_dead

    span = held_state(view, some)
    assert span is not None  # it holds now
    words = _dead_units(view, place, layer, lasting, or_untried=severity == "warning")
    return Sighting(words, severity, span, (("layer", place),), lasting, by_dates=True, did=change_before)


def _dead_units(
    view: View, place: int, layer: Layer, dates: Mapping[int, int], *, or_untried: bool
) -> Callable[[int], Words]:
    """With `or_untried` remedies may be offered without a trial: few dead units seldom need one."""
    dead, last = len(dates), max(dates.values(), default=view.step)

    def words(since: int) -> Words:
        first = f", the first since step {since:,}" if since < last else ""
        are, they = ("is", "It outputs") if dead == 1 else ("are", "They output")
        of_all = every(view.task.samples, "sample")
        return Words(
            title=f"{{run}}: {dead} of {layer.units} units in layer {place} {are} dead.",
            evidence=f"{they} 0 for {of_all} since step {last:,}{first}. {_the_rest(view, place)}",
            mark=f"{count(dead, 'unit')} dead",
            why=_why(view, place, "a unit is off for every sample"),
            remedies=lambda: first_helpful(
                lambda: revive(view, _gains, or_untried=or_untried),
                lambda: rewind(view, since, _gains, or_untried=or_untried),
            ),
        )

    return words


def _gains(view: View, trial: Trial) -> bool:
    """True if it is better than going on: the live units may suffice."""
    return holds(view, trial) and beats(view, trial)


def _the_rest(view: View, place: int) -> str:
    """Say whether a gradient reaches the layer."""
    reached = view.now.noise.sizes[place - 1] > 0.0
    return "The rest still learn." if reached else "No gradient reaches the rest either."


def _why(view: View, place: int, once: str) -> Why:
    return Why(
        "A relu outputs 0 for inputs below 0 and passes no gradient back there. Once "
        f"{once}, its gradients are exactly 0, and its own steps do not change it.",
        view.line(f"dz{place}"),
    )


# ---------------------------------------------------------------------- flat units

FITTED = 0.9
"""Score above which saturation does no harm: a good classifier may saturate."""


def saturated_units(view: View) -> Iterator[Sighting]:
    """Find layers of tanh or sigmoid with a slope near 0 almost everywhere."""
    for place, layer in enumerate(view.layers, start=1):
        span = held_state(view, partial(_is_saturated, place=place))
        if span is not None:
            dates = view.dates["saturated", place]
            words = _saturated(view, place, share_of(layer))
            yield Sighting(words, "warning", span, (("layer", place),), dates)


def _has_equal_units(state: Measured, place: int) -> bool:
    return bool(state.layers[place - 1].alike)


def _is_saturated(state: Measured, place: int) -> bool:
    return share_of(state.layers[place - 1]) >= SATURATED and state.score <= FITTED


def share_of(layer: Layer) -> float:
    """Return the saturated share of a layer's outputs; 0 if it cannot saturate."""
    return 0.0 if layer.saturated_share is None else float(np.mean(layer.saturated_share))


def _saturated(view: View, place: int, share: float) -> Callable[[int], Words]:
    def words(since: int) -> Words:
        return Words(
            title=f"{{run}}: layer {place} is saturated.",
            evidence=f"At {percent(share)} of its outputs the slope is below a twentieth of the "
            f"steepest, since step {since:,}.",
            mark=f"layer {place} saturated",
            why=Why(
                "Far from 0 the activation is flat: the gradient is multiplied by almost 0 there, and the incoming "
                "weights hardly move.",
                view.line(f"dz{place}"),
            ),
            remedies=lambda: first_helpful(
                lambda: separate(view, _stays_steep), lambda: rewind(view, since, _stays_steep)
            ),
        )

    return words


def _stays_steep(view: View, trial: Trial) -> bool:
    return holds(view, trial) and trial.saturated < SATURATED


def symmetric_units(view: View) -> Iterator[Sighting]:
    """Find units with the same incoming and outgoing weights."""
    for place, layer in enumerate(view.layers, start=1):
        span = held_state(view, partial(_has_equal_units, place=place))
        if span is not None:
            dates = view.dates["alike", place]
            yield Sighting(_symmetric(view, place, layer), "warning", span, (("layer", place),), dates)


def _symmetric(view: View, place: int, layer: Layer) -> Callable[[int], Words]:
    equal, groups = sum(map(len, layer.alike)), len(layer.alike)
    acts = "one unit" if groups == 1 else count(groups, "unit")

    def words(since: int) -> Words:
        return Words(
            title=f"{{run}}: {equal} of {layer.units} units in layer {place} are equal.",
            evidence=f"They have had the same weights since step {since:,}, and get the same gradients: they act as "
            f"{acts}.",
            mark=f"{equal} units equal",
            why=Why(
                "Units with equal incoming and outgoing weights have equal outputs and equal gradients, so no step "
                "separates them. Random initial weights do.",
                view.line(f"dW{place}"),
            ),
            remedies=lambda: first_helpful(lambda: separate(view)),
        )

    return words
