"""The row type of the table of data sets, and the samples that a set generates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fallline.engine.randomness import rng_for
from fallline.vocabulary.arrays import Array
from fallline.vocabulary.errors import FieldError, InvalidRequest
from fallline.vocabulary.parameters import Parameter
from fallline.vocabulary.recipe import DataSettings

Task = Literal["regression", "classification"]
Drawn = tuple[Array, NDArray[np.floating[Any]]]
"""Inputs (samples, features) and targets (samples, 1), as float64."""

Formula = Callable[..., Drawn]


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

    - `make(settings)` generates its samples, at addresses under the data seed.
    - `features` and `samples` are fixed by the set (`samples` as the maximum); None leaves them to the recipe.
    - `classes` names the classes of a classification.
    - `source` is the reference for the formula.
    - `missing` is the reason why the set is unavailable here.
    - `prepare` does the slow work of the first use and may run in any thread.
    - `target` names the target column, if there is a choice.
    - `formula` is the function of a set without a table.
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
    formula: Formula | None = None

    def own(self, settings: DataSettings, name: str) -> float:
        """The set's parameter `name` from the recipe, or its default."""
        (parameter,) = (each for each in self.parameters if each.name == name)
        value = settings.own.get(name)
        return parameter.default if value is None else value

    def arguments(self, settings: DataSettings) -> dict[str, Any]:
        """The arguments of `formula`, by name."""
        assert self.formula is not None
        own = {each.name: self.own(settings, each.name) for each in self.parameters}
        values = {"samples": settings.samples, "features": settings.features, "seed": settings.seed, **own}
        return {name: values[name] for name in signature(self.formula).parameters}


def generated(
    formula: Formula,
    help: str,
    source: str,
    parameters: tuple[Parameter, ...] = (),
    features: int | None = None,
    classes: tuple[str, ...] = (),
) -> Dataset:
    """The row of a formula."""

    def make(settings: DataSettings) -> Raw:
        with np.errstate(divide="ignore", invalid="ignore"):
            X, y = formula(**row.arguments(settings))
        if undefined := int(np.count_nonzero(~np.isfinite(y))):
            raise InvalidRequest(
                FieldError(
                    "/data/seed",
                    f"{row.name} is undefined for {undefined} of {settings.samples} samples with this seed: "
                    f"choose another seed, fewer samples, or fewer features (now {settings.features})",
                )
            )
        names = tuple(f"x{place}" for place in range(1, X.shape[1] + 1))
        return Raw(X, np.asarray(y, np.float64), names, classes)

    row = Dataset(
        name=formula.__name__,
        help=help,
        source=source,
        task="classification" if classes else "regression",
        make=make,
        parameters=parameters,
        features=features,
        classes=classes,
        formula=formula,
    )
    return row


def subset(whole: Raw, settings: DataSettings) -> Raw:
    """As many samples as requested, drawn by the data seed, in their original order."""
    if settings.samples >= len(whole.X):
        return whole
    drawn = rng_for(settings.seed, "rows").permutation(len(whole.X))[: settings.samples]
    rows = np.sort(drawn)
    return Raw(whole.X[rows], whole.y[rows], whole.features, whole.classes)
