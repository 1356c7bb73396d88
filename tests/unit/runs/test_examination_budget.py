"""The cost of examinations, by a clock that only training and examinations move."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from fallline.runs.case import (
    PERIOD_SECONDS,
    SAVED_SECONDS,
    SHARE,
    Case,
    ExaminationBudget,
    RecentWaits,
)
from fallline.runs.doctor.doctor import PACED_SECONDS, Doctor
from fallline.runs.run import Run
from fallline.vocabulary.commands import AddRun
from fallline.vocabulary.exhibits import EXHIBITS
from support.examined import Examined, until_answered
from support.lives import CLOCK, Life

CALL = 0.002
"""Time of each clock reading in an examination, which reads it at least twice. A step takes a millisecond."""

DYING = EXHIBITS["notebook"].recipe.as_json() | {
    "runs": [
        {"name": "run", "learning_rate": 0.05, "batch_size": 1, "optimizer": "momentum", "momentum": 0.5}
    ]
}
"""A layer dies at step 197. Momentum also moves it, so only a search can date it."""


@pytest.fixture
def slow_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let examinations move the clock too."""
    look = Doctor.examine

    def slowly(self: Any, run: Run, now: float, clock: Any, *, limited: bool = False) -> Any:
        def late() -> float:
            CLOCK.now += CALL
            return CLOCK.now

        return look(self, run, now, late, limited=limited)

    monkeypatch.setattr(Doctor, "examine", slowly)


def play(
    life: Life, speed: float | None, seconds: float, see: Callable[[Run], None] = lambda run: None
) -> Run:
    """Play for so long; yield the run after each move."""
    one = life.one
    (run,) = one.runs.values()
    one.play(speed, "steps", CLOCK.now)
    end = CLOCK.now + seconds
    while CLOCK.now < end:
        one.work(0.005, CLOCK.now, CLOCK)
        see(run)
        CLOCK.now = max(CLOCK.now, one.wake_at(CLOCK.now) or 0.0)
    return run


@pytest.mark.usefixtures("slow_looks")
@pytest.mark.parametrize("recipe", [{"runs": [{"name": "run"}], "data": {"samples": 20}}, DYING])
def test_at_full_speed_examinations_stay_within_their_share_from_the_start(
    recipe: dict[str, Any],
) -> None:
    beyond: list[float] = []

    def see(run: Run) -> None:
        beyond.append(run.case.budget.spent - SHARE * run.seconds)

    run = play(Life(**recipe), None, 6.0, see)
    assert max(beyond) < 5 * CALL, "one examination may take this much more than expected"
    assert run.case.costs()["share"] > 0.4 * SHARE, "most of the share is used"


@pytest.mark.usefixtures("slow_looks")
def test_a_run_with_cheap_steps_is_examined_as_soon_as_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    advance = Run.advance

    def lightly(self: Run, *arguments: Any, **more: Any) -> int:
        before = self.seconds, CLOCK.now
        count = advance(self, *arguments, **more)
        if self.name == "light":
            self.seconds, CLOCK.now = before
        return count

    monkeypatch.setattr(Run, "advance", lightly)
    life = Life(runs=[{"name": "heavy"}, {"name": "light"}], data={"samples": 20})
    heavy, light = life.one.runs.values()
    life.one.play(None, "steps", CLOCK.now)
    while heavy.seconds < 6.0:
        life.one.work(0.005, CLOCK.now, CLOCK)
    assert light.case.examinations >= heavy.case.examinations > 3
    spent = heavy.case.budget.spent + light.case.budget.spent
    assert spent < SHARE * heavy.seconds + 10 * CALL, "all examinations together stay within their share"


@pytest.mark.usefixtures("slow_looks")
def test_a_deferred_search_has_the_same_result() -> None:
    at_rest = Examined(DYING)
    at_rest.step(300, 50)
    (expected,) = [each for each in at_rest.open() if each["rule"] == "dead_layer"]
    run = play(Life(**DYING), None, 20.0)
    (finding,) = [each for each in run.findings() if each["rule"] == "dead_layer"]
    assert (finding["since_step"], finding["subject"]) == (expected["since_step"], expected["subject"])
    assert "or earlier" not in finding["evidence"]
    assert finding["found_at"] > 1_000, "not before the search is affordable"
    assert not run.case.searches, "a finished search is not repeated"


def test_checks_deferred_in_the_last_examination_run_at_rest() -> None:
    one = Life(**DYING).one
    (run,) = one.runs.values()
    doctor = Doctor(one.problem)
    run.advance(300, CLOCK, publish=False)
    assert doctor.examine(run, CLOCK.now, CLOCK, limited=True) == []
    assert doctor.has_news(run)
    assert [each.rule for each in doctor.examine(run, CLOCK.now, CLOCK)] == ["dead_layer"]
    assert not doctor.has_news(run)


DIVERGING = EXHIBITS["too-high"].recipe.as_json()
"""Its run rate-3 diverges at step 85; the others continue."""


@pytest.mark.usefixtures("slow_looks")
def test_the_last_examination_of_a_diverged_run_is_made_at_once_and_paid_for() -> None:
    one = Life(**DIVERGING).one
    over = one.runs["rate-3"]
    one.play(None, "steps", CLOCK.now)
    while not over.diverged:
        waited, looks = over.case.budget.spent, over.case.examinations
        one.work(0.005, CLOCK.now, CLOCK)
    assert over.case.examinations == looks + 1
    assert over.case.budget.spent >= waited + CALL
    assert "diverged" in [each["rule"] for each in over.findings()]
    looks = over.case.examinations
    for _ in range(200):
        one.work(0.005, CLOCK.now, CLOCK)
    assert over.case.examinations == looks, "its state is examined"


