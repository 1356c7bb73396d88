"""Checks a recipe before anything is allocated: names in the engine's tables, the data, defaults, and bounds."""

from __future__ import annotations

from collections.abc import Sequence

from fallline.engine.data.datasets import DATASETS
from fallline.engine.data.datasets.own import CSV, own_dataset
from fallline.engine.data.datasets.row import Dataset, Task
from fallline.engine.data.saved_parameters import SavedParameters
from fallline.engine.data.tabular.table import Table
from fallline.engine.kernels.interface import evaluated_names
from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.methods.initializers import INITIALIZERS
from fallline.engine.methods.losses import LOSSES, Loss, default_loss
from fallline.engine.problem import layout_of, score_of
from fallline.runs.checks.run import check_own, check_run, named_in, parameter_count, within
from fallline.vocabulary.errors import FieldError, InvalidRequest, invalid
from fallline.vocabulary.recipe import (
    OF_A_TABLE,
    DataSettings,
    Initializer,
    LossSettings,
    NetworkSettings,
    Recipe,
)


def check_recipe(
    recipe: Recipe, dataset: Dataset | None = None, start: SavedParameters | None = None
) -> Recipe:
    """Return the recipe, filled in. Raises InvalidRequest or TooExpensive.

    `dataset` is its data set if it is uploaded; `start` the saved parameters that its network names.
    """
    dataset = dataset_of(recipe.data) if dataset is None else dataset
    recipe, sizes = sized(recipe, dataset)
    if recipe.data.train_samples < 1:
        raise invalid("/data/test_fraction", "must leave at least one training sample")
    _check_network(recipe.network)
    _check_start(recipe.network, sizes, start)
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
    filled = {"data": check_data(recipe.data, dataset), "loss": _check_loss(recipe, len(dataset.classes))}
    recipe = recipe.model_copy(update=filled)
    outputs = loss_of(recipe).outputs(len(dataset.classes))
    sizes = [recipe.data.features, *(layer.units for layer in recipe.network.layers), outputs]
    _check_size(recipe, sizes)
    return recipe, sizes


def _check_names(recipe: Recipe) -> None:
    names = [run.name for run in recipe.runs]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise invalid(f"/runs/{place}/name", "must be a name that no other run has")


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
    check_own(initializer.name, fitting[initializer.name].parameters, initializer.own, pointer)


def _check_loss(recipe: Recipe, classes: int) -> str | LossSettings:
    """Return the loss for so many classes (0: a regression), filled in.

    It is only a name if all its parameters have their defaults. Raises InvalidRequest.
    """
    is_named = "loss" in recipe.model_fields_set
    settings = recipe.loss_settings if is_named else LossSettings(name=default_loss(classes))
    named_in(LOSSES, settings.name, "/loss", "loss")
    row = LOSSES[settings.name]
    if not row.fits(classes):
        fitting = ", ".join(name for name, each in LOSSES.items() if each.fits(classes))
        data = f"{classes} classes" if classes else "a regression"
        raise invalid("/loss", f"must be a loss for {data}: {fitting}")
    if row.logits and recipe.network.output != "identity":
        raise invalid("/network/output", f"must be identity: {row.name} takes logits")
    check_own(row.name, row.parameters, settings.own, "/loss")
    parameters = {
        each.name: settings.own[each.name]
        for each in row.parameters
        if settings.own.get(each.name, each.default) != each.default
    }
    return LossSettings(name=row.name, **parameters) if parameters else row.name


def loss_of(recipe: Recipe) -> Loss:
    """Return the loss of a recipe whose defaults are filled in."""
    return LOSSES[recipe.loss_settings.name]


def _check_start(network: NetworkSettings, sizes: Sequence[int], start: SavedParameters | None) -> None:
    """Raise InvalidRequest for missing or unfit saved parameters."""
    if network.start is None:
        return
    if start is None:
        expected = "must be the id of stored parameters: POST the .npz to /api/v1/parameters"
        raise invalid("/network/start", expected)
    layout = layout_of(sizes)
    shapes = dict(zip(layout.names, layout.shapes, strict=True))
    in_file = {name: array.shape for name, array in start.arrays.items()}
    wrong = [
        f"must have {name} of shape {shape}: the file has {in_file.get(name, 'none')}"
        for name, shape in shapes.items()
        if in_file.get(name) != shape
    ]
    wrong += [
        f"must not have {name}: this network has {', '.join(shapes)}"
        for name in in_file
        if name not in shapes
    ]
    if wrong:
        raise InvalidRequest(*(FieldError("/network/start", each) for each in wrong))


# ---------------------------------------------------------------------- data


def dataset_of(data: DataSettings, table: Table | None = None) -> Dataset:
    """Return the recipe's data set, or one of `table`. Raises InvalidRequest."""
    if data.name == CSV:
        return _of_table(data, table)
    named_in([*DATASETS, CSV], data.name, "/data/name", "data set")
    row = DATASETS[data.name]
    if row.missing:
        raise invalid("/data/name", f"must be another data set: {row.name} {row.missing}")
    return row


def _of_table(data: DataSettings, table: Table | None) -> Dataset:
    if table is None:
        raise invalid("/data/dataset", "must be the id of a stored table: POST the CSV to /api/v1/datasets")
    target = table.column(table.target if data.target is None else data.target)
    if target is None:
        names = ", ".join(column.name for column in table.usable)
        raise invalid("/data/target", f"must be a column that can be learnt: {names}")
    task: Task = data.task or target.task or "regression"
    if task == "regression" and target.categories:
        raise invalid("/data/task", f"must be classification: {target.name} contains text")
    if task == "classification":
        within("classes", target.distinct)
    return own_dataset(table, target, task)


def check_data(data: DataSettings, dataset: Dataset) -> DataSettings:
    """Return the settings with defaults filled in. Raises InvalidRequest.

    Numbers that the set fixes are filled in. Parameters with their default value are left out.
    """
    _check_own(data, dataset)
    if data.label_noise and dataset.task != "classification":
        raise invalid("/data/label_noise", f"must be 0: {dataset.name} is a regression, without labels")
    changes: dict[str, object] = {
        parameter.name: None
        for parameter in dataset.parameters
        if data.own.get(parameter.name) == parameter.default
    }
    changes["features"] = _features(data, dataset)
    changes["samples"] = _samples(data, dataset)
    if dataset.target:
        # A guessed task determines the numbers too.
        changes["target"], changes["task"] = dataset.target, dataset.task
    return data.model_copy(update=changes)


def _check_own(data: DataSettings, dataset: Dataset) -> None:
    for name in OF_A_TABLE:
        if getattr(data, name) is not None and not dataset.target:
            raise invalid(f"/data/{name}", f"must be left out: only {CSV} has it")
    check_own(dataset.name, dataset.parameters, data.own, "/data")


def _features(data: DataSettings, dataset: Dataset) -> int:
    own = dataset.features
    if own is None:
        return data.features
    if "features" in data.model_fields_set and data.features != own:
        raise invalid("/data/features", f"must be {own}, the number of inputs of {dataset.name}, or left out")
    return own


def _samples(data: DataSettings, dataset: Dataset) -> int:
    own = dataset.samples
    if own is None:
        return data.samples
    if "samples" not in data.model_fields_set:
        return own
    if data.samples > own:
        raise invalid("/data/samples", f"must be at most {own}, the size of {dataset.name}")
    return data.samples
