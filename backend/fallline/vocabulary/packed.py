"""Buckets in few bytes, for frames: all numbers of a run in one text.

The reader knows its series, so they are named by their places in its request. A series without a value is left out.
A bucket of one step has one number instead of minimum, maximum, mean and last value. Gradients and ratios are drawn
over decades, so they are float32 where that keeps seven digits of each. Losses, scores and steps are float64.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fallline.vocabulary.columns import Buckets, recorded_every_step

_SHORT = ("grad_", "ratio/")
"""Beginnings of the names of series that may be float32."""

FLOAT32 = np.finfo(np.float32)


def packed(buckets: Buckets, generation: int, names: tuple[str, ...] | None = None) -> dict[str, Any]:
    """Return columns of the series `names` (None: all) with their numbers in `bdata`.

    These are rows of float64, then rows of float32, little-endian.

    | field | is |
    | --- | --- |
    | `first` | the first step; null without buckets |
    | `buckets` | how many numbers each row has |
    | `wide` | true if a bucket has more than one step |
    | `f8`, `f4` | places of the series in `names`, in the order of their rows |
    | `counted` | places of the series with a row of counts, in its order; only if `wide` |

    The first rows are `last` (only if `wide`), `samples_seen` and `seconds`. Rows of series follow: one for each, or
    `min`, `max`, `mean` and `last` if `wide`. Rows of counts are the last of float64.
    """
    rows, may_be_short, counted = plan_of(buckets.names, buckets.names if names is None else names)
    n = len(buckets)
    is_wide = not np.array_equal(buckets.first, buckets.last)
    values, counts = values_of(buckets, rows, is_wide=is_wide), buckets.count[rows]
    present = counts.any(axis=1)
    short = present & may_be_short & _fits_float32(values)
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
        counted = counted & present
        numbers = [buckets.last, *numbers, counts[counted]]
        columns |= {"wide": True, "counted": np.flatnonzero(counted).tolist()}
    data = [*(each.astype("<f8").tobytes() for each in numbers), values[short].astype("<f4").tobytes()]
    return {**columns, "bdata": base64.b64encode(b"".join(data)).decode("ascii")}


Plan = tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.bool_]]


@lru_cache(maxsize=256)
def plan_of(columns: tuple[str, ...], names: tuple[str, ...]) -> Plan:
    """Return, for each name: its row, whether it may be float32, and whether it has counts."""
    places, every = {name: row for row, name in enumerate(columns)}, recorded_every_step(names)
    return (
        np.array([places[name] for name in names], np.intp),
        np.array([name.startswith(_SHORT) for name in names], np.bool_),
        np.array([name not in every for name in names], np.bool_),
    )


def values_of(buckets: Buckets, rows: NDArray[np.intp], *, is_wide: bool) -> NDArray[np.float64]:
    """Return the numbers of each series: (series, 1 or 4, n)."""
    if not is_wide:
        return buckets.final[rows, np.newaxis]
    four = (buckets.minimum, buckets.maximum, buckets.mean, buckets.final)
    return np.stack([column[rows] for column in four], axis=1)


def _fits_float32(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return in which series no number would become infinite, 0 or imprecise."""
    size = np.abs(values)
    is_beyond = (size > FLOAT32.max) | ((size < FLOAT32.tiny) & (size > 0.0))
    return np.asarray(~is_beyond.any(axis=(1, 2)))
