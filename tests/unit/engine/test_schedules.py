"""Schedules agree with PyTorch; their clock starts when they are set."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from fallline.engine.kernels.compiled_schedules import rates_of
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.methods.schedules import SCHEDULES, rate_of
from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.run_settings import RunSettings, schedule_of
from support.aliases import Array, Json
from support.problems import edit

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "optimizers.json").read_text())["schedules"]


def under(schedule: str | Json, learning_rate: float = 1.0, since: int = 0) -> RunSettings:
    return RunSettings(
        "sgd", learning_rate, None, "shuffle", schedule=schedule_of(schedule), schedule_since=since
    )


def rates(schedule: str | Json, steps: Iterable[int], learning_rate: float = 1.0, since: int = 0) -> Array:
    rate = rate_of(under(schedule, learning_rate, since))
    return np.array([rate(step) for step in steps])


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden["schedule"]["name"])
def test_the_factors_are_pytorchs(golden: Json) -> None:
    actual = rates(golden["schedule"], range(len(golden["factors"])))
    assert np.allclose(actual, golden["factors"], rtol=1e-12)


def test_every_schedule_has_golden_factors() -> None:
    assert {golden["schedule"]["name"] for golden in GOLDEN} == SCHEDULES.keys()


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


def test_a_warm_up_ends_at_the_whole_rate_and_stays_there() -> None:
    actual = rates({"name": "warmup", "steps": 10, "start": 0.2}, [0, 5, 10, 11, 10**9], 2.0)
    assert np.allclose(actual, [0.4, 1.2, 2.0, 2.0, 2.0], rtol=1e-15)


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


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("count", [1, 2, 7, 64, 1001])
def test_compiled_rates_do_not_depend_on_where_they_are_cut(name: str, count: int) -> None:
    settings = under(name, 0.3, since=5)
    whole = rates_of(settings, 5, 3000)
    pieces = np.concatenate([rates_of(settings, step, count) for step in range(5, 3005, count)])
    if name == "constant":
        assert len(whole) == len(pieces) == 0
    else:
        assert whole.tobytes() == pieces[:3000].tobytes()
        assert np.allclose(whole, rates(name, range(5, 3005), 0.3, since=5), rtol=1e-15, atol=0)
