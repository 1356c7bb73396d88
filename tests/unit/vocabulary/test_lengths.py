"""Too long lists and objects are refused before their entries are validated."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from fallline.vocabulary.commands import AddRun, EditRun
from fallline.vocabulary.errors import TooExpensive
from fallline.vocabulary.messages import MOST_SERIES, MOST_SINCE, Watch
from fallline.vocabulary.recipe import MOST_EDITS, MOST_HIDDEN_LAYERS, MOST_RUNS, Recipe
from fallline.vocabulary.run_settings import MOST_REDRAWN, MOST_STOPS
from support.work import counted

FEW_CALLS = 1_000
MANY = 20_000
WATCH = {"type": "watch", "experiment": "e"}


@pytest.mark.parametrize("entry", [1, {}, [], "", None, {"name": "run-1"}])
@pytest.mark.parametrize(
    ("model", "place", "bound", "limit"),
    [
        (Recipe, ("runs",), "runs", MOST_RUNS),
        (Recipe, ("network", "layers"), "hidden_layers", MOST_HIDDEN_LAYERS),
        (AddRun, ("edits",), "edits_a_run", MOST_EDITS),
    ],
)
def test_too_many_entries_of_a_recipe_name_the_bound(
    model: type[BaseModel], place: tuple[str, ...], bound: str, limit: int, entry: Any
) -> None:
    with counted(FEW_CALLS), pytest.raises(TooExpensive) as refused:
        model.model_validate(at(place, [entry] * MANY))
    assert refused.value.members() == {"bound": bound, "limit": limit, "asked": MANY}


@pytest.mark.parametrize("entry", [1, {}, [], "", None])
@pytest.mark.parametrize(
    ("model", "around", "place", "limit"),
    [
        (Watch, WATCH, ("series",), MOST_SERIES),
        (EditRun, {}, ("stop",), MOST_STOPS),
        (EditRun, {}, ("redraw", "layers"), MOST_REDRAWN),
    ],
)
def test_other_too_long_lists_have_one_error(
    model: type[BaseModel], around: dict[str, Any], place: tuple[str, ...], limit: int, entry: Any
) -> None:
    with counted(FEW_CALLS), pytest.raises(ValidationError) as refused:
        model.model_validate({**around, **at(place, [entry] * MANY)})
    (error,) = refused.value.errors()
    assert (error["type"], error["loc"], error["ctx"]["max_length"]) == ("too_long", place, limit)


@pytest.mark.parametrize("entry", [1, {}, {"generation": 0, "step": 0}])
def test_a_watch_resumes_a_limited_number_of_runs(entry: Any) -> None:
    since = {f"run-{place}": entry for place in range(MANY)}
    with counted(FEW_CALLS), pytest.raises(ValidationError) as refused:
        Watch.model_validate({**WATCH, "since": since})
    (error,) = refused.value.errors()
    assert error["loc"] == ("since",)
    assert str(error["ctx"]["error"]) == f"must have at most {MOST_SINCE} entries"


def test_the_first_wrong_edit_is_reported() -> None:
    with pytest.raises(ValidationError) as refused:
        AddRun.model_validate({"edits": [{"at_step": 1, "l1": 0.5}, *[{"at_step": -1}] * 900]})
    assert [error["loc"] for error in refused.value.errors()] == [("edits", 1, "at_step")]


def test_the_largest_allowed_lengths_are_accepted() -> None:
    edits = [
        {"at_step": step, "l1": 0.5, "stop": [{"when": "layer_dies"}] * MOST_STOPS}
        for step in range(MOST_EDITS)
    ]
    recipe = Recipe.model_validate(
        {"network": {"layers": [{"units": 1}] * MOST_HIDDEN_LAYERS}, "runs": [{"edits": edits}] * MOST_RUNS}
    )
    assert [run.name for run in recipe.runs] == [f"run-{place}" for place in range(1, 9)]
    assert len(recipe.runs[7].edits) == MOST_EDITS
    watch = Watch.model_validate(
        {
            **WATCH,
            "since": {f"run-{place}": {"generation": 0, "step": 0} for place in range(MOST_SINCE)},
            "series": ["batch_loss"] * MOST_SERIES,
        }
    )
    assert (len(watch.since), len(watch.series or ())) == (MOST_SINCE, MOST_SERIES)


def at(place: tuple[str, ...], value: Any) -> dict[str, Any]:
    for name in reversed(place):
        value = {name: value}
    body: dict[str, Any] = value
    return body
