"""The cost of examinations, by a clock that only training and examinations move."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from fallline.diagnosis.track import Track
from fallline.runs.case import (
    PERIOD_SECONDS,
    SAVED_SECONDS,
    SHARE,
    Case,
    ExaminationBudget,
    ExaminationCache,
    RecentWaits,
)
from fallline.runs.doctor import doctor as doctor_module
from fallline.runs.doctor import view
from fallline.runs.doctor.doctor import (
    ALL_SAVED_SECONDS,
    ALL_SHARE,
    ALONE_SHARE,
    PACED_SECONDS,
    Allowance,
    Doctor,
)
from fallline.runs.persistence.journal_writer import PositionPace
from fallline.runs.run import Run
from fallline.vocabulary.commands import AddRun
from fallline.vocabulary.exhibits import EXHIBITS
from support.examined import Examined, settle, until_answered
from support.lives import CLOCK, KERNELS, Life

CALL = 0.0002
"""Time of each clock reading in an examination, which reads it at least twice. A step takes a millisecond."""

DYING = EXHIBITS["notebook"].recipe.as_json() | {
    "runs": [
        {"name": "run", "learning_rate": 0.05, "batch_size": 1, "optimizer": "momentum", "momentum": 0.5}
    ]
}
"""A layer dies at step 197. Momentum also moves it, so only a search can date it."""


@pytest.fixture
def slow_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let examinations move the clock too, by each look at it: parts of measurements, which look often, are long."""
    monkeypatch.setattr(view, "PART_SECONDS", 1e9)

    def late() -> float:
        CLOCK.now += CALL
        return CLOCK.now

    def slow(examine: Callable[..., Any]) -> Callable[..., Any]:
        return lambda self, run, clock, **how: examine(self, run, late, **how)

    monkeypatch.setattr(Doctor, "examine", slow(Doctor.examine))
    monkeypatch.setattr(Doctor, "look", slow(Doctor.look))


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
    assert max(beyond) < 10 * CALL, "one examination may take this much more than expected"
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


def at_rest(recipe: Any, step: int, name: str = "run") -> Run:
    """Return this run at that step, examined on an idle machine."""
    one = Examined(recipe, KERNELS)
    one.step(step)
    return one.one.runs[name]


@pytest.mark.usefixtures("slow_looks")
def test_beside_training_examinations_lag_and_find_the_same() -> None:
    life, complete_to = Life(**DYING), list[int]()
    # A loss that rises makes the Doctor look ahead, at 100 of these slow steps.
    run = play(life, None, 40.0, lambda run: complete_to.append(run.findings_complete_to))
    assert complete_to == sorted(complete_to)
    assert 29 < run.findings_complete_to < run.state.step / 10, "it lags"
    assert "dead_units" in [each["rule"] for each in run.findings()]
    assert run.case.record == at_rest(life.one.recipe, run.findings_complete_to).case.record


@pytest.mark.usefixtures("slow_looks")
def test_what_is_missing_is_made_up_at_rest_and_is_the_same() -> None:
    life = Life(**DYING)
    run = play(life, None, 3.0)
    life.one.pause(CLOCK.now)
    assert run.findings_complete_to < run.state.step
    waited, share = run.case.budget.spent, run.case.costs()["share"]
    settle(life.one, lambda: CLOCK.now)
    assert run.findings_complete_to == run.state.step
    assert run.case.budget.spent == waited, "no training waited for it"
    assert run.case.costs()["share"] == share
    rested = at_rest(life.one.recipe, run.state.step)
    assert run.case.record == rested.case.record
    assert run.findings() == rested.findings()


@pytest.mark.usefixtures("slow_looks")
def test_a_request_for_complete_findings_waits_while_the_run_goes_on() -> None:
    """It waits for the step at which the run was, or until its time is over."""
    one = Life(**DYING).one
    (run,) = one.runs.values()
    answers: list[tuple[int, int]] = []

    def see() -> tuple[int, int]:
        return run.findings_complete_to, run.state.step

    one.play(None, "steps", CLOCK.now)
    while run.state.step < 150:
        one.work(0.005, CLOCK.now, CLOCK)
    asked_at = run.state.step
    assert run.findings_complete_to < asked_at
    one.when_examined("run", 1e6, CLOCK.now, see, answers.append)
    one.when_examined("run", 0.1, CLOCK.now, see, answers.append)
    while len(answers) < 2:
        one.work(0.005, CLOCK.now, CLOCK)
    (early, at), (complete_to, later) = answers
    assert early < asked_at <= at, "the time of the impatient one was over"
    assert complete_to >= asked_at
    assert later > asked_at


