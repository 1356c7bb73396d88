"""Recipes that anybody was ever given, in a file or a link, are taken for ever and make the same numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fallline.vocabulary.exhibits import EXHIBITS
from support.old_recipes import results_of

JSON = dict[str, Any]
GOLDEN: dict[str, JSON] = json.loads((Path(__file__).parents[1] / "golden/recipes.json").read_text())


def assert_losses(recipe: JSON, expected: dict[str, list[float]]) -> None:
    losses = results_of(recipe)["losses"]
    assert losses.keys() == expected.keys()
    for run, told in expected.items():
        assert losses[run] == pytest.approx(told, rel=1e-8), run


@pytest.mark.parametrize("golden", GOLDEN.values(), ids=list(GOLDEN))
def test_an_old_recipe_as_it_was_posted_makes_the_losses_that_it_made(golden: JSON) -> None:
    assert_losses(golden["posted"], golden["losses"])


@pytest.mark.parametrize("golden", GOLDEN.values(), ids=list(GOLDEN))
def test_an_old_recipe_as_it_was_told_makes_the_losses_that_it_made(golden: JSON) -> None:
    assert_losses(golden["filled_in"], golden["losses"])


def test_every_exhibit_is_among_them_and_no_loss_is_told_by_chance() -> None:
    assert {f"the exhibit {name}" for name in EXHIBITS} <= GOLDEN.keys()
    other = {**GOLDEN["the notebook"]["posted"], "network": {"seed": 1}}
    with pytest.raises(AssertionError):
        assert_losses(other, GOLDEN["the notebook"]["losses"])
