"""The catalog: all methods, settings, bounds and exhibits, as `GET /catalog` lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from fallline.engine.data.datasets import DATASETS
from fallline.engine.data.datasets.own import CSV, HELP, NEEDS, SOURCE
from fallline.engine.data.datasets.row import Dataset
from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.methods.initializers import INITIALIZERS, Initializer
from fallline.engine.methods.losses import LOSSES
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.methods.schedules import SCHEDULES, Schedule
from fallline.runs.checks.recipe import check_recipe
from fallline.runs.checks.run import BOUNDS, LARGEST_MINI_BATCH, MOST_FEATURES, MOST_SAMPLES
from fallline.vocabulary.exhibits import EXHIBITS, Exhibit
from fallline.vocabulary.parameters import Parameter
from fallline.vocabulary.questions import rule_rows
from fallline.vocabulary.run_settings import Order

DATA_SETTINGS = (
    Parameter("samples", 900, 1, MOST_SAMPLES, integer=True, help="training and test samples together"),
    Parameter("features", 5, 1, MOST_FEATURES, integer=True, help="inputs of the network"),
    Parameter(
        "noise",
        0.0,
        0.0,
        1e6,
        help="standard deviation of the noise added to y, or to the inputs in a classification",
    ),
    Parameter("label_noise", 0.0, 0.0, 1.0, help="share of the samples that get the label of another class"),
    Parameter(
        "test_fraction", 0.0, 0.0, 1.0, open_maximum=True, help="share of the samples kept for testing"
    ),
)
"""Settings of every data set, beside its own parameters."""

LARGEST_SEED = 2**32 - 1
SEEDS = (
    Parameter(
        "data", 0, 0, LARGEST_SEED, integer=True, help="samples, noise, labels, and the choice of test rows"
    ),
    Parameter("network", 0, 0, LARGEST_SEED, integer=True, help="the initial weights and biases"),
    Parameter(
        "runs", 0, 0, LARGEST_SEED, integer=True, help="the order of the samples in each pass of a run"
    ),
)
"""The `seed` of each part of a recipe, and what it draws."""

PASCANU = "Pascanu, Mikolov and Bengio 2013, On the difficulty of training recurrent neural networks"

RUN_SETTINGS = (
    Parameter("learning_rate", 0.1, 0.0, 1e6, open_minimum=True, help="factor of the gradient in each step"),
    Parameter(
        "batch_size",
        1,
        1,
        LARGEST_MINI_BATCH,
        integer=True,
        unit="samples",
        off=True,
        help="number of samples in the gradient of one step",
    ),
    Parameter(
        "l1",
        0.0,
        0.0,
        1e6,
        help="adds l1 * sum |W| over all weights to the minimised loss, and pulls small weights to 0",
        source="Tibshirani 1996, Regression shrinkage and selection via the lasso",
    ),
    Parameter(
        "l2",
        0.0,
        0.0,
        1e6,
        help="adds l2 / 2 * sum W**2 over all weights to the minimised loss, and keeps weights small",
        source="Hoerl and Kennard 1970, Ridge regression; Krogh and Hertz 1991, A simple weight decay",
    ),
    Parameter(
        "clip_norm",
        1.0,
        0.0,
        1e6,
        open_minimum=True,
        off=True,
        help="largest norm of the gradient over all parameters; a longer one is shortened",
        source=PASCANU,
    ),
    Parameter(
        "clip_value",
        1.0,
        0.0,
        1e6,
        open_minimum=True,
        off=True,
        help="largest size of a gradient entry, applied after the norm",
        source="PyTorch's clip_grad_value_",
    ),
    Parameter(
        "layer_rates",
        1.0,
        0.0,
        1e3,
        each="layer",
        help="factor of the rate in each layer, from the first; []: 1 in all layers",
        source="PyTorch's parameter groups; Howard and Ruder 2018, arXiv:1801.06146",
    ),
)
"""Settings of every run, beside those of its methods."""


NEXT: dict[str, object] = {
    "name": "next",
    "schema": {"anyOf": [{"enum": list(SCHEDULES)}, {"type": "object"}, {"type": "null"}], "default": None},
    "default": None,
    "range": [None, None],
    "unit": "",
    "help": "schedule that follows when the steps are over; its own clock starts there",
    "source": "PyTorch's SequentialLR",
}
"""The setting of a schedule that ends: the one that follows."""


def catalog() -> dict[str, Any]:
    """Return all methods, settings and bounds for `GET /catalog`."""
    tables: dict[str, Mapping[str, Any]] = {
        "activations": ACTIVATIONS,
        "optimizers": OPTIMIZERS,
        "schedules": SCHEDULES,
        "initializers": INITIALIZERS,
    }
    return {
        "datasets": [*(_dataset_entry(row) for row in DATASETS.values()), _own_entry()],
        "losses": [
            {**_entry(row), "task": row.task, "most_classes": row.most_classes} for row in LOSSES.values()
        ],
        **{title: [_entry(row) for row in table.values()] for title, table in tables.items()},
        "data_settings": [each.as_json() for each in DATA_SETTINGS],
        "seeds": [each.as_json() for each in SEEDS],
        "run_settings": [each.as_json() for each in RUN_SETTINGS],
        "orders": list(get_args(Order)),
        "standardize": ["none", "inputs", "targets", "both"],
        "bounds": dict(BOUNDS),
        "exhibits": [_exhibit_entry(name, exhibit) for name, exhibit in EXHIBITS.items()],
        "answer_rules": rule_rows(),
    }


def _exhibit_entry(name: str, exhibit: Exhibit) -> dict[str, Any]:
    """Return an exhibit with its recipe filled in."""
    return {"name": name, **exhibit.as_json(), "recipe": check_recipe(exhibit.recipe).as_json()}


def _entry(row: Any) -> dict[str, Any]:
    parameters = [each.as_json() for each in row.parameters]
    entry = {"name": row.name, "help": row.help, "source": row.source, "parameters": parameters}
    if isinstance(row, Schedule):
        entry |= {"next": NEXT if row.ends else None}
    if isinstance(row, Initializer):
        entry |= {"draws": list(row.draws), "same_as": row.same_as}
    return entry


def _dataset_entry(row: Dataset) -> dict[str, Any]:
    """Return a data set; null fields are set by the recipe."""
    own = {"task": row.task, "features": row.features, "samples": row.samples, "classes": list(row.classes)}
    return {**_entry(row), "missing": row.missing or None, **own}


def _own_entry() -> dict[str, Any]:
    """Return the entry of uploaded data; `needs` lists its settings."""
    return {
        "name": CSV,
        "help": HELP,
        "source": SOURCE,
        "parameters": [],
        "missing": "needs your table: POST a CSV to /api/v1/datasets and name its id as dataset",
        "task": None,
        "features": None,
        "samples": None,
        "classes": [],
        "needs": [{"name": name, "help": help} for name, help in NEEDS],
    }
