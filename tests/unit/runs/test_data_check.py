"""The data of a recipe: fixed numbers are filled in, and errors point at fields."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fallline.engine.data.datasets.row import Dataset, Raw
from fallline.engine.data.tabular.table import read_table
from fallline.runs.checks.recipe import check_data, check_recipe, dataset_of
from fallline.vocabulary.errors import InvalidRequest, TooExpensive
from fallline.vocabulary.parameters import Parameter
from fallline.vocabulary.recipe import DataSettings, Recipe


def _made(settings: DataSettings) -> Raw:
    return Raw(np.zeros((settings.samples, 2)), np.zeros((settings.samples, 1)), ("a", "b"), ("no", "yes"))


FIXED = Dataset(
    name="fixed",
    help="two inputs, forty samples, a degree",
    source="this test",
    task="classification",
    make=_made,
    parameters=(Parameter("degree", 3, 1, 9, integer=True, help="how bent"),),
    features=2,
    samples=40,
    classes=("no", "yes"),
)


def checked(**data: Any) -> DataSettings:
    return check_data(DataSettings(name="fixed", **data), FIXED)


def refused(**data: Any) -> str:
    with pytest.raises(InvalidRequest) as refusal:
        checked(**data)
    (error,) = refusal.value.errors
    return error.pointer


def test_a_data_sets_fixed_numbers_are_filled_in() -> None:
    filled = checked()
    assert (filled.features, filled.samples) == (2, 40)
    assert check_data(filled, FIXED) == filled


def test_a_recipe_may_use_fewer_samples_than_the_set_but_not_more() -> None:
    assert checked(samples=39).samples == 39
    assert refused(samples=41) == "/data/samples"


def test_a_wrong_number_of_inputs_is_refused() -> None:
    assert checked(features=2).features == 2
    assert refused(features=5) == "/data/features"


def test_a_parameter_at_its_default_is_left_out_of_the_filled_recipe() -> None:
    assert "degree" not in checked(degree=3).model_dump()
    assert checked(degree=4).model_dump()["degree"] == 4
    assert FIXED.own(checked(), "degree") == 3
    assert FIXED.own(checked(degree=4), "degree") == 4


def test_parameters_that_a_set_lacks_or_out_of_their_range_are_refused() -> None:
    assert refused(turns=2.0) == "/data/turns"
    assert refused(degree=0) == "/data/degree"


def test_labels_can_be_noisy_only_where_there_are_labels() -> None:
    assert checked(label_noise=0.25).model_dump()["label_noise"] == 0.25
    assert "label_noise" not in checked(label_noise=0.0).model_dump()
    with pytest.raises(InvalidRequest, match="/data/label_noise"):
        check_data(DataSettings(label_noise=0.25), Dataset("d", "h", "s", "regression", _made))


# ---------------------------------------------------------------------- uploaded data

TABLE = read_table(
    b"size,town,id,price,sold\n"
    + b"\n".join(b"%d,%s,n%d,%d.5,%d" % (k, b"abc"[k % 3 :][:1], k, k * k, k % 2) for k in range(40))
)


def own(**data: Any) -> DataSettings:
    settings = DataSettings(name="csv", dataset="some-id", **data)
    return check_data(settings, dataset_of(settings, TABLE))


def test_uploaded_data_are_filled_in_from_the_table() -> None:
    filled = own(target="price")
    assert (filled.samples, filled.features) == (40, 5)
    assert (filled.dataset, filled.target, filled.task) == ("some-id", "price", "regression")
    assert check_data(filled, dataset_of(filled, TABLE)) == filled


def test_the_default_target_is_the_last_usable_column() -> None:
    assert (own().target, own().task) == ("sold", "classification")
    assert own(task="regression").task == "regression"
    assert own(target="size", samples=30).samples == 30


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ({"target": "id"}, "/data/target"),
        ({"target": "Size"}, "/data/target"),
        ({"target": "town", "task": "regression"}, "/data/task"),
        ({"samples": 41}, "/data/samples"),
        ({"features": 4}, "/data/features"),
        ({"degree": 3}, "/data/degree"),
        ({"target": "price", "label_noise": 0.1}, "/data/label_noise"),
    ],
)
def test_an_error_points_at_a_field_that_the_table_lacks(data: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        own(**data)
    assert [error.pointer for error in refusal.value.errors] == [pointer]


def test_without_a_table_there_is_nothing_to_learn_from() -> None:
    with pytest.raises(InvalidRequest, match="/data/dataset"):
        dataset_of(DataSettings(name="csv"))


@pytest.mark.parametrize("fields", [{"dataset": "an-id"}, {"target": "x1"}, {"task": "regression"}])
def test_only_uploaded_data_have_a_table_a_target_and_a_task(fields: dict[str, Any]) -> None:
    (name,) = fields
    with pytest.raises(InvalidRequest, match=f"/data/{name}: must be left out: only csv has it"):
        check_recipe(Recipe(data=DataSettings(name="linear", **fields)))


def test_too_many_classes_or_inputs_are_refused_before_they_are_allocated() -> None:
    with pytest.raises(TooExpensive) as refusal:
        own(target="size", task="classification")
    assert (refusal.value.bound, refusal.value.limit, refusal.value.asked) == ("classes", 32, 40)
    rows = "\n".join(f"a{k % 30},b{k % 30},c{k % 30},{k}" for k in range(90))
    wide = read_table(f"a,b,c,y\n{rows}".encode())
    recipe = Recipe(data=DataSettings(name="csv", dataset="some-id", target="y"))
    with pytest.raises(TooExpensive) as refusal:
        check_recipe(recipe, dataset_of(recipe.data, wide))
    assert (refusal.value.bound, refusal.value.limit, refusal.value.asked) == ("features", 64, 90)
