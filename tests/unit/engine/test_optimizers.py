"""Every method agrees with PyTorch, its formula, and the theory on a quadratic."""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from fallline.engine.methods.optimizers import OPTIMIZERS
from support.aliases import Array, Json

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "optimizers.json").read_text())
Vector = Sequence[float] | Array


def steps(
    name: str, learning_rate: float, own: dict[str, float], start: Vector, gradients: Sequence[Vector] | Array
) -> Iterator[Array]:
    row = OPTIMIZERS[name]
    parameters = np.array(start, dtype=float)
    slots = row.start(len(start))
    for gradient in gradients:
        row.update(parameters, np.array(gradient), slots, learning_rate, row.filled(own))
        yield parameters.copy()


@pytest.mark.parametrize("path", GOLDEN["paths"], ids=lambda path: f"{path['optimizer']} {path['own']}")
def test_the_path_is_pytorchs(path: Json) -> None:
    walked = list(
        steps(path["optimizer"], path["learning_rate"], path["own"], GOLDEN["start"], path["gradients"])
    )
    # A method with tables mixes all entries, so the rounding of a large one reaches a small one.
    atol = 1e-12 if OPTIMIZERS[path["optimizer"]].tables else 1e-14
    assert np.allclose(walked, path["parameters"], rtol=1e-12, atol=atol)


def test_every_method_of_pytorch_has_a_golden_path() -> None:
    assert {path["optimizer"] for path in GOLDEN["paths"]} == OPTIMIZERS.keys() - {"lion"}, (
        "add it to tests/golden/make_optimizers.py, or, if PyTorch lacks it, to the exception here"
    )


def test_the_golden_path_would_notice_another_convention() -> None:
    """Scaling the gradient, v = momentum * v + rate * g, differs once the rate changes.

    epsilon inside the root differs at once.
    """
    (path,) = [
        path for path in GOLDEN["paths"] if path["optimizer"] == "adam" and path["own"]["epsilon"] == 1e-3
    ]
    own = {**path["own"], "epsilon": 1e-3**2}
    walked = list(steps("adam", path["learning_rate"], own, GOLDEN["start"], path["gradients"]))
    assert not np.allclose(walked, path["parameters"], rtol=1e-6)


# One number at a time, in plain floats, directly from the formulas.


def plainly(
    name: str, rate: float, own: dict[str, float], p: float, gradients: list[float]
) -> Iterator[float]:
    """The path of one parameter under gradients g of steps 1, 2, ..., as in the papers and PyTorch's documentation."""
    changes: list[float] = []
    for n in range(1, len(gradients) + 1):
        p -= rate * own.get("weight_decay", 0.0) * p
        changes.append(_change(name, own, gradients[:n], changes))
        p -= rate * changes[-1]
        yield p


def _change(name: str, own: dict[str, float], past: list[float], changes: list[float]) -> float:
    """The change over the rate, from all gradients so far and the changes before."""
    n, g = len(past), past[-1]
    squares = [each**2 for each in past]
    match name:
        case "sgd":
            return g
        case "momentum":
            return _sum(own["momentum"], past)
        case "dampened_momentum":
            return _sum(own["momentum"], [past[0], *((1 - own["dampening"]) * each for each in past[1:])])
        case "nesterov":
            return g + own["momentum"] * _sum(own["momentum"], past)
        case "adagrad":
            return g / (math.sqrt(math.fsum(squares)) + own["epsilon"])
        case "adadelta":
            usual_change = math.sqrt(_mean(own["decay"], [each**2 for each in changes]) + own["epsilon"])
            return usual_change / math.sqrt(_mean(own["decay"], squares) + own["epsilon"]) * g
        case "rmsprop":
            return g / (math.sqrt(_mean(own["decay"], squares)) + own["epsilon"])
        case "rmsprop_momentum":
            ends = range(1, n + 1)
            return _sum(own["momentum"], [_change("rmsprop", own, past[:end], []) for end in ends])
        case "rmsprop_centered":
            scaled = []
            for end in range(1, n + 1):
                variance = _mean(own["decay"], squares[:end]) - _mean(own["decay"], past[:end]) ** 2
                scaled.append(past[end - 1] / (math.sqrt(variance) + own["epsilon"]))
            return _sum(own["momentum"], scaled)
        case "lion":
            way = own["beta1"] * _mean(own["beta2"], past[:-1]) + (1 - own["beta1"]) * g
            return math.copysign(1.0, way)
    assert "beta1" in own, f"write the formula of {name} here"
    return _change_of_adam(name, own, past)


