"""A round of many runs goes on over several slices of work; until its end nothing leaves the experiment."""

from __future__ import annotations

from typing import Any

import pytest

from fallline.runs.experiment import Experiment
from fallline.vocabulary.commands import Until
from fallline.vocabulary.recipe import Recipe
from support.clocks import Clock
from support.watcher import Watcher

RUNS = ("first", "second", "third", "fourth")
SLICE = 0.005


def experiment(**recipe: Any) -> Experiment:
    runs = [{"name": name, "batch_size": 4 * (1 + place)} for place, name in enumerate(RUNS)]
    return Experiment("x", Recipe.model_validate({"data": {"samples": 60}, "runs": runs, **recipe}))


def steps_of(one: Experiment) -> list[int]:
    return [run.state.step for run in one.runs.values()]


def work(one: Experiment, clock: Clock) -> None:
    one.work(SLICE, clock.now, clock)


def playing(pace: str = "steps", until: Until | None = None) -> tuple[Experiment, Clock]:
    """Return an experiment that plays at full speed, and whose runs take 20 ms a step."""
    clock, one = Clock(tick=0.02), experiment()
    for run in one.runs.values():
        run.step_seconds = 0.02
    one.play(None, pace, clock.now, until)
    return one, clock


@pytest.mark.parametrize("pace", ["steps", "samples"])
def test_a_slice_of_slow_runs_is_that_of_one_run(pace: str) -> None:
    one, clock = playing(pace)
    for place in range(1, len(RUNS) + 1):
        before = sum(run.seconds for run in one.runs.values())
        work(one, clock)
        assert one.in_round == (place < len(RUNS))
        spent = sum(run.seconds for run in one.runs.values()) - before
        # at equal samples a run of larger batches has not always a step to make
        assert spent == pytest.approx(0.02) or (pace == "samples" and place > 1 and spent == 0.0)
    if pace == "steps":
        assert len(set(steps_of(one))) == 1


def test_fast_runs_make_a_whole_round_in_one_slice() -> None:
    clock, one = Clock(tick=1e-5), experiment()
    one.play(None, "steps", clock.now)
    work(one, clock)
    assert not one.in_round
    assert len(set(steps_of(one))) == 1


def test_within_a_round_nothing_is_published_and_the_experiment_wants_to_go_on() -> None:
    clock, one = Clock(tick=0.2), experiment()
    watcher = Watcher(one, clock.now)
    one.play(60.0, "steps", clock.now)
    watcher.take(clock.now)
    for _ in range(40):
        clock.now += 1.0  # a frame is always due
        work(one, clock)
        is_in_round, answers = one.in_round, watcher.take(clock.now)
        if is_in_round:
            assert answers == []
            assert one.wake_at(clock.now) == clock.now
        for answer in answers:
            assert len({update.header["step"] for update in answer.runs.values()}) == 1
    assert len(watcher.answers) > 3


def test_a_round_is_finished_at_once_where_a_call_cannot_wait() -> None:
    one, clock = playing()
    work(one, clock)
    assert len(set(steps_of(one))) == 2
    one.finish_round(clock.now, clock)
    assert not one.in_round
    assert len(set(steps_of(one))) == 1


def test_a_play_to_an_end_arrives_with_the_last_run() -> None:
    one, clock = playing(until=Until(steps=3))
    while one.playing:
        work(one, clock)
    assert not one.in_round
    assert steps_of(one) == [3] * len(RUNS)


def test_a_pause_within_a_round_makes_no_further_step() -> None:
    one, clock = playing()
    work(one, clock)
    one.pause(clock.now)
    before = steps_of(one)
    for _ in range(10):
        work(one, clock)
    assert steps_of(one) == before


def test_a_step_job_ends_at_its_target_whatever_the_slices() -> None:
    clock, one = Clock(tick=0.02), experiment()
    answers: list[Any] = []
    one.step(clock.now, answers.append, steps=5)
    while not answers:
        work(one, clock)
        assert not (answers and one.in_round)
    assert steps_of(one) == [5] * len(RUNS)
