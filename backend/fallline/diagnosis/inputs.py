"""Inputs of very different size. Must not know other rules."""

from __future__ import annotations

from collections.abc import Iterator

from fallline.diagnosis.remedies import adam, beats, first_helpful, first_with
from fallline.diagnosis.rule import Held, Sighting, Words
from fallline.diagnosis.view import View
from fallline.diagnosis.words import count, number
from fallline.vocabulary.findings import Why

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
            "dW1 = X.T @ dz1",
        ),
        remedies=lambda: first_helpful(lambda: first_with(beats, view, adam(view))),
    )
