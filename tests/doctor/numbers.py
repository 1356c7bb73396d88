"""The numbers of a run at every step, from its parameters.

The engine makes the steps. Everything else is computed here, over all training samples at once. The forward and
backward passes share no code with the engine or with the Doctor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fallline.engine.kernels.interface import Kernel
from fallline.engine.kernels.numpy_kernels import NUMPY
from fallline.engine.problem import Problem, build_problem
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.runs.checks.recipe import check_recipe, dataset_of
from fallline.vocabulary.recipe import Recipe, RunRecipe

Array = NDArray[np.float64]
Booleans = NDArray[np.bool_]

MOST_AT_ONCE = 400_000
"""Largest array of a layer, in numbers; it limits the steps per batch."""

EQUAL, TINY = 1e-9, 1e-6
"""Two units are equal if no weight differs by more than the first share of the largest weight of its matrix.

Below the second a matrix is taken to be as large: its weights may be rounding only.
"""

FLAT = 0.05
"""A slope below this share of the steepest is flat."""

STEEPEST = {"tanh": 1.0, "sigmoid": 0.25}
"""Largest slope of the activations that are flat on both sides."""


@dataclass(frozen=True, slots=True)
class Network:
    """Layer sizes, activations and loss of a network, and where its parameters lie."""

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str
    delta: float = 1.0

    @property
    def layers(self) -> int:
        return len(self.activations)

    def blocks(self, parameters: Array) -> list[tuple[Array, Array]]:
        """Views (steps, fan_in, fan_out) and (steps, 1, fan_out) of each layer into (steps, P)."""
        blocks, start = [], 0
        for into, out in pairwise(self.sizes):
            middle, end = start + into * out, start + (into + 1) * out
            weights = parameters[:, start:middle].reshape(-1, into, out)
            blocks.append((weights, parameters[:, middle:end].reshape(-1, 1, out)))
            start = end
        return blocks


@dataclass(slots=True)
class Numbers:
    """A run at steps 0 to `steps`, one row per step.

    - `train_loss`, `test_loss` (empty without a test split) and `score` are over all samples of a split.
    - `dead[p]` is (steps + 1, units) of hidden layer p, `saturated[p]` the share of its outputs on a flat slope.
    - `groups[p]` numbers the units of a layer: equal units have the same number.
    - `sizes` (steps + 1, layers) is the root mean square of single samples' gradient entries, `bias_sizes` of those
      of the biases only.
    - `trace` is the trace of their covariance, `squared` the squared norm of their mean, the full gradient.
    - `moved` (steps, layers) is |change of W| / |W|.
    - `examined` (steps + 1) marks the steps at which the Doctor examines states.
    """

    network: Network
    parameters: Array
    diverged_at: int | None
    samples: int
    batch: int
    baseline: float
    train_loss: Array
    test_loss: Array
    score: Array
    dead: dict[int, Booleans] = field(default_factory=dict)
    saturated: dict[int, Array] = field(default_factory=dict)
    groups: dict[int, NDArray[np.int64]] = field(default_factory=dict)
    sizes: Array = field(default_factory=lambda: np.empty((0, 0)))
    bias_sizes: Array = field(default_factory=lambda: np.empty((0, 0)))
    trace: Array = field(default_factory=lambda: np.empty(0))
    squared: Array = field(default_factory=lambda: np.empty(0))
    moved: Array = field(default_factory=lambda: np.empty((0, 0)))
    input_spreads: Array = field(default_factory=lambda: np.empty(0))
    input_means: Array = field(default_factory=lambda: np.empty(0))
    examined: Booleans = field(default_factory=lambda: np.empty(0, dtype=np.bool_))

    @property
    def steps(self) -> int:
        return len(self.train_loss) - 1

    @property
    def is_full_batch(self) -> bool:
        return self.batch >= self.samples


def replay(recipe: Recipe, steps: int, run: str | None = None, kernel: Kernel = NUMPY) -> Numbers:
    """Replay a run of a recipe (by default the first) for so many steps, or until it diverges."""
    dataset = dataset_of(recipe.data, None)
    shared = check_recipe(recipe, dataset, None)
    problem = build_problem(shared.data, shared.network, shared.loss, dataset, None)
    (one,) = [each for each in shared.runs if run in (None, each.name)][:1]
    parameters, diverged_at = _path(problem, one, steps, kernel)
    return numbers_of(problem, one, parameters, diverged_at)


def _path(problem: Problem, run: RunRecipe, steps: int, kernel: Kernel) -> tuple[Array, int | None]:
    """Return the parameters (steps + 1, P) at every step, and where the run diverged."""
    state, path = begin(problem), np.empty((steps + 1, problem.layout.count))
    path[0] = state.parameters
    for step in range(1, steps + 1):
        advance(problem, state, run, 1, kernel)
        if state.diverged_at is not None:
            return path[: state.step + 1], state.diverged_at
        path[step] = state.parameters
    return path, None


def numbers_of(problem: Problem, run: RunRecipe, parameters: Array, diverged_at: int | None) -> Numbers:
    """Compute the numbers of a path of parameters (steps + 1, P)."""
    network = Network(
        problem.layout.sizes, problem.activations, problem.loss.name, problem.loss.own.get("delta", 1.0)
    )
    X, y, test = problem.train.X, problem.train.y, problem.test
    rows = [_measure(network, part, X, y) for part in _parts(parameters, network, len(X))]
    columns = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    test_loss = np.empty(0)
    if test is not None:
        parts = _parts(parameters, network, test.count)
        test_loss = np.concatenate([loss_of(network, part, test.X, test.y) for part in parts])
    hidden = range(1, network.layers)
    return Numbers(
        network=network,
        parameters=parameters,
        diverged_at=diverged_at,
        samples=len(X),
        batch=min(run.batch_size or len(X), len(X)),
        baseline=_baseline(network, y),
        train_loss=columns["loss"],
        test_loss=test_loss,
        score=columns["score"],
        dead={p: columns[f"dead{p}"] for p in hidden if network.activations[p - 1] == "relu"},
        saturated={p: columns[f"flat{p}"] for p in hidden if network.activations[p - 1] in STEEPEST},
        groups={p: _groups(network, parameters, p) for p in hidden},
        sizes=columns["sizes"],
        bias_sizes=columns["bias_sizes"],
        trace=columns["trace"],
        squared=columns["squared"],
        moved=_moved(network, parameters),
        input_spreads=X.std(axis=0),
        input_means=X.mean(axis=0),
        examined=_examined(len(parameters), [edit.at_step for edit in run.edits]),
    )


def _examined(steps: int, edits: list[int]) -> Booleans:
    """Every step below 128, then 64 in each doubling, the step of an edit and the 16 after it."""
    marks: Booleans = np.zeros(steps, dtype=np.bool_)
    marks[:128] = True
    width = 2
    while 64 * width < steps:
        marks[64 * width : 128 * width : width] = True
        width *= 2
    for edit in edits:
        marks[edit : edit + 17] = True
    return marks


def _parts(parameters: Array, network: Network, samples: int) -> Iterator[Array]:
    """Split a path so that no layer's array is too large."""
    each = max(MOST_AT_ONCE // (samples * max(network.sizes)), 1)
    for start in range(0, len(parameters), each):
        yield parameters[start : start + each]


# ---------------------------------------------------------------------- forward and backward

_ACTIVATION: dict[str, Callable[[Array], Array]] = {
    "relu": lambda z: np.where(z > 0.0, z, 0.0),
    "leaky_relu": lambda z: np.where(z > 0.0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0.0, z, np.expm1(np.minimum(z, 0.0))),
    "softplus": lambda z: np.logaddexp(0.0, z),
    "tanh": np.tanh,
    "sigmoid": lambda z: 1.0 / (1.0 + np.exp(-z)),
    "identity": lambda z: z,
}

_SLOPE: dict[str, Callable[[Array], Array]] = {
    "relu": lambda z: np.where(z > 0.0, 1.0, 0.0),
    "leaky_relu": lambda z: np.where(z > 0.0, 1.0, 0.01),
    "elu": lambda z: np.where(z > 0.0, 1.0, np.exp(np.minimum(z, 0.0))),
    "softplus": lambda z: 1.0 / (1.0 + np.exp(-z)),
    "tanh": lambda z: 1.0 - np.tanh(z) ** 2,
    "sigmoid": lambda z: 1.0 / (2.0 + np.exp(-z) + np.exp(z)),
    "identity": np.ones_like,
}


def _forward(network: Network, parameters: Array, X: Array) -> tuple[list[Array], list[Array]]:
    """Pre-activations of each layer, and its inputs, with the network's outputs last."""
    a, z = [np.broadcast_to(X, (len(parameters), *X.shape))], []
    with np.errstate(all="ignore"):
        for (W, b), activation in zip(network.blocks(parameters), network.activations, strict=True):
            z.append(a[-1] @ W + b)
            a.append(_ACTIVATION[activation](z[-1]))
    return z, a


def _each_loss(network: Network, outputs: Array, y: Array) -> tuple[Array, Array]:
    """Each sample's reported loss (steps, m), and the gradient of its objective (steps, m, outputs)."""
    with np.errstate(all="ignore"):
        if network.loss == "mse":
            error = outputs - y
            return error[..., 0] ** 2, error
        if network.loss == "huber":
            error, size = outputs - y, np.abs(outputs - y)
            far = size > network.delta
            loss = np.where(far, network.delta * (size - 0.5 * network.delta), 0.5 * error**2)
            return loss[..., 0], np.where(far, network.delta * np.sign(error), error)
        if network.loss == "binary_cross_entropy":
            p = 1.0 / (1.0 + np.exp(-outputs))
            return (np.logaddexp(0.0, outputs) - y * outputs)[..., 0], p - y
        classes = y[:, 0].astype(int)
        largest = outputs.max(axis=2, keepdims=True)
        total = largest + np.log(np.exp(outputs - largest).sum(axis=2, keepdims=True))
        own = outputs[:, np.arange(len(classes)), classes]
        return total[..., 0] - own, np.exp(outputs - total) - np.eye(outputs.shape[2])[classes]


def loss_of(network: Network, parameters: Array, X: Array, y: Array) -> Array:
    """The mean loss (steps,) over these samples."""
    outputs = _forward(network, parameters, X)[1][-1]
    with np.errstate(all="ignore"):
        return np.asarray(_each_loss(network, outputs, y)[0].mean(axis=1))


def _measure(network: Network, parameters: Array, X: Array, y: Array) -> dict[str, Array]:
    z, a = _forward(network, parameters, X)
    each, d = _each_loss(network, a[-1], y)
    columns: dict[str, Array] = {"loss": each.mean(axis=1), "score": _score(network, a[-1], y)}
    for layer in range(1, network.layers):
        activation = network.activations[layer - 1]
        if activation == "relu":
            columns[f"dead{layer}"] = (a[layer] == 0.0).all(axis=1)
        if activation in STEEPEST:
            flat = _SLOPE[activation](z[layer - 1]) < FLAT * STEEPEST[activation]
            columns[f"flat{layer}"] = flat.mean(axis=(1, 2))
    return columns | _gradients(network, parameters, z, a, d)


def _gradients(
    network: Network, parameters: Array, z: list[Array], a: list[Array], d: Array
) -> dict[str, Array]:
    """Sizes and scatter of single samples' gradients; `d` is the objective's by the outputs."""
    m, blocks = d.shape[1], network.blocks(parameters)
    sizes, biases, total, squared = [], [], np.zeros(len(d)), np.zeros(len(d))
    with np.errstate(all="ignore"):
        for layer in range(network.layers, 0, -1):
            d = d * _SLOPE[network.activations[layer - 1]](z[layer - 1])
            inputs = a[layer - 1]
            lengths = ((inputs**2).sum(axis=2) + 1.0) * (d**2).sum(axis=2)
            W, b = blocks[layer - 1]
            sizes.append(np.sqrt(lengths.mean(axis=1) / (W[0].size + b[0].size)))
            biases.append(np.sqrt((d**2).mean(axis=(1, 2))))
            total += lengths.sum(axis=1)
            mean = np.swapaxes(inputs, 1, 2) @ d / m
            squared += (mean**2).sum(axis=(1, 2)) + (d.mean(axis=1) ** 2).sum(axis=1)
            d = d @ np.swapaxes(W, 1, 2)
    trace = np.maximum(total - m * squared, 0.0) / max(m - 1, 1)
    return {
        "sizes": np.stack(sizes[::-1], axis=1),
        "bias_sizes": np.stack(biases[::-1], axis=1),
        "trace": trace,
        "squared": squared,
    }


def _score(network: Network, outputs: Array, y: Array) -> Array:
    """R² or accuracy (steps,)."""
    with np.errstate(all="ignore"):
        if network.loss in ("mse", "huber"):
            variance = float(((y - y.mean()) ** 2).mean())
            return np.asarray(1.0 - ((outputs - y) ** 2).mean(axis=(1, 2)) / variance)
        if network.loss == "binary_cross_entropy":
            return np.asarray(((outputs[..., 0] > 0.0) == (y[:, 0] > 0.5)).mean(axis=1))
        return np.asarray((outputs.argmax(axis=2) == y[:, 0]).mean(axis=1))


def _baseline(network: Network, y: Array) -> float:
    """The loss of the best prediction that does not depend on the inputs."""
    if network.loss in ("mse", "huber"):
        constant = np.full((1, len(y), 1), y.mean())
        return float(_each_loss(network, constant, y)[0].mean())
    shares = np.bincount(y[:, 0].astype(int)) / len(y)
    return float(-(shares[shares > 0.0] * np.log(shares[shares > 0.0])).sum())


def _groups(network: Network, parameters: Array, layer: int) -> NDArray[np.int64]:
    """Number the units of a layer at every step (steps, units): each has the number of its first equal."""
    (W, b), (behind, _) = network.blocks(parameters)[layer - 1 : layer + 1]
    before, after = np.concatenate([W, b], axis=1), behind
    units = before.shape[2]
    numbers = np.tile(np.arange(units), (len(parameters), 1))
    edges = [(before[:, :, u], after[:, u]) for u in range(units)]
    largest = [np.maximum(np.abs(each).max(axis=(1, 2)), TINY) for each in (before, after)]
    apart = np.diff(np.sort(before[:, 0], axis=1), axis=1) > EQUAL * largest[0][:, np.newaxis]
    if apart.all():
        return numbers  # already the first weights differ
    for unit in range(1, units):
        for other in range(unit):
            equal = np.ones(len(parameters), dtype=np.bool_)
            for one, two, size in zip(edges[unit], edges[other], largest, strict=True):
                equal &= np.abs(one - two).max(axis=1) <= EQUAL * size
            numbers[:, unit] = np.where(equal, np.minimum(numbers[:, unit], other), numbers[:, unit])
    return numbers


def _moved(network: Network, parameters: Array) -> Array:
    """Return |change of W| / |W| (steps, layers)."""
    columns = []
    with np.errstate(all="ignore"):
        for W, _ in network.blocks(parameters):
            size = np.sqrt((W[:-1] ** 2).sum(axis=(1, 2)))
            columns.append(np.sqrt((np.diff(W, axis=0) ** 2).sum(axis=(1, 2))) / size)
    return np.stack(columns, axis=1)
