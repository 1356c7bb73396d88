"""Saturated units and equal units. Must not know other rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from fallline.diagnosis.remedies import first_helpful, holds, rewind, separate
from fallline.diagnosis.rule import Sighting, Words
from fallline.diagnosis.view import SATURATED, Layer, Measured, Trial, View
from fallline.diagnosis.windows import held_state
from fallline.diagnosis.words import count, percent
from fallline.vocabulary.findings import Why

FITTED = 0.9
"""Score above which saturation does no harm: a good classifier may saturate."""


def saturated_units(view: View) -> Iterator[Sighting]:
    """Find layers of tanh or sigmoid with a slope near 0 almost everywhere."""
    for place, layer in enumerate(view.layers, start=1):
        held = held_state(view, partial(_is_saturated, place=place))
        if held is not None:
            dates = view.dates["saturated", place]
            words = _saturated(view, place, layer, share_of(layer))
            yield Sighting(words, "warning", held, (("layer", place),), dates)


def _has_equal_units(state: Measured, place: int) -> bool:
    return bool(state.layers[place - 1].alike)


def _is_saturated(state: Measured, place: int) -> bool:
    return share_of(state.layers[place - 1]) >= SATURATED and state.score <= FITTED


def share_of(layer: Layer) -> float:
    """Return the saturated share of a layer's outputs; 0 if it cannot saturate."""
    return 0.0 if layer.saturated_share is None else float(np.mean(layer.saturated_share))


def _saturated(view: View, place: int, layer: Layer, share: float) -> Callable[[int], Words]:
    slope = layer.slope.format(z=f"z{place}", a=f"a{place}")

    def words(since: int) -> Words:
        return Words(
            title=f"{{run}}: layer {place} is saturated.",
            evidence=f"At {percent(share)} of its outputs the slope is below a twentieth of the "
            f"steepest, since step {since:,}.",
            mark=f"layer {place} saturated",
            why=Why(
                "Far from 0 the activation is flat: the gradient is multiplied by almost 0 there, and the incoming "
                "weights hardly move.",
                f"dz{place} = da{place} * {slope}",
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
        held = held_state(view, partial(_has_equal_units, place=place))
        if held is not None:
            dates = view.dates["alike", place]
            yield Sighting(_symmetric(view, place, layer), "warning", held, (("layer", place),), dates)


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
                f"dW{place} = a{place - 1}.T @ dz{place}" if place > 1 else "dW1 = X.T @ dz1",
            ),
            remedies=lambda: first_helpful(lambda: separate(view)),
        )

    return words
