"""The data's part of a recipe: what a set fixes is filled in, what it cannot give is pointed at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fallline.engine.datasets import Dataset, Raw
from fallline.runs.data_check import check_data
from fallline.vocabulary.errors import InvalidRequest
from fallline.vocabulary.parameters import Parameter
from fallline.vocabulary.recipe import DataSettings


def _made(asked: DataSettings) -> Raw:
    return Raw(np.zeros((asked.samples, 2)), np.zeros((asked.samples, 1)), ("a", "b"), ("no", "yes"))


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


def test_numbers_that_a_set_fixes_are_its_own_where_the_recipe_leaves_them_out() -> None:
    filled = checked()
    assert (filled.features, filled.samples) == (2, 40)
    assert check_data(filled, FIXED) == filled


def test_fewer_samples_than_a_set_has_may_be_asked_for_but_not_more() -> None:
    assert checked(samples=39).samples == 39
    assert refused(samples=41) == "/data/samples"


def test_another_number_of_inputs_than_the_sets_own_is_refused() -> None:
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
