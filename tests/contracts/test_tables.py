"""Every row of every table keeps the table's promises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest

from fallline.engine.data.datasets import DATASETS
from fallline.engine.measures.probes import evaluate
from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.methods.initializers import INITIALIZERS
from fallline.engine.methods.losses import LOSSES, Loss
from fallline.engine.methods.optimizers import OPTIMIZERS, Slot
from fallline.engine.methods.schedules import SCHEDULES
from fallline.engine.randomness import rng_for
from fallline.vocabulary.parameters import Parameter
from fallline.vocabulary.recipe import OWN_DATA, DataSettings, RunRecipe
from fallline.vocabulary.run_settings import OWN_SETTINGS, ScheduleSettings
from support.aliases import Array
from support.problems import small_problem, train


class Row(Protocol):
    """Attributes of every row of every table."""

    @property
    def name(self) -> str: ...

    @property
    def help(self) -> str: ...

    @property
    def source(self) -> str: ...

    @property
    def parameters(self) -> tuple[Parameter, ...]: ...


TABLES: Mapping[str, Mapping[str, Row]] = {
    "datasets": DATASETS,
    "activations": ACTIVATIONS,
    "losses": LOSSES,
    "optimizers": OPTIMIZERS,
    "schedules": SCHEDULES,
    "initializers": INITIALIZERS,
}
ROWS = [(table, name) for table, rows in TABLES.items() for name in rows]
GOLDEN: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "golden/parameters.json").read_text()
)


@pytest.mark.parametrize(("table", "name"), ROWS)
def test_a_row_has_a_name_and_a_line_of_help(table: str, name: str) -> None:
    row = TABLES[table][name]
    assert row.name == name
    assert row.help
    assert row.source
    assert "\n" not in row.help + row.source
    for parameter in row.parameters:
        assert parameter.allows(parameter.default)
        assert parameter.help
        json.dumps(parameter.as_json(), allow_nan=False)


@pytest.mark.parametrize(("table", "name"), [(table, name) for table in GOLDEN for name in GOLDEN[table]])
def test_no_default_and_no_bound_that_stored_recipes_rely_on_has_moved(table: str, name: str) -> None:
    assert {each.name: each.schema() for each in TABLES[table][name].parameters} == GOLDEN[table][name]


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("features", [1, 5])
def test_a_data_set_is_finite_bent_or_not_and_the_same_again(name: str, features: int) -> None:
    row = DATASETS[name]
    features = row.features or features
    settings = DataSettings(name=name, samples=min(300, row.samples or 300), features=features, seed=4)
    raw, again = row.make(settings), row.make(settings)
    assert (raw.X.shape, raw.y.shape) == ((settings.samples, features), (settings.samples, 1))
    assert raw.X.dtype == raw.y.dtype == np.float64
    assert len(set(raw.features)) == features
    assert np.isfinite(raw.X).all()
    assert np.isfinite(raw.y).all()
    assert np.var(raw.y) > 1e-3
    assert np.array_equal(raw.X, again.X)
    assert np.array_equal(raw.y, again.y)


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_has_samples_of_all_its_classes(name: str) -> None:
    row = DATASETS[name]
    raw = row.make(DataSettings(name=name, samples=row.samples or 200, features=row.features or 2))
    assert raw.classes == row.classes
    assert bool(raw.classes) == (row.task == "classification")
    if raw.classes:
        assert set(raw.y.ravel()) == set(range(len(raw.classes)))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_slope_of_an_activation_is_its_derivative(name: str) -> None:
    row = ACTIVATIONS[name]
    z = np.linspace(-4.0, 4.0, 80)
    numerical = (row(z + 1e-6) - row(z - 1e-6)) / 2e-6
    assert np.allclose(row.derivative(z, row(z)), numerical, atol=1e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_writes_into_the_output_array(name: str) -> None:
    row, z = ACTIVATIONS[name], np.linspace(-4.0, 4.0, 9)
    apart, within = np.empty(9), z.copy()
    assert row.apply(z.copy(), apart) is apart
    assert row.apply(within, within) is within
    assert np.array_equal(apart, row(z))
    assert np.array_equal(within, row(z))
    assert not np.array_equal(row(z), z) or name == "identity"


def samples_of(row: Loss, count: int) -> tuple[Array, Array]:
    """Return predictions and targets for a loss: values, or up to 4 classes."""
    rng = np.random.default_rng(3)
    classes = 0 if row.fits(0) else row.most_classes or 4
    y_pred = rng.normal(size=(count, row.outputs(classes))) * 3
    y = rng.integers(0, classes, (count, 1)).astype(float) if classes else rng.normal(size=(count, 1)) * 3
    return y_pred, y


@pytest.mark.parametrize("name", [name for name, row in LOSSES.items() if row.measure_one])
def test_a_loss_for_one_sample_is_the_loss_for_many(name: str) -> None:
    row = LOSSES[name]
    assert row.measure_one is not None
    for y_pred, y in zip(*samples_of(row, 50), strict=True):
        loss, dy = row.measure_one(float(y_pred[0]), float(y[0]))
        assert loss == pytest.approx(row(y_pred[:, None], y[:, None]), rel=1e-15)
        assert dy == pytest.approx(row.gradient(y_pred[:, None], y[:, None])[0, 0], rel=1e-15)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_of_many_is_the_mean_of_each(name: str) -> None:
    row = LOSSES[name]
    y_pred, y = samples_of(row, 50)
    one_by_one = [row(y_pred[k : k + 1], y[k : k + 1]) for k in range(50)]
    assert row(y_pred, y) == pytest.approx(np.mean(one_by_one), rel=1e-14)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_may_write_its_gradient_over_the_predictions(name: str) -> None:
    row = LOSSES[name]
    y_pred, y = samples_of(row, 50)
    within = y_pred.T.copy()
    loss, dy = row.measure(within, y.T, within)
    assert dy is within
    assert loss == pytest.approx(row(y_pred, y), rel=1e-15)
    assert np.allclose(within.T, row.gradient(y_pred, y), rtol=1e-15, atol=0)


@pytest.mark.parametrize("name", LOSSES)
def test_no_constant_prediction_is_better_than_the_baseline(name: str) -> None:
    row = LOSSES[name]
    if name == "huber":
        row = row.with_parameters({"delta": 100.0})
    _, y = samples_of(row, 50)
    constant = row.constant(y, 4 if row.measure_one is None else 0)
    slope = row.gradient(np.tile(constant.T, (50, 1)), y).sum(axis=0)
    assert np.abs(slope).max() < 1e-15


RATES = {"adagrad": 0.1, "adadelta": 1.0}
"""Adagrad's steps only become shorter, so it starts with longer ones, as in its paper. Adadelta has its own unit."""


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_descends(name: str) -> None:
    problem = small_problem((6, "tanh"))
    run = RunRecipe(name="r", optimizer=name, learning_rate=RATES.get(name, 0.01))
    state, _ = train(problem, run, 400)
    assert evaluate(problem, state.parameters)["train_loss"] < 0.2 * problem.initial_loss


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_memory_of_an_optimizer_is_plain_float64_arrays(name: str) -> None:
    row = OPTIMIZERS[name]
    one, other = row.start(7), row.start(7)
    assert all(values.dtype == np.float64 and not values.any() for values in one.values())
    assert not any(np.shares_memory(one[slot], other[slot]) for slot in one)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_recipe_can_name_every_setting_of_an_optimizer(name: str) -> None:
    assert {parameter.name for parameter in OPTIMIZERS[name].parameters} <= set(OWN_SETTINGS)


