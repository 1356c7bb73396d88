"""Any past step, exactly, and forks from there, while training continues."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fallline.engine.state import TrainingState
from fallline.runs.experiment import Experiment
from fallline.runs.instruments.moment import snapshot
from fallline.runs.instruments.table import INSTRUMENTS
from fallline.vocabulary.commands import AddRun, EditRun
from fallline.vocabulary.errors import Conflict, FalllineError, InvalidRequest, NotFound, TooExpensive
from fallline.vocabulary.recipe import Recipe
from support.clocks import Clock
from support.watcher import Watcher

SMALL: dict[str, Any] = {"data": {"samples": 60}}


class ManualExperiment:
    """An experiment of two runs, with a manual clock."""

    def __init__(self, **recipe: Any) -> None:
        self.one = Experiment("x", Recipe.model_validate({**SMALL, **recipe}))
        self.clock = Clock(tick=0.001)

    def until_answered(self, begin: Any) -> Any:
        answers: list[Any] = []
        begin(answers.append)
        for _ in range(100_000):
            if answers:
                if isinstance(answers[0], FalllineError):
                    raise answers[0]
                return answers[0]
            assert self.one.wake_at(self.clock.now) == self.clock.now
            self.one.work(0.005, self.clock(), self.clock)
        raise AssertionError("nobody answered")

    def steps(self, steps: int) -> None:
        self.until_answered(lambda done: self.one.step(self.clock.now, done, steps=steps))

    def snapshot(self, run: str, step: int | None) -> dict[str, Any]:
        result: dict[str, Any] = self.until_answered(
            lambda done: self.one.state_at(run, step, snapshot, done)
        )
        return result

    def state(self, run: str, step: int) -> TrainingState:
        def see(problem: Any, state: TrainingState, recipe: Any) -> dict[str, Any]:
            return {"state": state.copy()}

        result = self.until_answered(lambda done: self.one.state_at(run, step, see, done))["state"]
        assert isinstance(result, TrainingState)
        return result

    def path(self, run: str, step: int | None) -> list[int]:
        """Return the steps of the states of a path."""

        def see(problem: Any, states: list[TrainingState], recipe: Any) -> dict[str, Any]:
            return {"steps": [state.step for state in states]}

        steps: list[int] = self.until_answered(lambda done: self.one.path_to(run, step, see, done))["steps"]
        return steps

    def fork(self, **fields: Any) -> dict[str, Any]:
        body = AddRun.model_validate(fields)
        result: dict[str, Any] = self.until_answered(lambda done: self.one.fork(body, self.clock.now, done))
        return result

    def edit(self, run: str, **change: Any) -> None:
        self.one.edit(run, EditRun.model_validate(change), self.clock.now)


def test_a_past_step_is_the_state_that_the_run_had_then_to_the_bit() -> None:
    manual, expected = ManualExperiment(), {}
    for part in range(12):
        if part in (3, 7):
            manual.edit("gd", batch_size=1 if part == 3 else 16)
            manual.edit("sgd", optimizer="adam" if part == 3 else "momentum")
        expected[manual.one.runs["gd"].state.step] = {
            run: manual.one.runs[run].state.fingerprint() for run in ("gd", "sgd")
        }
        manual.steps(37)
    for step, prints in expected.items():
        for run, fingerprint in prints.items():
            assert manual.state(run, step).fingerprint() == fingerprint


@pytest.mark.parametrize("tick", [0.2, 5.0])
def test_a_slow_machine_chooses_the_states_of_a_path_as_a_fast_one_does(tick: float) -> None:
    fast, slow = ManualExperiment(), ManualExperiment()
    slow.clock.tick = tick
    fast.steps(60)
    slow.steps(60)
    assert slow.path("gd", 30) == fast.path("gd", 30) == [*range(31)]
    assert slow.path("gd", None) == fast.path("gd", None) == [*range(0, 61, 2)]


def test_a_past_snapshot_has_the_gradient_and_the_batch_of_its_change() -> None:
    manual, expected = ManualExperiment(), []
    for _ in range(6):
        expected.append((manual.snapshot("sgd", None), manual.snapshot("gd", None)))
        manual.steps(11)
        manual.edit("gd", batch_size=7)
    for then_sgd, then_gd in expected[1:]:
        assert manual.snapshot("sgd", then_sgd["step"]) == then_sgd
        assert manual.snapshot("gd", then_gd["step"])["parameters"] == then_gd["parameters"]


def test_an_instrument_measures_the_requested_step() -> None:
    manual = ManualExperiment()
    manual.steps(30)
    measure = INSTRUMENTS["predictions"].measure
    then = manual.until_answered(lambda done: manual.one.state_at("gd", None, measure, done))
    manual.steps(100)
    now = manual.until_answered(lambda done: manual.one.state_at("gd", None, measure, done))
    again = manual.until_answered(lambda done: manual.one.state_at("gd", 30, measure, done))
    assert again == then
    assert again["y_pred"] != now["y_pred"]


def test_a_picture_has_units_predictions_and_parameters_of_one_step() -> None:
    manual = ManualExperiment()
    manual.steps(30)
    results = {
        name: manual.until_answered(lambda done, m=row.measure: manual.one.state_at("sgd", None, m, done))
        for name, row in INSTRUMENTS.items()
    }
    apart = manual.until_answered(lambda done: manual.one.state_at("sgd", None, snapshot, done))
    for name in ("views", "picture"):
        for part in ("units", "predictions"):
            assert {"step": 30, "generation": 0, **results[name][part]} == results[part]
    assert results["picture"]["parameters"] == apart["parameters"]
    assert "parameters" not in results["views"]


def test_a_moment_has_the_recorded_series_and_evaluated_losses() -> None:
    manual = ManualExperiment()
    manual.steps(30)
    measure = INSTRUMENTS["moment"].measure
    then = manual.until_answered(lambda done: manual.one.state_at("sgd", None, measure, done))
    standing = manual.one.run("sgd").latest(evaluated=True)
    manual.steps(100)
    again = manual.until_answered(lambda done: manual.one.state_at("sgd", 30, measure, done))
    assert again == then
    assert (again["epoch"], again["samples_seen"]) == (0.5, 30)
    assert again["latest"]["train_loss"] == standing["train_loss"]
    recorded = manual.one.run("sgd").window(30, 30, 1)
    for name in ("batch_loss", "grad_l1/W1", "ratio/b2"):
        assert again["latest"][name] == {"step": 30, "value": recorded.select([name]).final.item()}
    assert len(again["predictions"]["y_pred"]) == 60
    assert [len(layer["mean"]) for layer in again["units"]["layers"]] == [4, 4]


def test_a_future_step_is_refused() -> None:
    manual = ManualExperiment()
    manual.steps(3)
    with pytest.raises(InvalidRequest, match="from 0 to 3"):
        manual.snapshot("gd", 4)


def test_replays_do_not_change_a_run() -> None:
    watched, alone = ManualExperiment(), ManualExperiment()
    for _ in range(5):
        watched.steps(20)
        alone.steps(20)
        watched.snapshot("sgd", None)
        watched.snapshot("gd", 7)
        watched.state("sgd", 13)
    for run in ("gd", "sgd"):
        assert watched.one.runs[run].state.fingerprint() == alone.one.runs[run].state.fingerprint()


def test_training_continues_during_a_replay() -> None:
    manual = ManualExperiment()
    manual.steps(2_000)
    manual.one.play(None, "steps", manual.clock.now)
    before = manual.one.runs["gd"].state.step
    manual.snapshot("gd", 1_999)
    assert manual.one.playing
    assert manual.one.runs["gd"].state.step > before


@pytest.mark.parametrize("request_", ["state", "path", "history"])
def test_a_pending_request_gets_an_error_when_the_experiment_is_deleted(request_: str) -> None:
    manual = ManualExperiment()
    one, answers = manual.one, list[Any]()
    for _ in range(8):
        manual.steps(1_000)
    begin: dict[str, Any] = {
        "state": lambda: one.state_at("gd", 1_000, snapshot, answers.append),
        "path": lambda: one.path_to("gd", 1_000, lambda *_: {}, answers.append),
        "history": lambda: one.history_of("gd", 1_500, 1_600, 1_000, answers.append),
    }
    begin[request_]()
    assert not answers
    one.close(manual.clock.now)
    assert isinstance(answers[0], NotFound)


# ---------------------------------------------------------------------- ranges


def stretch(manual: ManualExperiment, run: str, since: int, until: int, at_most: int) -> Any:
    generation, buckets = manual.until_answered(
        lambda done: manual.one.history_of(run, since, until, at_most, done)
    )
    assert generation == manual.one.runs[run].generation
    return buckets


def test_an_old_range_of_a_long_run_is_replayed_step_by_step() -> None:
    manual = ManualExperiment(runs=[{"name": "sgd", "batch_size": 1, "learning_rate": 0.01}])
    manual.steps(1_000)
    manual.steps(1_000)
    raw = manual.one.runs["sgd"].window(1_500, 1_600, 1_000)
    assert (raw.first == raw.last).all()
    manual.steps(6_000)
    stored = manual.one.runs["sgd"].window(1_500, 1_600, 1_000)
    assert (stored.last > stored.first).any()
    buckets = stretch(manual, "sgd", 1_500, 1_600, 1_000)
    np.testing.assert_array_equal(buckets.first, np.arange(1_500, 1_601))
    np.testing.assert_array_equal(buckets.final, raw.final)
    np.testing.assert_array_equal(buckets.samples_seen, raw.samples_seen)
    np.testing.assert_allclose(buckets.seconds, raw.seconds, rtol=0.05)
    assert (np.diff(buckets.seconds) >= 0).all()


def test_a_replayed_range_has_as_many_buckets_as_fit_and_every_spike() -> None:
    manual = ManualExperiment(runs=[{"name": "sgd", "batch_size": 1, "learning_rate": 0.01}])
    manual.steps(12_000)
    buckets = stretch(manual, "sgd", 2_003, 5_000, 200)
    assert 100 < len(buckets) <= 200
    assert set((buckets.last - buckets.first + 1).tolist()) == {16}
    assert buckets.first[0] == 2_000
    single = stretch(manual, "sgd", 2_000, int(buckets.last[-1]), 10_000)
    loss = buckets.names.index("batch_loss")
    np.testing.assert_array_equal(buckets.maximum[loss], single.final[loss].reshape(-1, 16).max(axis=1))


# ---------------------------------------------------------------------- forks


def test_a_fork_continues_from_its_parents_exact_state_with_its_past() -> None:
    manual = ManualExperiment()
    manual.steps(40)
    manual.edit("gd", batch_size=1)
    manual.steps(60)
    manual.edit("gd", learning_rate=0.05)
    manual.steps(100)
    then = manual.state("gd", 70)
    answer = manual.fork(name="other", fork_of="gd", at_step=70, learning_rate=0.02)
    assert (answer["name"], answer["step"]) == ("other", 70)
    fork = manual.one.runs["other"]
    assert fork.state.fingerprint() == then.fingerprint()
    assert [edit.model_dump(mode="json") for edit in fork.recipe.edits] == [
        {"at_step": 40, "batch_size": 1},
        {"at_step": 70, "learning_rate": 0.02},
    ]
    parent = manual.one.runs["gd"].window(0, 69, 1_000)
    np.testing.assert_array_equal(fork.window(0, 69, 1_000).final, parent.final)


def test_a_fork_names_its_parent_until_a_reset() -> None:
    manual = ManualExperiment()
    manual.steps(20)
    manual.fork(name="other", fork_of="gd", at_step=15)
    recipe = manual.one.recipe.as_json()
    assert [run.get("origin") for run in recipe["runs"]] == [None, None, {"run": "gd", "at_step": 15}]
    assert "origin" not in recipe["runs"][0]
    again = Experiment("y", Recipe.model_validate(recipe))
    assert again.recipe.as_json() == recipe
    manual.one.reset("other", manual.clock.now)
    assert "origin" not in manual.one.recipe.as_json()["runs"][2]


def test_a_fork_of_the_present_equals_a_replayed_one() -> None:
    manual = ManualExperiment()
    manual.steps(150)
    manual.fork(name="now", fork_of="sgd", optimizer="adam")
    manual.steps(80)
    manual.fork(name="then", fork_of="sgd", at_step=150, optimizer="adam")
    manual.until_answered(lambda done: manual.one.step(manual.clock.now, done, steps=80, run="then"))
    now, then = manual.one.runs["now"], manual.one.runs["then"]
    assert now.state.fingerprint() == then.state.fingerprint()
    np.testing.assert_array_equal(now.window(0, None, 1_000).final, then.window(0, None, 1_000).final)
    # its recipe gives the same numbers from step 0
    again = ManualExperiment(runs=[manual.one.runs["now"].recipe.model_dump(mode="json")])
    again.steps(230)
    assert again.one.runs["now"].state.fingerprint() == now.state.fingerprint()


def test_a_fork_continues_its_parents_schedule_and_may_remove_a_bound() -> None:
    manual = ManualExperiment(runs=[{"name": "gd", "learning_rate": 0.01, "clip_norm": 0.5}])
    manual.steps(30)
    manual.edit("gd", schedule={"name": "cosine", "steps": 100}, l2=0.1)
    manual.steps(60)
    manual.fork(name="same", fork_of="gd", at_step=50)
    manual.fork(name="free", fork_of="gd", at_step=50, clip_norm=None)
    for name in ("same", "free"):
        manual.until_answered(
            lambda done, run=name: manual.one.step(manual.clock.now, done, steps=40, run=run)
        )
    runs = manual.one.runs
    assert runs["same"].state.fingerprint() == runs["gd"].state.fingerprint()
    assert runs["free"].recipe.edits[-1].model_dump(mode="json") == {"at_step": 50, "clip_norm": None}
    assert (runs["free"].settings.clip_norm, runs["free"].settings.schedule_since) == (None, 30)
    assert runs["free"].state.fingerprint() != runs["gd"].state.fingerprint()


def test_watchers_get_a_forks_past() -> None:
    manual = ManualExperiment()
    manual.steps(90)
    watcher = Watcher(manual.one, manual.clock.now)
    manual.one.publish(manual.clock.now)
    watcher.take(manual.clock.now)
    manual.fork(name="other", fork_of="gd", at_step=50)
    manual.one.publish(manual.clock.now + 1.0)
    [answer] = watcher.take(manual.clock.now)
    assert watcher.events[-1]["event"] == "run_added"
    assert answer.runs["other"].buckets.first.tolist() == list(range(50))


@pytest.mark.parametrize(
    ("fields", "error", "says"),
    [
        ({"fork_of": "nobody"}, NotFound, "no run of that name"),
        ({"fork_of": "gd", "at_step": 51}, InvalidRequest, "from 0 to 50"),
        ({"fork_of": "gd", "at_step": 9, "seed": 3}, InvalidRequest, "/seed"),
        ({"fork_of": "gd", "at_step": 9, "momentum": 0.5}, InvalidRequest, "/momentum"),
        ({"fork_of": "gd", "at_step": 9, "name": "sgd"}, Conflict, "exists already"),
    ],
)
def test_an_invalid_fork_is_refused(fields: dict[str, Any], error: type[FalllineError], says: str) -> None:
    manual = ManualExperiment()
    manual.steps(50)
    with pytest.raises(error, match=says):
        manual.fork(**fields)
    assert list(manual.one.runs) == ["gd", "sgd"]


@pytest.mark.parametrize(
    ("names", "error"), [(["late"], Conflict), ([f"other-{place}" for place in range(6)], TooExpensive)]
)
def test_a_fork_whose_name_or_place_is_taken_during_its_replay_is_refused(
    names: list[str], error: type[FalllineError]
) -> None:
    manual = ManualExperiment()
    manual.steps(400)
    answers: list[Any] = []
    late = AddRun(name="late", fork_of="gd", at_step=100, learning_rate=0.01)
    manual.one.fork(late, manual.clock.now, answers.append)
    for name in names:
        manual.fork(name=name, fork_of="gd")
    while not answers:
        manual.one.work(0.005, manual.clock(), manual.clock)
    assert isinstance(answers[0], error)
    assert set(manual.one.runs) == {"gd", "sgd", *names}


def test_a_fork_without_a_name_gets_a_free_one() -> None:
    manual = ManualExperiment()
    manual.steps(5)
    assert manual.fork(fork_of="gd", at_step=2)["name"] == "run-3"


# ---------------------------------------------------------------------- paths


def way(manual: ManualExperiment, run: str, step: int | None) -> list[TrainingState]:
    def see(problem: Any, states: list[TrainingState], recipe: Any) -> dict[str, Any]:
        return {"states": states}

    states: list[TrainingState] = manual.until_answered(
        lambda done: manual.one.path_to(run, step, see, done)
    )["states"]
    return states


def test_a_young_runs_path_is_replayed_and_an_old_ones_is_its_checkpoints() -> None:
    manual = ManualExperiment()
    manual.steps(120)
    young = way(manual, "sgd", 100)
    assert (young[0].step, young[-1].step) == (0, 100)
    assert 25 <= len(young) <= 32
    for state in young[::6]:
        assert state.fingerprint() == manual.state("sgd", state.step).fingerprint()
    run = manual.one.runs["sgd"]
    for _ in range(80):
        manual.steps(20)
        run.checkpoints.offer(run.state, 1e9 * run.state.step)
    old = way(manual, "sgd", None)
    steps = [state.step for state in old]
    assert (steps[0], steps[-1]) == (0, run.state.step)
    assert steps == sorted(set(steps))
    assert 15 <= len(old) <= 33
    for state in old[::6]:
        assert state.fingerprint() == manual.state("sgd", state.step).fingerprint()
    with pytest.raises(InvalidRequest, match=f"from 0 to {run.state.step}"):
        way(manual, "sgd", run.state.step + 1)
