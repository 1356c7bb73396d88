"""Activations at the places where they go wrong."""

import numpy as np
import pytest

from fallline.engine.activations import ACTIVATIONS

FAR = np.array([[-1e308, -800.0, -40.0, -1.0, 0.0, 1.0, 40.0, 800.0, 1e308]])


def test_the_sigmoid_never_overflows_and_keeps_small_outputs():
    with np.errstate(all="raise", under="ignore"):
        a = ACTIVATIONS["sigmoid"](FAR)[0]
    assert a[0] == 0.0
    assert a[2] == pytest.approx(np.exp(-40.0), rel=1e-12)
    assert a[4] == 0.5
    assert a[-1] == 1.0


def test_the_sigmoid_is_not_the_notebooks_slip():
    """`1 / 1 + exp(-x)` parses as `(1 / 1) + exp(-x)`, which is above 1 everywhere."""
    assert ((ACTIVATIONS["sigmoid"](FAR) >= 0) & (ACTIVATIONS["sigmoid"](FAR) <= 1)).all()


def test_relu_has_slope_zero_at_zero():
    a = ACTIVATIONS["relu"](np.array([-1.0, 0.0, 1e-300, 2.0]))
    assert a.tolist() == [0.0, 0.0, 1e-300, 2.0]
    assert ACTIVATIONS["relu"].derivative(a).tolist() == [0.0, 0.0, 1.0, 1.0]


def test_leaky_relu_keeps_a_hundredth():
    a = ACTIVATIONS["leaky_relu"](np.array([-3.0, 2.0]))
    assert a.tolist() == [-0.03, 2.0]
    assert ACTIVATIONS["leaky_relu"].derivative(a).tolist() == [0.01, 1.0]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_what_is_not_finite_stays_visible(name):
    assert np.isnan(ACTIVATIONS[name](np.array([np.nan]))).all()
