"""The answer to an exhibit's question, from the runs of an experiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fallline.questions import RunRecord, answer_to
from fallline.runs.checks.recipe import check_recipe
from fallline.runs.experiment import Experiment
from fallline.runs.run import Run
from fallline.runs.stepping import steps_to
from fallline.vocabulary.columns import Buckets
from fallline.vocabulary.commands import Until
from fallline.vocabulary.exhibits import Exhibit
from fallline.vocabulary.recipe import Recipe

MOST_BUCKETS = 10_000
"""Resolution of the history that answers a question."""


def outcome_of(one: Experiment, exhibit: Exhibit, histories: Mapping[str, Buckets]) -> dict[str, Any]:
    """Return the answer (None before the end), and whether the recipe is no longer the exhibit's."""
    runs = [_record_of(one.run(name), buckets, exhibit.until) for name, buckets in histories.items()]
    return {
        "outcome": answer_to(exhibit.question, runs, exhibit.until),
        "changed": _essence(one.recipe) != _essence(check_recipe(exhibit.recipe)),
    }


def _record_of(run: Run, buckets: Buckets, until: Until) -> RunRecord:
    present = {name: value["value"] for name, value in run.latest(evaluated=True).items()}
    evaluated = {name: value for name, value in present.items() if name.startswith(("train_", "test_"))}
    verdict, has_arrived = run.header(playing=False)["verdict"], not steps_to(run, until)
    return RunRecord(
        run.name, buckets, run.state.step, run.state.samples_seen, evaluated, verdict, has_arrived
    )


def _essence(recipe: Recipe) -> dict[str, Any]:
    """Return what decides the numbers: without labels and the order of runs."""
    body = recipe.as_json()
    runs = {run["name"]: {key: value for key, value in run.items() if key != "label"} for run in body["runs"]}
    return {**body, "runs": runs}
