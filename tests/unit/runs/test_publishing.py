"""Frames that readers pull from the history of an experiment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline.runs.experiment import Experiment
from fallline.runs.run import Run
from fallline.vocabulary.recipe import Recipe
from support.clocks import Clock
from support.readers import Reader, as_buckets, assert_equal
from support.watcher import Watcher

TINY: dict[str, Any] = {
    "data": {"samples": 8, "features": 1},
    "network": {"layers": []},
    "runs": [{"name": "gd"}],
}


def experiment() -> tuple[Experiment, Run]:
    one = Experiment("x", Recipe.model_validate(TINY))
    return one, one.runs["gd"]


def taken(one: Experiment, watcher: Watcher, now: float) -> list[Any]:
    """Return the buckets of the frames that are due."""
    one.publish(now)
    return [as_buckets(each.runs["gd"].buckets.as_json(0)) for each in watcher.take(now)]


@given(
    st.lists(st.tuples(st.integers(1, 6_000), st.booleans()), min_size=1, max_size=12),
    st.integers(1, 64),
    st.sampled_from([1.0, 10.0, 30.0]),
)
def test_frames_cover_all_steps_whenever_they_are_taken(
    bursts: list[tuple[int, bool]], at_most: int, fps: float
) -> None:
    (one, run), reader, now = experiment(), Reader(), 0.0
    watcher = Watcher(one, now, fps=fps, buckets=at_most)
    for steps, takes in bursts:
        run.advance(steps, Clock(tick=1e-5))
        now += 1.0
        if takes:
            one.publish(now)
        for answer in watcher.take(now):
            columns = answer.runs["gd"].buckets.as_json(0)
            assert len(columns["first"]) <= at_most
            reader.take({"runs": {"gd": {"generation": 0, "columns": columns}}}, resumed=True)
    one.publish(now + 2.0)
    for answer in watcher.take(now):
        columns = answer.runs["gd"].buckets.as_json(0)
        reader.take({"runs": {"gd": {"generation": 0, "columns": columns}}}, resumed=True)
    assert_equal(
        reader.buckets["gd"], as_buckets(run.history.range(0, run.state.step - 1, 10_000).as_json(0))
    )


@pytest.mark.parametrize("a_frame", [300, 1_000, 5_000, 40_000])
def test_frames_of_fast_training_begin_where_the_last_one_ended(a_frame: int) -> None:
    """Although their times differ fourfold, and the history does not keep where they began."""
    one, run = experiment()
    one.play(None, "steps", 0.0)
    watcher, now, nexts = Watcher(one, 0.0, fps=10.0, buckets=64), 0.0, 0
    for part in (1.0, 0.4, 1.9, 1.0, 3.9, 0.1, 1.0, 0.7, 3.0, 1.0):
        now += part / 10
        run.advance(int(part * a_frame), Clock())
        run.step_seconds = 0.1 / a_frame
        for buckets in taken(one, watcher, now):
            assert buckets[0]["first"] == nexts
            nexts = buckets[-1]["last"] + 1
            assert run.state.step - nexts <= a_frame / 2
    one.pause(now)
    watcher.take(now)
    [rest] = taken(one, watcher, now + 1.0)
    assert (rest[0]["first"], rest[-1]["last"] + 1) == (nexts, run.state.step)


@pytest.mark.parametrize("buckets", [3, 64])
@pytest.mark.parametrize("slices", [[5_001, 25_000, 20_000], [100, 3, 90_000], [40_000, 777, 1_500, 300_000]])
def test_where_fast_training_begins_a_frame_replaces_few_buckets(slices: list[int], buckets: int) -> None:
    """The history soon has no bucket that begins where the reader stands."""
    (one, run), reader = experiment(), Reader()
    watcher, now = Watcher(one, 0.0, fps=10.0, buckets=buckets), 0.0
    for steps in slices:
        before = run.state.step
        run.advance(steps, Clock(tick=1e-6))
        now += 1.0
        one.publish(now)
        (answer,) = watcher.take(now)
        update = answer.runs["gd"]
        assert update.buckets.first[0] >= before / 2
        columns = update.buckets.as_json(0)
        reader.take({"runs": {"gd": {"generation": 0, "columns": columns}}}, resumed=True)
    assert_equal(
        reader.buckets["gd"], as_buckets(run.history.range(0, run.state.step - 1, 10_000).as_json(0))
    )


def test_requests_that_one_turn_does_not_afford_are_answered_in_the_next_ones() -> None:
    one, run = experiment()
    run.advance(100, Clock(tick=1e-5))
    watchers = [Watcher(one, 0.0, buckets=10 + number, number=number) for number in range(6)]
    answered = []
    for _ in watchers:
        one._publisher.publish(one.runs, 1.0, playing=False, speeds={}, clock=Clock(tick=1.0))
        outgoing = one.take_outgoing()
        answered.append(sum(len(watcher.take(1.0, outgoing)) for watcher in watchers))
        if len(answered) < 6:
            assert one.wake_at(1.0) == 1.0, "it goes on at once"
    assert answered == [1] * 6


def test_a_frame_of_the_past_keeps_only_its_own_columns() -> None:
    one, run = experiment()
    run.advance(20_000, Clock(tick=1e-5))
    watcher = Watcher(one, 0.0, buckets=5_000)
    watcher._request = replace(watcher._request, most_bytes=10_000)
    watcher.ask(0.0)
    one.publish(1.0)
    (answer,) = watcher.take(1.0)
    buckets = answer.runs["gd"].buckets
    assert len(buckets) < 100
    kept = buckets.minimum if buckets.minimum.base is None else buckets.minimum.base
    assert kept.nbytes <= 4 * buckets.minimum.nbytes


def test_a_run_that_stands_still_keeps_no_reader_in_the_past() -> None:
    one, run = experiment()
    run.advance(50, Clock(tick=1e-5))
    watcher = Watcher(one, 0.0, since={"gd": (0, 50), "ghost": (0, 5)})
    one.publish(1.0)
    (answer,) = watcher.take(1.0)
    assert answer.runs["gd"].held.left == 0


def test_a_reader_that_wakes_up_gets_what_one_that_never_slept_could_get() -> None:
    one, run = experiment()
    awake, asleep = Watcher(one, 0.0, number=1), Watcher(one, 0.0, number=2)
    for now in range(1, 40):
        run.advance(1_500, Clock(tick=1e-4))
        one.publish(float(now))
        outgoing = one.take_outgoing()
        awake.take(float(now), outgoing)
        if now == 1:
            asleep.take(float(now) + 1e3, outgoing)  # its request is due long after
    asleep.ask(0.0)
    late = taken(one, asleep, 50.0)
    held = asleep.held["gd"].step
    assert late == [as_buckets(run.history.range(late[0][0]["first"], held - 1, 100).as_json(0))]
    assert held == run.state.step


def test_a_reader_that_has_everything_waits_for_news_and_costs_nothing_until_then() -> None:
    one, run = experiment()
    watcher = Watcher(one, 0.0)
    assert len(taken(one, watcher, 1.0)) == 1
    assert taken(one, watcher, 2.0) == []
    assert one.wake_at(3.0) is None
    run.advance(1, Clock())
    assert [buckets[0]["first"] for buckets in taken(one, watcher, 3.0)] == [0]


def test_a_reader_that_withdraws_its_request_gets_no_answer() -> None:
    one, _ = experiment()
    watcher = Watcher(one, 0.0)
    one.ask(1, None, 0.0)
    assert taken(one, watcher, 1.0) == []


@pytest.mark.parametrize(
    ("steps", "more", "buckets"), [(2747, 1804, 4), (4649, 2738, 1), (3495, 1179, 6), (2303, 1500, 60)]
)
def test_a_reader_that_resumes_in_coarse_history_gets_no_gap(steps: int, more: int, buckets: int) -> None:
    """With few buckets the newest one ends early, inside a bucket that the history stores."""
    (one, run), reader = experiment(), Reader()
    for count in (steps, more):
        run.advance(count, Clock(tick=0.0))
        since = {name: (at["generation"], at["step"]) for name, at in reader.since().items()}
        watcher = Watcher(one, 0.0, buckets=buckets, since=since)
        one.publish(1.0)
        (answer,) = watcher.take(1.0)
        columns = answer.runs["gd"].buckets.as_json(0)
        assert len(columns["first"]) <= buckets
        reader.take({"runs": {"gd": {"generation": 0, "columns": columns}}}, resumed=True)
        assert reader.ends()["gd"] == run.state.step - 1
