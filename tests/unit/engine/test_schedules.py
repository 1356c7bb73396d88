"""Schedules agree with PyTorch; their clock starts when they are set."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from fallline.engine.kernels.compiled_schedules import rates_of
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.methods.schedules import SCHEDULES, plateau_memory, rate_of
from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.run_settings import RunSettings, schedule_of
from support.aliases import Array, Json
from support.problems import edit

DOCUMENT = json.loads((Path(__file__).parents[2] / "golden" / "schedules.json").read_text())
GOLDEN = DOCUMENT["schedules"]


def under(schedule: str | Json, learning_rate: float = 1.0, since: int = 0) -> RunSettings:
    return RunSettings(
        "sgd", learning_rate, None, "shuffle", schedule=schedule_of(schedule), schedule_since=since
    )


def rates(schedule: str | Json, steps: Iterable[int], learning_rate: float = 1.0, since: int = 0) -> Array:
    rate = rate_of(under(schedule, learning_rate, since))
    return np.array([rate(step) for step in steps])


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: str(golden["schedule"]))
def test_the_factors_are_pytorchs(golden: Json) -> None:
    actual = rates(golden["schedule"], range(len(golden["factors"])))
    assert np.allclose(actual, golden["factors"], rtol=1e-12)


def test_every_schedule_has_golden_factors() -> None:
    assert {golden["schedule"]["name"] for golden in GOLDEN} == SCHEDULES.keys() - {"plateau"}


@pytest.mark.parametrize("golden", DOCUMENT["plateaus"], ids=lambda golden: str(golden["own"]))
def test_a_plateaus_drops_are_pytorchs(golden: Json) -> None:
    memory, shares = (np.inf, 0.0, 1.0), []
    for loss in golden["losses"]:
        memory = plateau_memory(loss, *memory, **golden["own"])
        shares.append(memory[2])
    assert np.allclose(shares, golden["factors"], rtol=1e-14)
    assert len(set(shares)) > 2


def test_a_rate_stays_as_it_is_set_without_a_schedule() -> None:
    assert rates("constant", [0, 1, 10**9], 0.3).tolist() == [0.3] * 3


def test_a_step_falls_at_every_so_many_steps_and_not_before() -> None:
    actual = rates({"name": "step", "every": 10, "factor": 0.5}, [0, 9, 10, 19, 20, 10_000], 0.8)
    assert actual.tolist() == [0.8, 0.8, 0.4, 0.4, 0.2, 0.8 * 0.5**1000]


def test_an_exponential_meets_the_step_where_that_falls() -> None:
    own = {"every": 10, "factor": 0.3}
    falls = range(0, 100, 10)
    assert np.allclose(rates({"name": "exponential", **own}, falls), rates({"name": "step", **own}, falls))


def test_a_cosine_ends_at_its_least_and_stays_there() -> None:
    actual = rates({"name": "cosine", "steps": 100, "least": 0.2}, [0, 50, 100, 101, 10**9])
    assert np.allclose(actual, [1.0, 0.6, 0.2, 0.2, 0.2], rtol=1e-15)


def test_a_restart_begins_a_longer_cosine_at_the_whole_rate() -> None:
    """SGDR's equation 5, cycle by cycle: 10, 30 and 90 steps."""
    own = {"name": "cosine_restarts", "steps": 10, "growth": 3, "least": 0.2}
    expected = [
        0.2 + 0.8 * (1 + np.cos(np.pi * np.arange(length) / length)) / 2 for length in (10, 30, 90, 270)
    ]
    actual = rates(own, range(400))
    assert np.allclose(actual, np.concatenate(expected), rtol=1e-14)
    assert np.flatnonzero(actual == 1.0).tolist() == [0, 10, 40, 130]


def test_restarts_without_growth_come_after_equal_cycles_for_ever() -> None:
    own = {"name": "cosine_restarts", "steps": 7, "growth": 1, "least": 0.0}
    actual = rates(own, [*range(21), 7 * 10**11 + 3])
    cycle = (1 + np.cos(np.pi * np.arange(7) / 7)) / 2
    assert np.allclose(actual, [*np.tile(cycle, 3), cycle[3]], rtol=1e-14)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0, 0.9])
def test_a_polynomial_falls_with_the_power_of_what_remains(power: float) -> None:
    actual = rates({"name": "polynomial", "steps": 50, "power": power, "least": 0.1}, range(60), 2.0)
    expected = [2.0 * (0.1 + 0.9 * ((50 - t) / 50) ** power) for t in range(50)] + [0.2] * 10
    assert np.allclose(actual, expected, rtol=1e-14)


def test_one_cycle_rises_to_the_whole_rate_and_falls_below_its_start() -> None:
    """As drawn in figure 1 of the paper, with half cosines for the lines."""
    own = {"name": "one_cycle", "steps": 100, "peak": 0.4, "start": 0.1, "least": 0.01}
    t = np.arange(121)
    rise = 0.1 + 0.9 * np.sin(np.pi * t / 80) ** 2
    fall = 0.01 + 0.99 * np.cos(np.pi * (np.minimum(t, 100) - 40) / 120) ** 2
    actual = rates(own, t, 0.5)
    assert np.allclose(actual, 0.5 * np.where(t < 40, rise, fall), rtol=1e-13)
    assert (actual[0], actual[40]) == (0.05, 0.5)
    assert np.allclose(actual[100:], 0.005, rtol=1e-15)


