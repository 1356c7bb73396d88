"""What examining costs a run: by a clock that only training and looking move, at every moment from the start on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fallline.runs.allowance import PERIOD_SECONDS, SAVED_SECONDS, SHARE, Allowance, Lately
from fallline.runs.case import Case
from fallline.runs.doctor import PACED_SECONDS, Doctor
from fallline.runs.run import Run
from fallline.vocabulary.commands import AddRun
from fallline.vocabulary.exhibits import EXHIBITS
from support.examined import Examined
from support.lives import CLOCK, Life

CALL = 0.002
"""What every reading of the clock in an examination takes: the least one reads it twice. A step takes a millisecond."""

DYING = EXHIBITS["notebook"].recipe.as_json() | {
    "runs": [
        {"name": "run", "learning_rate": 0.05, "batch_size": 1, "optimizer": "momentum", "momentum": 0.5}
    ]
}
"""Loses a layer at step 197; a velocity moves it beside the gradients, so that a search has to say when."""


@pytest.fixture
def slow_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Examinations move the clock too."""
    look = Doctor.examine

    def slowly(self: Any, run: Run, now: float, clock: Any, *, hurries: bool = False) -> Any:
        def late() -> float:
            CLOCK.now += CALL
            return CLOCK.now

        return look(self, run, now, late, hurries=hurries)

    monkeypatch.setattr(Doctor, "examine", slowly)


def play(
    life: Life, speed: float | None, seconds: float, see: Callable[[Run], None] = lambda run: None
) -> Run:
    """Play for so long, and see the run whenever it has moved."""
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
def test_at_full_speed_examining_takes_its_share_of_the_time_and_no_more_from_the_first_second_on(
    recipe: dict[str, Any],
) -> None:
    beyond: list[float] = []

    def see(run: Run) -> None:
        beyond.append(run.case.allowance.spent - SHARE * run.seconds)

    run = play(Life(**recipe), None, 6.0, see)
    assert max(beyond) < 5 * CALL, "which is what one look more than was expected may take"
    assert run.case.costs()["share"] > 0.4 * SHARE, "and most of it is used"


@pytest.mark.usefixtures("slow_looks")
def test_a_run_whose_steps_cost_next_to_nothing_is_looked_at_as_soon_as_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    advance = Run.advance

    def lightly(self: Run, *given: Any, **more: Any) -> int:
        before = self.seconds, CLOCK.now
        made = advance(self, *given, **more)
        if self.name == "light":
            self.seconds, CLOCK.now = before
        return made

    monkeypatch.setattr(Run, "advance", lightly)
    life = Life(runs=[{"name": "heavy"}, {"name": "light"}], data={"samples": 20})
    heavy, light = life.one.runs.values()
    life.one.play(None, "steps", CLOCK.now)
    while heavy.seconds < 6.0:
        life.one.work(0.005, CLOCK.now, CLOCK)
    assert light.case.examinations >= heavy.case.examinations > 3
    spent = heavy.case.allowance.spent + light.case.allowance.spent
    assert spent < SHARE * heavy.seconds + 10 * CALL, "and all looks together take no more than their share"


@pytest.mark.usefixtures("slow_looks")
def test_a_search_that_cannot_be_afforded_yet_is_put_off_and_tells_the_same() -> None:
    at_rest = Examined(DYING)
    at_rest.step(300, 50)
    (told,) = [each for each in at_rest.open() if each["rule"] == "dead_layer"]
    run = play(Life(**DYING), None, 20.0)
    (found,) = [each for each in run.findings() if each["rule"] == "dead_layer"]
    assert (found["since_step"], found["subject"]) == (told["since_step"], told["subject"])
    assert "or earlier" not in found["evidence"]
    assert found["found_at"] > 1_000, "not before as much was saved as the search takes"
    assert not run.case.sought, "and what is found is not looked for again"


def test_what_was_put_off_in_the_last_look_of_all_is_made_up_for_at_rest() -> None:
    one = Life(**DYING).one
    (run,) = one.runs.values()
    doctor = Doctor(one.problem)
    run.advance(300, CLOCK, told=False)
    assert doctor.examine(run, CLOCK.now, CLOCK, hurries=True) == []
    assert doctor.has_news(run)
    assert [each.rule for each in doctor.examine(run, CLOCK.now, CLOCK)] == ["dead_layer"]
    assert not doctor.has_news(run)


DIVERGING = EXHIBITS["too-high"].recipe.as_json()
"""Its run rate-3 diverges at step 85; the others go on."""


@pytest.mark.usefixtures("slow_looks")
def test_the_last_look_at_a_run_that_diverged_is_taken_at_once_and_paid_for_while_others_train() -> None:
    one = Life(**DIVERGING).one
    over = one.runs["rate-3"]
    one.play(None, "steps", CLOCK.now)
    while not over.diverged:
        waited, looks = over.case.allowance.spent, over.case.examinations
        one.work(0.005, CLOCK.now, CLOCK)
    assert over.case.examinations == looks + 1
    assert over.case.allowance.spent >= waited + CALL
    assert "diverged" in [each["rule"] for each in over.findings()]
    looks = over.case.examinations
    for _ in range(200):
        one.work(0.005, CLOCK.now, CLOCK)
    assert over.case.examinations == looks, "it stands where it was looked at"


