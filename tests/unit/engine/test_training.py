"""Records and evaluation points of the loop; symmetries V13 and V14 of training."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from fallline.engine.kernels.interface import is_evaluation_point, series_names
from fallline.engine.measures.probes import evaluate
from fallline.engine.problem import Problem, build_problem
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.vocabulary.columns import Records
from fallline.vocabulary.recipe import DataSettings, NetworkSettings, RunRecipe
from support.problems import edit, network, same_bits, series, small_problem, train


def run_of(batch_size: int | None = None, **settings: Any) -> RunRecipe:
    return RunRecipe.model_validate(
        {"name": "r", "batch_size": batch_size, "learning_rate": 0.01, **settings}
    )


def test_records_are_numbered_by_the_step_before_the_change() -> None:
    problem, run = small_problem(), run_of(7)
    state = begin(problem)
    first, second = advance(problem, state, run, 3), advance(problem, state, run, 2)
    assert (first.first, first.stop, second.first, second.stop) == (0, 3, 3, 5)
    assert first.names == series_names(problem)
    assert not first.seconds.any()


def test_samples_seen_is_counted_at_the_end_of_each_step() -> None:
    _, records = train(small_problem(samples=10), run_of(4), 7)
    assert records.samples_seen.tolist() == [4, 8, 10, 14, 18, 20, 24]


def test_no_steps_are_no_records() -> None:
    state, records = train(small_problem(), run_of(), 0)
    assert (state.step, len(records)) == (0, 0)


def test_a_record_describes_the_parameters_before_its_change() -> None:
    problem, run = small_problem(), run_of()
    _, records = train(problem, run, 10)
    again = begin(problem)
    for step in range(10):
        assert series(records, "train_loss")[step] == evaluate(problem, again.parameters)["train_loss"]
        advance(problem, again, run, 1)


def evaluated_steps(records: Records, name: str = "train_loss") -> list[int]:
    return (records.first + np.flatnonzero(np.isfinite(series(records, name)))).tolist()


@pytest.mark.parametrize(("batch_size", "samples"), [(1, 300), (7, 300), (300, 300), (1, 1)])
def test_evaluation_points_are_exactly_those_of_the_contract(batch_size: int, samples: int) -> None:
    problem = small_problem(samples=samples, test_fraction=0.0)
    _, records = train(problem, run_of(batch_size, learning_rate=1e-4), 5000)
    steps_a_pass = -(-samples // batch_size)
    expected = [
        k
        for k in range(5000)
        if k < 1024 or k % 2 ** (int(np.floor(np.log2(k))) - 9) == 0 or k % steps_a_pass == 0
    ]
    assert evaluated_steps(records) == expected
    assert evaluated_steps(records, "train_r2") == (expected if samples > 1 else [])


def test_every_step_of_a_full_batch_run_is_an_evaluation_point() -> None:
    run = run_of(1, edits=[edit(2000, batch_size=None), edit(2010, batch_size=1)])
    problem = small_problem(samples=5000, test_fraction=0.25)
    _, records = train(problem, run, 2050)
    beyond = [k for k in evaluated_steps(records) if k >= 2000]
    assert beyond == [*range(2000, 2011), *range(2012, 2048, 2), 2048]
    assert evaluated_steps(records, "test_loss") == evaluated_steps(records)


def test_there_are_at_least_512_evaluation_points_in_every_doubling() -> None:
    settings = run_of(1).settings
    for power in range(10, 24):
        stride = 2 ** (power - 9)
        points = [
            k for k in range(2**power, 2 ** (power + 1), stride) if is_evaluation_point(k, 1, settings, 900)
        ]
        assert len(points) == 512


def test_scores_are_r2_of_each_split() -> None:
    problem = small_problem(test_fraction=0.25)
    state, records = train(problem, run_of(), 5)
    actual, p, y = (
        evaluate(problem, state.parameters),
        problem.named(state.parameters),
        problem.y[problem.test_rows],
    )
    y_pred = np.tanh(problem.X[problem.test_rows] @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
    assert actual["test_loss"] == pytest.approx(np.mean((y - y_pred) ** 2), rel=1e-12)
    assert actual["test_r2"] == pytest.approx(
        1 - ((y - y_pred) ** 2).sum() / ((y - y.mean()) ** 2).sum(), rel=1e-12
    )
    assert series(records, "test_r2")[-1] < actual["test_r2"]


def raw(*layers: tuple[int, str], seed: int = 0) -> Problem:
    return build_problem(
        DataSettings(samples=100), network(*(layers or ((4, "relu"), (4, "relu"))), seed=seed), "mse"
    )


def test_gd_is_sgd_with_all_samples_in_the_same_order_bit_for_bit_v13() -> None:
    problem = raw()
    full, _ = train(problem, run_of(None, learning_rate=0.05), 2000)
    whole, _ = train(problem, run_of(100, order="sequential", learning_rate=0.05), 2000)
    assert same_bits(full.parameters, whole.parameters)


def test_the_order_within_a_full_batch_matters_only_to_rounding_v13() -> None:
    problem = raw()
    full, _ = train(problem, run_of(None, learning_rate=0.05), 2000)
    shuffled, _ = train(problem, run_of(100, order="shuffle", learning_rate=0.05), 2000)
    assert np.abs(full.parameters - shuffled.parameters).max() <= 1e-12
    assert not same_bits(full.parameters, shuffled.parameters)


@pytest.mark.parametrize("batch_size", [None, 1, 7])
@pytest.mark.parametrize(("width", "tolerance"), [(4, 0.0), (5, 1e-12), (7, 1e-12), (13, 1e-12)])
def test_equal_units_stay_equal_v14(width: int, tolerance: float, batch_size: int | None) -> None:
    problem = raw((width, "relu"), (width, "relu"), seed=3)
    state = begin(problem)
    p = problem.named(state.parameters)
    p["W1"][:] = np.array([[0.4], [-0.3], [0.2], [0.5], [-0.1]])
    p["W2"][:], p["W3"][:] = 0.3 / width, 0.4
    for name in ("b1", "b2"):
        p[name][:] = 0.5
    advance(problem, state, run_of(batch_size), 500)
    p = problem.named(state.parameters)
    scale = np.abs(state.parameters).max()
    assert np.ptp(p["W1"], axis=1).max() <= tolerance * scale
    assert np.ptp(p["W2"]) <= tolerance * scale
    assert np.ptp(p["W3"]) <= tolerance * scale
    assert p["W3"][0, 0] != 0.4


def test_a_network_without_hidden_layers_is_linear_regression() -> None:
    data = DataSettings(name="linear", samples=200, features=3)
    problem = build_problem(data, NetworkSettings(layers=[]), "mse")
    for batch_size in (None, 1, 7):
        state, _ = train(problem, run_of(batch_size, learning_rate=0.05), 3000)
        assert evaluate(problem, state.parameters)["train_loss"] < 1e-20


def test_a_new_optimizer_starts_with_fresh_memory() -> None:
    problem = small_problem()
    run = run_of(
        optimizer="momentum", momentum=0.9, edits=[edit(20, optimizer="adam"), edit(40, optimizer="momentum")]
    )
    state, _ = train(problem, run, 40)
    assert sorted(state.slots) == ["count", "mean", "square"]
    assert state.slots["count"][0] == 20
    start = state.parameters.copy()
    advance(problem, state, run, 1)
    assert np.allclose(start - state.parameters, 0.01 * state.slots["velocity"], rtol=1e-9)


def test_numbers_that_are_not_finite_never_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        problem = small_problem((4, "relu"), (4, "tanh"))
        for optimizer in ("sgd", "momentum", "adam"):
            state, records = train(problem, run_of(optimizer=optimizer, learning_rate=1e6, batch_size=1), 300)
            assert np.isfinite(state.parameters).all()
            assert not np.isinf(records.values).any()
        evaluate(problem, np.full(problem.layout.count, 1e300))
        evaluate(problem, np.full(problem.layout.count, np.nan))