def test_a_warm_up_ends_at_the_whole_rate_and_stays_there() -> None:
    actual = rates({"name": "warmup", "steps": 10, "start": 0.2}, [0, 5, 10, 11, 10**9], 2.0)
    assert np.allclose(actual, [0.4, 1.2, 2.0, 2.0, 2.0], rtol=1e-15)


ENDING = [name for name, row in SCHEDULES.items() if row.ends]


@pytest.mark.parametrize("first", ENDING)
@pytest.mark.parametrize("second", SCHEDULES)
def test_the_next_schedule_starts_when_the_steps_are_over(first: str, second: str) -> None:
    alone = {"name": first, "steps": 40}
    actual = rates({**alone, "next": second}, range(1500), 0.3)
    expected = [*rates(alone, range(40), 0.3), *rates(second, range(1460), 0.3)]
    assert actual.tolist() == expected


def test_a_warm_up_and_then_a_cosine_meet_at_the_whole_rate() -> None:
    own = {"name": "warmup", "steps": 10, "start": 0.1, "next": {"name": "cosine", "steps": 90, "least": 0.0}}
    t = np.arange(120)
    fall = np.cos(np.pi * np.clip(t - 10, 0, 90) / 180) ** 2
    assert np.allclose(rates(own, t), np.where(t < 10, 0.1 + 0.09 * t, fall), rtol=1e-13, atol=1e-30)
    assert rates(own, [10]).tolist() == [1.0]


def test_only_a_schedule_with_an_end_is_followed_by_another() -> None:
    assert ENDING == ["cosine", "polynomial", "one_cycle", "warmup"]
    for name in ENDING:
        steps = SCHEDULES[name].parameters[0]
        assert (steps.name, steps.integer) == ("steps", True)
        last = rates({"name": name, "steps": 10}, [10, 11, 500])
        assert len(set(last.tolist())) == 1


def test_under_one_over_t_sgd_is_the_running_mean() -> None:
    """Robbins and Monro's case: (p - x)**2 / 2 on one sample x after another at rate 1 / (n + 1)."""
    samples = np.random.default_rng(0).standard_normal(500)
    rate, p, row = rate_of(under({"name": "inverse_time", "steps": 1})), np.zeros(1), OPTIMIZERS["sgd"]
    for step, x in enumerate(samples):
        row.update(p, p - x, {}, rate(step), {})
        assert p[0] == pytest.approx(samples[: step + 1].mean(), abs=1e-12)


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_clock_begins_where_the_schedule_was_set(name: str) -> None:
    steps = np.arange(300)
    assert rates(name, steps + 77, since=77).tolist() == rates(name, steps).tolist()
    run = RunRecipe(
        name="r", learning_rate=0.5, edits=[edit(77, schedule=name), edit(80, learning_rate=0.25)]
    )
    assert [rate_of(run.settings_at(step))(step) for step in (0, 76)] == [0.5, 0.5]
    assert rate_of(run.settings_at(79))(79) == rates(name, [2], 0.5)[0]
    assert rate_of(run.settings_at(90))(90) == rates(name, [13], 0.25)[0], (
        "another rate leaves the clock alone"
    )


def test_naming_a_schedule_again_starts_it_again() -> None:
    run = RunRecipe(name="r", schedule="cosine", edits=[edit(500, schedule="cosine")])
    assert rate_of(run.settings_at(499))(499) < 0.06
    assert rate_of(run.settings_at(500))(500) == run.learning_rate


@pytest.mark.parametrize("name", SCHEDULES)
def test_no_rate_is_negative_or_beyond_the_one_that_was_set(name: str) -> None:
    actual = rates(name, [*range(3000), 10**6, 10**12], 0.3)
    assert (actual >= 0).all()
    assert (actual <= 0.3).all()


SEQUENCES: list[Json] = [
    {"name": "warmup", "steps": 50, "next": {"name": "cosine", "steps": 900}},
    {"name": "one_cycle", "steps": 1, "next": "constant"},
    {"name": "cosine", "steps": 1001, "next": "warmup"},
]


@pytest.mark.parametrize("schedule", [*SCHEDULES, *SEQUENCES], ids=str)
@pytest.mark.parametrize("count", [1, 2, 7, 64, 1001])
def test_compiled_rates_do_not_depend_on_where_they_are_cut(schedule: str | Json, count: int) -> None:
    settings = under(schedule, 0.3, since=5)
    whole = rates_of(settings, 5, 3000)
    pieces = np.concatenate([rates_of(settings, step, count) for step in range(5, 3005, count)])
    if schedule == "constant":
        assert len(whole) == len(pieces) == 0
    else:
        assert whole.tobytes() == pieces[:3000].tobytes()
        assert np.allclose(whole, rates(schedule, range(5, 3005), 0.3, since=5), rtol=1e-15, atol=0)
