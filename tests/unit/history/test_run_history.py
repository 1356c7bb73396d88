import math

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