@pytest.mark.usefixtures("slow_looks")
def test_what_helps_a_run_that_diverged_is_told_in_its_last_look_and_paid_for_while_others_train() -> None:
    one = Life(data={"samples": 900}, runs=[{"name": "over", "learning_rate": 1000.0}, {"name": "on"}]).one
    over = one.runs["over"]
    one.play(None, "steps", CLOCK.now)
    while not over.diverged:
        one.work(0.005, CLOCK.now, CLOCK)
    assert (over.state.step, over.case.is_unfinished, over.case.examinations) == (0, False, 1)
    (told,) = over.findings()
    assert told["rule"] == "diverged"
    assert told["remedies"]
    assert -SAVED_SECONDS < over.case.allowance.left < 0.0
    for _ in range(200):
        one.work(0.005, CLOCK.now, CLOCK)
    assert (over.case.examinations, over.case.failed) == (1, 0)


def test_what_was_put_off_in_the_last_look_is_made_up_for_when_no_other_run_goes_on() -> None:
    one = Life(data={"samples": 900}, runs=[{"name": "over", "learning_rate": 1000.0}]).one
    (over,) = one.runs.values()
    one.play(None, "steps", CLOCK.now)
    turns = 0
    while one.wake_at(CLOCK.now) is not None and turns < 10:
        one.work(0.005, CLOCK.now, CLOCK)
        CLOCK.now = max(CLOCK.now, one.wake_at(CLOCK.now) or 0.0)
        turns += 1
    assert [each["rule"] for each in over.findings()] == ["diverged"]
    assert turns < 10, "and then nothing is left to do"


def test_a_run_that_was_never_looked_at_is_expected_to_cost_what_the_others_did() -> None:
    life = Life(runs=[{"name": "one"}, {"name": "other"}], data={"samples": 20})
    one, other = life.one.runs.values()
    doctor = Doctor(life.one.problem)
    for run in (one, other):
        run.advance(10, CLOCK, told=False)
    ticks = iter(range(10))
    doctor.examine(one, CLOCK.now, lambda: 5.0 * next(ticks))
    assert not doctor.is_cheap(other)
    other.case.trains(5.0 / SHARE)
    assert doctor.is_cheap(other)


@pytest.mark.usefixtures("slow_looks")
def test_at_a_set_pace_a_run_is_examined_four_times_a_second_at_most_and_training_waits_for_none() -> None:
    run = play(Life(runs=[{"name": "run"}], data={"samples": 20}), 20.0, 4.0)
    assert 8 < run.case.examinations <= 4.0 / PACED_SECONDS + 1
    assert run.case.costs()["share"] == 0.0


@pytest.mark.usefixtures("slow_looks")
def test_examinations_at_rest_owe_nothing_to_the_time_after_them() -> None:
    life = Life(runs=[{"name": "run"}], data={"samples": 20})
    for _ in range(30):
        life.step(1)
    (run,) = life.one.runs.values()
    assert run.case.spent > 20 * CALL
    assert run.case.allowance.left >= 0.0
    assert run.case.costs()["share"] == 0.0


def test_a_fork_has_saved_nothing_of_its_parents_time() -> None:
    life = Life(runs=[{"name": "run"}], data={"samples": 20})
    life.step(500)
    answers: list[dict[str, Any]] = []
    for name, at_step in (("here", 500), ("before", 400)):
        life.one.fork(AddRun(name=name, fork_of="run", at_step=at_step), CLOCK.now, answers.append)
    while len(answers) < 2:
        life.one.work(0.005, CLOCK.now, CLOCK)
    for name in ("here", "before"):
        fork = life.one.runs[name]
        assert fork.seconds > 0.3
        assert fork.case.allowance.left == 0.0


def test_what_is_saved_has_a_bound_and_what_is_beyond_it_is_still_done() -> None:
    allowance = Allowance()
    allowance.earn(1.0)
    assert allowance.bears(0.9 * SHARE)
    assert not allowance.bears(1.1 * SHARE)
    allowance.earn(1e6)
    assert allowance.left == SAVED_SECONDS
    assert allowance.bears(100.0)
    allowance.spend(100.0)
    assert not allowance.bears(0.0), "it has to be earned first"
    allowance.earn(101.0 / SHARE)
    assert allowance.bears(0.0)


def test_of_late_is_all_there_was_and_later_one_or_two_periods() -> None:
    lately = Lately()
    lately.waits(0.5)
    for _ in range(int(PERIOD_SECONDS)):
        lately.computes(1.0)
    assert (lately.waited, lately.computed) == (0.5, PERIOD_SECONDS)
    lately.computes(1.0)
    assert (lately.waited, lately.computed) == (0.5, PERIOD_SECONDS + 1.0)
    for _ in range(int(PERIOD_SECONDS)):
        lately.computes(1.0)
    assert (lately.waited, lately.computed) == (0.0, PERIOD_SECONDS + 1.0), "what was before it is forgotten"


@pytest.mark.parametrize("hoarded", [0.0, 0.1, SAVED_SECONDS])
def test_of_late_training_waited_for_no_more_than_5_percent_of_what_it_computed_however_much_was_saved(
    hoarded: float,
) -> None:
    """Whatever is left is spent, or as often as so much was saved."""
    case, shares = Case(), list[float]()
    for _ in range(int(20 * PERIOD_SECONDS)):
        case.trains(0.1)
        if case.allowance.left > 0.0 and case.allowance.bears(hoarded):
            case.waits(case.allowance.left + CALL)
        told = case.costs()
        if told["computed_seconds"] >= PERIOD_SECONDS:
            shares.append(told["waited_seconds"] / told["computed_seconds"])
    assert 0.8 * SHARE < max(shares) < 0.05
