"""A table becomes inputs and a target."""

from __future__ import annotations

from typing import Any

import numpy as np

from fallline.engine.data.datasets.own import own_dataset
from fallline.engine.data.datasets.row import Dataset, Raw
from fallline.engine.data.tabular.table import read_table
from fallline.engine.problem import build_problem
from fallline.vocabulary.recipe import DataSettings, NetworkSettings

COLOURS = ("red", "blue", "green")
HOUSES = "size,colour,id,rooms,price\n" + "\n".join(
    f"{k / 4},{COLOURS[k % 3]},n{k},{(7 * k) % 4 - 1},{k * k}" for k in range(40)
)


def row_of(text: str, target: str, task: Any) -> Dataset:
    table = read_table(text.encode())
    column = table.column(target)
    assert column is not None
    return own_dataset(table, column, task)


def generate(row: Dataset, **overrides: Any) -> Raw:
    return row.make(
        DataSettings(name="csv", **{"samples": row.samples, "features": row.features, **overrides})
    )


def test_numbers_are_inputs_as_they_stand_and_a_category_is_one_for_each_of_its_values() -> None:
    row = row_of(HOUSES, "price", "regression")
    raw = generate(row)
    assert raw.features == ("size", "colour=blue", "colour=green", "colour=red", "rooms")
    assert (row.features, row.samples, row.classes, raw.classes) == (5, 40, (), ())
    assert raw.X[5].tolist() == [1.25, 0, 1, 0, 2]
    assert raw.y[:, 0].tolist() == [k * k for k in range(40)]
    assert (raw.X[:, 1:4].sum(axis=1) == 1).all()


def test_classes_that_are_numbers_are_in_the_order_of_numbers() -> None:
    row = row_of(
        "x,y\n" + "\n".join(f"{k},{[10, 2, -1, 0.5][k % 4]}" for k in range(24)), "y", "classification"
    )
    assert row.classes == ("-1", "0.5", "2", "10")
    assert generate(row).y[:4, 0].tolist() == [3, 2, 0, 1]


def test_classes_that_are_texts_are_in_the_order_of_the_alphabet() -> None:
    row = row_of(HOUSES, "colour", "classification")
    raw = generate(row)
    assert row.classes == raw.classes == ("blue", "green", "red")
    assert raw.features == ("size", "rooms", "price")
    assert raw.y[:4, 0].tolist() == [2, 0, 1, 2]


def test_fewer_samples_are_drawn_by_the_data_seed_and_stay_in_their_order() -> None:
    row = row_of(HOUSES, "price", "regression")
    one, again, other = (generate(row, samples=20, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.X, again.X)
    assert np.array_equal(one.y, again.y)
    assert not np.array_equal(one.y, other.y)
    assert (np.diff(one.y[:, 0]) > 0).all()
    assert np.array_equal(one.X[:, 0] * 4, np.sqrt(one.y[:, 0]))


def test_no_two_inputs_have_the_same_name() -> None:
    text = "a=x,a,y\n" + "\n".join(f"{k},{'xyz'[k % 3]},{k}" for k in range(12))
    assert generate(row_of(text, "y", "regression")).features == ("a=x", "a=x-2", "a=y", "a=z")


def test_noise_split_and_standardizing_leave_the_table_alone() -> None:
    row = row_of(HOUSES, "price", "regression")
    before = generate(row)
    data = DataSettings(
        name="csv", samples=40, features=5, noise=2.0, test_fraction=0.25, standardize="both", seed=3
    )
    problem = build_problem(data, NetworkSettings(), "mse", row)
    assert np.allclose(problem.X_train.mean(axis=0), 0.0, atol=1e-12)
    assert np.allclose(problem.y_train.std(), 1.0)
    assert (len(problem.train_rows), len(problem.test_rows)) == (30, 10)
    assert np.array_equal(generate(row).X, before.X)
    assert np.array_equal(generate(row).y, before.y)
