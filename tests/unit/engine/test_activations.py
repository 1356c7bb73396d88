"""Activations at critical inputs."""

import numpy as np
import pytest

from fallline.engine.methods.activations import ACTIVATIONS

FAR = np.array([[-1e308, -800.0, -40.0, -1.0, 0.0, 1.0, 40.0, 800.0, 1e308]])


def test_the_sigmoid_never_overflows_and_keeps_small_outputs() -> None:
    with np.errstate(all="raise", under="ignore"):
        a = ACTIVATIONS["sigmoid"](FAR)[0]
    assert a[0] == 0.0
    assert a[2] == pytest.approx(np.exp(-40.0), rel=1e-12)
    assert a[4] == 0.5
    assert a[-1] == 1.0


def test_the_sigmoid_is_not_the_notebooks_slip() -> None:
    """`1 / 1 + exp(-x)` parses as `(1 / 1) + exp(-x)`, which is above 1 everywhere."""
    assert ((ACTIVATIONS["sigmoid"](FAR) >= 0) & (ACTIVATIONS["sigmoid"](FAR) <= 1)).all()


def test_relu_has_slope_zero_at_zero() -> None:
    row, z = ACTIVATIONS["relu"], np.array([-1.0, 0.0, 1e-300, 2.0])
    assert row(z).tolist() == [0.0, 0.0, 1e-300, 2.0]
    assert row.derivative(z, row(z)).tolist() == [0.0, 0.0, 1.0, 1.0]


def test_leaky_relu_keeps_a_hundredth() -> None:
    row, z = ACTIVATIONS["leaky_relu"], np.array([-3.0, 2.0])
    assert row(z).tolist() == [-0.03, 2.0]
    assert row.derivative(z, row(z)).tolist() == [0.01, 1.0]


def test_elu_keeps_small_numbers_and_its_slope_next_to_the_floor() -> None:
    row, z = ACTIVATIONS["elu"], np.array([-1e308, -50.0, -1e-20, 0.0, 1e-20, 3.0, 1e308])
    a = row(z)
    assert a.tolist() == [-1.0, -1.0, -1e-20, 0.0, 1e-20, 3.0, 1e308]
    assert row.derivative(z, a).tolist() == [0.0, np.exp(-50.0), 1.0, 1.0, 1.0, 1.0, 1.0]


def test_gelu_is_the_exact_one() -> None:
    """z times the normal distribution below z, from tables; not the approximation by tanh."""
    row, z = ACTIVATIONS["gelu"], np.array([-1e308, -10.0, -1.0, 0.0, 1.0, 10.0, 1e308])
    a = row(z)
    expected = [0.0, -7.619853024160526e-23, -0.15865525393145707, 0.0, 0.8413447460685429, 10.0, 1e308]
    assert a == pytest.approx(expected, rel=1e-14)
    slopes = row.derivative(z, a)
    assert slopes == pytest.approx([0.0, slopes[1], -0.0833154705876864, 0.5, 1.0833154705876864, 1.0, 1.0])
    assert slopes[1] == pytest.approx(-7.622e-22, rel=1e-3)
    tanh_form = 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (1 + 0.044715)))
    assert abs(a[4] - tanh_form) > 1e-4


def test_gelu_has_a_slope_where_its_output_is_0() -> None:
    row = ACTIVATIONS["gelu"]
    for z in (0.0, -0.0, 5e-324, -1e-310):
        assert row.derivative(np.array([z]), row(np.array([z]))).tolist() == [0.5]


def test_softplus_never_overflows_and_keeps_small_outputs() -> None:
    row = ACTIVATIONS["softplus"]
    with np.errstate(all="raise", under="ignore"):
        a = row(FAR)
        slopes = row.derivative(FAR, a)
    assert a[0] == pytest.approx([0.0, 0.0, np.exp(-40.0), np.log1p(np.exp(-1)), np.log(2), 1 + np.log1p(np.exp(-1)),
                                  40.0, 800.0, 1e308], rel=1e-14)  # fmt: skip
    assert slopes[0] == pytest.approx(ACTIVATIONS["sigmoid"](FAR)[0], rel=1e-15)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_no_activation_warns_anywhere(name: str) -> None:
    """Warnings are errors in tests; in a server they would fill the log."""
    row = ACTIVATIONS[name]
    assert np.isfinite(row.derivative(FAR, row(FAR))).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_only_a_unit_that_dies_is_exactly_off_with_slope_zero_on_a_whole_side(name: str) -> None:
    row, z = ACTIVATIONS[name], -np.geomspace(1e-3, 30.0, 50)
    a = row(z)
    assert (not a.any() and not row.derivative(z, a).any()) == row.dies


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_that_are_not_finite_stay_visible(name: str) -> None:
    assert np.isnan(ACTIVATIONS[name](np.array([np.nan]))).all()
