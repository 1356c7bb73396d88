"""Vanishing and exploding gradients. Must not know other rules."""

from __future__ import annotations

from collections.abc import Iterator

from fallline.diagnosis.remedies import adam, beats, clip, first_helpful, first_with
from fallline.diagnosis.rule import Sighting, Words
from fallline.diagnosis.view import Measured, View
from fallline.diagnosis.windows import held_state
from fallline.diagnosis.words import number
from fallline.vocabulary.findings import Why

DEEP = 3
"""Fewest layers of weights in which a gradient can vanish or explode."""

VANISHED = 1000.0
"""Factor by which a vanished gradient is smaller in the first layer than in the last."""

EXPLODED = 100.0
"""Factor by which an exploded gradient is larger."""

NOTHING_LEFT = 0.05
"""Share of the baseline's loss below which no gradient does harm."""


def vanishing_gradients(view: View) -> Iterator[Sighting]:
    """Compare single samples' gradients, which cannot cancel as in a batch."""
    held = held_state(view, _vanishes) if len(view.layers) + 1 >= DEEP else None
    if held is not None:
        sizes = view.now.noise.sizes
        yield Sighting(lambda since: _vanish(view, sizes[0], sizes[-1]), "warning", held)


def _vanishes(state: Measured) -> bool:
    first, last = state.noise.sizes[0], state.noise.sizes[-1]
    return first > 0.0 and last > VANISHED * first


def exploding_gradients(view: View) -> Iterator[Sighting]:
    """Compare single samples' bias gradients: means over samples cancel in a converged run."""
    if len(view.layers) + 1 < DEEP:
        return
    left = NOTHING_LEFT * view.task.baseline
    held = held_state(view, lambda state: _explodes(state) and state.loss > left)
    if held is not None:
        sizes = view.now.noise.bias_sizes
        yield Sighting(lambda since: _explode(view, sizes[0], sizes[-1]), "warning", held)


def _explodes(state: Measured) -> bool:
    return state.noise.bias_sizes[0] > EXPLODED * state.noise.bias_sizes[-1]


def _vanish(view: View, first: float, last: float) -> Words:
    depth = len(view.layers) + 1
    return Words(
        title="{run}: gradients vanish.",
        evidence=f"The entries of a single sample's gradient are {number(last)} in layer {depth} and "
        f"{number(first)} in "
        f"layer 1 (root mean square), {number(last / first)} times less.",
        mark="gradients vanish",
        why=Why(
            "On the way back every layer multiplies the gradient by its weights and by the slope of its activation. "
            "If these are below 1, little is left for the first layers.",
            "dz1 = (dz2 @ W2.T) * slope(z1)",
        ),
        remedies=lambda: first_helpful(lambda: first_with(beats, view, adam(view))),
    )


def _times(first: float, last: float) -> str:
    return f", {number(first / last)} times more" if last > 0.0 else ""


def _explode(view: View, first: float, last: float) -> Words:
    depth = len(view.layers) + 1
    return Words(
        title="{run}: gradients explode.",
        evidence=f"A single sample's gradient of a bias is {number(last)} in layer {depth} and {number(first)} in "
        f"layer 1 (root mean square){_times(first, last)}.",
        mark="gradients explode",
        why=Why(
            "On the way back every layer multiplies the gradient by its weights. If these are large, the first layers "
            "get many times more than the last.",
            "dz1 = (dz2 @ W2.T) * slope(z1)",
        ),
        remedies=lambda: first_helpful(
            lambda: first_with(beats, view, clip(view)), lambda: first_with(beats, view, adam(view))
        ),
    )
