"""Buckets as bytes, for frames on a WebSocket: each column is a typed array within the message.

A message is the length of its JSON text (unsigned, 32 bits), the text, zeros up to a multiple of 8, then the columns.
All numbers are little-endian. The text has `{"dtype", "at", "n"}` for each column; `at` counts from the first one on.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fallline.vocabulary.columns import STATISTICS, Buckets, Floats, recorded_every_step
from fallline.vocabulary.packed import FLOAT32, plan_of, values_of

_LARGEST_UINT32 = 2**32 - 1
_LARGEST, _SMALLEST = float(FLOAT32.max), float(FLOAT32.tiny)


def opening(text: str) -> bytes:
    """Return the bytes of a message before its columns."""
    encoded = text.encode()
    return len(encoded).to_bytes(4, "little") + encoded + bytes(-(4 + len(encoded)) % 8)


def binary(
    buckets: Buckets,
    generation: int,
    names: tuple[str, ...] | None = None,
    start: int = 0,
    *,
    is_brief: bool = False,
) -> tuple[str, bytes]:
    """Return JSON text that describes columns of the series `names` (None: all), and the bytes of these columns.

    The bytes will be at `start`; it and their number are multiples of 8. Columns with the same numbers share their
    bytes. A series without a value is left out. There are no counts where each bucket is one step, and if `is_brief`
    of all statistics only the last value.
    """
    n, names = len(buckets), buckets.names if names is None else names
    rows, may_be_short, _ = plan_of(buckets.names, names)
    is_wide = n > 0 and bool(buckets.last[-1] - buckets.first[0] >= n)
    values = values_of(buckets, rows, is_wide=is_wide)
    dtypes, whole, seconds = _dtypes(buckets, values, may_be_short)
    listed = ("last",) if is_brief and not is_wide else tuple(STATISTICS)
    layout = _layout(names, n, start, is_wide, dtypes, whole, seconds, listed)
    wholes = [buckets.first, buckets.samples_seen]
    if is_wide:
        wholes += [buckets.last, *buckets.count[rows[layout.counted]]]
    blocks = (
        values[layout.long].astype("<f8", copy=False),
        values[layout.short].astype("<f4"),
        np.array(wholes, f"<{whole}"),
        buckets.seconds.astype(f"<{seconds}"),
    )
    data = b"".join([blocks[block].tobytes() for block in layout.order])
    return f'{{"generation":{generation},{layout.text}', data + bytes(-len(data) % 8)


def _dtypes(
    buckets: Buckets, values: Floats, may_be_short: NDArray[np.bool_]
) -> tuple[tuple[str, ...], str, str]:
    """Return the dtypes of the series ("" without a value), of whole numbers, and of seconds."""
    if not len(buckets):
        return ("",) * len(values), "u4", "f4"
    sizes = np.abs(values.reshape(len(values), -1))
    extremes = np.fmax.reduce(sizes, axis=1).tolist(), np.fmin.reduce(sizes, axis=1).tolist()
    series = []
    for row, (largest, smallest, is_short) in enumerate(zip(*extremes, may_be_short.tolist(), strict=True)):
        fits = is_short and largest <= _LARGEST and (smallest >= _SMALLEST or _are_0_or_normal(sizes[row]))
        series.append("" if math.isnan(largest) else "f4" if fits else "f8")
    is_large = max(buckets.last[-1], buckets.samples_seen[-1]) > _LARGEST_UINT32
    is_exact = not _SMALLEST <= buckets.seconds[0] <= buckets.seconds[-1] <= _LARGEST
    return tuple(series), "f8" if is_large else "u4", "f8" if is_exact else "f4"


def _are_0_or_normal(sizes: Floats) -> bool:
    """Return whether float32 has seven digits of each."""
    return not ((sizes > 0.0) & (sizes < _SMALLEST)).any()


@dataclass(frozen=True, slots=True)
class _Layout:
    """The text of the columns, and the order of their blocks: series of float64 and float32, whole numbers, seconds."""

    text: str
    long: NDArray[np.intp]
    short: NDArray[np.intp]
    counted: NDArray[np.intp]
    order: tuple[int, ...]


@lru_cache(maxsize=512)
def _layout(
    names: tuple[str, ...],
    n: int,
    start: int,
    is_wide: bool,
    dtypes: tuple[str, ...],
    whole: str,
    seconds: str,
    listed: tuple[str, ...],
) -> _Layout:
    """Lay out the columns: those of 8 bytes come first, so that all are aligned."""
    every = recorded_every_step(names)
    long, short = ([k for k, dtype in enumerate(dtypes) if dtype == one] for one in ("f8", "f4"))
    counted = [k for k in sorted(long + short) if is_wide and names[k] not in every]
    own = ("first", "samples_seen", *(("last",) if is_wide else ()))
    statistics = tuple(STATISTICS) if is_wide else ("last",)
    blocks = (
        ("f8", [(names[k], statistic) for k in long for statistic in statistics]),
        ("f4", [(names[k], statistic) for k in short for statistic in statistics]),
        (whole, [*(("", name) for name in own), *((names[k], "count") for k in counted)]),
        (seconds, [("", "seconds")]),
    )
    order = sorted(range(len(blocks)), key=lambda block: blocks[block][0] != "f8")
    at, columns = start, {}
    for dtype, keys in (blocks[block] for block in order):
        for key in keys:
            columns[key] = {"dtype": dtype, "at": at, "n": n}
            at += n * int(dtype[1])
    series = {
        names[k]: {name: columns.get((names[k], name), columns[names[k], "last"]) for name in listed}
        | ({"count": columns[names[k], "count"]} if k in counted else {})
        for k in sorted(long + short)
    }
    described = {
        name: columns.get(("", name), columns["", "first"])
        for name in ("first", "last", "samples_seen", "seconds")
    }
    text = json.dumps({**described, "series": series}, ensure_ascii=False, separators=(",", ":"))
    places = [np.array(chosen, np.intp) for chosen in (long, short, counted)]
    return _Layout(text[1:], places[0], places[1], places[2], tuple(order))
