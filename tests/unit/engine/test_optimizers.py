"""Momentum and Adam are PyTorch's; a method's memory is plain data."""

import json
from pathlib import Path

import numpy as np
import pytest

from fallline.engine.optimizers import OPTIMIZERS

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "optimizers.json").read_text())


def steps(name, learning_rate, own, start, gradients):
    row = OPTIMIZERS[name]
    parameters = np.array(start)
    slots, work = row.start(len(start)), np.empty((2, len(start)))
    for gradient in gradients:
        row.update(parameters, np.array(gradient), slots, learning_rate, row.filled(own), work)
        yield parameters.copy()


@pytest.mark.parametrize("path", GOLDEN["paths"], ids=lambda path: f"{path['optimizer']} {path['own']}")
def test_the_path_is_pytorchs(path):
    walked = list(
        steps(path["optimizer"], path["learning_rate"], path["own"], GOLDEN["start"], path["gradients"])
    )
    assert np.allclose(walked, path["parameters"], rtol=1e-12, atol=1e-14)


def test_the_golden_path_would_notice_another_convention():
    """Scaling the gradient instead of the velocity, v = momentum * v + rate * g, is another path once the rate changes;
    epsilon inside the root is another path at once."""
    (path,) = [path for path in GOLDEN["paths"] if path["own"].get("epsilon") == 1e-3]
    own = {**path["own"], "epsilon": 1e-3**2}
    walked = list(steps("adam", path["learning_rate"], own, GOLDEN["start"], path["gradients"]))
    assert not np.allclose(walked, path["parameters"], rtol=1e-6)


def test_the_first_step_of_adam_is_the_rate_times_the_sign_v15():
    gradient = np.array([3.0, -0.2, 1e-3, 1e-9, 0.0])
    (after,) = steps("adam", 0.01, {}, np.zeros(5), [gradient])
    assert np.allclose(after, -0.01 * gradient / (np.abs(gradient) + 1e-8), rtol=1e-12, atol=0)


def test_momentum_scales_the_whole_velocity_by_the_rate():
    first, second = steps("momentum", 0.1, {"momentum": 0.5}, [0.0], [[1.0], [1.0]])
    assert first == pytest.approx([-0.1])
    assert second == pytest.approx([-0.1 - 0.15])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_update_leaves_the_gradient_alone(name):
    gradient = np.array([1.0, -2.0])
    gradient.setflags(write=False)
    row = OPTIMIZERS[name]
    row.update(np.zeros(2), gradient, row.start(2), 0.1, row.filled({}), np.empty((2, 2)))


def test_settings_left_out_are_the_rows_defaults():
    assert OPTIMIZERS["adam"].filled({"beta1": 0.5}) == {"beta1": 0.5, "beta2": 0.999, "epsilon": 1e-8}
