"""The textbook backward pass is the derivative of the forward pass, with its symmetries."""

from __future__ import annotations

from itertools import product
from types import ModuleType
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
import pytest

from fallline.engine import network
from fallline.engine.measures.probes import next_gradient
from fallline.engine.methods import activations, losses
from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.methods.losses import LOSSES, Loss
from fallline.engine.problem import Problem, build_problem, layout_of
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.vocabulary.recipe import DataSettings, NetworkSettings, RunRecipe
from support.aliases import Array
from support.gradient_check import numerical_gradient, planted, relative_error

HIDDEN = {"no hidden layer": (), "one": (4,), "two": (4, 4), "three, uneven": (5, 1, 3)}
TOLERANCE = 1e-7

Traced = Any
"""A number or an array inside autograd, which has no types."""


class Case:
    """One activation, random data, random biases: at zero biases ReLU sits on its kinks (trap T1)."""

    def __init__(
        self, activation: str, hidden: tuple[int, ...], loss: str = "mse", output: str = "identity"
    ) -> None:
        rng = np.random.default_rng(11)
        self.loss = LOSSES[loss]
        classes = 0 if self.loss.fits(0) else self.loss.most_classes or 3
        self.X = rng.standard_normal((40, 3))
        self.y = rng.integers(0, classes, (40, 1)).astype(float) if classes else rng.standard_normal((40, 1))
        self.names = (activation,) * len(hidden) + (output,)
        self.layout = layout_of((3, *hidden, self.loss.outputs(classes)))
        self.flat = rng.standard_normal(self.layout.count) * 0.7

    def gradient(self, under_test: ModuleType = network, table: dict[str, Loss] = LOSSES) -> Array:
        parameters = self.layout.named(self.flat)
        passed = under_test.forward(parameters, self.names, self.X)
        dy_pred = table[self.loss.name].gradient(passed.y_pred, self.y)
        gradients = under_test.backward(parameters, self.names, passed, dy_pred)
        return np.concatenate([gradients[name].ravel() for name in self.layout.names])

    def descended(self, flat: Array) -> float:
        """The objective: the reported loss, or half of it for mse."""
        passed = network.forward(self.layout.named(flat), self.names, self.X)
        return (0.5 if self.loss.name == "mse" else 1.0) * self.loss(passed.y_pred, self.y)


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_gradient_is_the_central_difference(
    activation: str, loss: str, hidden: tuple[int, ...]
) -> None:
    case = Case(activation, hidden, loss)
    assert relative_error(case.gradient(), numerical_gradient(case.descended, case.flat)) < TOLERANCE


@pytest.mark.parametrize("output", ACTIVATIONS)
def test_the_output_may_have_any_activation(output: str) -> None:
    case = Case("tanh", (4,), output=output)
    assert relative_error(case.gradient(), numerical_gradient(case.descended, case.flat)) < TOLERANCE


def erf(x: Traced) -> Traced:
    """Kummer's series, all of one sign: 2 / sqrt(pi) exp(-x**2) (x + 2 x**3 / 3 + 4 x**5 / 15 + ...)."""
    total = term = x
    for n in range(1, 120):
        term = term * x * x * 2 / (2 * n + 1)
        total = total + term
    return 2 / anp.sqrt(anp.pi) * anp.exp(-x * x) * total


AUTOGRAD = {
    "relu": lambda z: anp.maximum(z, 0.0),
    "leaky_relu": lambda z: anp.where(z > 0, z, 0.01 * z),
    "elu": lambda z: anp.where(z > 0, z, anp.expm1(anp.minimum(z, 0.0))),
    "gelu": lambda z: 0.5 * z * (1.0 + erf(z / np.sqrt(2.0))),
    "softplus": lambda z: anp.logaddexp(0.0, z),
    "tanh": anp.tanh,
    "sigmoid": lambda z: 0.5 * (1.0 + anp.tanh(0.5 * z)),
    "identity": lambda z: z,
}


def autograd_huber(a: Traced, y: Array) -> Traced:
    error = anp.abs(a - y)
    return anp.mean(anp.where(error <= 1.0, 0.5 * error**2, error - 0.5))


def autograd_cross_entropy(a: Traced, y: Array) -> Traced:
    """Softmax cross-entropy over the columns; a single column is the second of two, the first is 0."""
    logits = a if a.shape[1] > 1 else anp.hstack([anp.zeros_like(a), a])
    true = np.arange(logits.shape[1]) == y
    return -anp.sum(true * (logits - anp.log(anp.sum(anp.exp(logits), axis=1, keepdims=True)))) / len(y)


AUTOGRAD_LOSSES = {
    "mse": lambda a, y: 0.5 * anp.mean((y - a) ** 2),
    "huber": autograd_huber,
    "binary_cross_entropy": autograd_cross_entropy,
    "softmax_cross_entropy": autograd_cross_entropy,
}


def autograd_gradient(case: Case) -> Array:
    def loss(flat: Traced) -> Traced:
        a = case.X
        for layer, name in enumerate(case.names):
            into, out = case.layout.sizes[layer : layer + 2]
            start = case.layout.offsets[2 * layer]
            weights = anp.reshape(flat[start : start + into * out], (into, out))
            a = AUTOGRAD[name](anp.dot(a, weights) + flat[start + into * out : start + (into + 1) * out])
        return AUTOGRAD_LOSSES[case.loss.name](a, case.y)

    gradient: Array = autograd.grad(loss)(case.flat)
    return gradient


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_gradient_is_autograds(activation: str, loss: str, hidden: tuple[int, ...]) -> None:
    assert activation in AUTOGRAD, f"write {activation} for autograd: a row of AUTOGRAD above"
    assert loss in AUTOGRAD_LOSSES, f"write {loss} for autograd: a row of AUTOGRAD_LOSSES above"
    case = Case(activation, hidden, loss)
    assert relative_error(case.gradient(), autograd_gradient(case)) < 1e-13