def _change_of_adam(name: str, own: dict[str, float], past: list[float]) -> float:
    """Adam and its variants."""
    n, g, beta1, beta2, epsilon = len(past), past[-1], own["beta1"], own["beta2"], own["epsilon"]
    squares = [each**2 for each in past]
    unbiased = _mean(beta1, past) / (1 - beta1**n)
    square = _mean(beta2, squares) / (1 - beta2**n)
    if name == "adamax":
        return unbiased / max(
            beta2 ** (n - k) * (abs(each) + epsilon) for k, each in enumerate(past, start=1)
        )
    if name == "amsgrad":
        largest = max(_mean(beta2, squares[:end]) for end in range(1, n + 1))
        return unbiased / (math.sqrt(largest / (1 - beta2**n)) + epsilon)
    if name == "nadam":
        mu: list[float] = [beta1 * (1 - 0.5 * 0.96 ** (k * own["momentum_decay"])) for k in range(1, n + 2)]
        ahead = mu[-1] * _mean(beta1, past) / (1 - math.prod(mu))
        return (ahead + (1 - mu[-2]) * g / (1 - math.prod(mu[:-1]))) / (math.sqrt(square) + epsilon)
    if name == "radam":
        longest = 2 / (1 - beta2) - 1
        rho = longest - 2 * n * beta2**n / (1 - beta2**n)
        if rho <= 5:
            return unbiased
        rectifier = math.sqrt((rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho))
        return unbiased * rectifier * math.sqrt(1 - beta2**n) / (math.sqrt(_mean(beta2, squares)) + epsilon)
    return unbiased / (math.sqrt(square) + epsilon)


def _sum(share: float, values: list[float]) -> float:
    """The sum that keeps a share of itself at each value."""
    return math.fsum(share ** (len(values) - k) * value for k, value in enumerate(values, start=1))


def _mean(decay: float, values: list[float]) -> float:
    """The exponential mean from 0."""
    return (1 - decay) * _sum(decay, values)


