"""Units that output 0 for every training sample. Must not know other rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

from fallline.diagnosis.remedies import beats, first_helpful, holds, revive, rewind
from fallline.diagnosis.rule import Held, Sighting, Words
from fallline.diagnosis.view import Layer, Measured, Trial, View
from fallline.diagnosis.windows import held_state
from fallline.diagnosis.words import count, every, number
from fallline.vocabulary.findings import Severity, Why

MANY = 0.5
"""Share of a layer from which dead units are a warning. Fewer are common: "as much as 40 %" of a network if the rate
is too high (cs231n, neural-networks-1).
"""

LASTS = 25
"""Steps that a unit must be dead before a finding names it: a batch may revive it."""

FLAT_R2 = 0.005
"""Largest |R²| that counts as 0, the R² of predicting the mean."""


def dead_layer(view: View) -> Iterator[Sighting]:
    """Find the first layer with only dead units, behind which no input arrives."""
    for place, layer in enumerate(view.layers, start=1):
        if layer.is_dead:
            held = Held(view.step, partial(max, view.dates["dead", place].values()))
            yield Sighting(_dead_layer(view, place, layer), "problem", held, (("layer", place),), did=True)
            return


def _dead_layer(view: View, place: int, layer: Layer) -> Callable[[int], Words]:
    def words(since: int) -> Words:
        of_all = every(view.task.samples, "sample")
        silent = f"{layer.units} of {count(layer.units, 'unit')} output 0 for {of_all} since step {since:,}."
        return Words(
            title=f"{{run}}: layer {place} is dead.",
            evidence=f"{silent} {_outcome(view)}",
            mark=f"layer {place} dead",
            why=_why(place, "every unit of the layer is off for every sample"),
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
    lasting = {unit: since for unit, since in dates.items() if view.step - since >= LASTS}
    severity: Severity = "warning" if len(lasting) >= MANY * layer.units else "info"

    def some(state: Measured) -> bool:
        return any(state.layers[place - 1].dead) and not state.layers[place - 1].is_dead

    held = held_state(view, some)
    assert held is not None  # it holds now
    words = _dead_units(view, place, layer, len(lasting))
    return Sighting(words, severity, held, (("layer", place),), lasting, by_dates=True, did=True)


def _dead_units(view: View, place: int, layer: Layer, dead: int) -> Callable[[int], Words]:
    def words(since: int) -> Words:
        are, they = ("is", "It outputs") if dead == 1 else ("are", "They output")
        of_all = every(view.task.samples, "sample")
        return Words(
            title=f"{{run}}: {dead} of {layer.units} units in layer {place} {are} dead.",
            evidence=f"{they} 0 for {of_all} since step {since:,}. {_the_rest(view, place)}",
            mark=f"{count(dead, 'unit')} dead",
            why=_why(place, "a unit is off for every sample"),
            remedies=lambda: first_helpful(lambda: revive(view, _gains), lambda: rewind(view, since, _gains)),
        )

    return words


def _gains(view: View, trial: Trial) -> bool:
    """True if it is better than going on: the live units may suffice."""
    return holds(view, trial) and beats(view, trial)


def _the_rest(view: View, place: int) -> str:
    """Say whether a gradient reaches the layer."""
    reached = view.now.noise.sizes[place - 1] > 0.0
    return "The rest still learn." if reached else "No gradient reaches the rest either."


def _why(place: int, once: str) -> Why:
    return Why(
        "A relu outputs 0 for inputs below 0 and passes no gradient back there. Once "
        f"{once}, its gradients are exactly 0, and its own steps do not change it.",
        f"dz{place} = da{place} * (z{place} > 0)",
    )