def test_dy_pred_is_the_notebooks() -> None:
    y_pred, y = np.array([[1.0], [4.0]]), np.array([[3.0], [3.0]])
    assert LOSSES["mse"](y_pred, y) == 2.5
    assert LOSSES["mse"].gradient(y_pred, y).tolist() == [[-1.0], [0.5]]


@pytest.mark.parametrize(
    ("module", "right", "wrong"),
    [
        (network, "dz = da * ACT", "dz = da + ACT"),
        (
            network,
            "z, a = passed.z[layer - 1], passed.a[layer - 1]",
            "z, a = passed.a[layer - 1], passed.z[layer - 1]",
        ),
        (network, "np.sum(dz, axis=0", "np.mean(dz, axis=0"),
        (network, "da = dz @ ", "da = da @ "),
        (activations, "np.subtract(1.0, np.multiply(", "np.subtract(2.0, np.multiply("),
        (activations, "np.maximum(np.sign(a, out), LEAK", "np.minimum(np.sign(a, out), LEAK"),
        (activations, "np.subtract(1.0, a, out)", "np.subtract(1.1, a, out)"),
        (losses, "np.subtract(y_pred, y, out)", "np.subtract(y, y_pred, out)"),
        (losses, "np.multiply(cut, share, out)", "np.multiply(error, share, out)"),
        (losses, "np.multiply(side * share,", "np.multiply(share,"),
        (losses, "np.put_along_axis(dy, true, -share", "np.put_along_axis(dy, true, share"),
        (losses, "np.multiply(e, share / (1.0 + rest), out)", "np.multiply(e, share / rest, out)"),
    ],
)
def test_a_planted_slip_of_one_character_is_caught(
    module: ModuleType, right: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: each planted error would look fine in the curves, and fails the check."""
    faulty = planted(module, right, wrong)
    table = faulty.LOSSES if module is losses else LOSSES
    if module is activations:
        monkeypatch.setattr(network, "ACTIVATIONS", faulty.ACTIVATIONS)
    errors = []
    for activation, loss in product(("leaky_relu", "tanh", "sigmoid"), LOSSES):
        case = Case(activation, (4, 4), loss)
        gradients = case.gradient(faulty if module is network else network, table)
        errors.append(relative_error(gradients, numerical_gradient(case.descended, case.flat)))
    assert max(errors) > TOLERANCE


def raw(activation: str = "relu") -> Problem:
    """100 samples of the notebook's data."""
    layers = [{"units": 4, "activation": activation}] * 2
    return build_problem(DataSettings(samples=100), NetworkSettings.model_validate({"layers": layers}), "mse")


GD = RunRecipe(name="gd", learning_rate=0.05)


def test_inflow_equals_outflow_of_a_relu_unit_v10() -> None:
    """<w_in, dw_in> + b db = <w_out, dw_out> for every hidden unit, at every step (Du, Hu, Lee 2018)."""
    problem = raw()
    state = begin(problem)
    for _ in range(150):
        g, _rows = next_gradient(problem, state, GD)
        p = problem.named(state.parameters)
        for k in (1, 2):
            into = (p[f"W{k}"] * g[f"W{k}"]).sum(axis=0) + (p[f"b{k}"] * g[f"b{k}"])[0]
            out = (p[f"W{k + 1}"] * g[f"W{k + 1}"]).sum(axis=1)
            scale = max(np.abs(into).max(), np.abs(out).max(), 1.0)
            assert np.abs(into - out).max() <= 1e-12 * scale
        advance(problem, state, GD, 1)


def test_the_balance_moves_only_by_the_square_of_the_rate_v10() -> None:
    """A GD step changes |w_in|^2 + b^2 - |w_out|^2 by exactly rate^2 (|dw_in|^2 + db^2 - |dw_out|^2)."""
    problem = raw()
    state = begin(problem)

    def balance(values: dict[str, Array], k: int) -> Array:
        into = (values[f"W{k}"] ** 2).sum(axis=0) + values[f"b{k}"][0] ** 2
        balance: Array = into - (values[f"W{k + 1}"] ** 2).sum(axis=1)
        return balance

    for _ in range(150):
        g, _rows = next_gradient(problem, state, GD)
        before = [balance(problem.named(state.parameters), k) for k in (1, 2)]
        advance(problem, state, GD, 1)
        for k in (1, 2):
            moved = balance(problem.named(state.parameters), k) - before[k - 1]
            scale = max(np.abs(before[k - 1]).max(), 1.0)
            assert np.abs(moved - GD.learning_rate**2 * balance(g, k)).max() <= 1e-12 * scale


def test_rescaling_a_relu_unit_changes_nothing_but_the_gradients_v11() -> None:
    """(c W1, c b1, W2 / c) is the same function; dW1 is divided by c, dW2 multiplied."""
    problem, c = raw(), 3.7
    state, scaled = begin(problem), begin(problem)
    p = problem.named(scaled.parameters)
    p["W1"] *= c
    p["b1"] *= c
    p["W2"] /= c
    names = problem.activations
    one = network.forward(problem.named(state.parameters), names, problem.X).y_pred
    other = network.forward(p, names, problem.X).y_pred
    assert relative_error(one, other) < 1e-12
    g, _ = next_gradient(problem, state, GD)
    h, _ = next_gradient(problem, scaled, GD)
    for name, factor in (("W1", 1 / c), ("b1", 1 / c), ("W2", c), ("b2", 1.0), ("W3", 1.0)):
        assert relative_error(h[name], factor * g[name]) < 1e-12
