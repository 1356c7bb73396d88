import math
from dataclasses import replace

import numpy as np
import pytest

from fallline.engine.problem import build_problem
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.history.run_history import RunHistory
from fallline.vocabulary.columns import Records
from fallline.vocabulary.recipe import DataSettings, NetworkSettings, RunRecipe
from support.measurements import (
    NAMES,
    NOTEBOOK_SIZES,
    assert_same,
    assert_summarises,
    measured,
    notebook_names,
    slices_of,
)


def remembered(records: Records, sizes: dict[str, int] | None = None) -> RunHistory:
    history = RunHistory(records.names, sizes)
    for part in slices_of(records, seed=3, longest=700):
        history.append(part)
    return history


@pytest.mark.parametrize("sizes", [None, NOTEBOOK_SIZES])
@pytest.mark.parametrize("at_most", [1, 50, 10_000])
def test_every_series_has_its_name(sizes: dict[str, int] | None, at_most: int) -> None:
    records = measured(3000)
    buckets = remembered(records, sizes).range(0, 2999, at_most)
    assert buckets.names == NAMES
    assert_summarises(buckets, records)


def test_a_derived_series_is_not_stored() -> None:
    records = measured(3000, names=notebook_names())
    derived, stored = remembered(records, NOTEBOOK_SIZES), remembered(records)
    assert derived.nbytes < 0.81 * stored.nbytes
    for name in ("minimum", "maximum", "final", "count"):
        one, other = (getattr(history.range(0, 2999, 300), name) for history in (derived, stored))
        np.testing.assert_array_equal(one, other)


def test_a_mean_gradient_without_its_sum_is_stored_like_any_other() -> None:
    records = Records(0, np.array([1]), np.zeros(1), ("grad_mean/W1",), np.array([[2.5]]))
    assert remembered(records, NOTEBOOK_SIZES).range(0, 0, 1).mean.tolist() == [[2.5]]


CONSTANT = ("batch_loss", "learning_rate", "objective", "grad_l1/W1", "grad_mean/W1")


def with_constants(steps: int, changes: int) -> Records:
    """Return a varying series, one that changes its value once, one that begins then, and one that stays."""
    rng, late = np.random.default_rng(2), np.arange(steps) >= changes
    values = np.array(
        [
            rng.standard_normal(steps),
            np.where(late, 0.25, 0.1),
            np.where(late, rng.standard_normal(steps), np.nan),
            np.full(steps, 3.0),
            np.full(steps, 3.0) / 20,
        ]
    )
    return Records(0, np.arange(1, steps + 1), np.zeros(steps), CONSTANT, values)


@pytest.mark.parametrize("changes", [1, 700, 5_003, 39_999, 40_000])
def test_a_series_is_stored_from_its_second_value_on(changes: int) -> None:
    records = with_constants(40_000, changes)
    history = remembered(records, NOTEBOOK_SIZES)
    for first, last, at_most in ((0, 39_999, 50), (30_000, 39_999, 300), (100, 6_000, 10_000), (0, 0, 1)):
        buckets = history.range(first, last, at_most)
        assert buckets.names == CONSTANT
        assert_summarises(buckets, records)
    before = remembered(with_constants(40_000, 40_000), NOTEBOOK_SIZES)
    assert before.nbytes < 0.6 * remembered(with_constants(40_000, 1), NOTEBOOK_SIZES).nbytes


@pytest.mark.parametrize("changes", [1, 5_003, 40_000])
def test_a_history_with_constant_series_is_restored_to_the_bit_and_goes_on(changes: int) -> None:
    records = with_constants(40_000, changes)
    history, restored = (RunHistory(CONSTANT, NOTEBOOK_SIZES) for _ in range(2))
    history.append(records.part(0, 30_000))
    about, arrays = history.about()
    restored.restore(about, arrays, [(part.about, part.arrays()) for part in history.parts()])
    for one in (history, restored):
        one.append(records.part(30_000, 40_000))
    for at_most in (1, 300, 10_000):
        whole, again = (one.range(0, 39_999, at_most) for one in (history, restored))
        for statistic in ("minimum", "maximum", "mean", "final", "count"):
            np.testing.assert_array_equal(getattr(whole, statistic), getattr(again, statistic))
    assert restored.latest() == history.latest()


