"""The row type of the table of data sets, and the samples that a set generates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fallline.engine.randomness import rng_for
from fallline.vocabulary.parameters import Parameter
from fallline.vocabulary.recipe import DataSettings

Array = NDArray[np.float64]
Task = Literal["regression", "classification"]


@dataclass(frozen=True, slots=True)
class Raw:
    """Samples of a set before noise, split and standardizing.

    X (n, features) and y (n, 1): a value, or with `classes` the index of one of them. `features` names the inputs.
    """

    X: Array
    y: Array
    features: tuple[str, ...]
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dataset:
    """One data set.

    `make(settings)` generates its samples, at addresses under the data seed. `features` and `samples` are fixed by the
    set (`samples` as the maximum); None leaves them to the recipe. `classes` names the classes of a classification.
    `source` is the reference for the formula. `missing` is the reason why the set is unavailable here. `prepare` does
    the slow work of the first use and may run in any thread. `target` names the target column, if there is a choice.
    """

    name: str
    help: str
    source: str
    task: Task
    make: Callable[[DataSettings], Raw]
    parameters: tuple[Parameter, ...] = ()
    features: int | None = None
    samples: int | None = None
    classes: tuple[str, ...] = ()
    missing: str = ""
    prepare: Callable[[], object] | None = None
    target: str = ""

    def own(self, settings: DataSettings, name: str) -> float:
        """The set's parameter `name` from the recipe, or its default."""
        (parameter,) = (each for each in self.parameters if each.name == name)
        value = settings.own.get(name)
        return parameter.default if value is None else value


def numbered(features: int) -> tuple[str, ...]:
    """Names for inputs without names: x1, x2, ..."""
    return tuple(f"x{place}" for place in range(1, features + 1))


def subset(whole: Raw, settings: DataSettings) -> Raw:
    """As many samples as requested, drawn by the data seed, in their original order."""
    if settings.samples >= len(whole.X):
        return whole
    drawn = rng_for(settings.seed, "rows").permutation(len(whole.X))[: settings.samples]
    rows = np.sort(drawn)
    return Raw(whole.X[rows], whole.y[rows], whole.features, whole.classes)
