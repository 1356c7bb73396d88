"""Checks the data of a recipe, and fills in its defaults."""

from __future__ import annotations

from fallline.engine.data.datasets import CSV, DATASETS, Dataset, Task, own_dataset
from fallline.engine.data.tabular import Table
from fallline.runs.checks.bounds import check_own, named_in, within
from fallline.vocabulary.errors import invalid
from fallline.vocabulary.recipe import OF_A_TABLE, DataSettings


def dataset_of(data: DataSettings, table: Table | None = None) -> Dataset:
    """Return the recipe's data set, or one of `table`. Raises InvalidRequest."""
    if data.name == CSV:
        return _of_table(data, table)
    named_in([*DATASETS, CSV], data.name, "/data/name", "data set")
    row = DATASETS[data.name]
    if row.missing:
        raise invalid("/data/name", f"another data set: {row.name} {row.missing}")
    return row


def _of_table(data: DataSettings, table: Table | None) -> Dataset:
    if table is None:
        raise invalid("/data/dataset", "the id of a stored table: POST the CSV to /api/v1/datasets")
    target = table.column(table.target if data.target is None else data.target)
    if target is None:
        names = ", ".join(column.name for column in table.usable)
        raise invalid("/data/target", f"a column that can be learnt: {names}")
    task: Task = data.task or target.task or "regression"
    if task == "regression" and target.categories:
        raise invalid("/data/task", f"classification: {target.name} contains text")
    if task == "classification":
        within("classes", target.distinct)
    return own_dataset(table, target, task)


def check_data(data: DataSettings, dataset: Dataset) -> DataSettings:
    """Return the settings with defaults filled in. Raises InvalidRequest.

    Numbers that the set fixes are filled in. Parameters with their default value are left out.
    """
    _check_own(data, dataset)
    if data.label_noise and dataset.task != "classification":
        raise invalid("/data/label_noise", f"0: {dataset.name} is a regression, without labels")
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
            raise invalid(f"/data/{name}", f"no such setting: only {CSV} has it")
    check_own(dataset.name, dataset.parameters, data.own, "/data")


def _features(data: DataSettings, dataset: Dataset) -> int:
    own = dataset.features
    if own is None:
        return data.features
    if "features" in data.model_fields_set and data.features != own:
        raise invalid("/data/features", f"{own}, the number of {dataset.name}, or leave it out")
    return own


def _samples(data: DataSettings, dataset: Dataset) -> int:
    own = dataset.samples
    if own is None:
        return data.samples
    if "samples" not in data.model_fields_set:
        return own
    if data.samples > own:
        raise invalid("/data/samples", f"at most {own}, the size of {dataset.name}")
    return data.samples
