"""States between two examinations: measured as far as one looks."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from fallline.diagnosis.track import point_before
from fallline.runs.doctor import view
from fallline.runs.doctor.view import Between, Parts, measured, replay_seconds
from support.aliases import Json
from support.clocks import Clock
from support.examined import Examined, settle, take_whole

RECIPE: Json = {"data": {"samples": 60}, "runs": [{"name": "run", "learning_rate": 0.01, "batch_size": 1}]}
STEPS, UNTIL = 300, 1_100


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """The states that were measured."""
    steps: list[int] = []

    def noting(problem: Any, state: Any) -> Any:
        steps.append(state.step)
        return measured(problem, state)

    monkeypatch.setattr(view, "measured", noting)
    return lambda: len(steps)


def take(name: str, expected: float, work: Callable[[], Parts[Any]]) -> Any:
    assert expected > 0.0
    return take_whole(name, expected, work)


def between() -> tuple[Between, Examined]:
    """Return the states after an examination at step 300, of a run that has made more steps since."""
    one = Examined(RECIPE)
    one.step(STEPS)
    (run,) = one.one.runs.values()
    examined = run.case.examined
    assert examined is not None
    run.advance(UNTIL - STEPS, one.clock)
    return Between(one.one.problem, run, UNTIL, take), one


def test_who_looks_back_and_stops_early_measures_few_states(count: Callable[[], int]) -> None:
    states, one = between()
    (run,) = one.one.runs.values()
    assert run.case.examined is not None
    first = run.case.examined.step + 1
    before = count()
    assert [states.back(step).step for step in range(UNTIL - 1, UNTIL - 6, -1)] == list(
        range(UNTIL - 1, UNTIL - 6, -1)
    )
    assert 5 <= count() - before <= (UNTIL - first) / Between.MOST_BLOCKS + 1
    assert [states.back(step).step for step in range(first, UNTIL)] == list(range(first, UNTIL))
    assert count() - before == UNTIL - first, "none twice"


def test_who_reads_one_state_measures_that_one(count: Callable[[], int]) -> None:
    states, _ = between()
    before = count()
    assert [states.at(step).step for step in (700, 900, 700)] == [700, 900, 700]
    assert count() - before == 2


def test_late_examinations_replay_no_long_stretch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run keeps the states that they read, from the step on from which replays are long."""
    one = Examined(RECIPE)
    (run,) = one.one.runs.values()
    clock = Clock(0.01)
    steps, long_from = 6_000, 2_048  # at 0.1 ms a step, the next examination is 3 ms away
    while run.state.step < steps:
        run.advance(100, clock)
    read: list[int] = []
    replayed: list[int] = []
    state_at = view.state_at

    def noting(problem: Any, of: Any, step: int) -> Any:
        (replayed if replay_seconds(of, step) > 0.0 else read).append(step)
        return state_at(problem, of, step)

    monkeypatch.setattr(view, "state_at", noting)
    monkeypatch.setattr("fallline.runs.doctor.doctor.state_at", noting)
    settle(one.one, one.clock)
    assert run.case.record.step == steps - steps % 64
    examined = {*range(long_from + 64, 4_096, 32), *range(4_096, steps, 64)}
    points = {point_before(step) + 1 for step in examined}
    assert examined <= set(read)
    assert points & {*read, *replayed}, "this run has an examination that looks for noise"
    assert not (examined | points) & set(replayed)


def test_each_state_is_the_runs_own_in_whatever_order_one_looks() -> None:
    states, one = between()
    (run,) = one.one.runs.values()
    assert run.case.examined is not None
    again = Examined(RECIPE).one
    (twin,) = again.runs.values()
    own: dict[int, str] = {}
    while twin.state.step < UNTIL - 1:
        twin.advance(1, one.clock)
        own[twin.state.step] = repr(measured(again.problem, twin.state))  # there NaN is itself
    steps = list(range(run.case.examined.step + 1, UNTIL))
    for place, step in enumerate(random.Random(1).sample(steps, len(steps))):
        state = states.at(step) if place % 20 == 0 else states.back(step)
        assert repr(state) == own[step], step
