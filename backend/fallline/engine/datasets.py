"""The table of data sets: made-up regression problems, each a function of (samples, features, seed).

Must not know networks, splits or noise: `engine.problem` adds those. Inputs and coefficients have addresses
of their own, so the same seed with more samples keeps the same law.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fallline.engine.randomness import rng_for
from fallline.vocabulary.errors import FieldError, InvalidRequest
from fallline.vocabulary.parameters import Parameter

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Dataset:
    """One data set: `make(samples, features, seed)` gives X (samples, features) and noise-free y (samples, 1)."""

    name: str
    help: str
    make: Callable[[int, int, int], tuple[Array, Array]]
    parameters: tuple[Parameter, ...] = ()


def _inputs(samples: int, features: int, seed: int) -> Array:
    return rng_for(seed, "inputs").standard_normal((samples, features))


def _coefficients(features: int, seed: int) -> Array:
    return rng_for(seed, "coefficients").standard_normal((features, 1))


def _log_linear(samples: int, features: int, seed: int) -> tuple[Array, Array]:
    X = _inputs(samples, features, seed)
    argument = X @ _coefficients(features, seed) + 20.0
    undefined = int(np.count_nonzero(argument <= 0.0))
    if undefined:
        raise InvalidRequest(
            FieldError(
                "/data/seed",
                f"log(X @ beta + 20) is undefined for {undefined} of {samples} samples with this seed: "
                f"take another seed, fewer samples, or fewer features (now {features})",
            )
        )
    return X, np.log(argument)


def _linear(samples: int, features: int, seed: int) -> tuple[Array, Array]:
    X = _inputs(samples, features, seed)
    return X, X @ _coefficients(features, seed)


def _sine(samples: int, features: int, seed: int) -> tuple[Array, Array]:
    X = rng_for(seed, "inputs").uniform(-np.pi, np.pi, (samples, features))
    return X, np.sin(X).sum(axis=1, keepdims=True) / np.sqrt(features)


DATASETS: dict[str, Dataset] = {
    row.name: row
    for row in (
        Dataset("log_linear", "the notebook's: y = log(X @ beta + 20), X and beta from N(0, 1)", _log_linear),
        Dataset(
            "linear", "y = X @ beta, X and beta from N(0, 1): a straight law for a bent network", _linear
        ),
        Dataset("sine", "y = (sin x1 + sin x2 + ...) / sqrt(features), x uniform between -pi and pi", _sine),
    )
}
