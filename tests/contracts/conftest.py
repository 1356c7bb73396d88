"""Data with a fault that no built-in data set has."""

from __future__ import annotations

import pytest

from fallline.engine.data.datasets import DATASETS
from fallline.engine.data.datasets.row import Dataset, Raw
from fallline.engine.randomness import rng_for
from fallline.vocabulary.recipe import DataSettings


@pytest.fixture
def wide_and_narrow(monkeypatch: pytest.MonkeyPatch) -> str:
    """A data set of two inputs, one a thousand times as wide as the other."""

    def make(settings: DataSettings) -> Raw:
        X = rng_for(settings.seed, "inputs").standard_normal((settings.samples, 2)) * (1.0, 1000.0)
        return Raw(X, X[:, :1], ("narrow", "wide"))

    row = Dataset("wide_and_narrow", "two inputs", "these tests", "regression", make, features=2)
    monkeypatch.setitem(DATASETS, row.name, row)
    return row.name
