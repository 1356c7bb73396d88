"""Recipes with one problem, by the rule that finds it, and healthy recipes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fallline.vocabulary.exhibits import EXHIBITS
from fallline.vocabulary.recipe import Recipe
from support.aliases import Json


@dataclass(frozen=True, slots=True)
class Planted:
    """A recipe whose `run` has a problem from step `shows` on."""

    recipe: Recipe
    shows: int = 0
    run: str = "run"


def _layers(count: int, units: int, activation: str) -> list[Json]:
    return [{"units": units, "activation": activation}] * count


def _net(layers: list[Json], weights: str | Json = "xavier_normal", seed: int = 1) -> Json:
    return {"layers": layers, "weights": weights, "biases": "zeros", "seed": seed}


def _recipe(data: Json, network: Json, **run: Any) -> Recipe:
    return Recipe.model_validate({"data": data, "network": network, "runs": [{"name": "run", **run}]})


def _data(name: str = "log_linear", **more: Any) -> Json:
    return {"name": name, "samples": 300, "standardize": "both", "seed": 1, **more}


_TANH = _net(_layers(2, 4, "tanh"))
_WIDE = _net(_layers(1, 8, "tanh"))

PLANTED: dict[str, Planted] = {
    "dead_layer": Planted(_recipe(_data(), _net(_layers(1, 3, "relu"), "zeros"))),
    "dead_units": Planted(EXHIBITS["notebook"].recipe, 6, "sgd"),
    "predicts_the_mean": Planted(_recipe(_data("linear", samples=900, features=2, noise=30), _TANH), 50),
    "diverged": Planted(_recipe(_data(standardize="none"), {"seed": 0}, learning_rate=50.0)),
    "will_diverge": Planted(EXHIBITS["too-high"].recipe, 4, "rate-3"),
    "rate_at_edge": Planted(
        _recipe(_data("chebyshev", samples=100, features=1), _WIDE, learning_rate=1.5), 99
    ),
    "rate_too_small": Planted(_recipe(_data(), _TANH, learning_rate=1e-6)),
    "noise_floor": Planted(
        _recipe(_data("linear", samples=512, noise=0.5), _WIDE, learning_rate=0.05, batch_size=1), 1365
    ),
    "vanishing_gradients": Planted(EXHIBITS["vanishing"].recipe, run="gd"),
    "exploding_gradients": Planted(
        _recipe(
            _data(),
            _net(_layers(8, 16, "leaky_relu"), {"name": "normal", "scale": 1}),
            learning_rate=0.001,
            clip_norm=0.1,
        )
    ),
    "saturated_units": Planted(
        _recipe(_data(), _net(_layers(1, 8, "tanh"), {"name": "normal", "scale": 20}), learning_rate=0.001)
    ),
    "symmetric_units": Planted(EXHIBITS["zeros"].recipe, run="adam"),
    "overfitting": Planted(
        _recipe(
            _data("sine", samples=60, features=2, noise=0.5, test_fraction=0.5),
            _net(_layers(2, 16, "tanh")),
            optimizer="adam",
            learning_rate=0.01,
        ),
        6,
    ),
    "small_batch": Planted(
        _recipe(_data("linear", samples=512, noise=3), _WIDE, learning_rate=0.1, batch_size=1), 350
    ),
    "wasteful_batch": Planted(
        _recipe(_data("linear", samples=900, features=3), _TANH, learning_rate=0.005), 50
    ),
    "stuck": Planted(
        _recipe(
            _data("two_spirals", features=2),
            _net(_layers(1, 8, "leaky_relu")),
            optimizer="adam",
            learning_rate=1,
            batch_size=4,
        ),
        400,
    ),
    "spike": Planted(
        _recipe(
            _data("sine", features=2),
            _net(_layers(2, 12, "tanh")),
            optimizer="momentum",
            learning_rate=0.2,
        ),
        215,
    ),
    "worse_than_before": Planted(
        _recipe(
            _data("linear", noise=0.3),
            _WIDE,
            learning_rate=0.02,
            batch_size=1,
            edits=[{"at_step": 300, "learning_rate": 0.15}],
        ),
        376,
    ),
    "plateau": Planted(_recipe(_data("gaussian_hills", features=2), _net([]), learning_rate=0.3), 200),
    "healthy": Planted(_recipe(_data(), _TANH)),
}
"""All rules except unscaled_inputs, which needs an uploaded table."""

_DATA: list[Json] = [
    {"name": "log_linear"},
    {"name": "linear", "noise": 0.1},
    {"name": "sine", "features": 2},
    {"name": "chebyshev", "features": 1},
    {"name": "moons", "features": 2, "noise": 0.1},
    {"name": "circle", "features": 2},
    {"name": "two_gaussians", "features": 2},
    {"name": "xor", "features": 2},
    {"name": "gaussian_hills", "features": 2},
    {"name": "plane", "features": 2},
]
_HOW: list[Json] = [
    {"learning_rate": 0.1},
    {"optimizer": "momentum", "learning_rate": 0.02},
    {"optimizer": "adam", "learning_rate": 0.01},
    {"learning_rate": 0.05, "batch_size": 4},
    {"learning_rate": 0.05, "batch_size": 32},
]
_NETS = [([12, 12], "tanh", "xavier_normal"), ([16, 16], "relu", "he_normal"),
         ([12], "tanh", "lecun"), ([24], "relu", "he_normal")]  # fmt: skip


def healthy_recipes() -> Iterator[Recipe]:
    """Yield 200 recipes: ten data sets, five methods and four networks."""
    for place, data in enumerate(_DATA):
        for method, how in enumerate(_HOW):
            for number, (units, activation, weights) in enumerate(_NETS):
                layers = [{"units": each, "activation": activation} for each in units]
                seed = 10 * place + number + 1
                settings = {
                    "samples": 400,
                    "test_fraction": 0.25,
                    "standardize": "both",
                    "seed": seed,
                    **data,
                }
                yield _recipe(settings, _net(layers, weights, seed + method), **how)
