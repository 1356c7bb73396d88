"""Gradients that vanish or explode from layer to layer, and inputs of very different size, which make them differ.

Must not know other rules.
"""

from __future__ import annotations

from collections.abc import Iterator

from fallline.diagnosis.remedies import adam, beats, clip, first_helpful, first_with
from fallline.diagnosis.view import Held, Measured, Sighting, View, Words
from fallline.diagnosis.windows import held_state
from fallline.diagnosis.words import count, number
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
    span = held_state(view, _vanishes) if len(view.layers) + 1 >= DEEP else None
    if span is not None:
        sizes = view.now.noise.sizes
        yield Sighting(lambda since: _vanish(view, sizes[0], sizes[-1]), "warning", span)


def _vanishes(state: Measured) -> bool:
    first, last = state.noise.sizes[0], state.noise.sizes[-1]
    return first > 0.0 and last > VANISHED * first


def exploding_gradients(view: View) -> Iterator[Sighting]:
    """Compare single samples' bias gradients: means over samples cancel in a converged run."""
    if len(view.layers) + 1 < DEEP:
        return
    left = NOTHING_LEFT * view.task.baseline
    span = held_state(view, lambda state: _explodes(state) and state.loss > left)
    if span is not None:
        sizes = view.now.noise.bias_sizes
        yield Sighting(lambda since: _explode(view, sizes[0], sizes[-1]), "warning", span)


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
            view.line("dz1"),
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
            view.line("dz1"),
        ),
        remedies=lambda: first_helpful(
            lambda: first_with(beats, view, clip(view)), lambda: first_with(beats, view, adam(view))
        ),
    )


# ---------------------------------------------------------------------- inputs

TIMES = 100.0
"""Largest ratio of standard deviations: the valley of the loss is so many times longer than wide."""

OFF = 10.0
"""Largest distance of a mean from 0, in standard deviations: it does the same, with the bias."""


def unscaled_inputs(view: View) -> Iterator[Sighting]:
    """Find inputs that are not scaled, which no step changes."""
    difference = _difference(view)
    if difference:
        yield Sighting(lambda since: _unscaled(view, difference), "warning", Held(view.step, lambda: 0))


def _difference(view: View) -> str:
    spreads = [spread for spread in view.task.input_spreads if spread > 0.0]
    both = zip(view.task.input_means, view.task.input_spreads, strict=True)
    off = max((abs(mean) / spread for mean, spread in both if spread > 0.0), default=0.0)
    if len(spreads) > 1 and max(spreads) > TIMES * min(spreads):
        times = number(max(spreads) / min(spreads))
        return f"The standard deviations of {count(len(spreads), 'input')} differ by {times} times."
    if off > OFF:
        return f"The mean of an input is {number(off)} standard deviations from 0."
    return ""


def _unscaled(view: View, difference: str) -> Words:
    return Words(
        title="{run}: inputs are not scaled.",
        evidence=f'{difference} A new experiment with "standardize": "inputs" gives all the same size.',
        mark="inputs not scaled",
        why=Why(
            "The gradient of a weight grows with its input: one rate is too high for large inputs and too low for "
            "small ones.",
            view.line("dW1"),
        ),
        remedies=lambda: first_helpful(lambda: first_with(beats, view, adam(view))),
    )
