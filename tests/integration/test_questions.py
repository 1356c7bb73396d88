"""Exhibits ask before play and answer afterwards, over the whole application."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from fallline.runs.checks.recipe import check_recipe
from fallline.vocabulary import answers, catalog_answers
from fallline.vocabulary.exhibits import EXHIBITS
from support.serving import Experiment, created

ANSWERS: dict[str, dict[str, Any]] = {
    "notebook": {"choice": "sgd"},
    "as-printed": {"choice": "below"},
    "same-start": {"choice": "sgd"},
    "too-high": {"choice": "rate-3"},
    "batch-sizes": {"choice": "batch-8"},
    "momentum": {"number": 206},
    "adam": {"choice": "adam"},
    "vanishing": {"choice": "more"},
    "zeros": {"choice": "two-thirds"},
    "spirals": {"choice": "adam"},
    "edge": {"choice": "none"},
}
"""The answer to each question; the rules find it in the runs."""


async def story(client: httpx.AsyncClient, name: str, experiment: str | None = None) -> dict[str, Any]:
    query = {} if experiment is None else {"experiment": experiment}
    answer = await client.get(f"/api/v1/exhibits/{name}/story", params=query)
    assert answer.status_code == 200, answer.text
    answers.Story.model_validate(answer.json())
    body: dict[str, Any] = answer.json()
    return body


async def played(client: httpx.AsyncClient, name: str, recipe: dict[str, Any] | None = None) -> Experiment:
    """An exhibit at the end of its question, where the page's play stops."""
    exhibit = EXHIBITS[name]
    one = await created(client, check_recipe(exhibit.recipe).as_json() if recipe is None else recipe)
    body = {"speed": "max", "pace": exhibit.view.pace, "until": exhibit.until.model_dump(exclude_none=True)}
    assert (await one.ask("POST", "/play", body)).status_code == 200
    for _ in range(600):
        state = await one.settled()
        if not state["playing"]:
            return one
    raise AssertionError("it still plays")


@pytest.mark.parametrize("name", EXHIBITS)
async def test_the_runs_of_an_exhibit_answer_its_question(client: httpx.AsyncClient, name: str) -> None:
    one = await played(client, name)
    body = await story(client, name, one.id)
    assert body["outcome"] == ANSWERS[name]
    assert body["changed"] is False
    assert [clause["text"] for clause in body["explain"]] == [
        clause.text for clause in EXHIBITS[name].question.explain
    ]
    furthest = max(run["step"] for run in (await one.settled())["runs"])
    # each clause leads back to a step that has happened, except a line about a later step
    late = [clause["step"] for clause in body["explain"] if clause["step"] > furthest]
    assert late == []


async def test_the_catalog_asks_and_does_not_tell(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/catalog")
    catalog = catalog_answers.Catalog.model_validate(answer.json())
    assert [row.name for row in catalog.answer_rules] == ["verdict", "lowest", "first", "step", "value"]
    exhibits = answer.json()["exhibits"]
    text = json.dumps(exhibits, ensure_ascii=False)
    for exhibit in exhibits:
        assert {"sentences", "curves"}.isdisjoint(exhibit)
        question = EXHIBITS[exhibit["name"]].question
        assert exhibit["question"] == question.public()
        assert {"answer", "explain"}.isdisjoint(exhibit["question"])
        words = json.dumps([exhibit[part] for part in ("title", "line", "question")], ensure_ascii=False)
        for clause in question.explain:
            assert clause.text not in text
            numbers = re.findall(r"\d[\d,]*\.\d{2,}", clause.text)
            threshold = str(getattr(question.answer, "below", None))  # the question names it
            assert [each for each in numbers if each in words and each != threshold] == []


async def test_a_story_without_an_experiment_has_no_outcome(client: httpx.AsyncClient) -> None:
    body = await story(client, "notebook")
    assert body["answer"]["rule"] == "verdict"
    assert "outcome" not in body
    assert [clause["step"] for clause in body["explain"]] == [0, 6, 141, 196, 500]


async def test_before_the_end_there_is_no_outcome(client: httpx.AsyncClient) -> None:
    one = await created(client, EXHIBITS["notebook"].recipe.as_json())
    await one.ask("POST", "/step", {"steps": 499})
    assert (await story(client, "notebook", one.id))["outcome"] is None
    await one.ask("POST", "/step", {"steps": 1})
    assert (await story(client, "notebook", one.id))["outcome"]["choice"] == "sgd"


async def test_another_recipe_has_an_answer_of_its_own_and_not_the_exhibits_clauses(
    client: httpx.AsyncClient,
) -> None:
    recipe = EXHIBITS["notebook"].recipe.as_json()
    recipe["runs"][1]["batch_size"] = None
    one = await played(client, "notebook", recipe)
    body = await story(client, "notebook", one.id)
    assert body["outcome"]["choice"] == "none"
    assert body["changed"] is True
    assert body["explain"] == []


async def test_an_edit_on_the_way_makes_it_another_recipe_and_a_label_does_not(
    client: httpx.AsyncClient,
) -> None:
    one = await created(client, EXHIBITS["notebook"].recipe.as_json())
    await one.ask("POST", "/step", {"steps": 100})
    await one.ask("PATCH", "/runs/gd", {"label": "Mine"})
    await one.ask("POST", "/step", {"steps": 400})
    assert (await story(client, "notebook", one.id))["changed"] is False
    await one.ask("PATCH", "/runs/gd", {"learning_rate": 0.2})
    assert (await story(client, "notebook", one.id))["changed"] is True


async def test_a_run_beyond_the_end_is_answered_for_up_to_the_end(client: httpx.AsyncClient) -> None:
    one = await created(client, EXHIBITS["momentum"].recipe.as_json())
    await one.ask("POST", "/step", {"steps": 5000})
    assert (await story(client, "momentum", one.id))["outcome"]["number"] == 206


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nobody/story", 404),
        ("/notebook/story?experiment=unknown", 404),
        ("/notebook/story?experiment=", 422),
        ("/notebook/story?step=3", 422),
    ],
)
async def test_other_stories_are_refused(client: httpx.AsyncClient, path: str, status: int) -> None:
    assert (await client.get(f"/api/v1/exhibits{path}")).status_code == status


async def test_the_schema_has_the_rules(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert {"ByVerdict", "ByLowest", "ByFirst", "ByStep", "ByValue"} <= document["components"][
        "schemas"
    ].keys()
    assert "/api/v1/exhibits/{name}/story" in document["paths"]
