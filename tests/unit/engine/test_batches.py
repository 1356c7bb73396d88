"""Batches: pure, every pass covered once, never across a pass's end."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline.engine.batches import BatchReader, batch_length, batch_rows, order_of_pass
from fallline.engine.problem import Problem, build_problem
from fallline.vocabulary.arrays import Rows
from fallline.vocabulary.recipe import DataSettings, NetworkSettings
from fallline.vocabulary.run_settings import Order, RunSettings
from support.problems import small_problem


def settings(batch_size: int | None, order: Order = "shuffle") -> RunSettings:
    return RunSettings("sgd", 0.1, batch_size, order)


def read_passes(problem: Problem, chosen: RunSettings, seed: int, passes: int) -> list[Rows]:
    samples_seen, batches = 0, []
    while samples_seen < passes * problem.train.count:
        batches.append(batch_rows(problem, chosen, seed, samples_seen))
        samples_seen += len(batches[-1])
    return batches


@pytest.mark.parametrize("order", ["shuffle", "sequential"])
@pytest.mark.parametrize("batch_size", [1, 2, 7, 45, 59, 60, 61, 500])
def test_every_pass_covers_each_training_sample_exactly_once(batch_size: int, order: Order) -> None:
    problem = small_problem(samples=80, test_fraction=0.25)
    m = problem.train.count
    batches = read_passes(problem, settings(batch_size, order), 0, 3)
    rows = np.concatenate(batches)
    for number in range(3):
        assert sorted(rows[number * m : (number + 1) * m]) == problem.train_rows.tolist()
    assert [len(batch) for batch in batches[: -(-m // batch_size)]][:-1] == [min(batch_size, m)] * (
        -(-m // batch_size) - 1
    )


def test_the_last_batch_of_a_pass_is_smaller_never_dropped() -> None:
    batches = read_passes(small_problem(samples=10), settings(4), 0, 2)
    assert [len(batch) for batch in batches] == [4, 4, 2, 4, 4, 2]


def test_sequential_is_the_order_of_the_data() -> None:
    problem = small_problem(samples=10)
    batches = read_passes(problem, settings(3, "sequential"), 0, 1)
    assert np.concatenate(batches).tolist() == list(range(10))


def test_each_pass_is_shuffled_anew_and_each_run_seed_differs() -> None:
    orders = [tuple(order_of_pass("shuffle", seed, number, 50)) for seed in (0, 1) for number in (0, 1)]
    assert len(set(orders)) == 4


def test_with_replacement_every_place_draws_every_sample_alike() -> None:
    """Pearson's test: counts of 60 samples in 200 passes, and of pairs of neighbouring places."""
    problem = small_problem(samples=80, test_fraction=0.25)
    rows = np.concatenate(read_passes(problem, settings(7, "replacement"), 0, 200))
    places = np.searchsorted(problem.train_rows, rows)
    assert np.array_equal(problem.train_rows[places], rows)
    counts = np.bincount(places, minlength=60)
    # The statistic exceeds 99.6 in 1 of 1,000 cases: chi squared with 59 degrees of freedom.
    assert ((counts - 200) ** 2 / 200).sum() < 99.6
    same = (places[1:] == places[:-1]).mean()
    assert same == pytest.approx(1 / 60, abs=4 * (1 / 60 / len(places)) ** 0.5)
    missing = [60 - len(set(places[k : k + 60])) for k in range(0, len(places), 60)]
    assert np.mean(missing) / 60 == pytest.approx((1 - 1 / 60) ** 60, abs=0.02)


def test_with_replacement_batches_end_with_their_pass_and_differ_by_pass_and_seed() -> None:
    problem = small_problem(samples=10)
    assert [len(batch) for batch in read_passes(problem, settings(4, "replacement"), 0, 2)] == [4, 4, 2] * 2
    drawn = {tuple(order_of_pass("replacement", seed, number, 50)) for seed in (0, 1) for number in (0, 1)}
    assert len(drawn) == 4


def test_with_replacement_a_batch_does_not_depend_on_the_batches_before_it() -> None:
    problem = small_problem(samples=80, test_fraction=0.25)
    whole = np.concatenate(read_passes(problem, settings(60, "replacement"), 5, 3))
    for samples_seen in (170, 0, 77, 121):
        batch = batch_rows(problem, settings(9, "replacement"), 5, samples_seen)
        assert np.array_equal(batch, whole[samples_seen : samples_seen + 9])


@pytest.mark.parametrize("samples_seen", [0, 1, 60, 77])
def test_a_full_batch_is_all_training_samples_in_data_order_wherever_in_a_pass(samples_seen: int) -> None:
    problem = small_problem(samples=80, test_fraction=0.25)
    orders: tuple[Order, ...] = ("shuffle", "replacement")
    for order in orders:
        assert np.array_equal(batch_rows(problem, settings(None, order), 0, samples_seen), problem.train_rows)


@given(
    samples=st.integers(1, 30),
    batch_size=st.none() | st.integers(1, 40),
    order=st.sampled_from(["shuffle", "sequential", "replacement"]),
    start=st.integers(0, 100),
    ahead=st.integers(1, 50),
    jumps=st.lists(st.integers(0, 120), max_size=6),
)
def test_the_reader_agrees_with_the_pure_function(
    samples: int, batch_size: int | None, order: Order, start: int, ahead: int, jumps: list[int]
) -> None:
    """For any lookahead, and after any jump."""
    data = DataSettings(name="linear", samples=samples, features=2)
    problem = build_problem(data, NetworkSettings(), "mse")
    chosen = settings(batch_size, order)
    reader = BatchReader(problem.train, chosen, 3, ahead)
    for samples_seen in [start, *jumps]:
        length = batch_length(chosen, samples_seen, samples)
        rows = batch_rows(problem, chosen, 3, samples_seen)
        if batch_size is None:
            inputs, targets = reader.full()
        else:
            inputs, targets = reader.columns(samples_seen, length)
        assert np.array_equal(inputs[:-1].T, problem.X[rows])
        assert (inputs[-1] == 1).all()
        assert np.array_equal(targets.T, problem.y[rows])
        if batch_size is not None and length == 1:
            vector, upright, target = reader.one(samples_seen)
            assert np.array_equal(vector[:-1], problem.X[rows][0])
            assert np.array_equal(upright[:, 0], vector)
            assert target == problem.y[rows][0, 0]