@pytest.mark.parametrize("recipe", ["notebook", "too-high", "edge"])
def test_findings_do_not_depend_on_the_turns_in_which_measurements_are_made(
    recipe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the first life each is made at once, in the second a step a turn."""
    lives, turns = [], []
    for seconds in (1e9, 0.0):
        monkeypatch.setattr(doctor_module, "TURN_SECONDS", seconds)
        monkeypatch.setattr(view, "PART_SECONDS", 1e9 if seconds else 1e-12)
        life, count = Life(**EXHIBITS[recipe].recipe.as_json()), 0
        for run in life.one.runs.values():
            run.advance(400, CLOCK)
            doctor = Doctor(life.one.problem)
            while doctor.is_behind(run):
                doctor.examine(run, CLOCK)
                count += 1
        lives.append({name: run.findings() for name, run in life.one.runs.items()})
        turns.append(count)
    assert lives[0] == lives[1]
    assert any(lives[0].values())
    assert turns[1] > 1.2 * turns[0]


@pytest.mark.usefixtures("slow_looks")
def test_examinations_at_rest_count_as_reads_while_a_request_waits_for_them() -> None:
    life = Life(**DYING)
    play(life, None, 3.0)

    def replays_or_examines() -> tuple[bool, bool]:
        return life.one.only_replays, life.one.only_examines

    assert replays_or_examines() == (False, False)
    life.one.pause(CLOCK.now)
    assert replays_or_examines() == (False, True)
    life.one.when_examined("run", 1e6, CLOCK.now, lambda: None, lambda _: None)
    assert replays_or_examines() == (True, False)


def test_an_examination_over_budget_is_made_at_rest() -> None:
    one = Life(**DYING).one
    (run,) = one.runs.values()
    doctor = Doctor(one.problem)
    run.advance(300, CLOCK)
    while run.case.record.step < 196:
        doctor.examine(run, CLOCK)
    before = run.case.record
    is_made, _ = doctor.examine(run, CLOCK, limited=True)
    assert (is_made, run.case.record) == (False, before)
    assert run.case.needed > 0.0
    assert not doctor.is_affordable(run)
    assert doctor.is_behind(run)
    while doctor.is_behind(run):
        doctor.examine(run, CLOCK)
    assert "dead_layer" in [each.rule for each in run.case.record.open]


DIVERGING = EXHIBITS["too-high"].recipe.as_json()
DIVERGING["runs"] = [run for run in DIVERGING["runs"] if run["name"] in ("rate-1", "rate-3")]
"""Its run rate-3 diverges at step 85; the other continues."""


@pytest.mark.usefixtures("slow_looks")
def test_the_last_examination_of_a_diverged_run_is_made_once_and_paid_for() -> None:
    life = Life(**DIVERGING)
    life.step(80)
    one, over = life.one, life.one.runs["rate-3"]
    settle(one, lambda: CLOCK.now)
    one.play(None, "steps", CLOCK.now)
    while over.header(playing=True)["verdict"] != "diverged":
        waited, looks = over.case.budget.spent, over.case.examinations
        one.work(0.005, CLOCK.now, CLOCK)
        assert over.state.step <= 85
    assert over.findings_complete_to == 85
    assert over.case.examinations > looks
    assert over.case.budget.spent >= waited + CALL
    assert [each["rule"] for each in over.findings()][-1] == "diverged"
    assert over.findings() == at_rest(DIVERGING, 100, "rate-3").findings()
    looks = over.case.examinations
    for _ in range(200):
        one.work(0.005, CLOCK.now, CLOCK)
    assert over.case.examinations == looks, "its state is examined"


@pytest.mark.usefixtures("slow_looks")
def test_the_last_examination_of_a_diverged_run_has_remedies_and_is_paid_for() -> None:
    one = Life(data={"samples": 900}, runs=[{"name": "over", "learning_rate": 1000.0}, {"name": "on"}]).one
    over = one.runs["over"]
    one.play(None, "steps", CLOCK.now)
    while over.header(playing=True)["verdict"] != "diverged":
        one.work(0.005, CLOCK.now, CLOCK)
    assert (over.state.step, over.case.examinations) == (0, 2)
    (finding,) = over.findings()
    assert finding["rule"] == "diverged"
    assert finding["remedies"]
    assert over.case.budget.left > -SAVED_SECONDS
    assert over.case.budget.spent >= CALL
    for _ in range(200):
        one.work(0.005, CLOCK.now, CLOCK)
    assert (over.case.examinations, over.case.failed) == (2, 0)


def test_the_last_examination_of_a_diverged_run_is_made_when_no_other_run_trains() -> None:
    one = Life(data={"samples": 900}, runs=[{"name": "over", "learning_rate": 1000.0}]).one
    (over,) = one.runs.values()
    one.play(None, "steps", CLOCK.now)
    turns = 0
    while one.wake_at(CLOCK.now) is not None and turns < 50:
        one.work(0.005, CLOCK.now, CLOCK)
        CLOCK.now = max(CLOCK.now, one.wake_at(CLOCK.now) or 0.0)
        turns += 1
    assert [each["rule"] for each in over.findings()] == ["diverged"]
    assert turns < 50, "nothing is left to do"


def test_the_expected_cost_of_a_new_run_is_that_of_the_others() -> None:
    life = Life(runs=[{"name": "one"}, {"name": "other"}], data={"samples": 20})
    one, other = life.one.runs.values()
    doctor = Doctor(life.one.problem)
    for run in (one, other):
        run.advance(10, CLOCK)
    ticks = iter(range(10))
    doctor.examine(one, lambda: 5.0 * next(ticks))
    cost = doctor.cost(one)
    assert doctor.cost(other) == cost >= 5.0
    assert not doctor.is_cheap(other, 0.0)
    other.case.add_computing(cost / SHARE)
    assert doctor.is_cheap(other, 0.0)
    assert not doctor.is_cheap(other, 0.1)


@pytest.mark.usefixtures("slow_looks")
def test_at_a_set_pace_a_run_is_examined_between_its_steps_and_training_waits_for_none() -> None:
    lag: list[int] = []
    run = play(
        Life(runs=[{"name": "run"}], data={"samples": 20}),
        20.0,
        4.0,
        lambda run: lag.append(run.state.step - run.findings_complete_to),
    )
    assert (run.case.examinations, max(lag)) == (run.state.step + 1, 0)
    assert run.case.costs()["share"] == 0.0


@pytest.mark.usefixtures("slow_looks")
def test_at_a_pace_that_leaves_no_time_the_examinations_of_a_turn_stay_short() -> None:
    """A turn begins at most one examination beyond its time, however many are missing."""
    life, spent = Life(runs=[{"name": "run"}], data={"samples": 20}), [0.0]
    (run,) = life.one.runs.values()
    run.advance(120, CLOCK)
    life.one.play(5.0, "steps", CLOCK.now)
    while run.findings_complete_to < 100:
        life.one.work(0.005, CLOCK.now, CLOCK)
        spent.append(run.case.spent)
        CLOCK.now += 1e-3
    turns = [later - earlier for earlier, later in pairwise(spent)]
    assert max(turns) < PACED_SECONDS + 10 * CALL
    assert run.case.costs()["share"] == 0.0


@pytest.mark.usefixtures("slow_looks")
@pytest.mark.parametrize("many", [1, 12])
def test_at_a_set_pace_all_examinations_together_leave_the_time_to_steps(
    monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    """One person's examinations are made at once; a class's come later, and all runs get about as many."""
    monkeypatch.setitem(globals(), "CALL", 0.0005)
    allowance, seconds = Allowance(), 20.0
    lives = [Life(runs=[{"name": "run"}], data={"samples": 20}) for _ in range(many)]
    runs = [run for life in lives for run in life.one.runs.values()]
    start = CLOCK.now
    for life in lives:
        life.one.share(allowance, ExaminationCache(), PositionPace())
        life.one.play(10.0, "steps", CLOCK.now)
    while CLOCK.now < start + seconds:
        for life in lives:
            life.one.work(0.005, CLOCK.now, CLOCK)
        CLOCK.now += 0.05
    took = CLOCK.now - start
    spent = [run.case.spent for run in runs]
    assert sum(spent) <= ALL_SHARE * took + ALL_SAVED_SECONDS + PACED_SECONDS + 2 * CALL
    assert all(run.state.step > 9 * took for run in runs)
    if many == 1:
        assert runs[0].state.step - runs[0].findings_complete_to <= 1
    else:
        assert sum(spent) > 0.7 * ALL_SHARE * took
        assert min(spent) > 0.5 * max(spent)


@pytest.mark.parametrize(
    ("moving", "share"), [(0, ALL_SHARE), (1, ALONE_SHARE), (2, ALONE_SHARE / 2), (3, ALL_SHARE)]
)
def test_whoever_plays_alone_gets_findings_sooner(moving: int, share: float) -> None:
    allowance = Allowance()
    allowance.moving = moving
    one, another = Life().one, Life().one
    allowance.spend(one, allowance.left(one, 0.0))
    assert allowance.left(another, 0.01) == pytest.approx(0.01 * share)


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


def test_deleting_an_experiment_that_plays_examines_nothing() -> None:
    """A crowd of deletions would otherwise take 30 ms of training each."""
    life = Life(**DYING)
    run = play(life, 1_000.0, 0.5)
    assert Doctor(life.one.problem).is_behind(run)
    spent = run.case.spent
    life.one.close(CLOCK.now)
    assert not life.one.playing
    assert run.case.spent == spent


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
    case, shares = Case(Track(("train_loss",))), list[float]()
    for _ in range(int(20 * PERIOD_SECONDS)):
        case.add_computing(0.1)
        if case.budget.left > 0.0 and case.budget.affords(hoarded):
            case.add_wait(case.budget.left + CALL)
        costs = case.costs()
        if costs["computed_seconds"] >= PERIOD_SECONDS:
            shares.append(costs["waited_seconds"] / costs["computed_seconds"])
    assert 0.8 * SHARE < max(shares) < 0.05
