"""Buckets in few bytes, for frames: all numbers of a run in one text.

The reader knows its series, so they are named by their places in its request. A series without a value is left out.
Of buckets with one step each, minimum, maximum, mean and last value are one number. Gradients and ratios, which are
drawn over decades, are float32 where that keeps seven digits of each; losses, scores and steps are float64.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fallline.vocabulary.columns import Buckets, recorded_every_step

_SHORT = ("grad_", "ratio/")
"""Beginnings of the names of series that may be float32."""

_FLOAT32 = np.finfo(np.float32)


def packed(buckets: Buckets, generation: int) -> dict[str, Any]:
    """Return the columns with their numbers in `bdata`: rows of float64, then rows of float32, little-endian.

    | field | is |
    | --- | --- |
    | `first` | the first step; null without buckets |
    | `buckets` | how many numbers each row has |
    | `wide` | true if a bucket has more than one step |
    | `f8`, `f4` | places of the series in the request, in the order of their rows |
    | `counted` | places of the series with a row of counts, in its order; only if `wide` |

    The first rows are `last` (only if `wide`), `samples_seen` and `seconds`. Rows of series follow: one for each, or
    `min`, `max`, `mean` and `last` if `wide`. Rows of counts are the last of float64.
    """
    n = len(buckets)
    is_wide = bool((buckets.first != buckets.last).any())
    values = _values(buckets, is_wide=is_wide)
    present = buckets.count.any(axis=1)
    short = present & _fits_float32(buckets.names, values)
    long = present & ~short
    numbers: list[NDArray[Any]] = [buckets.samples_seen, buckets.seconds, values[long]]
    columns: dict[str, Any] = {
        "generation": generation,
        "encoding": "packed",
        "first": int(buckets.first[0]) if n else None,
        "buckets": n,
        "f8": np.flatnonzero(long).tolist(),
        "f4": np.flatnonzero(short).tolist(),
    }
    if is_wide:
        counted = present & ~_every_step(buckets.names)
        numbers = [buckets.last, *numbers, buckets.count[counted]]
        columns |= {"wide": True, "counted": np.flatnonzero(counted).tolist()}
    data = [*(each.astype("<f8").tobytes() for each in numbers), values[short].astype("<f4").tobytes()]
    return {**columns, "bdata": base64.b64encode(b"".join(data)).decode("ascii")}


def _values(buckets: Buckets, *, is_wide: bool) -> NDArray[np.float64]:
    """Return the rows of each series: (series, rows, n)."""
    if not is_wide:
        return buckets.final[:, np.newaxis]
    return np.stack([buckets.minimum, buckets.maximum, buckets.mean, buckets.final], axis=1)


def _fits_float32(names: tuple[str, ...], values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which series may be float32: none of their numbers would become infinite, 0 or imprecise."""
    size = np.abs(values)
    is_beyond = (size > _FLOAT32.max) | ((size < _FLOAT32.tiny) & (size > 0.0))
    may_be = np.array([name.startswith(_SHORT) for name in names], np.bool_)
    return np.asarray(may_be & ~is_beyond.any(axis=(1, 2)))


def _every_step(names: tuple[str, ...]) -> NDArray[np.bool_]:
    every = recorded_every_step(names)
    return np.array([name in every for name in names], np.bool_)
