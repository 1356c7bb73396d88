"""The recipes of the survey: candidates for healthy runs and for each fault, and recipes drawn by a seed.

A candidate is only a guess. The oracle decides whether the run has the fault, or none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from fallline.vocabulary.recipe import Recipe
from support.aliases import Json

STEPS = 600
"""Steps of a run, where a fault does not need more."""


@dataclass(frozen=True, slots=True)
class Patient:
    """A recipe with one run, the steps it makes, and the rule that it was planted for (empty: none)."""

    recipe: Recipe
    steps: int = STEPS
    planted: str = ""

    @property
    def name(self) -> str:
        run, data = self.recipe.runs[0], self.recipe.data
        layers = "x".join(f"{each.units} {each.activation}" for each in self.recipe.network.layers)
        return f"{data.name} {data.seed}, {layers}, {run.optimizer} {run.learning_rate:g}, batch {run.batch_size}"


DATA: tuple[Json, ...] = (
    {"name": "log_linear"},
    {"name": "linear", "noise": 0.1},
    {"name": "sine", "features": 2},
    {"name": "polynomial", "features": 1},
    {"name": "chebyshev", "features": 1},
    {"name": "circle", "features": 2},
    {"name": "xor", "features": 2},
    {"name": "two_gaussians", "features": 2},
    {"name": "two_spirals", "features": 2, "turns": 0.5},
    {"name": "moons", "features": 2, "noise": 0.1},
    {"name": "plane", "features": 2},
    {"name": "gaussian_hills", "features": 2},
    {"name": "diabetes", "features": 10},
    {"name": "iris", "features": 4, "samples": 150},
)
"""Data sets of every kind: regressions and classifications, drawn and measured."""

OPTIMIZERS: tuple[tuple[str, float], ...] = (
    ("sgd", 0.1), ("momentum", 0.02), ("nesterov", 0.02), ("adagrad", 0.05), ("rmsprop", 0.003), ("adam", 0.01),
    ("adamw", 0.01), ("dampened_momentum", 0.1), ("adadelta", 1.0), ("rmsprop_momentum", 0.0003),
    ("rmsprop_centered", 0.001), ("amsgrad", 0.01), ("adamax", 0.01), ("nadam", 0.01), ("radam", 0.01), ("lion", 0.001),
    ("lbfgs", 0.3),
)  # fmt: skip
"""Every optimizer, with a rate that serves."""
USUAL = OPTIMIZERS[:7]
"""Faults are planted with these."""

BATCHES = (None, None, 32, 8)
NETS: tuple[tuple[tuple[int, ...], str, str], ...] = (
    ((12, 12), "tanh", "xavier_normal"),
    ((16,), "relu", "he_normal"),
    ((12,), "sigmoid", "xavier_uniform"),
    ((16, 16), "leaky_relu", "he_normal"),
    ((12, 8), "elu", "lecun"),
    ((10, 10), "softplus", "xavier_normal"),
)


def data(number: int, **more: Any) -> Json:
    """Return a data set, by number, with a seed of its own."""
    fields = {"samples": 240, "standardize": "both", "seed": number + 1, **DATA[number % len(DATA)], **more}
    if fields["name"] in ("diabetes", "iris"):
        fields["samples"] = min(fields["samples"], 150)
    return fields


def net(
    number: int, units: tuple[int, ...], activation: str, weights: str | Json, biases: str = "zeros"
) -> Json:
    layers = [{"units": each, "activation": activation} for each in units]
    return {"layers": layers, "weights": weights, "biases": biases, "seed": number + 1}


def how(
    number: int, times: float = 1.0, optimizers: Sequence[tuple[str, float]] = USUAL, **more: Any
) -> Json:
    """Return an optimizer, by number, at so many times a rate that serves."""
    name, rate = optimizers[number % len(optimizers)]
    return {"name": "run", "optimizer": name, "learning_rate": float(f"{times * rate:.3g}"), **more}


def patient(data: Json, network: Json, run: Json, steps: int = STEPS, planted: str = "") -> Patient:
    recipe = Recipe.model_validate({"data": data, "network": network, "runs": [run]})
    return Patient(recipe, steps, planted)


def healthy() -> Iterator[Patient]:
    """Yield candidates for healthy runs without end."""
    for number in count():
        units, activation, weights = NETS[number // 3 % len(NETS)]
        batch = BATCHES[number // 7 % len(BATCHES)]
        run = how(number, 0.3 if batch == 8 else 1.0, OPTIMIZERS, batch_size=batch)
        if run["optimizer"] == "lbfgs":
            run["batch_size"] = None
        samples = {"test_fraction": 0.25} if number % 2 else {}
        yield patient(data(number, **samples), net(number, units, activation, weights), run)


# ---------------------------------------------------------------------- planted faults


def _diverged(n: int) -> Patient:
    """Far too high a rate, from the start or by an edit."""
    units, activation, weights = ((8,), ("relu", "tanh", "identity")[n % 3], "xavier_normal")
    optimizer = ("sgd", "momentum", "nesterov")[n % 3]
    run: Json = {"name": "run", "optimizer": optimizer, "learning_rate": 0.05}
    if n % 2:
        run["edits"] = [{"at_step": 100 + n, "learning_rate": 1000.0}]
    else:
        run["learning_rate"] = 1000.0
    regression = n % 5 if n % 7 else 10
    return patient(data(regression, noise=0.1, seed=n + 1), net(n, units, activation, weights), run, 300)


def _will_diverge(n: int) -> Patient:
    """A rate a little above what a network without hidden layers bears."""
    rate = (2.2, 2.4, 2.05)[n % 3]
    run = {"name": "run", "learning_rate": rate}
    if n % 2:
        run = {"name": "run", "learning_rate": 0.1, "edits": [{"at_step": 60 + 7 * n, "learning_rate": rate}]}
    return patient(data((0, 1, 2, 10)[n % 4], seed=n + 1), net(n, (), "relu", "normal", "normal"), run, 500)


def _dead_layer(n: int) -> Patient:
    """Weights of 0, or a rate that throws every unit of a layer off."""
    if n % 4 == 0:
        return patient(data(n), net(n, (6, 6), "relu", "zeros"), how(n))
    run = {
        "name": "run",
        "optimizer": USUAL[n % 7][0],
        "learning_rate": 0.02,
        "batch_size": (None, 10)[n % 2],
    }
    run["edits"] = [{"at_step": 40 + 11 * n, "learning_rate": 3.0}]
    return patient(data(n), net(n, (5, 4), "relu", "he_normal"), run)


def _dead_units(n: int) -> Patient:
    """Biases and weights that leave units off, or a rate that throws some off."""
    run = how(n, (1.0, 4.0, 8.0)[n % 3], batch_size=(None, 10)[n % 2])
    return patient(data(n), net(n, (6, 6, 6), "relu", "normal" if n % 3 else "he_normal", "normal"), run)


def _symmetric_units(n: int) -> Patient:
    """Equal weights, which no step separates."""
    activation = ("tanh", "sigmoid", "softplus")[n % 3]
    return patient(data(n), net(n, (6,), activation, "zeros"), how(n))


def _saturated_units(n: int) -> Patient:
    """Large weights before tanh or sigmoid, and overlapping classes."""
    weights = {"name": "normal", "scale": (20.0, 60.0)[n % 2]}
    return patient(data(n, noise=0.5), net(n, (8,), ("tanh", "sigmoid")[n % 2], weights), how(n, 0.05))


def _vanishing_gradients(n: int) -> Patient:
    """Many layers of sigmoids."""
    few = data(n, samples=120)
    return patient(few, net(n, (6,) * 6, "sigmoid", "xavier_normal"), how(n, 0.1), 300)


def _exploding_gradients(n: int) -> Patient:
    """Many layers of large weights."""
    weights = {"name": "normal", "scale": 1.5}
    run = how(n, 0.02, clip_norm=0.1)
    return patient(data(n, samples=120), net(n, (10,) * 6, "leaky_relu", weights), run, 300)


def _rate_at_edge(n: int) -> Patient:
    """A full batch at a rate where the loss rises as often as it falls."""
    run = how(n, (8.0, 15.0, 25.0)[n % 3])
    return patient(data(n, samples=100), net(n, (6, 6), "tanh", "xavier_normal"), run)


def _rate_too_small(n: int) -> Patient:
    """A rate that hardly moves the weights."""
    return patient(data(n), net(n, (10,), ("tanh", "relu")[n % 2], "xavier_normal"), how(n, 1e-5))


def _small_batch(n: int) -> Patient:
    """Single samples of noisy targets at a high rate."""
    run = {
        "name": "run",
        "optimizer": ("sgd", "momentum")[n % 2],
        "learning_rate": (0.1, 0.02)[n % 2],
        "batch_size": 1,
    }
    noisy = {"name": ("linear", "sine")[n % 3 == 2], "features": 3, "noise": 3.0, "seed": n + 1}
    return patient(data(1, **noisy), net(n, (8,), "tanh", "xavier_normal"), run, 900)


def _noise_floor(n: int) -> Patient:
    """Small batches at the level that their noise allows."""
    run = how(n, (2.0, 4.0)[n % 2], batch_size=(1, 2)[n % 2])
    return patient(data(n, noise=0.2), net(n, (8,), "tanh", "xavier_normal"), run, 700)


def _wasteful_batch(n: int) -> Patient:
    """A full batch of samples that agree."""
    return patient(
        data(n, samples=400, standardize="inputs"), net(n, (6,), "tanh", "xavier_normal"), how(n, 0.02), 300
    )


def _unscaled_inputs(n: int) -> Patient:
    """Pixels, with some that are almost always 0."""
    digits = {"name": "digits", "features": 64, "samples": 500, "standardize": "none", "seed": n + 1}
    return patient(data(0, **digits), net(n, (8,), "tanh", "xavier_normal"), how(n, 0.1), 120)


def _overfitting(n: int) -> Patient:
    """A large network, few samples and much noise."""
    few = {"samples": 60, "test_fraction": 0.5, "noise": 0.6}
    return patient(data(n, **few), net(n, (20, 20), ("tanh", "relu")[n % 2], "he_normal"), how(n))


def _predicts_the_mean(n: int) -> Patient:
    """Targets that hardly depend on the inputs, without a test split."""
    hidden = {
        "name": ("linear", "sine", "log_linear", "plane")[n % 4],
        "features": 2,
        "noise": 30.0,
        "samples": 900,
    }
    return patient(data(1, **hidden, seed=n + 1), net(n, (4,), "tanh", "xavier_normal"), how(n))


def _stuck(n: int) -> Patient:
    """A loss above the baseline that does not fall: nothing to learn, and batches that throw it about."""
    noise = {"name": "linear", "features": 10, "noise": 50.0, "samples": 300, "seed": n + 1}
    run = how(n, (1.0, 2.0, 3.0)[n // 7 % 3], batch_size=(4, 8)[n % 2])
    return patient(data(1, **noise), net(n, (), "relu", "xavier_normal"), run, 800)


def _plateau(n: int) -> Patient:
    """A network without hidden layers on data that are not linear."""
    bent = (2, 3, 9, 11, 12)[n % 5]
    return patient(data(bent, seed=n + 1), net(n, (), "relu", "xavier_normal"), how(n, 3.0))


def _spike(n: int) -> Patient:
    """A rate that is high for a few steps, by two edits."""
    at_step, rate = 200 + 13 * n, USUAL[n % 7][1]
    edits = [
        {"at_step": at_step, "learning_rate": float(f"{rate * (100.0, 300.0)[n % 2]:.3g}")},
        {"at_step": at_step + 2, "learning_rate": rate},
    ]
    return patient(data(n), net(n, (12, 12), "tanh", "xavier_normal"), how(n, edits=edits))


def _worse_than_before(n: int) -> Patient:
    """A rate that is high for a few steps and then too low to make up for them."""
    at_step, rate = 200 + 5 * n, USUAL[n % 7][1]
    edits = [
        {"at_step": at_step, "learning_rate": float(f"{rate * (10.0, 20.0, 40.0)[n % 3]:.3g}")},
        {"at_step": at_step + 3, "learning_rate": float(f"{rate * 0.01:.3g}")},
    ]
    run = how(n, batch_size=(None, 8)[n % 2], edits=edits)
    return patient(data(n), net(n, (10, 10), "tanh", "xavier_normal"), run)


FAMILIES: dict[str, Callable[[int], Patient]] = {
    "diverged": _diverged,
    "will_diverge": _will_diverge,
    "dead_layer": _dead_layer,
    "dead_units": _dead_units,
    "symmetric_units": _symmetric_units,
    "saturated_units": _saturated_units,
    "vanishing_gradients": _vanishing_gradients,
    "exploding_gradients": _exploding_gradients,
    "rate_at_edge": _rate_at_edge,
    "rate_too_small": _rate_too_small,
    "small_batch": _small_batch,
    "noise_floor": _noise_floor,
    "wasteful_batch": _wasteful_batch,
    "unscaled_inputs": _unscaled_inputs,
    "overfitting": _overfitting,
    "predicts_the_mean": _predicts_the_mean,
    "stuck": _stuck,
    "plateau": _plateau,
    "spike": _spike,
    "worse_than_before": _worse_than_before,
}
"""A family of candidates for every rule of the oracle."""


def planted(rule: str) -> Iterator[Patient]:
    """Yield candidates for a fault without end."""
    for number in count():
        one = FAMILIES[rule](number)
        yield Patient(one.recipe, one.steps, rule)


def drawn(seed: int, patients: int) -> Iterator[Patient]:
    """Yield recipes drawn anew: good, bad, and what lies between."""
    rng = np.random.default_rng(seed)
    activations = ("relu", "relu", "tanh", "sigmoid", "leaky_relu", "elu", "softplus")
    weights = ("normal", "he_normal", "xavier_normal", "xavier_uniform", "lecun", "orthogonal")
    for _ in range(patients):
        number = int(rng.integers(1_000_000))
        units = tuple(int(each) for each in rng.integers(3, 21, int(rng.integers(0, 4))))
        network = net(number, units, str(rng.choice(activations)), str(rng.choice(weights)), "normal")
        samples = {"samples": int(rng.integers(40, 301)), "noise": float(rng.choice([0.0, 0.1, 0.5]))}
        split = {"test_fraction": float(rng.choice([0.0, 0.3]))}
        batch = (None, 1, 4, 16, 64)[int(rng.integers(5))]
        run = how(number, float(10.0 ** rng.uniform(-2.0, 1.5)), batch_size=batch)
        yield patient(data(number, **samples, **split), network, run)
