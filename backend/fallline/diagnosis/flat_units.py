"""Units that are saturated, and units that are equal. Must not know other rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from fallline.diagnosis.remedies import redraw
from fallline.diagnosis.rule import Sighting, Since, Subject, Trace, Words
from fallline.diagnosis.view import Layer, View
from fallline.diagnosis.words import count, percent
from fallline.vocabulary.findings import Why

SATURATED, STILL_SATURATED = 0.8, 0.7
"""The share of samples, over the units of a layer, at which the slope has all but gone."""

FITTED = 0.9
"""A score beyond which saturation does no harm: classes that are told apart well are told apart by it."""


def saturated_units(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """A layer of tanh or sigmoid whose slope is gone almost everywhere."""
    for place, layer in enumerate(view.layers, start=1):
        subject: Subject = (("layer", place),)
        if layer.saturated_share is None or view.score > FITTED:
            continue
        share = float(np.mean(layer.saturated_share))
        if share >= (STILL_SATURATED if is_open(subject) else SATURATED):
            trace = Trace("saturated", place, (SATURATED,))
            yield Sighting(_saturated(view, place, layer, share), "warning", trace, subject)


def _saturated(view: View, place: int, layer: Layer, share: float) -> Callable[[Since], Words]:
    slope = f"(1 - a{place}**2)" if layer.activation == "tanh" else f"a{place} * (1 - a{place})"

    def words(since: Since) -> Words:
        return Words(
            title=f"{{run}}: layer {place} is saturated.",
            evidence=f"At {percent(share)} of its outputs the slope is below a twentieth of the "
            f"steepest, since {since}.",
            mark=f"layer {place} saturated",
            why=Why(
                "Far from 0 the activation is flat: what comes back through it is multiplied by "
                "almost 0, and the weights "
                "in front of it hardly move.",
                f"dz{place} = da{place} * {slope}",
            ),
            remedies=lambda: (redraw(view, "xavier_normal"),),
        )

    return words


def symmetric_units(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """Units with the same weights in front and behind, which get the same gradients for ever."""
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
                "Units with equal weights in front and behind have equal outputs and equal gradients, "
                "so no step can tell "
                "them apart. Random first weights do.",
                f"dW{place} = a{place - 1}.T @ dz{place}" if place > 1 else "dW1 = X.T @ dz1",
            ),
            remedies=lambda: (redraw(view, "xavier_normal"),),
        )

    return words
