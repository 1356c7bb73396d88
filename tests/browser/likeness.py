"""Comparison of two pictures of a screen, as a person would judge it.

Another Chromium, or another system, draws the edges of letters and lines a little differently, or a pixel away. So
pictures are compared at half their size. A pixel is right if its colour lies between those around its place in the
other picture. Wrong pixels count only where they are dense, as where a label, a line or a colour has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

HALF = 2
"""Pixels of the page along a side of a compared one: a stroke has edges, which differ, and little else."""

AROUND = 2
"""Pixels of the page by which something may have moved."""

FLAT = 8.0
"""Levels of 255 by which a plain area may differ: less than any two colours of the page's tokens, more than what
rounding and the stored image lose."""

EDGE = 0.15
"""Share of the contrast around a pixel by which it may differ besides: letters are drawn bolder or finer."""

WINDOW = 16
"""Side of the squares in which differing pixels are counted, in compared ones: about a word's width."""

MOST = 14
"""Differing pixels in a square that nobody notices. A grid line across it or two letters of a label are more."""

MOST_SHARE = 0.002
"""Differing pixels of the whole: thin ones everywhere, as of another typeface, are in no square many."""


class Place(NamedTuple):
    """A part of the page that looks different, in pixels of the page."""

    left: int
    top: int
    right: int
    bottom: int


def differences(expected: Image.Image, actual: Image.Image) -> list[Place]:
    """Return where the pictures look different, the worst first; none if they look the same."""
    if expected.size != actual.size:
        width, height = (max(pair) for pair in zip(expected.size, actual.size, strict=True))
        return [Place(0, 0, width, height)]
    return _places(_differing(expected, actual))


def picture_of(expected: Image.Image, actual: Image.Image) -> Image.Image:
    """Return the actual picture, pale, with what differs in red."""
    pale = Image.blend(actual.convert("L").convert("RGB"), Image.new("RGB", actual.size, "white"), 0.7)
    if expected.size != actual.size:
        return pale
    differing = Image.fromarray(np.where(_differing(expected, actual), 255, 0).astype(np.uint8))
    red = Image.new("RGB", actual.size, (200, 0, 40))
    return Image.composite(red, pale, differing.resize(actual.size, Image.Resampling.NEAREST))


def _differing(expected: Image.Image, actual: Image.Image) -> Mask:
    one, other = _smoothed(expected), _smoothed(actual)
    differing: Mask = np.logical_or(_strange(one, other), _strange(other, one))
    return differing


def _smoothed(image: Image.Image) -> Pixels:
    """Return the mean of each pixel and those right of it and below. Every second of every second row is the half."""
    pixels = np.asarray(image.convert("RGB"), dtype=np.uint16)
    rows = pixels[:-1] + pixels[1:]
    smoothed: Pixels = ((rows[:, :-1] + rows[:, 1:]) // 4).astype(np.uint8)
    return smoothed


def _strange(pixels: Pixels, reference: Pixels) -> Mask:
    """Return the pixels of half of `pixels` whose colour is not between those around its place in `reference`."""
    here = pixels[::HALF, ::HALF].astype(np.float32)
    least = _around(reference, np.minimum)[::HALF, ::HALF].astype(np.float32)
    most = _around(reference, np.maximum)[::HALF, ::HALF].astype(np.float32)
    slack = FLAT + EDGE * (most - least)
    strange: Mask = np.logical_or.reduce((here < least - slack) | (here > most + slack), axis=2)
    return strange


def _around(pixels: Pixels, pick: Callable[[Any, Any], Any]) -> Pixels:
    """Return for each pixel the least or the greatest of all within `AROUND`."""
    height, width = pixels.shape[:2]
    wide = np.pad(pixels, ((AROUND, AROUND), (AROUND, AROUND), (0, 0)), mode="edge")
    rows = wide[:height]
    for down in range(1, 2 * AROUND + 1):
        rows = pick(rows, wide[down : down + height])
    around: Pixels = rows[:, :width]
    for across in range(1, 2 * AROUND + 1):
        around = pick(around, rows[:, across : across + width])
    return around


def _places(differing: Mask) -> list[Place]:
    """Return the squares, half over each other, with more differing pixels than nobody notices."""
    height, width = differing.shape
    sums = np.zeros((height + 1, width + 1), dtype=np.int64)
    sums[1:, 1:] = differing.cumsum(axis=0).cumsum(axis=1)
    tops = np.arange(0, max(1, height - WINDOW // 2), WINDOW // 2)
    lefts = np.arange(0, max(1, width - WINDOW // 2), WINDOW // 2)
    bottoms, rights = np.minimum(tops + WINDOW, height), np.minimum(lefts + WINDOW, width)
    counts = (
        sums[np.ix_(bottoms, rights)]
        - sums[np.ix_(tops, rights)]
        - sums[np.ix_(bottoms, lefts)]
        + sums[np.ix_(tops, lefts)]
    )
    rows, columns = np.nonzero(counts > MOST)
    worst = np.argsort(-counts[rows, columns], kind="stable")
    places = [
        Place(*(HALF * int(edge) for edge in (lefts[column], tops[row], rights[column], bottoms[row])))
        for row, column in zip(rows[worst], columns[worst], strict=True)
    ]
    if not places and differing.mean() > MOST_SHARE:
        places = [Place(0, 0, HALF * width, HALF * height)]
    return places
