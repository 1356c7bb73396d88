"""Histories as a table (`history.csv`) and as columns (`history.json`): all that is held, in the finest buckets held.

Made in pieces, since long histories of deep networks are large. Must not know how long one may take.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fallline.exports.taken import Taken, TakenRun

ROWS_AT_ONCE = 256
"""One call for all rows would hold the interpreter for long."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def history_csv(found: Taken) -> Iterator[bytes]:
    """A line a bucket: first, last, then series.statistic; of several runs, each line begins with the run's name."""
    for place, run in enumerate(found.runs):
        for piece in _lines(run, with_head=place == 0):
            yield (piece if found.of_one else _named(piece, run.name, with_head=place == 0)).encode()


def _lines(run: TakenRun, *, with_head: bool) -> Iterator[str]:
    """The table of a run in pieces of whole lines, the first with the head line if that is wanted."""
    for start in range(0, max(len(run.history), 1), ROWS_AT_ONCE):
        text = run.history.part(slice(start, start + ROWS_AT_ONCE)).as_csv(run.every_step)
        yield text if with_head and start == 0 else text.partition("\n")[2]


def _named(piece: str, name: str, *, with_head: bool) -> str:
    lines = piece.splitlines(keepends=True)
    return "".join(
        f"run,{line}" if with_head and line.startswith("first,") else f"{name},{line}" for line in lines
    )


def history_json(found: Taken) -> Iterator[bytes]:
    """The columns of a run as CONTRACT has them; of all runs, an object of them by the runs' names."""
    if found.of_one:
        yield from _pieces(_columns(found.runs[0]))
        return
    for place, run in enumerate(found.runs):
        yield f"{'{' if place == 0 else ','}{_ENCODER.encode(run.name)}:".encode()
        yield from _pieces(_columns(run))
    yield b"}"


def _columns(run: TakenRun) -> dict[str, Any]:
    return run.history.as_json(run.generation, run.every_step)


def _pieces(columns: dict[str, Any]) -> Iterator[bytes]:
    """The object, series by series."""
    series = columns.pop("series")
    yield f'{_ENCODER.encode(columns)[:-1]},"series":{{'.encode()
    for place, (name, statistics) in enumerate(series.items()):
        yield f"{',' if place else ''}{_ENCODER.encode(name)}:{_ENCODER.encode(statistics)}".encode()
    yield b"}}"
