"""What a recipe may say of its data: a known set, parameters that are the set's own, numbers that the set can give.

Owns how the data's part of a recipe is filled in. Must not know networks or what samples cost.
"""

from __future__ import annotations

from fallline.engine.datasets import CSV, DATASETS, Dataset, Task, own_dataset
from fallline.engine.tabular import Table
from fallline.runs.bounds import within
from fallline.vocabulary.errors import FieldError, InvalidRequest
from fallline.vocabulary.recipe import OF_A_TABLE, DataSettings


def dataset_of(data: DataSettings, table: Table | None = None) -> Dataset:
    """The row that the recipe names, for one's own data made of `table`. Raises InvalidRequest."""
    if data.name == CSV:
        return _of_table(data, table)
    if data.name not in DATASETS:
        known = ", ".join([*DATASETS, CSV])
        raise InvalidRequest(FieldError("/data/name", f"the name of a known data set: {known}"))
    row = DATASETS[data.name]
    if row.missing:
        raise InvalidRequest(FieldError("/data/name", f"another data set: {row.name} {row.missing}"))
    return row


def _of_table(data: DataSettings, table: Table | None) -> Dataset:
    if table is None:
        raise InvalidRequest(
            FieldError(
                "/data/dataset", "the id of a table that this server holds: POST the CSV to /api/v1/datasets"
            )
        )
    target = table.column(table.target if data.target is None else data.target)
    if target is None:
        names = ", ".join(column.name for column in table.usable)
        raise InvalidRequest(FieldError("/data/target", f"a column that can be learnt: {names}"))
    task: Task = data.task or target.task or "regression"
    if task == "regression" and target.categories:
        raise InvalidRequest(
            FieldError("/data/task", f"classification: {target.name} holds texts, no numbers")
        )
    if task == "classification":
        within("classes", target.distinct)
    return own_dataset(table, target, task)


def check_data(data: DataSettings, dataset: Dataset) -> DataSettings:
    """The settings filled in: numbers that the set fixes are its own where the recipe leaves them out, and parameters
    that stand at their default are left out. Raises InvalidRequest.
    """
    _check_own(data, dataset)
    if data.label_noise and dataset.task != "classification":
        raise InvalidRequest(
            FieldError("/data/label_noise", f"0: {dataset.name} is a regression and has no labels")
        )
    changes: dict[str, object] = {
        parameter.name: None
        for parameter in dataset.parameters
        if data.own.get(parameter.name) == parameter.default
    }
    changes["features"] = _features(data, dataset)
    changes["samples"] = _samples(data, dataset)
    if dataset.target:
        # The guess is told too: it is part of what makes the numbers.
        changes["target"], changes["task"] = dataset.target, dataset.task
    return data.model_copy(update=changes)


def _check_own(data: DataSettings, dataset: Dataset) -> None:
    parameters = {parameter.name: parameter for parameter in dataset.parameters}
    for name in OF_A_TABLE:
        if getattr(data, name) is not None and not dataset.target:
            raise InvalidRequest(FieldError(f"/data/{name}", f"no such setting: only {CSV} has it"))
    for name, value in data.own.items():
        pointer = f"/data/{name}"
        if name not in parameters:
            has = ", ".join(parameters) or "no parameters of its own"
            raise InvalidRequest(FieldError(pointer, f"no such setting: {dataset.name} has {has}"))
        if not parameters[name].allows(value):
            raise InvalidRequest(FieldError(pointer, f"a number {parameters[name].range_in_words()}"))


def _features(data: DataSettings, dataset: Dataset) -> int:
    own = dataset.features
    if own is None:
        return data.features
    if "features" in data.model_fields_set and data.features != own:
        raise InvalidRequest(
            FieldError("/data/features", f"{own}, as {dataset.name} has them, or nothing said of them")
        )
    return own


def _samples(data: DataSettings, dataset: Dataset) -> int:
    own = dataset.samples
    if own is None:
        return data.samples
    if "samples" not in data.model_fields_set:
        return own
    if data.samples > own:
        raise InvalidRequest(
            FieldError("/data/samples", f"at most {own}, which are all that {dataset.name} has")
        )
    return data.samples