@pytest.mark.parametrize("name", DATASETS)
def test_a_recipe_can_name_every_setting_of_a_data_set(name: str) -> None:
    assert {parameter.name for parameter in DATASETS[name].parameters} <= set(OWN_DATA)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_bad_optimizer_would_be_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same test fails for an update with the wrong sign."""
    right = OPTIMIZERS[name]

    def uphill(P: Array, dP: Array, lr: float, *slots: Slot, **own: float) -> tuple[Slot, ...]:
        return right.step(P, -dP, lr, *slots, **own)

    monkeypatch.setitem(OPTIMIZERS, name, replace(right, step=uphill))
    with pytest.raises(AssertionError):
        test_an_optimizer_descends(name)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_recipe_can_name_every_setting_of_a_schedule(name: str) -> None:
    assert {parameter.name for parameter in SCHEDULES[name].parameters} <= set(ScheduleSettings.model_fields)
    assert len(SCHEDULES[name].parameters) <= 4


@pytest.mark.parametrize("name", SCHEDULES)
def test_under_a_schedule_a_run_descends(name: str) -> None:
    problem = small_problem((6, "tanh"))
    run = RunRecipe(name="r", optimizer="momentum", learning_rate=0.01, schedule=name)
    state, _ = train(problem, run, 400)
    assert evaluate(problem, state.parameters)["train_loss"] < 0.2 * problem.initial_loss


@pytest.mark.parametrize("name", INITIALIZERS)
def test_an_initializer_draws_its_distribution(name: str) -> None:
    row = INITIALIZERS[name]
    assert set(row.draws) <= {"weights", "biases"}
    assert row.same_as is None or INITIALIZERS[row.same_as].same_as is None
    values = row.draw(rng_for(0, "weights"), (50, 40), 50, 40)
    assert values.shape == (50, 40)
    assert values.dtype == np.float64
    assert values.flags.c_contiguous
    assert np.array_equal(values, row.draw(rng_for(0, "weights"), (50, 40), 50, 40))
