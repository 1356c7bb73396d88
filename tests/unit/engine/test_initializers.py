"""Initializers draw their distribution, and always the same numbers for a seed."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.methods.initializers import INITIALIZERS, Initializer
from fallline.engine.problem import build_problem
from fallline.engine.randomness import rng_for
from fallline.vocabulary.recipe import DataSettings, NetworkSettings
from support.aliases import Array, Json

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "initial_parameters.json").read_text())
INTO, OUT = 300, 200
NORMAL = {
    "normal": 1.0,
    "he": math.sqrt(2 / INTO),
    "he_normal": math.sqrt(2 / INTO),
    "xavier": math.sqrt(2 / (INTO + OUT)),
    "xavier_normal": math.sqrt(2 / (INTO + OUT)),
    "lecun": math.sqrt(1 / INTO),
}
UNIFORM = {
    "uniform": 1.0,
    "he_uniform": math.sqrt(6 / INTO),
    "xavier_uniform": math.sqrt(6 / (INTO + OUT)),
    "pytorch": 1 / math.sqrt(INTO),
}


def draw(name: str, into: int = INTO, out: int = OUT, scale: float | None = None, seed: int = 5) -> Array:
    own = {} if scale is None else {"scale": scale}
    return INITIALIZERS[name].draw(rng_for(seed, "weights"), (into, out), into, out, **own)


def distance(values: Array, below: Callable[[float], float]) -> float:
    """Kolmogorov's distance between an empirical and an expected distribution.

    It is scaled so that it exceeds 1.63 in 1 of 100 cases if the distributions are equal.
    """
    ordered = np.sort(values.ravel())
    expected = np.array([below(x) for x in ordered])
    places = np.arange(len(ordered) + 1) / len(ordered)
    gap = max(np.abs(expected - places[1:]).max(), np.abs(expected - places[:-1]).max())
    return float(gap * math.sqrt(len(ordered)))


def normal_below(spread: float) -> Callable[[float], float]:
    return lambda x: 0.5 * math.erfc(-x / (spread * math.sqrt(2)))


def uniform_below(bound: float) -> Callable[[float], float]:
    return lambda x: 0.5 * (x / bound + 1)


@pytest.mark.parametrize(("name", "spread"), NORMAL.items())
def test_a_normal_form_draws_the_normal_distribution_of_its_spread(name: str, spread: float) -> None:
    values = draw(name)
    assert distance(values, normal_below(spread)) < 1.63
    assert distance(values, normal_below(1.05 * spread)) > 1.63


@pytest.mark.parametrize(("name", "bound"), UNIFORM.items())
def test_a_uniform_form_draws_evenly_up_to_its_bound(name: str, bound: float) -> None:
    values = draw(name)
    assert np.abs(values).max() <= bound
    assert distance(values, uniform_below(bound)) < 1.63
    assert distance(values, uniform_below(1.05 * bound)) > 1.63


@pytest.mark.parametrize("name", ["he", "xavier"])
def test_both_forms_have_one_spread_and_the_short_name_is_the_normal_form(name: str) -> None:
    assert np.array_equal(draw(name), draw(f"{name}_normal"))
    assert INITIALIZERS[f"{name}_normal"].same_as == name
    assert np.std(draw(f"{name}_uniform")) == pytest.approx(np.std(draw(name)), rel=0.01)


@pytest.mark.parametrize("name", ["normal", "uniform"])
def test_a_scale_multiplies(name: str) -> None:
    assert np.allclose(draw(name, scale=0.25), 0.25 * draw(name), rtol=1e-15)
    assert not draw(name, scale=0.0).any()


def test_zeros_are_zeros() -> None:
    assert not draw("zeros").any()


def test_constant_biases_have_their_value_and_weights_stay_as_they_are() -> None:
    for biases, value in (("constant", 0.1), ({"name": "constant", "value": -0.3}, -0.3)):
        settings = NetworkSettings.model_validate({"weights": "he", "biases": biases})
        problem = build_problem(DataSettings(samples=10), settings, "mse")
        named = problem.named(problem.initial_parameters)
        assert all((named[name] == value).all() for name in ("b1", "b2", "b3"))
        assert np.array_equal(named["W1"], draw_layer("he"))


def draw_layer(name: str) -> Array:
    """The first weights of the default network by its seed."""
    return INITIALIZERS[name].draw(rng_for(0, "weights", 1), (5, 4), 5, 4)


def test_pytorchs_biases_have_the_bound_of_their_layers_inputs() -> None:
    layers = [{"units": 50, "activation": "tanh"}, {"units": 400, "activation": "tanh"}]
    settings = NetworkSettings.model_validate({"layers": layers, "weights": "pytorch", "biases": "pytorch"})
    problem = build_problem(DataSettings(samples=10, features=5), settings, "mse")
    named = problem.named(problem.initial_parameters)
    for layer, fan_in in ((1, 5), (2, 50)):
        bound = 1 / math.sqrt(fan_in)
        for name in (f"W{layer}", f"b{layer}"):
            assert 0.9 * bound < np.abs(named[name]).max() <= bound
    assert abs(named["b3"].item()) <= 1 / math.sqrt(400)


@pytest.mark.parametrize(("into", "out"), [(7, 7), (9, 4), (4, 9), (1, 5), (5, 1), (1, 1)])
def test_orthogonal_weights_keep_lengths_as_far_as_there_is_room(into: int, out: int) -> None:
    W = draw("orthogonal", into, out)
    assert W.shape == (into, out)
    within = W.T @ W if into >= out else W @ W.T
    assert np.abs(within - np.eye(min(into, out))).max() < 1e-14


def turns(row: Initializer, count: int = 4000) -> Array:
    """The traces of many orthogonal 3 by 3 matrices."""
    rng = np.random.default_rng(8)
    return np.array([np.trace(row.draw(rng, (3, 3), 3, 3)) for _ in range(count)])


def test_every_rotation_is_as_likely_as_every_other() -> None:
    """The trace has mean 0 and mean square 1 (Diaconis and Evans 2001), even with wrong signs."""
    sums = turns(INITIALIZERS["orthogonal"])
    assert abs(sums.mean()) < 4 / math.sqrt(len(sums))
    assert np.mean(sums**2) == pytest.approx(1.0, abs=0.1)


def test_the_bare_factor_of_lapack_would_be_noticed() -> None:
    """Control: without the choice of signs the check fails."""

    def lapacks(rng: np.random.Generator, shape: tuple[int, int], fan_in: int, fan_out: int) -> Array:
        return np.linalg.qr(rng.standard_normal(shape))[0]

    bare = replace(INITIALIZERS["orthogonal"], function=lapacks)
    assert abs(turns(bare).mean()) > 10 / math.sqrt(4000)


@pytest.mark.parametrize(
    ("name", "activation"),
    [
        ("he", "relu"),
        ("he_uniform", "relu"),
        ("lecun", "identity"),
        ("orthogonal", "identity"),
        ("xavier", "identity"),
    ],
)
def test_signals_keep_their_size_through_ten_layers(name: str, activation: str) -> None:
    """The mean square of pre-activations, which each of these initializers preserves."""
    assert 0.5 < growth(name, activation) < 2.0


def test_signals_do_not_keep_their_size_where_the_initializer_is_made_for_others() -> None:
    assert growth("lecun", "relu") < 2**-7
    assert growth("he", "identity") > 2**7


def growth(name: str, activation: str) -> float:
    """Mean square of the tenth layer's pre-activations relative to the first's."""
    a = np.random.default_rng(2).standard_normal((500, INTO))
    sizes = []
    for layer in range(10):
        z = a @ draw(name, INTO, INTO, seed=layer)
        sizes.append(float(np.mean(z**2)))
        a = ACTIVATIONS[activation](z)
    return sizes[-1] / sizes[0]


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: json.dumps(golden["network"]))
def test_a_recipe_begins_where_it_always_began(golden: Json) -> None:
    """Bit for bit the numbers at the first release; another NumPy may draw differently."""
    settings = NetworkSettings.model_validate(golden["network"])
    flat = build_problem(DataSettings(samples=10), settings, "mse").initial_parameters
    assert float(flat[0]).hex() == golden["first"]
    assert hashlib.sha256(flat.tobytes()).hexdigest() == golden["sha256"]
