"""Play that stops at a step, or at a number of samples seen."""

from __future__ import annotations

from typing import Any

import pytest

from fallline.vocabulary.commands import Until
from support.lives import CLOCK, Life, assert_twins, edit, steps

RATE = {"learning_rate": 0.01}
RUNS = [
    {"name": "gd", **RATE},
    {"name": "mini", "batch_size": 8, **RATE},
    {"name": "sgd", "batch_size": 1, **RATE},
]
SAMPLES = 48
"""Training samples of the small experiment."""


def turns(life: Life, most: int = 2_000) -> None:
    """Work until it pauses."""
    for _ in range(most):
        if not life.one.playing:
            return
        CLOCK.now += 0.005
        life.one.work(0.01, CLOCK.now, CLOCK)
        life.store_it(publishes=False)
    raise AssertionError("it still plays")


@pytest.mark.parametrize("speed", [None, 60.0, 10_000.0])
@pytest.mark.parametrize("pace", ["steps", "samples"])
def test_every_run_stops_at_the_step_and_play_pauses(speed: float | None, pace: str) -> None:
    life = Life(runs=RUNS)
    life.step(7, run="sgd")
    life.do(lambda one: one.play(speed, pace, CLOCK.now, Until(steps=50)))
    turns(life, 20_000)
    assert steps(life) == {"gd": 50, "mini": 50, "sgd": 50}
    assert {run.status(playing=life.one.playing) for run in life.one.runs.values()} == {"paused"}
    assert_twins(life)


@pytest.mark.parametrize("pace", ["steps", "samples"])
def test_no_run_sees_more_samples_than_the_end(pace: str) -> None:
    life = Life(runs=RUNS)
    life.do(lambda one: one.play(None, pace, CLOCK.now, Until(samples=5 * SAMPLES + 10)))
    turns(life)
    samples = {name: run.state.samples_seen for name, run in life.one.runs.items()}
    assert samples == {"gd": 5 * SAMPLES, "mini": 5 * SAMPLES + 8, "sgd": 5 * SAMPLES + 10}


def test_a_run_that_is_further_stays_where_it_is() -> None:
    life = Life(runs=RUNS)
    life.step(30, run="gd")
    life.do(lambda one: one.play(None, "steps", CLOCK.now, Until(steps=20)))
    turns(life)
    assert steps(life) == {"gd": 30, "mini": 20, "sgd": 20}


@pytest.mark.parametrize("pace", ["steps", "samples"])
def test_an_edit_on_the_way_changes_the_samples_and_not_the_end(pace: str) -> None:
    runs = [{**RUNS[1], "edits": [{"at_step": 3, "batch_size": 20}]}]
    life = Life(runs=runs)
    life.do(lambda one: one.play(None, pace, CLOCK.now, Until(samples=44)))
    turns(life)
    assert life.one.runs["mini"].state.samples_seen == 44
    assert_twins(life)


def test_the_end_is_in_the_state_and_survives_a_restart_and_the_next_play_has_none() -> None:
    life = Life(runs=RUNS)
    life.do(lambda one: one.play(None, "steps", CLOCK.now, Until(steps=400)))
    life.one.work(0.01, CLOCK.now, CLOCK)
    life.store_it()
    assert life.one.state()["until"] == {"steps": 400}
    life.reopen()
    assert life.one.playing
    turns(life)
    assert {*steps(life).values()} == {400}
    life.do(lambda one: one.play(None, "steps", CLOCK.now))
    assert "until" not in life.one.state()
    life.one.work(0.01, CLOCK.now, CLOCK)
    assert max(steps(life).values()) > 400


def test_a_run_that_diverges_keeps_nobody_from_the_end() -> None:
    wild = {"name": "wild", "learning_rate": 50.0, "batch_size": 1}
    life = Life(runs=[RUNS[0], wild])
    life.do(lambda one: one.play(None, "steps", CLOCK.now, Until(steps=300)))
    turns(life)
    assert life.one.runs["wild"].diverged
    assert steps(life)["gd"] == 300


@pytest.mark.parametrize("until", [{}, {"steps": 1, "samples": 1}, {"steps": 0}, {"epochs": 3}])
def test_an_end_is_one_of_steps_and_samples(until: Any) -> None:
    with pytest.raises(ValueError):
        Until.model_validate(until)


def test_edits_while_it_plays_to_an_end_count() -> None:
    life = Life(runs=RUNS)
    life.do(lambda one: one.play(60.0, "steps", CLOCK.now, Until(steps=40)))
    life.one.work(0.01, CLOCK.now, CLOCK)
    life.do(edit("gd", batch_size=1))
    turns(life, 20_000)
    assert {*steps(life).values()} == {40}
    assert_twins(life)
