"""Old recipes from files and links still give the same numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fallline.vocabulary.exhibits import EXHIBITS
from support.aliases import Json
from support.old_recipes import results_of

GOLDEN: dict[str, Json] = json.loads((Path(__file__).parents[1] / "golden/recipes.json").read_text())


def assert_losses(recipe: Json, expected: dict[str, list[float]]) -> None:
    losses = results_of(recipe)["losses"]
    assert losses.keys() == expected.keys()
    for run, loss in expected.items():
        assert losses[run] == pytest.approx(loss, rel=1e-8), run


@pytest.mark.parametrize("golden", GOLDEN.values(), ids=list(GOLDEN))
def test_a_posted_old_recipe_gives_its_old_losses(golden: Json) -> None:
    assert_losses(golden["posted"], golden["losses"])


@pytest.mark.parametrize("golden", GOLDEN.values(), ids=list(GOLDEN))
def test_a_completed_old_recipe_gives_its_old_losses(golden: Json) -> None:
    assert_losses(golden["filled_in"], golden["losses"])


def test_every_exhibit_has_a_golden_recipe_and_another_network_other_losses() -> None:
    assert {f"the exhibit {name}" for name in EXHIBITS} <= GOLDEN.keys()
    other = {**GOLDEN["the notebook"]["posted"], "network": {"seed": 1}}
    with pytest.raises(AssertionError):
        assert_losses(other, GOLDEN["the notebook"]["losses"])
