"""Inputs of very different size. Must not know other rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fallline.diagnosis.remedies import adam
from fallline.diagnosis.rule import Sighting, Subject, Words
from fallline.diagnosis.view import View
from fallline.diagnosis.words import count, number
from fallline.vocabulary.findings import Why

TIMES = 100.0
"""Standard deviations that differ by more make a valley that is so many times longer than it is wide."""

OFF = 10.0
"""A mean so many standard deviations from 0 does the same, beside the bias."""


def unscaled_inputs(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """What the data look like, which no step changes."""
    told = _told(view)
    if told:
        yield Sighting(lambda since: _unscaled(view, told), "warning", 0)


def _told(view: View) -> str:
    spreads = [spread for spread in view.task.input_spreads if spread > 0.0]
    both = zip(view.task.input_means, view.task.input_spreads, strict=True)
    off = max((abs(mean) / spread for mean, spread in both if spread > 0.0), default=0.0)
    if len(spreads) > 1 and max(spreads) > TIMES * min(spreads):
        times = number(max(spreads) / min(spreads))
        return (
            f"Of {count(len(spreads), 'input')} the widest has a standard deviation {times} times "
            f"that of the narrowest."
        )
    if off > OFF:
        return f"The mean of an input is {number(off)} standard deviations from 0."
    return ""


def _unscaled(view: View, told: str) -> Words:
    return Words(
        title="{run}: inputs are not scaled.",
        evidence=f'{told} A new experiment with "standardize": "inputs" has them all alike.',
        mark="inputs not scaled",
        why=Why(
            "The gradient of a weight is as large as its input: one rate is too high for the large "
            "inputs and too low for the "
            "small ones.",
            "dW1 = X.T @ dz1",
        ),
        remedies=lambda: adam(view),
    )
