"""Checks a recipe: names in the engine's tables, defaults, and bounds.

Runs before anything is allocated. Must not train anything.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fallline.engine.data.datasets import CSV, DATASETS, Dataset
from fallline.engine.data.datasets.own import HELP, NEEDS, SOURCE
from fallline.engine.data.saved_parameters import SavedParameters
from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.methods.initializers import INITIALIZERS
from fallline.engine.methods.initializers import Initializer as InitializerRow
from fallline.engine.methods.losses import LOSSES, Loss
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.methods.schedules import SCHEDULES
from fallline.engine.scores import score_of
from fallline.engine.series import evaluated_names
from fallline.runs.checks.bounds import BOUNDS, MOST_FEATURES, MOST_SAMPLES, within
from fallline.runs.checks.cost import parameter_count, step_seconds
from fallline.runs.checks.data import check_data, dataset_of
from fallline.runs.checks.loss import check_loss, loss_of
from fallline.runs.checks.run import RUN_SETTINGS, check_redraw, check_stops, filled_run, named_in
from fallline.runs.checks.start import check_start
from fallline.vocabulary.errors import FieldError, InvalidRequest
from fallline.vocabulary.exhibit_curves import CURVES
from fallline.vocabulary.exhibits import EXHIBITS, Exhibit
from fallline.vocabulary.parameters import Parameter
from fallline.vocabulary.recipe import Initializer, NetworkSettings, Recipe, RunRecipe

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


def check_recipe(
    recipe: Recipe, dataset: Dataset | None = None, start: SavedParameters | None = None
) -> Recipe:
    """Return the recipe, filled in. Raises InvalidRequest or TooExpensive.

    `dataset` is its data set if it is uploaded; `start` the saved parameters that its network names.
    """
    dataset = dataset_of(recipe.data) if dataset is None else dataset
    recipe, sizes = sized(recipe, dataset)
    if recipe.data.train_samples < 1:
        raise InvalidRequest(
            FieldError("/data/test_fraction", "a fraction that leaves at least one training sample")
        )
    _check_network(recipe.network)
    check_start(recipe.network, sizes, start)
    _check_names(recipe)
    score = score_of(loss_of(recipe), len(dataset.classes)).name
    evaluated = evaluated_names(score, has_test=recipe.data.test_samples > 0)
    runs = [
        check_run(run, f"/runs/{place}", recipe, sizes, evaluated) for place, run in enumerate(recipe.runs)
    ]
    return recipe.model_copy(update={"runs": runs})


def sized(recipe: Recipe, dataset: Dataset) -> tuple[Recipe, list[int]]:
    """Return the recipe with data and loss filled in, and its layer sizes.

    Raises InvalidRequest, or TooExpensive if it is too large. Fast, since it does not read the runs.
    """
    filled = {"data": check_data(recipe.data, dataset), "loss": check_loss(recipe, len(dataset.classes))}
    recipe = recipe.model_copy(update=filled)
    outputs = loss_of(recipe).outputs(len(dataset.classes))
    sizes = [recipe.data.features, *(layer.units for layer in recipe.network.layers), outputs]
    _check_size(recipe, sizes)
    return recipe, sizes


def _check_names(recipe: Recipe) -> None:
    names = [run.name for run in recipe.runs]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise InvalidRequest(FieldError(f"/runs/{place}/name", "a name that no other run has"))


def _check_size(recipe: Recipe, sizes: Sequence[int]) -> None:
    within("hidden_layers", len(recipe.network.layers))
    within("samples", recipe.data.samples)
    within("features", recipe.data.features)
    within("runs", len(recipe.runs))
    within("parameters", parameter_count(sizes))


def _check_network(network: NetworkSettings) -> None:
    for place, layer in enumerate(network.layers):
        named_in(ACTIVATIONS, layer.activation, f"/network/layers/{place}/activation", "activation")
    named_in(ACTIVATIONS, network.output, "/network/output", "activation")
    _check_initializer(network.initializer("weights"), "/network/weights", "weights")
    _check_initializer(network.initializer("biases"), "/network/biases", "biases")


def _check_initializer(initializer: Initializer, pointer: str, what: str) -> None:
    fitting = {name: row for name, row in INITIALIZERS.items() if what in row.draws}
    named_in(fitting, initializer.name, pointer, f"way to draw {what}")
    takes = {parameter.name for parameter in fitting[initializer.name].parameters}
    if initializer.scale is not None and "scale" not in takes:
        raise InvalidRequest(FieldError(f"{pointer}/scale", f"no scale: {initializer.name} has its own"))


def check_run(
    run: RunRecipe, pointer: str, shared: Recipe, sizes: Sequence[int], evaluated: Collection[str]
) -> RunRecipe:
    """Return a run of the experiment `shared`, filled in.

    Its layers have these `sizes`, and it evaluates the series `evaluated`.
    """
    data = shared.data

    def check(settings: Mapping[str, Any], where: str) -> None:
        check_fit(settings, where, sizes, data.samples, data.train_samples, evaluated)

    return filled_run(run, pointer, check)


def check_fit(
    settings: Mapping[str, Any],
    pointer: str,
    sizes: Sequence[int],
    samples: int,
    train_samples: int,
    evaluated: Collection[str],
) -> None:
    """Check a run's settings. Raises InvalidRequest or TooExpensive."""
    if "batch_size" in settings:
        check_batch(settings["batch_size"], sizes, samples, train_samples)
    check_redraw(settings, len(sizes) - 1, pointer)
    check_stops(settings, evaluated, pointer)


def check_batch(batch_size: int | None, sizes: Sequence[int], samples: int, train_samples: int) -> None:
    """Check the cost of a batch size. Raises TooExpensive.

    A mini-batch has its own bound; a full batch (null, or its number) only has to fit the time of a step.
    """
    if batch_size is not None and batch_size != train_samples:
        within("mini_batch", batch_size)
    batch = train_samples if batch_size is None else min(batch_size, train_samples)
    # A full batch evaluates the training samples anyway; otherwise every sample needs one more forward pass.
    evaluated = samples - train_samples if batch_size is None else samples
    within("milliseconds_a_step", 1000 * step_seconds(sizes, batch, evaluated))


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
        "losses": [_loss_entry(row) for row in LOSSES.values()],
        **{title: [_entry(row) for row in table.values()] for title, table in tables.items()},
        "data_settings": [each.as_json() for each in DATA_SETTINGS],
        "seeds": [each.as_json() for each in SEEDS],
        "run_settings": [each.as_json() for each in RUN_SETTINGS],
        "orders": ["shuffle", "sequential"],
        "standardize": ["none", "inputs", "targets", "both"],
        "bounds": dict(BOUNDS),
        "exhibits": [_exhibit_entry(name, exhibit) for name, exhibit in EXHIBITS.items()],
    }


def _exhibit_entry(name: str, exhibit: Exhibit) -> dict[str, Any]:
    """Return an exhibit with its recipe filled in."""
    filled = {"recipe": check_recipe(exhibit.recipe).as_json(), "curves": CURVES[name]}
    return {"name": name, **exhibit.as_json(), **filled}


def _entry(row: Any) -> dict[str, Any]:
    parameters = [each.as_json() for each in row.parameters]
    entry = {"name": row.name, "help": row.help, "source": row.source, "parameters": parameters}
    if isinstance(row, InitializerRow):
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


def _loss_entry(row: Loss) -> dict[str, Any]:
    """Return a loss; `most_classes` is null without a limit."""
    return {**_entry(row), "task": row.task, "most_classes": row.most_classes}
