"""What of the gradient reaches the first layer. Must not know other rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from fallline.diagnosis.remedies import adam, clip
from fallline.diagnosis.rule import Sighting, Subject, Words
from fallline.diagnosis.view import View
from fallline.diagnosis.words import number
from fallline.vocabulary.findings import Why

DEEP = 3
"""With fewer layers of weights there is no way on which a gradient could vanish or explode."""

SEEN = 100
"""Steps over which gradients are looked at."""

EARLIEST = 20
"""Steps before which nothing is said: the first ones may be wild."""

VANISHED = 1000.0
"""A gradient that is so many times smaller in the first layer than in the last."""

EXPLODED = 100.0
"""So many times larger."""

SLACK = 3.0
"""What was said is over when it is so many times better than where it began."""


def vanishing_gradients(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """Single samples' gradients in the first layer beside those in the last: over a batch they may cancel."""
    if len(view.layers) + 1 < DEEP or view.step < EARLIEST or (noise := view.noise()) is None:
        return
    first, last = noise.sizes[0], noise.sizes[-1]
    if first > 0.0 and last > (VANISHED / SLACK if is_open(()) else VANISHED) * first:
        begun = view.columns(0, 2 * SEEN)
        one, other = (
            float(begun.mean[begun.names.index(f"grad_mean/{name}")][0]) for name in _ends(view, "W")
        )
        # Where it was so at the first step and is so now, it was so in between: layers do not change that fast.
        since = 0 if other > VANISHED * one else view.step
        yield Sighting(lambda _: _vanish(view, first, last), "warning", since)


def exploding_gradients(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
    """The mean |db|, which is what comes back through the layers, of the first layer beside that of the last."""
    if len(view.layers) + 1 < DEEP or view.step < EARLIEST:
        return
    first, last = (float(np.median(view.last(f"grad_mean/{name}", SEEN))) for name in _ends(view, "b"))
    if last > 0.0 and first > (EXPLODED / SLACK if is_open(()) else EXPLODED) * last:
        yield Sighting(lambda _: _explode(view, first, last), "warning", _since(view))


def _ends(view: View, kind: str) -> tuple[str, str]:
    """The names of the first and the last layer's parameter of a kind."""
    return f"{kind}1", f"{kind}{len(view.layers) + 1}"


def _since(view: View) -> int:
    """The first step of the stretch, up to now, of which history tells it throughout."""
    told = view.columns(0, 2 * SEEN)
    first, last = (told.mean[told.names.index(f"grad_mean/{name}")] for name in _ends(view, "b"))
    others = np.flatnonzero(~(first > EXPLODED * last))
    since = int(told.last[others[-1]]) + 1 if len(others) else 0
    return min(since, max(view.step - SEEN, 0))


def _vanish(view: View, first: float, last: float) -> Words:
    depth = len(view.layers) + 1
    return Words(
        title="{run}: gradients vanish.",
        evidence=f"The entries of a single sample's gradient are {number(last)} in layer {depth} and "
        f"{number(first)} in "
        f"layer 1 (root mean square), {number(last / first)} times less.",
        mark="gradients vanish",
        why=Why(
            "On the way back every layer multiplies by its weights and by the slope of its "
            "activation. Where these are "
            "below 1, little is left for the first layers.",
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
            "On the way back every layer multiplies by its weights. Where these are large, the first layers get many "
            "times what the last gets.",
            "dz1 = (dz2 @ W2.T) * slope(z1)",
        ),
        remedies=lambda: (*clip(view), *adam(view)),
    )
