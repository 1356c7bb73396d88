"""Uploaded data: the columns of a table as inputs and a target.

A number is one input. A category is one input per value: 1 in rows with that value, else 0.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fallline.engine.data.datasets.row import Dataset, Raw, Task, subset
from fallline.engine.data.tabular.columns import Column, number_text, unique
from fallline.engine.data.tabular.table import Table
from fallline.vocabulary.arrays import Array
from fallline.vocabulary.recipe import DataSettings

CSV = "csv"
"""Name of the row. No table lists it, since it differs for every upload and target."""

HELP = "your own table: one column is the target, the others are inputs; POST it to /datasets first"
SOURCE = "your upload"
NEEDS = (
    ("dataset", "the id from POST /datasets"),
    ("target", "the target column; default: the last usable one"),
    ("task", "regression or classification; default: guessed from the column"),
)
"""Its own settings in a recipe, besides the settings of every data set."""


def own_dataset(table: Table, target: Column, task: Task) -> Dataset:
    """The data set of a table, with the usable columns except `target` as inputs."""
    inputs = tuple(column for column in table.usable if column is not target)
    classes = _classes(target) if task == "classification" else ()

    def make(settings: DataSettings) -> Raw:
        y = np.unique(target.values, return_inverse=True)[1] if classes else target.values
        X = np.hstack([_inputs_of(column) for column in inputs])
        return subset(Raw(X, y.astype(np.float64).reshape(-1, 1), _names_of(inputs), classes), settings)

    return Dataset(
        name=CSV,
        help=HELP,
        source=SOURCE,
        task=task,
        make=make,
        features=sum(_width(column) for column in inputs),
        samples=table.rows,
        classes=classes,
        target=target.name,
    )


def _classes(target: Column) -> tuple[str, ...]:
    """Numbers in ascending order, texts alphabetically."""
    return target.categories or tuple(number_text(value) for value in np.unique(target.values).tolist())


def _width(column: Column) -> int:
    return len(column.categories) or 1


def _inputs_of(column: Column) -> Array:
    if not column.categories:
        return column.values[:, None]
    return np.asarray(column.values[:, None] == np.arange(_width(column)), np.float64)


def _names_of(inputs: Iterable[Column]) -> tuple[str, ...]:
    """Unique names of the inputs; `colour=red` for a category's."""
    pairs = ((column.name, value) for column in inputs for value in column.categories or ("",))
    return tuple(unique(f"{name}={value}" if value else name for name, value in pairs))
