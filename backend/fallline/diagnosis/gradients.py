"""Vanishing and exploding gradients. Must not know other rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from fallline.diagnosis.remedies import adam, clip
from fallline.diagnosis.rule import Sighting, Subject, Words
from fallline.diagnosis.view import View
from fallline.diagnosis.words import number
from fallline.vocabulary.findings import Why

DEEP = 3
"""Fewest layers of weights in which a gradient can vanish or explode."""

WINDOW = 100
"""Number of recent steps that are compared."""

EARLIEST = 20
"""Earliest step of a finding: the first steps may vary widely."""

VANISHED = 1000.0
"""Factor by which a vanished gradient is smaller in the first layer than in the last."""

EXPLODED = 100.0
"""Factor by which an exploded gradient is larger."""

SLACK = 3.0
"""Factor by which it must improve before the finding closes."""


def vanishing_gradients(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """Compare single samples' gradients, which cannot cancel as in a batch."""
    if len(view.layers) + 1 < DEEP or view.step < EARLIEST or (noise := view.noise()) is None:
        return
    first, last = noise.sizes[0], noise.sizes[-1]
    if first > 0.0 and last > (VANISHED / SLACK if is_open(()) else VANISHED) * first:
        start = view.columns(0, 2 * WINDOW)
        one, other = (
            float(start.mean[start.names.index(f"grad_mean/{name}")][0]) for name in _ends(view, "W")
        )
        # If it holds at the first step and now, it held in between: layers do not change that fast.
        since = 0 if other > VANISHED * one else view.step
        yield Sighting(lambda _: _vanish(view, first, last), "warning", since)


def exploding_gradients(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """Compare the mean |db| of the first and the last layer."""
    if len(view.layers) + 1 < DEEP or view.step < EARLIEST:
        return
    first, last = (float(np.median(view.last(f"grad_mean/{name}", WINDOW))) for name in _ends(view, "b"))
    if last > 0.0 and first > (EXPLODED / SLACK if is_open(()) else EXPLODED) * last:
        yield Sighting(lambda _: _explode(view, first, last), "warning", _since(view))


def _ends(view: View, kind: str) -> tuple[str, str]:
    """Return the names of the first and the last layer's parameter of a kind."""
    return f"{kind}1", f"{kind}{len(view.layers) + 1}"


def _since(view: View) -> int:
    """Return the first step since which the whole history shows it."""
    buckets = view.columns(0, 2 * WINDOW)
    first, last = (buckets.mean[buckets.names.index(f"grad_mean/{name}")] for name in _ends(view, "b"))
    others = np.flatnonzero(~(first > EXPLODED * last))
    since = int(buckets.last[others[-1]]) + 1 if len(others) else 0
    return min(since, max(view.step - WINDOW, 0))


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
        remedies=lambda: adam(view),
    )


def _explode(view: View, first: float, last: float) -> Words:
    depth = len(view.layers) + 1
    return Words(
        title="{run}: gradients explode.",
        evidence=f"The mean |db| is {number(last)} in b{depth} and {number(first)} in b1, "
        f"{number(first / last)} times "
        "more.",
        mark="gradients explode",
        why=Why(
            "On the way back every layer multiplies the gradient by its weights. If these are large, the first layers "
            "get many times more than the last.",
            "dz1 = (dz2 @ W2.T) * slope(z1)",
        ),
        remedies=lambda: (*clip(view), *adam(view)),
    )
