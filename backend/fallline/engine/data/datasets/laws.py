"""Regression laws in any number of inputs.

Inputs and coefficients have separate addresses, so more samples with the same seed keep the same law.
"""

from __future__ import annotations

import numpy as np

from fallline.engine.data.datasets.row import Array, Dataset, Raw, numbered
from fallline.engine.randomness import rng_for
from fallline.vocabulary.errors import FieldError, InvalidRequest
from fallline.vocabulary.recipe import DataSettings


def _inputs(settings: DataSettings) -> Array:
    return rng_for(settings.seed, "inputs").standard_normal((settings.samples, settings.features))


def _coefficients(settings: DataSettings) -> Array:
    return rng_for(settings.seed, "coefficients").standard_normal((settings.features, 1))


def _log_linear(settings: DataSettings) -> Raw:
    X = _inputs(settings)
    argument = X @ _coefficients(settings) + 20.0
    undefined = int(np.count_nonzero(argument <= 0.0))
    if undefined:
        raise InvalidRequest(
            FieldError(
                "/data/seed",
                f"log(X @ beta + 20) is undefined for {undefined} of {settings.samples} samples with this seed: "
                f"choose another seed, fewer samples, or fewer features (now {settings.features})",
            )
        )
    return Raw(X, np.log(argument), numbered(settings.features))


def _linear(settings: DataSettings) -> Raw:
    X = _inputs(settings)
    return Raw(X, X @ _coefficients(settings), numbered(settings.features))


def _sine(settings: DataSettings) -> Raw:
    X = rng_for(settings.seed, "inputs").uniform(-np.pi, np.pi, (settings.samples, settings.features))
    return Raw(
        X, np.sin(X).sum(axis=1, keepdims=True) / np.sqrt(settings.features), numbered(settings.features)
    )


LAWS = (
    Dataset(
        name="log_linear",
        help="the notebook's: y = log(X @ beta + 20), X and beta from N(0, 1)",
        source="the notebook that this project began with",
        task="regression",
        make=_log_linear,
    ),
    Dataset(
        name="linear",
        help="y = X @ beta, X and beta from N(0, 1): a linear law",
        source="Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, section 3.2",
        task="regression",
        make=_linear,
    ),
    Dataset(
        name="sine",
        help="y = (sin x1 + sin x2 + ...) / sqrt(features), x uniform between -pi and pi",
        source="an additive law: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, section 9.1",
        task="regression",
        make=_sine,
    ),
)
