"""Recipe, parameters and histories as files.

Histories have the finest stored buckets. They come in pieces, because long histories of deep networks are large.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from fallline.exports.export_data import ExportData, ExportRun
from fallline.vocabulary.recipe import Recipe

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def recipe_json(data: ExportData) -> bytes:
    """Return the recipe with all edits; posting it gives the same numbers again."""
    return as_file(data.recipe)


def as_file(recipe: Recipe) -> bytes:
    """Return a recipe as an indented JSON file."""
    return (json.dumps(recipe.as_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def parameters_npz(data: ExportData) -> bytes:
    """Return the present parameters as a file for `numpy.load`.

    Its arrays are `W1`, `b1`, ... of one run, or `gd/W1`, ... of several.
    """
    arrays = {
        name if data.of_one else f"{run.name}/{name}": values
        for run in data.runs
        for name, values in data.problem.named(run.parameters).items()
    }
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def history_csv(data: ExportData) -> Iterator[bytes]:
    """Return a CSV with one line per bucket.

    The columns are first, last and series.statistic; with several runs, the run's name comes first.
    """
    for place, run in enumerate(data.runs):
        for piece in run.history.csv_pieces(run.every_step, with_head=place == 0):
            yield (piece if data.of_one else _with_name(piece, run.name, with_head=place == 0)).encode()


def _with_name(piece: str, name: str, *, with_head: bool) -> str:
    lines = piece.splitlines(keepends=True)
    return "".join(
        f"run,{line}" if with_head and line.startswith("first,") else f"{name},{line}" for line in lines
    )


def history_json(data: ExportData) -> Iterator[bytes]:
    """Return the columns of one run, or of all runs as an object by their names."""
    if data.of_one:
        yield from _pieces(_columns(data.runs[0]))
        return
    for place, run in enumerate(data.runs):
        yield f"{'{' if place == 0 else ','}{_ENCODER.encode(run.name)}:".encode()
        yield from _pieces(_columns(run))
    yield b"}"


def _columns(run: ExportRun) -> dict[str, Any]:
    return run.history.as_json(run.generation, run.every_step)


def _pieces(columns: dict[str, Any]) -> Iterator[bytes]:
    """Encode the object series by series."""
    series = columns.pop("series")
    yield f'{_ENCODER.encode(columns)[:-1]},"series":{{'.encode()
    for place, (name, statistics) in enumerate(series.items()):
        yield f"{',' if place else ''}{_ENCODER.encode(name)}:{_ENCODER.encode(statistics)}".encode()
    yield b"}}"
