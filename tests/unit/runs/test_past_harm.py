"""The harm of a past step is the one that was given there."""

from __future__ import annotations

import pytest

from fallline.diagnosis.examine import Record
from fallline.diagnosis.view import Best
from fallline.runs import case
from fallline.runs.case import PastLevels
from fallline.runs.persistence import journal_writer
from fallline.vocabulary.exhibits import EXHIBITS
from support.examined import Examined, settle
from support.lives import CLOCK, Life

EDGE = EXHIBITS["edge"].recipe
"""Its fast run grows worse than its slow one, and than it was."""

STEPS = (20, 25, 100, 127, 150, 254, 320, 400)
"""All of them are examined."""


def given(one: Examined) -> dict[str, float | None]:
    return {name: run.header(playing=False)["harm"] for name, run in one.one.runs.items()}


@pytest.fixture(scope="module")
def answers() -> dict[int, dict[str, float | None]]:
    """Return the harm of each run at each step, as it was given at that step."""
    one, harms = Examined(EDGE), {}
    for step in STEPS:
        one.step(step - next(iter(one.one.runs.values())).state.step)
        harms[step] = given(one)
    return harms


def test_it_is_that_of_then(answers: dict[int, dict[str, float | None]]) -> None:
    one = Examined(EDGE)
    one.step(STEPS[-1])
    assert answers[20] == {"fast": None, "slow": None}, "there were too few points"
    assert max(harms["fast"] or 0.0 for harms in answers.values()) > 2.0
    for name, run in one.one.runs.items():
        for step in STEPS:
            assert run.diagnosis_at(0, step)["harm"] == answers[step][name], (name, step)
        assert run.diagnosis_at(1, 100) == {"verdict": None, "harm": None}, "of another past"


def test_a_run_that_diverged_there_had_none() -> None:
    one = Examined(EXHIBITS["too-high"].recipe)
    one.step(100)
    run = one.one.runs["rate-3"]
    assert run.diverged
    assert run.diagnosis_at(0, run.state.step) == {"verdict": "diverged", "harm": None}
    assert run.diagnosis_at(0, 40)["harm"] is not None


def test_it_is_kept_over_restarts_and_by_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_writer, "SAVE_SECONDS", 0.0)
    life = Life(**EDGE.as_json())
    life.step(200)
    settle(life.one, lambda: CLOCK.now)
    before = [life.one.runs["fast"].diagnosis_at(0, step) for step in (30, 100, 200)]
    assert all(each["harm"] is not None for each in before)
    life.store_it(is_final=True)
    life.reopen()
    run = life.one.runs["fast"]
    assert run.case.examinations == 0, "what was found is stored"
    assert [run.diagnosis_at(0, step) for step in (30, 100, 200)] == before
    twin = run.fork(run.recipe)
    assert [twin.case.levels.level_at(step) for step in (30, 100)] == [
        run.case.levels.level_at(step) for step in (30, 100)
    ]


def test_the_oldest_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case, "MOST_LEVELS", 3)
    monkeypatch.setattr(case, "LEVELS_TOGETHER", 2)
    levels = PastLevels()
    levels.add(Record(step=1))
    for step in range(2, 7):
        best = Best(mean=0.5 * step, test_mean=0.25 * step)
        levels.add(Record(step=step, level=(1.0 * step, 2.0 * step), best=best))
    assert [levels.level_at(step) for step in (3, 4, 5, 60)] == [None, (4.0, 8.0), (5.0, 10.0), (6.0, 12.0)]
    assert levels.lowest_at(5) == (2.5, 1.25)
    assert levels.rows.shape == (3, 5)
    levels.add(Record(step=7, level=(7.0, None), best=Best(mean=3.0)))
    assert levels.level_at(7) == (7.0, None), "without a test split"