@pytest.mark.parametrize("steps", [3, 3_000])
def test_a_history_from_before_a_series_has_no_value_of_it_until_its_next_record(steps: int) -> None:
    later = with_constants(steps + 50, steps + 10)
    old_rows = [0, 3, 4]
    names = tuple(CONSTANT[row] for row in old_rows)
    old = RunHistory(names, NOTEBOOK_SIZES)
    old.append(replace(later, names=names, values=later.values[old_rows]).part(0, steps))
    about, arrays = old.about()
    # The first versions stored all series that are not derived, and no constants.
    assert sorted(about.pop("stored")) == ["batch_loss"]
    old._pyramid.extend(np.array([True, False]), np.array([np.nan, 3.0]))
    parts = [(part.about, part.arrays()) for part in old.parts()]
    del arrays["constants"]
    present = ("batch_loss", "learning_rate", "grad_l1/W1", "grad_mean/W1")
    history = RunHistory(present, NOTEBOOK_SIZES)
    history.restore(about, arrays, parts)
    assert history.latest() == old.latest()
    rows = [0, 1, 3, 4]
    history.append(replace(later, names=present, values=later.values[rows]).part(steps, steps + 50))
    values = later.values[rows]
    values[1, :steps] = np.nan
    for at_most in (1, 300, 10_000):
        buckets = history.range(0, steps + 49, at_most)
        assert_summarises(buckets, replace(later, names=present, values=values))


def test_a_piece_with_another_series_has_another_version() -> None:
    records, history = with_constants(5_000, 3_000), RunHistory(CONSTANT)
    history.append(records.part(0, 3_000))
    before = {part.name: part.version for part in history.parts()}
    history.append(records.part(3_000, 5_000))
    after = {part.name: part.version for part in history.parts()}
    assert [name for name in before if before[name] == after.get(name)] == []


@pytest.mark.parametrize(("value", "stored"), [(math.nan, 0), (math.inf, 0), (-0.0, 1), (5e-324, 1)])
def test_values_are_compared_by_bits_and_infinities_are_missing(value: float, stored: int) -> None:
    first = 0.0 if stored else math.nan
    history = RunHistory(("a",))
    values = np.array([[first, first, value]])
    history.append(Records(0, np.arange(1, 4), np.zeros(3), ("a",), values))
    last = history.range(2, 2, 1).final
    assert np.array_equal(np.signbit(last), [[math.copysign(1.0, value) < 0]] if stored else np.signbit(last))
    assert len(history.about()[0]["stored"]) == stored


def test_latest_is_the_last_finite_value_of_each_series() -> None:
    history = RunHistory(("batch_loss", "train_loss", "test_loss"))
    nan = math.nan
    for first, columns in ((0, [[1, 2], [nan, 5], [nan, nan]]), (2, [[3, nan], [nan, nan], [nan, nan]])):
        history.append(Records(first, np.array([1, 2]), np.zeros(2), history.names, np.array(columns, float)))
    assert history.latest() == {"batch_loss": (2, 3.0), "train_loss": (1, 5.0)}
    assert history.count == 4


def test_an_empty_history_returns_nothing() -> None:
    history = RunHistory(NAMES)
    assert history.latest() == {}
    assert history.count == 0
    assert len(history.range(0, 10, 10)) == 0
    history.append(measured(0))
    assert history.count == 0


@pytest.mark.parametrize("chosen", [(), ("grad_mean/W1",), ("learning_rate", "batch_loss")])
@pytest.mark.parametrize("at_most", [7, 1_000])
def test_a_range_of_some_series_is_that_part_of_all(chosen: tuple[str, ...], at_most: int) -> None:
    history = remembered(with_constants(6_000, 5_003), NOTEBOOK_SIZES)
    for first in (5_500, 100):
        some = history.range(first, 5_999, at_most, chosen)
        assert_same(some, history.range(first, 5_999, at_most).select(chosen))
    with pytest.raises(KeyError):
        history.range(0, 1, 1, ["no such series"])


def test_records_that_do_not_follow_are_refused_at_once() -> None:
    records = measured(9)
    history = remembered(records.part(0, 3))
    with pytest.raises(ValueError, match="record 3 must come next, not 5"):
        history.append(records.part(5, 9))


def test_records_of_other_series_are_refused() -> None:
    with pytest.raises(ValueError, match="other series than this run"):
        RunHistory(("batch_loss",)).append(measured(3))


@pytest.mark.parametrize("names", [("a",), (*NAMES, "z"), ("z",)])
def test_a_history_of_other_series_is_not_restored(names: tuple[str, ...]) -> None:
    about, latest = remembered(measured(10)).about()
    with pytest.raises(ValueError, match="this history has other series"):
        RunHistory(names).restore(about, latest, [])


def test_mean_gradients_equal_the_derived_series_to_the_bit() -> None:
    problem = build_problem(DataSettings(samples=120, test_fraction=0.25), NetworkSettings(), "mse")
    records = advance(problem, begin(problem), RunRecipe(batch_size=1, learning_rate=0.01), 2500)
    sizes = dict(zip(problem.layout.names, problem.layout.lengths, strict=True))
    derived, stored = remembered(records, sizes), remembered(records)
    for at_most in (1, 50, 5000):
        one, other = (history.range(0, 2499, at_most) for history in (derived, stored))
        for statistic in ("minimum", "maximum", "final", "count"):
            np.testing.assert_array_equal(getattr(one, statistic), getattr(other, statistic))
        np.testing.assert_allclose(one.mean, other.mean, rtol=1e-14)
