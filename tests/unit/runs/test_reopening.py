"""A restored experiment has the same position and numbers as one that never stopped."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fallline.engine.kernels.numpy_kernels import Kernels
from fallline.runs.case import ExaminationCache
from fallline.runs.doctor import doctor
from fallline.runs.doctor.doctor import Allowance
from fallline.runs.persistence import journal_writer
from fallline.runs.persistence.journal_writer import PositionPace
from fallline.runs.persistence.reopening import restoration
from fallline.vocabulary.commands import AddRun
from fallline.vocabulary.journal import TO_ROUNDING, Receipt
from fallline.vocabulary.recipe import RunRecipe
from support.examined import settle
from support.lives import BUILDS, CLOCK, Do, Life, assert_twins, costless, edit, generations, steps

KEY = Receipt("key", b"asked")


def test_every_command_survives_a_restart() -> None:
    life = Life()
    commands: list[Do] = [
        lambda one: life.step(7),
        edit("gd", batch_size=1, label="small"),
        lambda one: life.step(40, "gd"),
        edit("sgd", optimizer="adam", learning_rate=0.01),
        edit("sgd", schedule={"name": "plateau", "every": 10, "patience": 0}),
        lambda one: life.step(30),
        lambda one: one.reset("gd", 0.0),
        edit("gd", clip_norm=1.0),
        edit("gd", clip_norm=None),
        lambda one: life.step(11),
        lambda one: one.add_run(RunRecipe(name="third", optimizer="momentum"), True, 0.0),
        lambda one: life.step(5),
        lambda one: one.remove_run("sgd", 0.0),
        lambda one: one.add_run(RunRecipe(name="sgd"), True, 0.0),
        lambda one: one.fork(AddRun(name="fork", fork_of="gd", batch_size=None), 0.0, lambda run: None),
        edit("fork", l2=0.1),
        lambda one: life.step(9),
    ]
    for command in commands:
        life.do(command)
        settle(life.one, CLOCK)
        before = costless(life.one.state())
        life.reopen()
        settle(life.one, CLOCK)
        assert costless(life.one.state()) == before
        assert_twins(life)


def test_findings_that_were_not_made_before_a_restart_are_made_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doctor, "CHEAP_SECONDS", 0.0)
    life, twin = Life(), Life()
    for each in (life, twin):
        response = each.step(60)
        assert all(run["findings_complete_to"] < 60 for run in response["runs"]), "examinations are missing"
    settle(twin.one, CLOCK)
    life.reopen()
    settle(life.one, CLOCK)
    assert all(run.findings_complete_to == 60 for run in life.one.runs.values())
    assert [run.findings() for run in life.one.runs.values()] == [
        run.findings() for run in twin.one.runs.values()
    ]


def test_a_run_without_a_stored_state_is_replayed_from_its_recipe() -> None:
    life = Life()
    life.step(12)
    assert life.stored.parts == {}
    life.reopen()
    assert steps(life) == {"gd": 12, "sgd": 12}
    assert_twins(life)


def test_a_long_run_is_restored_in_a_few_turns() -> None:
    life = Life()
    life.step(2_000)
    assert {run: "head" in parts for run, parts in life.stored.parts.items()} == {"gd": True, "sgd": True}
    seconds = sum(run.seconds for run in life.one.runs.values())
    assert seconds > 10 * journal_writer.SAVE_SECONDS
    life.reopen()
    saved = [run.state.step for run in life.one.runs.values()]
    assert saved == [2_000, 2_000]
    assert_twins(life)
    life.step(1_000)
    assert_twins(life)


@pytest.mark.parametrize(("steps", "saved"), [(15, False), (25, True)])
def test_the_last_write_saves_states_that_take_longer_to_replay_than_to_read(steps: int, saved: bool) -> None:
    life = Life()
    life.step(steps)
    life.store_it(is_final=True)
    assert life.stored.parts == {}, "a write without time for it"
    life.store_it(is_final=True, saves_all=True)
    assert {run: "head" in parts for run, parts in life.stored.parts.items()} == (
        {"gd": True, "sgd": True} if saved else {}
    )
    life.reopen()
    assert_twins(life)


def test_the_way_from_the_last_stored_state_is_short() -> None:
    life = Life(runs=[{"name": "gd"}])
    life.step(3_000)
    short = life.reopen()
    life.reopen(replace(life.stored, parts={}))
    assert short * 5 < 3_000 * life.one.runs["gd"].step_seconds / 0.01


def test_only_changed_parts_are_stored() -> None:
    life = Life(runs=[{"name": "gd"}])
    life.step(4_000)
    whole = sum(map(len, life.stored.parts["gd"].values()))
    heads = {life.stored.parts["gd"]["head"]}
    before = life.stored_bytes
    for _ in range(20):
        life.step(100)
        heads.add(life.stored.parts["gd"]["head"])
    assert (life.stored_bytes - before) / (len(heads) - 1) < whole / 2


def test_findings_keep_their_latest_evidence_after_a_restart() -> None:
    never = {"layers": [{"units": 3, "activation": "relu"}], "weights": "zeros", "biases": "zeros"}
    life = Life(network=never, runs=[{"name": "gd"}])
    life.step(90)
    settle(life.one, CLOCK)
    findings = life.one.run("gd").findings()
    assert [(each["rule"], each["found_at"], each["seen_at"]) for each in findings] == [("dead_layer", 1, 90)]
    life.reopen()
    settle(life.one, CLOCK)
    assert life.one.run("gd").findings() == findings
    assert life.one.run("gd").header(playing=False)["findings"][0]["seen_at"] == 90


def test_a_playing_experiment_resumes_from_its_stored_position() -> None:
    life = Life()
    life.play(40)
    shown_steps = steps(life)
    stored = {run: at["step"] for run, at in life.stored.progress["runs"].items()}
    life.reopen()
    assert life.one.playing
    assert {run["name"]: run["step"] for run in life.there["runs"]} == stored
    assert all(stored[run] <= shown_steps[run] for run in shown_steps)
    assert generations(life) == {"gd": 1, "sgd": 1}, "clients may have seen unstored steps"
    assert_twins(life)


def test_a_raised_generation_is_stored() -> None:
    life = Life()
    life.play(3)
    life.reopen()
    assert generations(life) == {"gd": 1, "sgd": 1}
    life.do(lambda one: one.pause(0.0))
    life.reopen()
    assert generations(life) == {"gd": 1, "sgd": 1}


def test_an_experiment_is_stored_as_loose_before_unstored_steps_are_shown() -> None:
    life = Life()
    life.one.step(CLOCK.now, lambda _: None, steps=10_000)
    assert life.one.take_write(CLOCK.now, publishes=True) is None, "nothing has happened yet"
    life.one.work(0.01, CLOCK.now, CLOCK)
    written = life.one.take_write(CLOCK.now, publishes=True)
    assert written is not None
    assert (written.needed, written.progress["loose"]) == (True, True)
    life.one.work(0.01, CLOCK.now, CLOCK)
    assert life.one.take_write(CLOCK.now, publishes=True) is None, "it is stored only once"


def test_after_a_final_write_generations_stay() -> None:
    life = Life()
    life.play(40)
    life.store_it(is_final=True)
    expected = steps(life)
    life.reopen()
    assert {run["name"]: run["step"] for run in life.there["runs"]} == expected
    assert generations(life) == {"gd": 0, "sgd": 0}
    assert life.one.playing


def test_an_experiment_can_be_restored_paused_or_read_only() -> None:
    life = Life()
    life.play(5)
    stored = life.stored
    life.reopen(is_paused=True)
    assert not life.one.playing
    assert not life.stored.progress["playing"]
    before = life.writes
    life.reopen(stored, is_read_only=True)
    assert not life.one.playing
    assert life.writes == before


def test_a_diverged_run_stays_where_it_is() -> None:
    life = Life(runs=[{"name": "gd", "learning_rate": 1e5}])
    life.step(100)
    before = costless(life.one.state())
    assert before["runs"][0]["status"] == "diverged"
    for stored in (life.stored, replace(life.stored, parts={})):
        life.reopen(stored)
        assert costless(life.one.state()) == before
    life.do(edit("gd", learning_rate=0.01))
    life.do(lambda one: one.reset(None, 0.0))
    life.step(3)
    life.reopen()
    assert life.one.state()["runs"][0]["status"] == "paused"
    assert_twins(life)


def test_an_interrupted_step_command_is_not_done_twice() -> None:
    life = Life()
    life.step(50)
    life.one.step(CLOCK.now, lambda _: None, steps=1_500, receipt=KEY)
    while life.one.runs["gd"].state.step < 700:
        life.one.work(0.01, CLOCK.now, CLOCK)
        life.store_it()
    life.reopen()
    assert 50 <= steps(life)["gd"] < 1_550
    life.step(1_500, receipt=KEY)
    assert steps(life) == {"gd": 1_550, "sgd": 1_550}
    life.reopen()
    assert life.stored.progress["unfinished"] == {}


@pytest.mark.parametrize(("moving", "apart"), [(1, 1.0), (180, 3.0)])
def test_positions_of_a_playing_experiment_are_as_far_apart_as_the_pace_says(
    moving: int, apart: float
) -> None:
    life, at = Life(), []
    life.one.share(Allowance(), ExaminationCache(), PositionPace(moving))
    life.one.play(10.0, "steps", CLOCK.now)
    for _ in range(200):
        CLOCK.now += 0.05
        life.one.work(0.005, CLOCK.now, CLOCK)
        if life.one.take_write(CLOCK.now) is not None:
            at.append(CLOCK.now)
            life.one.confirm_write(stored=True)
    assert len(at) > 2
    assert np.diff(at[1:]) == pytest.approx(apart, abs=0.06)


def test_an_interrupted_step_command_without_steps_keeps_its_key() -> None:
    life = Life()
    life.one.step(CLOCK.now, lambda _: None, steps=1_500, receipt=KEY)
    CLOCK.now += journal_writer.POSITION_SECONDS
    life.store_it()
    life.reopen()
    assert list(life.stored.progress["unfinished"]) == [KEY.key]
    life.step(1_500, receipt=KEY)
    assert steps(life) == {"gd": 1_500, "sgd": 1_500}


def test_a_waiting_step_command_is_done_in_full_after_a_restart() -> None:
    life = Life()
    life.one.step(CLOCK.now, lambda _: None, steps=1_500, receipt=KEY)
    life.one.step(CLOCK.now, lambda _: None, steps=100, receipt=replace(KEY, key="behind"))
    while life.one.runs["gd"].state.step < 700:
        life.one.work(0.01, CLOCK.now, CLOCK)
        life.store_it()
    life.reopen()
    life.step(1_500, receipt=KEY)
    life.step(100, receipt=replace(KEY, key="behind"))
    assert steps(life) == {"gd": 1_600, "sgd": 1_600}


def test_a_reset_drops_the_target_of_an_interrupted_step_command() -> None:
    life = Life()
    life.one.step(CLOCK.now, lambda _: None, steps=1_500, receipt=KEY)
    life.one.work(0.01, CLOCK.now, CLOCK)
    life.store_it()
    life.reopen()
    life.do(lambda one: one.reset("gd", 0.0))
    life.step(1_500, receipt=KEY)
    assert steps(life) == {"gd": 0, "sgd": 1_500}


@pytest.mark.parametrize("spoil", ["flip", "lose", "head"])
def test_a_damaged_state_is_noticed_and_replayed(spoil: str) -> None:
    life = Life(runs=[{"name": "gd"}])
    life.step(2_000)
    parts = dict(life.stored.parts["gd"])
    assert len(parts) > 3
    name = "head" if spoil == "head" else next(name for name in parts if name.startswith("history-first"))
    if spoil == "lose":
        del parts[name]
    else:
        parts[name] = parts[name][:-1] + bytes([parts[name][-1] ^ 1])
    life.reopen(replace(life.stored, parts={"gd": parts}))
    assert steps(life) == {"gd": 2_000}
    assert_twins(life)
    life.step(500)
    life.reopen()
    assert_twins(life)


def test_a_turn_of_cheap_steps_goes_on_until_its_budget_is_spent() -> None:
    life = Life()
    behind = life.one.runs
    coming = restoration(behind, {name: {"step": 300, "diverged": False} for name in behind}, lambda: "there")
    next(coming)
    with pytest.raises(StopIteration, match="there"):
        coming.send((0.005, lambda: 0.0))  # nothing costs anything on this clock
    assert steps(life) == {"gd": 300, "sgd": 300}


def test_a_damaged_checkpoint_is_noticed_and_an_earlier_one_serves() -> None:
    life = Life(runs=[{"name": "gd"}])
    life.step(3_000)
    parts = dict(life.stored.parts["gd"])
    first, *_ = sorted(
        (name for name in parts if name.startswith("checkpoint-")), key=lambda name: int(name[11:])
    )
    step = int(first.removeprefix("checkpoint-"))
    fingerprint = life.one.runs["gd"].checkpoints.before(step).fingerprint()
    parts[first] = parts[first][:-1] + bytes([parts[first][-1] ^ 1])
    turns = life.reopen(replace(life.stored, parts={"gd": parts}))
    assert turns < 100, "the state is intact: no replay from step 0"
    assert life.one.runs["gd"].checkpoints.before(step).step < step
    results: list[Any] = []
    life.one.state_at("gd", step, lambda problem, state, recipe: {"is": state.fingerprint()}, results.append)
    while not results:
        life.one.work(0.01, CLOCK.now, CLOCK)
    assert results[0]["is"] == fingerprint
    life.step(1_000)
    assert first not in life.stored.parts["gd"]
    life.reopen()
    assert_twins(life)


def test_other_builds_are_noticed_and_reported() -> None:
    life = Life(runs=[{"name": "gd"}])
    life.step(1_500)
    stored = life.stored
    other = Kernels(CLOCK, builds={**BUILDS, "blas": "another"})
    life.reopen(stored, other)
    assert life.one.state()["provenance"]["restored"] == {"gd": TO_ROUNDING}
    assert steps(life) == {"gd": 1_500}
    assert generations(life) == {"gd": 1}
    life.reopen(kernels=other)
    assert life.one.state()["provenance"]["restored"] == {"gd": TO_ROUNDING}, "until a reset"
    assert generations(life) == {"gd": 1}
    life.do(lambda one: one.reset(None, 0.0))
    assert "restored" not in life.one.state()["provenance"]
    life.reopen(kernels=other)
    assert "restored" not in life.one.state()["provenance"]


def test_a_failed_write_is_repeated() -> None:
    life = Life(runs=[{"name": "gd"}])
    life.step(1_000)
    life.one.play(None, "steps", CLOCK.now)
    life.store_it()
    for attempt in itertools.count():
        life.one.work(0.05, CLOCK.now, CLOCK)
        written = life.one.take_write(CLOCK.now)
        if written is not None and written.parts:
            assert not written.needed
            life.one.confirm_write(stored=False)
            break
        assert attempt < 1000
        if written is not None:
            life.one.confirm_write(stored=True)
    for _ in range(50):
        life.one.work(0.05, CLOCK.now, CLOCK)
        life.store_it(publishes=False)
    life.reopen()
    assert_twins(life)


def test_the_rate_of_a_plateau_survives_a_restart() -> None:
    plateau = {"name": "plateau", "every": 10, "patience": 0, "factor": 0.5}
    life = Life(runs=[{"name": "sgd", "batch_size": 1, "learning_rate": 0.05, "schedule": plateau}])
    life.step(95)
    before = life.one.runs["sgd"].state.slots["plateau"].copy()
    assert 0.0 < before[-1] < 1.0
    life.reopen()
    np.testing.assert_array_equal(life.one.runs["sgd"].state.slots["plateau"], before)
    life.step(50)
    assert_twins(life)


def test_the_past_survives_a_restart() -> None:
    life = Life(runs=[{"name": "gd"}])
    life.step(6_000)
    states = {step: life.one.runs["gd"].checkpoints.before(step) for step in (0, 2_000, 5_500)}
    life.reopen()
    for step, state in states.items():
        again = life.one.runs["gd"].checkpoints.before(step)
        if again.step == state.step:
            np.testing.assert_array_equal(again.parameters, state.parameters)
    assert len(life.one.runs["gd"].checkpoints) > 3
