"""What a data set is: a row of the table, and the samples that it makes. Must not know which sets there are."""

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
    """Samples as a set makes them, before noise, split and standardizing.

    X (n, features) and y (n, 1): a value, or with `classes` the index of one of them. `features` names the inputs.
    """

    X: Array
    y: Array
    features: tuple[str, ...]
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dataset:
    """One data set: `make(settings)` gives its samples; it draws from addresses of its own under the data seed.

    `features` and `samples` are numbers that the set itself fixes, the second as the most there are; None leaves
    them to the recipe. `classes` names what a classification tells apart. `source` is where the formula comes from.
    `missing` says why the set cannot be had here. `prepare`, which any thread may call, does what takes long the first
    time. `target` names the column that is learnt, where another one might be.
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
        """The set's parameter `name`: as the recipe says, else its default."""
        (parameter,) = (each for each in self.parameters if each.name == name)
        given = settings.own.get(name)
        return parameter.default if given is None else given


def numbered(features: int) -> tuple[str, ...]:
    """Names for inputs that have none: x1, x2, ..."""
    return tuple(f"x{place}" for place in range(1, features + 1))


def some_of(whole: Raw, asked: DataSettings) -> Raw:
    """As many samples as are asked for, drawn by the data seed and left in their order."""
    if asked.samples >= len(whole.X):
        return whole
    drawn = rng_for(asked.seed, "rows").permutation(len(whole.X))[: asked.samples]
    rows = np.sort(drawn)
    return Raw(whole.X[rows], whole.y[rows], whole.features, whole.classes)
