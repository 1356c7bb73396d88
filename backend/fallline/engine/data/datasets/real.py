"""Measured data from the copies in scikit-learn: the extra `datasets`.

Without that package the rows stay in the table with the reason why they are unavailable. The import takes most of a
second, so it happens on first use, once.
"""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache

import numpy as np

from fallline.engine.data.datasets.row import Dataset, Raw, subset
from fallline.vocabulary.recipe import DataSettings

MISSING = (
    ""
    if importlib.util.find_spec("sklearn")
    else "needs scikit-learn, which is not installed: in a clone, .venv/bin/pip install '.[datasets]'"
)
"""Reason why these sets are unavailable, or empty."""

_OPTIONS = {"diabetes": {"scaled": False}}
"""Raw units: the recipe decides about standardizing."""


@cache
def _whole(name: str) -> Raw:
    """All samples of a set; read-only, because all callers share them."""
    loaded = getattr(importlib.import_module("sklearn.datasets"), f"load_{name}")(**_OPTIONS.get(name, {}))
    X = np.array(loaded.data, np.float64)
    y = np.array(loaded.target, np.float64).reshape(-1, 1)
    for array in (X, y):
        array.setflags(write=False)
    return Raw(X, y, tuple(map(str, loaded.feature_names)), _ROWS[name].classes)


def _drawn(settings: DataSettings) -> Raw:
    return subset(_whole(settings.name), settings)


REAL = (
    Dataset(
        name="diabetes",
        help="progression of diabetes after a year: 442 patients, ten measurements; standardize both",
        source="Efron, Hastie, Johnstone and Tibshirani, Least Angle Regression (2004)",
        task="regression",
        make=_drawn,
        prepare=lambda: _whole("diabetes"),
        features=10,
        samples=442,
        missing=MISSING,
    ),
    Dataset(
        name="iris",
        help="three species of iris by length and width of sepals and petals, in cm: 150 flowers",
        source="Fisher, The Use of Multiple Measurements in Taxonomic Problems (1936)",
        task="classification",
        make=_drawn,
        prepare=lambda: _whole("iris"),
        features=4,
        samples=150,
        classes=("setosa", "versicolor", "virginica"),
        missing=MISSING,
    ),
    Dataset(
        name="digits",
        help="handwritten digits, 8 by 8 pixels from 0 to 16: 1,797 images",
        source="Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI repository (1998)",
        task="classification",
        make=_drawn,
        prepare=lambda: _whole("digits"),
        features=64,
        samples=1797,
        classes=tuple("0123456789"),
        missing=MISSING,
    ),
)
_ROWS = {row.name: row for row in REAL}
