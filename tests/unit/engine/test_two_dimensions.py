"""Every data set over two inputs is learnable: golden/two_dimensional.json reaches 95 %."""

import json
from pathlib import Path

import pytest

from fallline.engine.data.datasets import DATASETS
from fallline.engine.measures.probes import evaluate
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.vocabulary.recipe import Recipe
from support.aliases import Json
from support.problems import problem_of

KEPT = json.loads((Path(__file__).parents[2] / "golden" / "two_dimensional.json").read_text())


@pytest.mark.parametrize("case", KEPT, ids=lambda case: case["recipe"]["data"]["name"])
def test_a_small_network_gets_above_95_percent_on_samples_it_has_not_seen(case: Json) -> None:
    recipe = Recipe.model_validate(case["recipe"])
    problem = problem_of(recipe)
    state = begin(problem)
    before = evaluate(problem, state.parameters)[f"test_{problem.score.name}"]
    advance(problem, state, recipe.runs[0], case["steps"])
    after = evaluate(problem, state.parameters)[f"test_{problem.score.name}"]
    assert before < 0.9
    assert after > 0.95


def test_no_data_set_over_two_inputs_is_left_out() -> None:
    two = {row.name for row in DATASETS.values() if row.features == 2 and not row.missing}
    assert {case["recipe"]["data"]["name"] for case in KEPT} == two
