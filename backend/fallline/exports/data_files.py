"""Recipe, parameters and histories as files.

Histories have the finest stored buckets. They come in pieces, because long histories of deep networks are large. The
history of a run is freed once the run is sent: the pieces have no other reference to it.
"""

from __future__ import annotations

import io
import json
from collections import deque
from collections.abc import Iterator

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
    return _tables(deque(data.runs), of_one=data.of_one)


def _tables(runs: deque[ExportRun], *, of_one: bool) -> Iterator[bytes]:
    """Yield the lines of each run, and take it off `runs`."""
    with_head = True
    while runs:
        yield from _table(runs.popleft(), of_one=of_one, with_head=with_head)
        with_head = False


def _table(run: ExportRun, *, of_one: bool, with_head: bool) -> Iterator[bytes]:
    for piece in run.history.csv_pieces(run.every_step, with_head=with_head):
        yield (piece if of_one else _with_name(piece, run.name, with_head=with_head)).encode()


def _with_name(piece: str, name: str, *, with_head: bool) -> str:
    lines = piece.splitlines(keepends=True)
    return "".join(
        f"run,{line}" if with_head and line.startswith("first,") else f"{name},{line}" for line in lines
    )


def history_json(data: ExportData) -> Iterator[bytes]:
    """Return the columns of one run, or of all runs as an object by their names."""
    runs = deque(data.runs)
    return _columns(runs.popleft()) if data.of_one else _object(runs)


def _object(runs: deque[ExportRun]) -> Iterator[bytes]:
    """Yield the columns of each run by its name, and take it off `runs`."""
    before = "{"
    while runs:
        yield from _named_columns(before, runs.popleft())
        before = ","
    yield b"}"


def _named_columns(before: str, run: ExportRun) -> Iterator[bytes]:
    yield f"{before}{_ENCODER.encode(run.name)}:".encode()
    yield from _columns(run)


def _columns(run: ExportRun) -> Iterator[bytes]:
    """Yield the columns series by series: the lists of all of them would take 30 MB."""
    columns = run.history.select(()).as_json(run.generation)
    del columns["series"]
    yield f'{_ENCODER.encode(columns)[:-1]},"series":{{'.encode()
    for place, name in enumerate(run.history.names):
        series = run.history.select((name,)).as_json(run.generation, run.every_step)["series"]
        yield f"{',' if place else ''}{_ENCODER.encode(series)[1:-1]}".encode()
    yield b"}}"
