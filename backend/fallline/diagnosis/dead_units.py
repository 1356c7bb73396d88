"""Units that output 0 for every training sample. Must not know other rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from fallline.diagnosis.remedies import first_helpful, revive, rewind
from fallline.diagnosis.rule import Sighting, Since, Subject, Trace, Words
from fallline.diagnosis.view import Layer, View
from fallline.diagnosis.words import count, every, number
from fallline.vocabulary.findings import Severity, Why

MANY = 0.5
"""Share of a layer from which dead units are a warning. Fewer are common: "as much as 40 %" of a network if the rate
is too high (cs231n, neural-networks-1).
"""

BATCHES = 25
"""Steps without a gradient before a finding says that there is none: a batch may lack the samples that have one."""

FLAT_R2 = 0.005
"""Largest |R²| that counts as 0, the R² of predicting the mean."""


def dead_layer(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """Find the first layer with only dead units, behind which no input arrives."""
    for place, layer in enumerate(view.layers, start=1):
        if layer.is_dead:
            behind = view.zero_since(f"grad_l1/W{place + 1}")
            trace = Trace("dead", place, tuple(range(layer.units)), earliest=min(behind, view.step))
            yield Sighting(_dead_layer(view, place, layer), "problem", trace, (("layer", place),))
            return


def _dead_layer(view: View, place: int, layer: Layer) -> Callable[[Since], Words]:
    def words(since: Since) -> Words:
        of_all = every(view.task.samples, "sample")
        silent = f"{layer.units} of {count(layer.units, 'unit')} output 0 for {of_all} since {since}."
        return Words(
            title=f"{{run}}: layer {place} is dead.",
            evidence=f"{silent} {_outcome(view)}",
            mark=f"layer {place} dead",
            why=_why(place, "every unit of the layer is off for every sample"),
            remedies=lambda: first_helpful(lambda: revive(view), lambda: rewind(view, since.step)),
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


def dead_units(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """Find layers with some dead units."""
    for place, layer in enumerate(view.layers, start=1):
        if any(layer.dead) and not layer.is_dead:
            dead = tuple(unit for unit, is_dead in enumerate(layer.dead) if is_dead)
            subject: Subject = (("layer", place), ("units", dead))
            severity: Severity = "warning" if len(dead) >= MANY * layer.units else "info"
            words = _dead_units(view, place, layer, len(dead))
            yield Sighting(words, severity, Trace("dead", place, dead), subject)


def _dead_units(view: View, place: int, layer: Layer, dead: int) -> Callable[[Since], Words]:
    def words(since: Since) -> Words:
        are, they = ("is", "It outputs") if dead == 1 else ("are", "They output")
        of_all = every(view.task.samples, "sample")
        return Words(
            title=f"{{run}}: {dead} of {layer.units} units in layer {place} {are} dead.",
            evidence=f"{they} 0 for {of_all} since {since}. {_the_rest(view, place)}",
            mark=f"{count(dead, 'unit')} dead",
            why=_why(place, "a unit is off for every sample"),
            remedies=lambda: first_helpful(lambda: revive(view)),
        )

    return words


def _the_rest(view: View, place: int) -> str:
    """Say whether the layer had a gradient in the last batches."""
    sizes = view.last(f"grad_l1/W{place}", 1 if view.is_full_batch else BATCHES)
    return "The rest still learn." if (sizes != 0.0).any() else "No gradient reaches the rest either."


def _why(place: int, once: str) -> Why:
    return Why(
        "A relu outputs 0 for inputs below 0 and passes no gradient back there. Once "
        f"{once}, its gradients are exactly 0, and its own steps do not change it.",
        f"dz{place} = da{place} * (z{place} > 0)",
    )
