"""Saturated units and equal units. Must not know other rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from fallline.diagnosis.remedies import redraw
from fallline.diagnosis.rule import Sighting, Since, Subject, Trace, Words
from fallline.diagnosis.view import Layer, View
from fallline.diagnosis.words import count, percent
from fallline.vocabulary.findings import Why

SATURATED, STILL_SATURATED = 0.8, 0.7
"""Shares of a layer's outputs with a slope near 0: to open, and to stay open."""

FITTED = 0.9
"""Score above which saturation does no harm: a good classifier may saturate."""


def saturated_units(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """Find layers of tanh or sigmoid with a slope near 0 almost everywhere."""
    for place, layer in enumerate(view.layers, start=1):
        subject: Subject = (("layer", place),)
        if layer.saturated_share is None or view.score > FITTED:
            continue
        share = float(np.mean(layer.saturated_share))
        if share >= (STILL_SATURATED if is_open(subject) else SATURATED):
            trace = Trace("saturated", place, (SATURATED,))
            yield Sighting(_saturated(view, place, layer, share), "warning", trace, subject)


def _saturated(view: View, place: int, layer: Layer, share: float) -> Callable[[Since], Words]:
    slope = layer.slope.format(z=f"z{place}", a=f"a{place}")

    def words(since: Since) -> Words:
        return Words(
            title=f"{{run}}: layer {place} is saturated.",
            evidence=f"At {percent(share)} of its outputs the slope is below a twentieth of the "
            f"steepest, since {since}.",
            mark=f"layer {place} saturated",
            why=Why(
                "Far from 0 the activation is flat: the gradient is multiplied by almost 0 there, and the incoming "
                "weights hardly move.",
                f"dz{place} = da{place} * {slope}",
            ),
            remedies=lambda: (redraw(view, "xavier_normal"),),
        )

    return words


def symmetric_units(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """Find units with the same incoming and outgoing weights."""
    for place, layer in enumerate(view.layers, start=1):
        if layer.alike:
            trace = Trace("alike", place, layer.alike)
            equal = tuple(unit for group in layer.alike for unit in group)
            yield Sighting(
                _symmetric(view, place, layer), "warning", trace, (("layer", place), ("units", equal))
            )


def _symmetric(view: View, place: int, layer: Layer) -> Callable[[Since], Words]:
    equal, groups = sum(map(len, layer.alike)), len(layer.alike)
    acts = "one unit" if groups == 1 else count(groups, "unit")

    def words(since: Since) -> Words:
        return Words(
            title=f"{{run}}: {equal} of {layer.units} units in layer {place} are equal.",
            evidence=f"They have had the same weights since {since}, and get the same gradients: they act as {acts}.",
            mark=f"{equal} units equal",
            why=Why(
                "Units with equal incoming and outgoing weights have equal outputs and equal gradients, so no step "
                "separates them. Random initial weights do.",
                f"dW{place} = a{place - 1}.T @ dz{place}" if place > 1 else "dW1 = X.T @ dz1",
            ),
            remedies=lambda: (redraw(view, "xavier_normal"),),
        )

    return words
