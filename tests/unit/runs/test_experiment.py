"""The commands of an experiment."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from fallline.runs.experiment import Experiment
from fallline.runs.publishing import Event
from fallline.vocabulary.commands import EditRun
from fallline.vocabulary.errors import Conflict, InvalidRequest, NotFound, TooExpensive
from fallline.vocabulary.recipe import Recipe, RunRecipe
from support.aliases import Array
from support.clocks import Clock
from support.examined import settle
from support.watcher import Watcher

CLOCK = Clock(tick=0.01)
SMALL: dict[str, Any] = {"data": {"samples": 60}}


def experiment(**recipe: Any) -> Experiment:
    return Experiment("x", Recipe.model_validate({**SMALL, **recipe}))


def make_steps(one: Experiment, **request: Any) -> dict[str, Any]:
    """Do a step job to its end and return its response."""
    answers: list[dict[str, Any]] = []
    one.step(CLOCK.now, answers.append, **request)
    for _ in range(100_000):
        if answers:
            return answers[0]
        one.work(0.005, CLOCK(), CLOCK)
    raise AssertionError("the job never ended")


def play_for(
    one: Experiment,
    seconds: float,
    clock: Clock,
    cost: Callable[[], float] = time.process_time,
    watchers: Sequence[Watcher] = (),
) -> None:
    """Let time pass in a playing experiment; `cost` measures its work, by default in the time of this process alone."""
    end = clock.now + seconds
    while clock.now < end:
        one.work(0.005, clock.now, cost)
        outgoing = one.take_outgoing()
        for watcher in watchers:
            watcher.take(clock.now, outgoing)
        wake = one.wake_at(clock.now)
        clock.now = max(clock.now + 0.005, wake if wake is not None else end)


def edit(one: Experiment, run: str, **change: Any) -> dict[str, Any]:
    return one.edit(run, EditRun.model_validate(change), CLOCK.now)


def parameters(one: Experiment, run: str) -> Array:
    return one.runs[run].state.parameters.copy()


def events(one: Experiment) -> list[dict[str, Any]]:
    return [item.message for item in one.take_outgoing() if isinstance(item, Event)]


def test_all_runs_start_from_the_same_parameters() -> None:
    one = experiment()
    np.testing.assert_array_equal(parameters(one, "gd"), parameters(one, "sgd"))


def test_a_step_command_is_for_every_run_or_a_named_one() -> None:
    one = experiment()
    make_steps(one, steps=7)
    make_steps(one, steps=5, run="sgd")
    assert (one.runs["gd"].state.step, one.runs["sgd"].state.step) == (7, 12)


def test_an_epoch_is_one_step_of_gd_and_a_pass_of_sgd() -> None:
    one = experiment(
        runs=[{"name": "gd"}, {"name": "mini", "batch_size": 32}, {"name": "sgd", "batch_size": 1}]
    )
    make_steps(one, epochs=2)
    assert {name: run.state.step for name, run in one.runs.items()} == {"gd": 2, "mini": 4, "sgd": 120}


def test_a_step_command_in_epochs_ends_at_the_end_of_a_pass() -> None:
    one = experiment(runs=[{"name": "sgd", "batch_size": 1}])
    make_steps(one, steps=10)
    make_steps(one, epochs=1)
    assert one.runs["sgd"].state.step == 60


def test_an_epoch_is_counted_across_later_edits() -> None:
    one = experiment(runs=[{"name": "a", "batch_size": 1, "edits": [{"at_step": 20, "batch_size": 8}]}])
    make_steps(one, epochs=1)
    assert (one.runs["a"].state.step, one.runs["a"].state.samples_seen) == (25, 60)


def test_slices_with_live_edits_equal_a_straight_replay_to_the_bit() -> None:
    live = experiment()
    make_steps(live, steps=130)
    edit(live, "gd", batch_size=1)
    make_steps(live, steps=77)
    edit(live, "gd", optimizer="adam", learning_rate=0.01)
    edit(live, "sgd", batch_size=16)
    make_steps(live, steps=300)
    replay = Experiment("y", live.recipe)
    make_steps(replay, steps=507)
    for run in ("gd", "sgd"):
        np.testing.assert_array_equal(parameters(live, run), parameters(replay, run))
        expected, again = live.runs[run].window(0, None, 10_000), replay.runs[run].window(0, None, 10_000)
        np.testing.assert_array_equal(expected.final, again.final)


def test_an_edit_takes_effect_at_the_step_it_names() -> None:
    one = experiment()
    make_steps(one, steps=5)
    assert edit(one, "gd", batch_size=1) == {"run": "gd", "at_step": 5, "batch_size": 1}
    make_steps(one, steps=1)
    assert one.runs["gd"].state.samples_seen == 5 * 60 + 1


def test_a_live_edit_is_in_force_before_later_edits_of_the_recipe() -> None:
    ahead = {
        "name": "gd",
        "edits": [{"at_step": 30, "learning_rate": 0.01}, {"at_step": 40, "batch_size": 8}],
    }
    live = experiment(runs=[ahead])
    make_steps(live, steps=10)
    edit(live, "gd", learning_rate=0.2)
    assert [each.at_step for each in live.recipe.runs[0].edits] == [10, 30, 40]
    assert live.runs["gd"].settings.learning_rate == 0.2
    make_steps(live, steps=40)
    assert live.runs["gd"].settings.learning_rate == 0.01
    replay = Experiment("y", Recipe.model_validate(live.recipe.as_json()))
    make_steps(replay, steps=50)
    np.testing.assert_array_equal(parameters(live, "gd"), parameters(replay, "gd"))


def test_a_live_edit_that_invalidates_a_later_one_is_refused() -> None:
    ahead = {"name": "gd", "optimizer": "momentum", "edits": [{"at_step": 30, "momentum": 0.5}]}
    one = experiment(runs=[ahead])
    make_steps(one, steps=10)
    before = one.recipe
    with pytest.raises(Conflict, match="at step 30"):
        edit(one, "gd", optimizer="sgd")
    assert one.recipe == before


def test_edits_at_one_step_merge_and_a_new_optimizer_brings_its_defaults() -> None:
    one = experiment()
    edit(one, "gd", optimizer="adam", beta1=0.5)
    assert edit(one, "gd", optimizer="momentum") == {
        "run": "gd",
        "at_step": 0,
        "optimizer": "momentum",
        "momentum": 0.9,
    }
    edit(one, "gd", momentum=0.5, learning_rate=0.2)
    edits = one.recipe.as_json()["runs"][0]["edits"]
    assert edits == [{"at_step": 0, "optimizer": "momentum", "momentum": 0.5, "learning_rate": 0.2}]


def test_a_setting_that_the_optimizer_lacks_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="sgd has no parameters of its own") as refused:
        edit(experiment(), "gd", momentum=0.9)
    assert refused.value.errors[0].pointer == "/momentum"


def test_reset_keeps_the_settings_in_force_and_raises_the_generation() -> None:
    one = experiment()
    start = parameters(one, "gd")
    make_steps(one, steps=9)
    edit(one, "gd", optimizer="momentum", momentum=0.7)
    one.reset("gd", CLOCK.now)
    run = one.runs["gd"]
    assert (run.state.step, run.generation, run.recipe.edits) == (0, 1, [])
    assert (run.recipe.optimizer, run.recipe.momentum) == ("momentum", 0.7)
    assert one.runs["sgd"].state.step == 9
    np.testing.assert_array_equal(parameters(one, "gd"), start)


def test_playing_makes_as_many_steps_as_the_speed_says() -> None:
    one, clock = experiment(), Clock()
    one.play(100.0, "steps", clock.now)
    play_for(one, 10.0, clock)
    steps = [run.state.step for run in one.runs.values()]
    assert steps[0] == steps[1] == pytest.approx(1000, rel=0.05)


def test_pace_samples_keeps_the_runs_at_equal_samples_seen() -> None:
    one, clock = (
        experiment(
            runs=[{"name": "gd"}, {"name": "mini", "batch_size": 7}, {"name": "sgd", "batch_size": 1}]
        ),
        Clock(),
    )
    one.play(200.0, "samples", clock.now)
    play_for(one, 5.0, clock)
    samples = {name: run.state.samples_seen for name, run in one.runs.items()}
    assert samples["sgd"] == pytest.approx(1000, rel=0.05)
    assert 0 <= samples["sgd"] - samples["mini"] < 7
    assert 0 <= samples["sgd"] - samples["gd"] < 60


def test_a_step_pauses_a_playing_experiment_first() -> None:
    one = experiment()
    one.play(None, "steps", CLOCK.now)
    one.work(0.001, CLOCK(), CLOCK)
    assert make_steps(one, steps=1)["playing"] is False


def test_pausing_ends_a_step_job_with_the_state_as_it_is() -> None:
    one = experiment()
    answers: list[dict[str, Any]] = []
    one.step(CLOCK.now, answers.append, steps=1_000_000)
    one.work(0.005, CLOCK(), CLOCK)
    one.pause(CLOCK.now)
    ended = answers[0]["runs"][0]["step"]
    assert 0 < ended < 1_000_000
    settle(one, CLOCK)  # examinations are left to do, and no step
    assert one.run("gd").state.step == ended


def test_simultaneous_jobs_run_one_after_the_other() -> None:
    together, in_turn = experiment(), experiment()
    requests: list[dict[str, Any]] = [
        {"steps": 300},
        {"steps": 300},
        {"steps": 7, "run": "sgd"},
        {"epochs": 2},
        {"epochs": 2, "run": "sgd"},
        {"steps": 1},
    ]
    answers: list[dict[str, Any]] = []
    for job in requests:
        together.step(CLOCK.now, answers.append, **job)
    while len(answers) < len(requests):
        together.work(0.005, CLOCK(), CLOCK)
    alone = [make_steps(in_turn, **job) for job in requests]
    assert [[run["step"] for run in answer["runs"]] for answer in answers] == [
        [run["step"] for run in answer["runs"]] for answer in alone
    ]


DIVERGING = {
    "runs": [{"name": "gd", "learning_rate": 1e5}, {"name": "sgd", "batch_size": 1, "learning_rate": 0.01}]
}


def test_a_diverged_run_stays_finite_is_reported_once_and_the_others_continue() -> None:
    one = experiment(**DIVERGING)
    answer = make_steps(one, steps=50)
    settle(one, CLOCK)
    gd, sgd = answer["runs"]
    assert (gd["status"], gd["step"], sgd["status"], sgd["step"]) == (
        "diverged",
        gd["diverged_at"],
        "paused",
        50,
    )
    assert np.isfinite(parameters(one, "gd")).all()
    names = [event["event"] for event in events(one) if event["run"] == "gd"]
    assert names == ["diverged", "finding"]
    with pytest.raises(Conflict, match="gd has diverged"):
        make_steps(one, steps=1, run="gd")
    edit(one, "gd", learning_rate=0.1)


def test_a_playing_experiment_whose_runs_have_all_diverged_stops() -> None:
    one, clock = experiment(runs=[{"name": "gd", "learning_rate": 1e5}]), Clock()
    one.play(None, "steps", clock.now)
    play_for(one, 0.5, clock)
    assert not one.playing
    with pytest.raises(Conflict, match="every run has diverged"):
        one.play(60.0, "steps", clock.now)


def test_a_run_with_the_name_of_a_removed_one_has_a_new_generation() -> None:
    one = experiment()
    make_steps(one, steps=3)
    one.remove_run("gd", CLOCK.now)
    one.add_run(RunRecipe(name="gd"), named_by_client=True, now=CLOCK.now)
    assert one.runs["gd"].generation == 1
    assert one.runs["gd"].state.step == 0


def test_a_nameless_run_takes_the_first_free_name_and_a_taken_one_is_refused() -> None:
    one = experiment()
    assert one.add_run(RunRecipe(), named_by_client=False, now=CLOCK.now)["name"] == "run-3"
    with pytest.raises(Conflict, match="exists already"):
        one.add_run(RunRecipe(name="gd"), named_by_client=True, now=CLOCK.now)


def test_the_last_run_cannot_be_removed() -> None:
    one = experiment(runs=[{}])
    with pytest.raises(Conflict, match="at least one run"):
        one.remove_run("run-1", CLOCK.now)
    with pytest.raises(NotFound):
        one.remove_run("nobody", CLOCK.now)


def test_frames_continue_each_other_without_a_gap_from_where_a_watcher_joined() -> None:
    one, clock = experiment(), Clock()
    make_steps(one, steps=2000)
    watcher = Watcher(one, clock.now, since={"sgd": (0, 1990)})
    nexts = {"gd": 0, "sgd": 1990}
    one.play(None, "steps", clock.now)
    play_for(one, 0.5, clock, watchers=[watcher])
    one.pause(clock.now)
    watcher.take(clock.now)
    one.publish(clock.now + 1.0)
    watcher.take(clock.now)
    for answer in watcher.answers:
        for run, update in answer.runs.items():
            if len(update.buckets):
                assert update.buckets.first[0] == nexts[run]
                assert len(update.buckets) <= 100
                nexts[run] = int(update.buckets.last[-1]) + 1
    assert nexts == {name: run.state.step for name, run in one.runs.items()}
    assert nexts["gd"] > 2000


@pytest.mark.parametrize("speed", [60.0, 1000.0])
@pytest.mark.parametrize(("rates", "most"), [([10.0], 10), ([10.0, 2.0], 10), ([2.0, 30.0], 30)])
def test_frames_come_as_often_as_watchers_take_them(rates: list[float], most: int, speed: float) -> None:
    one, clock = experiment(), Clock()
    watchers = [Watcher(one, clock.now, fps=rate, number=number) for number, rate in enumerate(rates)]
    one.play(speed, "steps", clock.now)
    play_for(one, 3.0, clock, watchers=watchers)
    for watcher, rate in zip(watchers, rates, strict=True):
        assert 0.8 * 3.0 * rate < len(watcher.answers) <= 3.0 * rate + 3
    assert one.runs["gd"].state.step >= 3.0 * speed - 0.11 * speed, "no step is lost"
    assert max(rates) == most


@pytest.mark.parametrize("pace", ["steps", "samples"])
def test_a_round_that_could_not_make_all_steps_due_is_followed_at_once(pace: str) -> None:
    one, clock = experiment(), Clock()
    watchers = [Watcher(one, clock.now, fps=2.0)]
    one.play(60.0, pace, clock.now)
    cost = Clock(tick=0.005)  # each run's part of a round takes as long as its budget
    play_for(one, 3.0, clock, cost, watchers)
    leader = "sgd" if pace == "samples" else "gd"
    assert one.runs[leader].state.step >= 3.0 * 60 - 8


def test_an_older_generation_starts_the_run_afresh() -> None:
    one = experiment()
    make_steps(one, steps=10)
    one.reset(None, CLOCK.now)
    make_steps(one, steps=4)
    watcher = Watcher(one, CLOCK.now, since={"gd": (0, 10)})
    one.publish(CLOCK.now + 1.0)
    [answer] = watcher.take(CLOCK.now)
    assert answer.runs["gd"].header["generation"] == 1
    assert answer.runs["gd"].buckets.first.tolist() == [0, 1, 2, 3]


def test_a_run_at_rest_is_evaluated_for_the_answer_and_not_recorded() -> None:
    one = experiment(data={"samples": 60, "test_fraction": 0.25})
    before = one.state()["runs"][0]["latest"]
    assert set(before) == {"train_loss", "test_loss", "train_r2", "test_r2"}
    assert before["train_loss"] == {"step": 0, "value": one.problem.initial_loss}
    after = make_steps(one, steps=3)["runs"][0]["latest"]
    assert after["train_loss"]["step"] == 3
    assert after["batch_loss"]["step"] == 2
    assert one.runs["gd"].history.count == 3


def test_an_edit_keeps_the_bounds_of_a_batch() -> None:
    one = experiment(data={"samples": 600})
    with pytest.raises(TooExpensive) as refused:
        edit(one, "gd", batch_size=513)
    assert refused.value.bound == "mini_batch"
    assert one.recipe.runs[0].edits == []
    assert edit(one, "sgd", batch_size=600)["batch_size"] == 600


def test_the_event_of_a_divergence_has_the_loss_of_the_last_step() -> None:
    one = experiment(**DIVERGING)
    answer = make_steps(one, steps=50)
    (event,) = [event for event in events(one) if event["event"] == "diverged"]
    assert event["latest"]["train_loss"]["step"] == event["diverged_at"]
    assert event["latest"] == answer["runs"][0]["latest"]


def test_watchers_get_the_speed() -> None:
    one = experiment()
    one.play(None, "samples", CLOCK.now)
    one.pause(CLOCK.now)
    speeds = [(event["playing"], event["speed"], event["pace"]) for event in events(one)]
    assert speeds == [(True, "max", "samples"), (False, "max", "samples")]