@pytest.mark.parametrize("are_others", [False, True], ids=["defaults", "others"])
@pytest.mark.parametrize("name", [name for name, row in OPTIMIZERS.items() if not row.tables])
def test_the_path_is_the_formulas(name: str, are_others: bool) -> None:
    row = OPTIMIZERS[name]
    own = {}
    if are_others:
        own = {
            parameter.name: 0.03 if parameter.name == "epsilon" else 0.6 * parameter.default or 0.3
            for parameter in row.parameters
        }
    gradients = np.random.default_rng(3).standard_normal((40, 3)) * [1e-3, 1.0, 50.0]
    walked = np.array(list(steps(name, 0.02, own, [1.0, -2.0, 3.0], gradients)))
    for column, start in enumerate([1.0, -2.0, 3.0]):
        expected = list(plainly(name, 0.02, row.filled(own), start, gradients[:, column].tolist()))
        assert np.allclose(walked[:, column], expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("size", [1, 2, 5, 10])
def test_lbfgs_steps_by_the_matrix_of_bfgs(size: int) -> None:
    """The inverse Hessian as a matrix, updated pair by pair: Nocedal and Wright 2006, equation 6.17."""
    curvature = np.diag([0.3, 1.0, 4.0]) + 0.2
    p, row, rate = np.array([3.0, -2.0, 1.0]), OPTIMIZERS["lbfgs"], 0.4
    slots, pairs, expected = row.start(3), list[tuple[Array, Array]](), p.copy()
    last_gradient, last_change = np.zeros(3), np.zeros(3)
    for n in range(25):
        gradient = curvature @ expected + 0.3 * np.sin(3.0 * expected)
        bend = gradient - last_gradient
        if n and bend.dot(last_change) > 1e-10:
            pairs = [*pairs, (last_change, bend)][-size:]
        H = np.eye(3)
        if pairs:
            s, y = pairs[-1]
            H *= s.dot(y) / y.dot(y)
        for s, y in pairs:
            V = np.eye(3) - np.outer(y, s) / y.dot(s)
            H = V.T @ H @ V + np.outer(s, s) / y.dot(s)
        last_gradient, last_change = gradient, -rate * (H @ gradient)
        if n == 0:
            last_change = last_change * min(1.0, 1.0 / np.abs(gradient).sum())
        expected = expected + last_change
        row.update(p, gradient, slots, rate, row.filled({"history_size": size}))
        assert np.allclose(p, expected, rtol=1e-9, atol=1e-11), n
        p = expected.copy()  # rounding would grow


def test_lbfgs_leaves_out_a_pair_along_which_the_gradient_falls() -> None:
    slots = OPTIMIZERS["lbfgs"].start(1)
    p, own = np.ones(1), OPTIMIZERS["lbfgs"].filled({})
    for gradient in (1.0, 2.0):  # downhill it became steeper
        OPTIMIZERS["lbfgs"].update(p, np.array([gradient]), slots, 0.5, own)
    assert not slots["steps"].any()
    assert p == pytest.approx([1.0 - 0.5 - 0.5 * 2.0])


def test_lbfgs_solves_a_parabola_of_few_dimensions() -> None:
    curvature = np.array([0.01, 0.1, 1.0])
    walked = walk_on_quadratic("lbfgs", 1.0, {}, curvature, 20)
    assert np.abs(walked[-1]).max() < 1e-6


def test_the_first_step_of_adam_is_the_rate_times_the_sign_v15() -> None:
    gradient = np.array([3.0, -0.2, 1e-3, 1e-9, 0.0])
    (after,) = steps("adam", 0.01, {}, np.zeros(5), [gradient])
    assert np.allclose(after, -0.01 * gradient / (np.abs(gradient) + 1e-8), rtol=1e-12, atol=0)


def test_momentum_scales_the_whole_velocity_by_the_rate() -> None:
    first, second = steps("momentum", 0.1, {"momentum": 0.5}, [0.0], [[1.0], [1.0]])
    assert first == pytest.approx([-0.1])
    assert second == pytest.approx([-0.1 - 0.15])


def test_under_a_steady_gradient_adagrad_slows_as_one_over_the_root_of_steps() -> None:
    walked = np.array(list(steps("adagrad", 0.1, {}, [0.0], [[7.0]] * 100)))[:, 0]
    assert np.allclose(-np.diff(walked), 0.1 / np.sqrt(np.arange(2, 101)), rtol=1e-9)


def test_under_a_steady_gradient_rmsprop_goes_by_the_rate_however_steep_it_is() -> None:
    for steep in (1e-3, 1.0, 1e3):
        walked = np.array(list(steps("rmsprop", 0.1, {"decay": 0.5}, [0.0], [[steep]] * 60)))[:, 0]
        assert -np.diff(walked)[-1] == pytest.approx(0.1, rel=1e-4)


def test_the_decay_of_adamw_needs_no_gradient_and_adam_has_none() -> None:
    *_, after = steps("adamw", 0.1, {"weight_decay": 0.5}, [2.0, -4.0], [[0.0, 0.0]] * 10)
    assert np.allclose(after, np.array([2.0, -4.0]) * 0.95**10, rtol=1e-14)
    *_, after = steps("adam", 0.1, {}, [2.0, -4.0], [[0.0, 0.0]] * 10)
    assert after.tolist() == [2.0, -4.0]


# ---------------------------------------------------------------------- on a quadratic, f(p) = curvature * p**2 / 2


def walk_on_quadratic(name: str, rate: float, own: dict[str, float], curvature: Array, count: int) -> Array:
    row, p = OPTIMIZERS[name], np.ones(len(np.atleast_1d(curvature)))
    slots, walked = row.start(len(p)), [p.copy()]
    for _ in range(count):
        row.update(p, curvature * p, slots, rate, row.filled(own))
        walked.append(p.copy())
    return np.array(walked)


def test_gd_on_a_quadratic_shrinks_by_one_minus_rate_times_curvature_v1() -> None:
    curvature = np.array([0.01, 0.1, 1.0])
    rate = 2 / (0.01 + 1.0)
    walked = walk_on_quadratic("sgd", rate, {}, curvature, 500)
    expected = (1 - rate * curvature) ** np.arange(501)[:, None]
    assert np.allclose(walked, expected, rtol=1e-9, atol=1e-12)
    assert abs(walked[500, 0] / walked[499, 0]) == pytest.approx(99 / 101, rel=1e-12)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("momentum", lambda share: 2 + 2 * share),
        ("nesterov", lambda share: (2 + 2 * share) / (1 + 2 * share)),
    ],
)
def test_momentum_holds_up_to_its_limit_and_not_beyond_v2(
    name: str, limit: Callable[[float], float], share: float
) -> None:
    """Heavy ball: rate * curvature < 2 + 2 momentum; Nesterov: divided by 1 + 2 momentum.

    Nesterov's matrix of (v, p) has determinant momentum (1 - rate * curvature). Its trace is 1 + momentum - rate *
    curvature (1 + momentum). An eigenvalue is -1 at (2 + 2 momentum) / (1 + 2 momentum).
    """
    edge = limit(share)
    within = np.abs(walk_on_quadratic(name, 0.99 * edge, {"momentum": share}, np.ones(1), 4000)[:, 0])
    beyond = np.abs(walk_on_quadratic(name, 1.01 * edge, {"momentum": share}, np.ones(1), 1500)[:, 0])
    assert within[-1] < 1e-6
    assert beyond[-1] > 1e6


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize(
    ("name", "determinant"),
    [("momentum", lambda share: share), ("nesterov", lambda share: share * (1 - 0.3))],
)
def test_swings_shrink_by_the_root_of_the_determinant_v2(
    name: str, determinant: Callable[[float], float], share: float
) -> None:
    """Positions obey p[n + 1] = trace p[n] - determinant p[n - 1].

    So p[n]**2 - p[n + 1] p[n - 1] shrinks by the determinant at each step. Heavy ball's is the momentum, Nesterov's
    momentum (1 - rate * curvature).
    """
    p = walk_on_quadratic(name, 0.3, {"momentum": share}, np.ones(1), 30)[:, 0]
    area = p[1:-1] ** 2 - p[2:] * p[:-2]
    assert np.allclose(area[1:] / area[:-1], determinant(share), rtol=1e-6)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_update_leaves_the_gradient_alone(name: str) -> None:
    gradient = np.array([1.0, -2.0])
    gradient.setflags(write=False)
    row = OPTIMIZERS[name]
    row.update(np.zeros(2), gradient, row.start(2), 0.1, row.filled({}))
    assert gradient.tolist() == [1.0, -2.0]


def test_settings_left_out_are_the_rows_defaults() -> None:
    assert OPTIMIZERS["adam"].filled({"beta1": 0.5}) == {"beta1": 0.5, "beta2": 0.999, "epsilon": 1e-8}