@pytest.mark.usefixtures("slow_looks")
def test_the_last_examination_of_a_diverged_run_has_remedies_and_is_paid_for() -> None:
    one = Life(data={"samples": 900}, runs=[{"name": "over", "learning_rate": 1000.0}, {"name": "on"}]).one
    over = one.runs["over"]
    one.play(None, "steps", CLOCK.now)
    while not over.diverged:
        one.work(0.005, CLOCK.now, CLOCK)
    assert (over.state.step, over.case.is_unfinished, over.case.examinations) == (0, False, 1)
    (finding,) = over.findings()
    assert finding["rule"] == "diverged"
    assert finding["remedies"]
    assert -SAVED_SECONDS < over.case.budget.left < 0.0
    for _ in range(200):
        one.work(0.005, CLOCK.now, CLOCK)
    assert (over.case.examinations, over.case.failed) == (1, 0)


def test_checks_deferred_in_the_last_examination_run_when_no_other_run_trains() -> None:
    one = Life(data={"samples": 900}, runs=[{"name": "over", "learning_rate": 1000.0}]).one
    (over,) = one.runs.values()
    one.play(None, "steps", CLOCK.now)
    turns = 0
    while one.wake_at(CLOCK.now) is not None and turns < 10:
        one.work(0.005, CLOCK.now, CLOCK)
        CLOCK.now = max(CLOCK.now, one.wake_at(CLOCK.now) or 0.0)
        turns += 1
    assert [each["rule"] for each in over.findings()] == ["diverged"]
    assert turns < 10, "nothing is left to do"


def test_the_expected_cost_of_a_new_run_is_that_of_the_others() -> None:
    life = Life(runs=[{"name": "one"}, {"name": "other"}], data={"samples": 20})
    one, other = life.one.runs.values()
    doctor = Doctor(life.one.problem)
    for run in (one, other):
        run.advance(10, CLOCK, publish=False)
    ticks = iter(range(10))
    doctor.examine(one, CLOCK.now, lambda: 5.0 * next(ticks))
    assert not doctor.is_cheap(other)
    other.case.add_computing(5.0 / SHARE)
    assert doctor.is_cheap(other)


@pytest.mark.usefixtures("slow_looks")
def test_at_a_set_pace_a_run_is_examined_four_times_a_second_at_most_and_training_waits_for_none() -> None:
    run = play(Life(runs=[{"name": "run"}], data={"samples": 20}), 20.0, 4.0)
    assert 8 < run.case.examinations <= 4.0 / PACED_SECONDS + 1
    assert run.case.costs()["share"] == 0.0


@pytest.mark.usefixtures("slow_looks")
def test_examinations_at_rest_leave_no_debt() -> None:
    life = Life(runs=[{"name": "run"}], data={"samples": 20})
    for _ in range(30):
        life.step(1)
    (run,) = life.one.runs.values()
    assert run.case.spent > 20 * CALL
    assert run.case.budget.left >= 0.0
    assert run.case.costs()["share"] == 0.0


def test_a_fork_starts_without_saved_time() -> None:
    life = Life(runs=[{"name": "run"}], data={"samples": 20})
    life.step(500)
    for name, at_step in (("here", 500), ("before", 400)):
        request = AddRun(name=name, fork_of="run", at_step=at_step)
        until_answered(life.one, CLOCK, partial(life.one.fork, request, CLOCK.now))
    for name in ("here", "before"):
        fork = life.one.runs[name]
        assert fork.seconds > 0.3
        assert fork.case.budget.left == 0.0


def test_saved_time_is_bounded_and_costs_beyond_it_are_still_affordable() -> None:
    budget = ExaminationBudget()
    budget.earn(1.0)
    assert budget.affords(0.9 * SHARE)
    assert not budget.affords(1.1 * SHARE)
    budget.earn(1e6)
    assert budget.left == SAVED_SECONDS
    assert budget.affords(100.0)
    budget.spend(100.0)
    assert not budget.affords(0.0), "the debt must be earned first"
    budget.earn(101.0 / SHARE)
    assert budget.affords(0.0)


def test_recent_waits_cover_everything_at_first_and_then_one_or_two_periods() -> None:
    recent = RecentWaits()
    recent.add_wait(0.5)
    for _ in range(int(PERIOD_SECONDS)):
        recent.add_computing(1.0)
    assert (recent.waited, recent.computed) == (0.5, PERIOD_SECONDS)
    recent.add_computing(1.0)
    assert (recent.waited, recent.computed) == (0.5, PERIOD_SECONDS + 1.0)
    for _ in range(int(PERIOD_SECONDS)):
        recent.add_computing(1.0)
    assert (recent.waited, recent.computed) == (0.0, PERIOD_SECONDS + 1.0), "earlier periods are dropped"


@pytest.mark.parametrize("hoarded", [0.0, 0.1, SAVED_SECONDS])
def test_recent_waits_stay_below_5_percent_whatever_was_saved(
    hoarded: float,
) -> None:
    """Spend the whole budget at once, or only when so much is saved up."""
    case, shares = Case(), list[float]()
    for _ in range(int(20 * PERIOD_SECONDS)):
        case.add_computing(0.1)
        if case.budget.left > 0.0 and case.budget.affords(hoarded):
            case.add_wait(case.budget.left + CALL)
        costs = case.costs()
        if costs["computed_seconds"] >= PERIOD_SECONDS:
            shares.append(costs["waited_seconds"] / costs["computed_seconds"])
    assert 0.8 * SHARE < max(shares) < 0.05
