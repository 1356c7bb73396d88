"""A reset and the removal of a run can be undone, also after a restart."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from fallline.runs.experiment import Experiment
from fallline.runs.undoing import MOST_KEPT, UNDO_SECONDS, UndoKey
from fallline.vocabulary.errors import Conflict, FalllineError, Gone
from fallline.vocabulary.recipe import RunRecipe
from support.examined import settle
from support.lives import CLOCK, Life, assert_twins, costless, edit, generations

KEY = UndoKey("x.1", 1000.0)


def undone(life: Life, key: UndoKey = KEY) -> Any:
    """Undo, and return the answer: the state, or an error."""
    answers: list[Any] = []
    life.do(lambda one: one.undo(key, CLOCK.now, answers.append))
    while not answers:
        life.one.work(0.01, CLOCK.now, CLOCK)
        life.store_it()
    return answers[0]


def lived() -> Life:
    life = Life()
    life.step(30)
    life.do(edit("gd", learning_rate=0.03, label="Slow"))
    life.do(edit("sgd", optimizer="adam", learning_rate=0.01))
    life.step(25)
    settle(life.one, CLOCK)
    return life


def shown(life: Life) -> dict[str, Any]:
    """Return the runs without generations, and without the order in which findings were made."""
    settle(life.one, CLOCK)
    state = costless(life.one.state())
    return {run["name"]: {**run, "generation": None} for run in state["runs"]}


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("only", [None, "gd"])
def test_undo_of_a_reset_brings_back_steps_edits_names_and_findings(only: str | None, restarts: bool) -> None:
    life = lived()
    before = shown(life)
    answer = life.do(lambda one: one.reset(only, CLOCK.now, KEY))
    assert answer["undo"] == KEY.id
    life.step(7)
    if restarts:
        life.reopen()
    state = undone(life, UndoKey(KEY.id, KEY.at + UNDO_SECONDS - 1.0))
    assert state["runs"][0]["step"] == 55
    after = shown(life)
    assert after["gd"] == before["gd"]
    assert (after["sgd"] == before["sgd"]) == (only is None)
    assert generations(life)["gd"] == 2
    assert_twins(life)
    life.reopen()
    assert shown(life) == after


@pytest.mark.parametrize("name", ["gd", "sgd"])
@pytest.mark.parametrize("restarts", [False, True])
def test_a_removed_run_returns_with_its_steps_to_its_place(name: str, restarts: bool) -> None:
    life = lived()
    before = shown(life)
    assert life.do(lambda one: one.remove_run(name, CLOCK.now, KEY)) == {"undo": KEY.id}
    if restarts:
        life.reopen()
    undone(life)
    assert [*shown(life).items()] == [*before.items()]
    life.reopen()
    assert [*shown(life).items()] == [*before.items()]
    assert [run.name for run in life.one.recipe.runs] == [*before]


def test_a_change_is_undone_once_and_in_time() -> None:
    life = lived()
    life.do(lambda one: one.reset(None, CLOCK.now, KEY))
    for late in (UNDO_SECONDS, 10 * UNDO_SECONDS):
        with pytest.raises(Gone):
            life.one.undo(UndoKey(KEY.id, KEY.at + late), CLOCK.now, lambda _: None)
    with pytest.raises(Gone):
        life.one.undo(UndoKey("x.2", KEY.at), CLOCK.now, lambda _: None)
    undone(life)
    for reopened in (False, True):
        if reopened:
            life.reopen()
        with pytest.raises(Gone):
            life.one.undo(KEY, CLOCK.now, lambda _: None)


def test_two_requests_at_once_undo_it_once() -> None:
    life = lived()
    life.do(lambda one: one.reset(None, CLOCK.now, KEY))
    answers: list[Any] = []
    for _ in range(2):
        life.one.undo(KEY, CLOCK.now, answers.append)
    while len(answers) < 2:
        life.one.work(0.01, CLOCK.now, CLOCK)
    assert [isinstance(answer, FalllineError) for answer in answers] == [False, True]
    assert generations(life) == {"gd": 2, "sgd": 2}


def test_a_name_that_is_used_again_is_not_taken_back() -> None:
    life = lived()
    life.do(lambda one: one.remove_run("sgd", CLOCK.now, KEY))
    life.do(lambda one: one.add_run(RunRecipe(name="sgd"), True, CLOCK.now))
    assert isinstance(undone(life), Conflict)
    assert life.one.runs["sgd"].state.step == 0, "the second one stays"


def test_only_the_last_changes_are_kept() -> None:
    life = Life()
    life.step(3)
    for change in range(MOST_KEPT + 1):
        life.do(partial(Experiment.reset, run="gd", now=CLOCK.now, undo=UndoKey(f"x.{change}", 0.0)))
    with pytest.raises(Gone):
        life.one.undo(UndoKey("x.0", 0.0), CLOCK.now, lambda _: None)
    life.one.undo(UndoKey("x.1", 0.0), CLOCK.now, lambda _: None)


def test_a_diverged_run_returns_as_it_was() -> None:
    life = Life(runs=[{"name": "gd", "learning_rate": 1000.0}, {"name": "calm", "learning_rate": 0.01}])
    life.step(200)
    before = shown(life)
    assert before["gd"]["status"] == "diverged"
    life.do(lambda one: one.reset("gd", CLOCK.now, KEY))
    undone(life)
    assert shown(life) == before
