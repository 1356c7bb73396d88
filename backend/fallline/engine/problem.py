"""The problem that an experiment's runs share: samples, network, first parameters.

It turns a recipe's data and network into arrays: noise, test split, standardizing, initial draws. A problem never
changes; its arrays are read-only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import pairwise
from typing import Literal, TypeVar
from weakref import WeakValueDictionary

import numpy as np

from fallline.engine.data.datasets import DATASETS
from fallline.engine.data.datasets.row import Dataset, Raw
from fallline.engine.data.preparation import mislabelled, noisy, standardized, training_rows
from fallline.engine.data.saved_parameters import SavedParameters
from fallline.engine.methods.initializers import INITIALIZERS
from fallline.engine.methods.losses import LOSSES, Loss
from fallline.engine.network import forward
from fallline.engine.randomness import rng_for
from fallline.vocabulary.arrays import Array, Rows
from fallline.vocabulary.errors import FieldError, InvalidRequest
from fallline.vocabulary.recipe import DataSettings, LossSettings, NetworkSettings

Numbers = TypeVar("Numbers", Array, Rows)


@dataclass(frozen=True, slots=True)
class Samples:
    """One split, laid out for batches and for single samples.

    - X (m, features) and y (m, 1) have samples as rows.
    - `columns` (features + 1, m) and `targets` (1, m) have samples as columns, so that element-wise work runs over
      long rows.
    - `rows` (m, features + 1) has them as rows. The extra entry is the 1 for the bias.
    - `variance` is the variance of the targets of this split.
    """

    X: Array
    y: Array
    columns: Array
    targets: Array
    rows: Array
    variance: float

    @property
    def count(self) -> int:
        return len(self.X)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Problem:
    """Data, network and first parameters.

    - `activations` has one name per layer, the output layer last.
    - `features` names the columns of X.
    - In a classification y holds indices into `classes`; in a regression `classes` is empty.
    - `baseline` is the loss in each split of a constant prediction: the mean of the training targets, or the class
      frequencies. `baseline_score` is its score.
    - `initial_loss` is the training loss at step 0.
    - `drawn_with` is the initializer of the first weights, empty if they come from an upload.
    """

    X: Array
    y: Array
    features: tuple[str, ...]
    classes: tuple[str, ...]
    train_rows: Rows
    test_rows: Rows
    train: Samples
    test: Samples | None
    activations: tuple[str, ...]
    loss: Loss
    score: Score
    layout: Layout
    initial_parameters: Array
    drawn_with: str
    initial_loss: float
    baseline: dict[str, float]
    baseline_score: dict[str, float]

    @property
    def X_train(self) -> Array:
        return self.train.X

    @property
    def y_train(self) -> Array:
        return self.train.y

    def named(self, flat: Array) -> dict[str, Array]:
        """Views W1, b1, ... into a flat vector."""
        return self.layout.named(flat)

    def fingerprint(self) -> bytes:
        """Hash of all that a problem consists of: two with the same one train alike."""
        names = (self.features, self.classes, self.activations, self.drawn_with)
        loss = (self.loss.name, sorted(self.loss.own.items()))
        arrays = (self.X, self.y, self.train_rows, self.test_rows, self.initial_parameters)
        digest = blake2b(repr((names, loss, self.layout.sizes)).encode(), digest_size=32)
        for array in arrays:
            digest.update(repr((array.dtype.str, array.shape)).encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.digest()


_NEWEST: WeakValueDictionary[str, Problem] = WeakValueDictionary()
"""The problem that was built last from each recipe without uploads."""


def shared_problem(data: DataSettings, network: NetworkSettings, loss: str | LossSettings) -> Problem:
    """Return `build_problem` of a recipe without uploads, with the arrays of one that is in use, if any.

    A class trains one recipe: 300 copies of its samples would take 50 MB. The problem itself is always a new one, since
    kernels keep what they prepare for it as long as it is in use.
    """
    key = repr((data, network, loss))
    known = _NEWEST.get(key)
    problem = build_problem(data, network, loss) if known is None else replace(known)
    _NEWEST[key] = problem
    return problem


def build_problem(
    data: DataSettings,
    network: NetworkSettings,
    loss: str | LossSettings,
    dataset: Dataset | None = None,
    start: SavedParameters | None = None,
) -> Problem:
    """Build the problem of a recipe.

    Raises InvalidRequest if the data cannot be generated. The argument `dataset` is the row of `data` if no table
    lists it (an uploaded table). The parameters in `start` replace the drawn first ones; their shapes must match.
    """
    raw = _samples(data, DATASETS[data.name] if dataset is None else dataset)
    chosen, classes = _loss(loss), len(raw.classes)
    train_rows, test_rows = _split(data, len(raw.X))
    X, y = _standardized(data, raw, train_rows)
    train = _prepared(X, y, train_rows)
    test = _prepared(X, y, test_rows) if len(test_rows) else None
    layout = layout_of([X.shape[1], *(layer.units for layer in network.layers), chosen.outputs(classes)])
    activations = (*(layer.activation for layer in network.layers), network.output)
    initial = _initial_parameters(network, layout) if start is None else _brought(start, layout)
    with np.errstate(all="ignore"):
        initial_loss = chosen(forward(layout.named(initial), activations, train.X).y_pred, train.y)
    score = score_of(chosen, classes)
    baseline, baseline_score = _baseline(chosen, score, classes, train, test)
    return Problem(
        X=X,
        y=y,
        features=raw.features,
        classes=raw.classes,
        train_rows=train_rows,
        test_rows=test_rows,
        train=train,
        test=test,
        activations=activations,
        loss=chosen,
        score=score,
        layout=layout,
        initial_parameters=initial,
        drawn_with="" if start is not None else network.initializer("weights").name,
        initial_loss=initial_loss,
        baseline=baseline,
        baseline_score=baseline_score,
    )


def _loss(settings: str | LossSettings) -> Loss:
    return (
        LOSSES[settings] if isinstance(settings, str) else LOSSES[settings.name].with_parameters(settings.own)
    )


def _samples(data: DataSettings, dataset: Dataset) -> Raw:
    """The samples with noise, which disturbs a regression's targets or a classification's inputs."""
    raw = dataset.make(data)
    classes = len(raw.classes)
    if data.noise and classes:
        raw = replace(raw, X=noisy(raw.X, data.noise, data.seed))
    elif data.noise:
        raw = replace(raw, y=noisy(raw.y, data.noise, data.seed))
    if data.label_noise and classes > 1:
        raw = replace(raw, y=mislabelled(raw.y, data.label_noise, classes, data.seed))
    return raw


def _split(data: DataSettings, samples: int) -> tuple[Rows, Rows]:
    """Training and test rows, each in data order."""
    train_rows = training_rows(samples, data.test_fraction, data.seed)
    if not len(train_rows):
        raise InvalidRequest(
            FieldError(
                "/data/test_fraction",
                f"leaves none of the {samples} samples for training: choose a smaller fraction",
            )
        )
    return _frozen(train_rows), _frozen(np.setdiff1d(np.arange(samples), train_rows))


def _standardized(data: DataSettings, raw: Raw, train_rows: Rows) -> tuple[Array, Array]:
    """Standardize inputs and targets as set in `data`, but no class indices."""
    X, y = raw.X, raw.y
    if data.standardize in ("inputs", "both"):
        X = standardized(X, train_rows)
    if data.standardize in ("targets", "both") and not raw.classes:
        y = standardized(y, train_rows)
    return _frozen(X), _frozen(y)


def _prepared(X: Array, y: Array, rows: Rows) -> Samples:
    X, y = X[rows], y[rows]
    with_one = np.hstack([X, np.ones((len(X), 1))])
    return Samples(
        X=_frozen(X),
        y=_frozen(y),
        columns=_frozen(np.ascontiguousarray(with_one.T)),
        targets=_frozen(np.ascontiguousarray(y.T)),
        rows=_frozen(with_one),
        variance=LOSSES["mse"](np.full_like(y, y.mean()), y),
    )


def _baseline(
    loss: Loss, score: Score, classes: int, train: Samples, test: Samples | None
) -> tuple[dict[str, float], dict[str, float]]:
    """Loss and score of the baseline in each split.

    The loss is infinite if a split has a class that is missing from training.
    """
    constant = loss.constant(train.y, classes)
    losses, scores = {}, {}
    splits = {"train": train} if test is None else {"train": train, "test": test}
    with np.errstate(all="ignore"):
        for name, split in splits.items():
            y_pred = np.tile(constant, split.count)
            losses[name], _ = loss.measure(y_pred, split.targets)
            tally = losses[name] if score.tally is None else score.tally(y_pred, split.targets)
            scores[name] = float(score.of(np.array(tally), split.variance))
    return losses, scores


def _initial_parameters(network: NetworkSettings, layout: Layout) -> Array:
    """Draw every layer at its own address, independent of the layers before it."""
    flat = np.empty(layout.count)
    named = layout.named(flat)
    for layer, (fan_in, fan_out) in enumerate(pairwise(layout.sizes), start=1):
        named[f"W{layer}"][:] = _drawn(network, "weights", layer, fan_in, fan_out)
        named[f"b{layer}"][:] = _drawn(network, "biases", layer, fan_in, fan_out)
    return _frozen(flat)


def _brought(start: SavedParameters, layout: Layout) -> Array:
    flat = np.empty(layout.count)
    for name, place in layout.named(flat).items():
        place[:] = start.arrays[name]
    return _frozen(flat)


def _drawn(
    network: NetworkSettings, which: Literal["weights", "biases"], layer: int, fan_in: int, fan_out: int
) -> Array:
    settings = network.initializer(which)
    shape = (fan_in if which == "weights" else 1, fan_out)
    rng = rng_for(network.seed, which, layer)
    return INITIALIZERS[settings.name].draw(rng, shape, fan_in, fan_out, **settings.own)


def _frozen(array: Numbers) -> Numbers:
    array.setflags(write=False)
    return array


# ---------------------------------------------------------------------- layout


@dataclass(frozen=True, slots=True)
class Layout:
    """Names, shapes and positions of all parameters.

    Parameter i starts at `offsets[i]`; `count` is the total number of entries.
    """

    sizes: tuple[int, ...]
    names: tuple[str, ...]
    shapes: tuple[tuple[int, int], ...]
    offsets: tuple[int, ...]
    lengths: tuple[int, ...]
    count: int

    def named(self, flat: Array) -> dict[str, Array]:
        """Views W1, b1, ... into a flat vector."""
        places = zip(self.names, self.shapes, self.offsets, self.lengths, strict=True)
        return {name: flat[start : start + length].reshape(shape) for name, shape, start, length in places}

    def per_layer(self, values: Sequence[float]) -> Array:
        """A flat vector with the same value in all entries of a layer, from one value per layer."""
        return np.repeat(values, np.add(self.lengths[0::2], self.lengths[1::2]))

    def per_kind(self, weights: float, biases: float) -> Array:
        """A flat vector with one value in all weights and one in all biases."""
        return np.repeat([weights, biases] * (len(self.lengths) // 2), self.lengths)

    def weights(self, flat: Array) -> list[Array]:
        """Flat views of W1, W2, ... into a flat vector."""
        places = zip(self.offsets[0::2], self.lengths[0::2], strict=True)
        return [flat[start : start + length] for start, length in places]

    def blocks(self, flat: Array) -> list[Array]:
        """Views (fan_in + 1, fan_out) into a flat vector, one per layer.

        The bias is the last row.
        """
        starts = self.offsets[0::2]
        shapes = [(into + 1, out) for into, out in pairwise(self.sizes)]
        return [
            flat[start : start + rows * columns].reshape(rows, columns)
            for start, (rows, columns) in zip(starts, shapes, strict=True)
        ]


def layout_of(sizes: Sequence[int]) -> Layout:
    """The layout of a network with these layer sizes, inputs first."""
    names: list[str] = []
    shapes: list[tuple[int, int]] = []
    for layer, (into, out) in enumerate(pairwise(sizes), start=1):
        names += [f"W{layer}", f"b{layer}"]
        shapes += [(into, out), (1, out)]
    lengths = [rows * columns for rows, columns in shapes]
    offsets = [sum(lengths[:place]) for place in range(len(lengths))]
    return Layout(tuple(sizes), tuple(names), tuple(shapes), tuple(offsets), tuple(lengths), sum(lengths))


# ---------------------------------------------------------------------- scores


@dataclass(frozen=True, slots=True)
class Score:
    """A score.

    `tally(y_pred, y)` is a number over a whole split; None if the loss itself is that number. `of(tallies, variance)`
    turns tallies into scores; `variance` is of the split's targets.
    """

    name: str
    tally: Callable[[Array, Array], float] | None
    of: Callable[[Array, float], Array]


def score_of(loss: Loss, classes: int) -> Score:
    """The score of a problem with that loss and number of classes (0: a regression)."""
    if classes:
        return Score("accuracy", lambda y_pred, y: float((loss.decide(y_pred) == y[0]).mean()), _share)
    return Score("r2", None if loss.name == "mse" else _mean_square, _r2)


def _mean_square(y_pred: Array, y: Array) -> float:
    error = (y_pred - y).reshape(-1)
    return float(error.dot(error)) / error.size


def _r2(squares: Array, variance: float) -> Array:
    """1 - SS_res / SS_tot; not finite if all targets are equal."""
    return 1.0 - squares / np.float64(variance)


def _share(right: Array, variance: float) -> Array:
    return right
