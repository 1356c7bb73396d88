"""Curved activations and parts of losses, as arithmetic for vector code.

An activation returns its value and its slope at one number. A library's exp, tanh, log and erf are calls, which keep
a loop from becoming vector code (measured: a step of 2-64-64-1 tanh takes 2.3 times as long). These functions have no
calls and no branches, and are within a few units in the last place of the library's. NaN stays NaN: a hidden NaN must
reach the loss, which is checked. Coefficients of exp: Moshier, Cephes mathematical library, exp.c; other sources are
next to their coefficients.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fallline.engine.kernels.compiled_code import compiled_as_written

LARGEST_EXPONENT = 708.0
"""The exponential of numbers up to this size is finite and positive."""

_ROUNDER = 6755399441055744.0
"""1.5 * 2**52: adding it rounds to an integer, stored in the low bits."""

_LOG2E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 6.93145751953125e-1, 1.42860682030941723212e-6
_LN2 = math.log(2.0)

_MANTISSA, _ONE = (1 << 52) - 1, 1023 << 52
"""Masks for the mantissa, and for sign and exponent of numbers from 1 to 2."""

_WHOLE, _WHOLE_FROM = 1075 << 52, 2.0**52 + 1023.0
"""High bits of a float that holds an integer in its low bits, and the offset to an exponent."""


@intrinsic
def _bits(context: Any, number: Any) -> Any:
    """The 64 bits of a float as an integer."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], target.get_value_type(types.int64))

    return types.int64(types.float64), generate


@intrinsic
def _float(context: Any, bits: Any) -> Any:
    """The float with these 64 bits."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], target.get_value_type(types.float64))

    return types.float64(types.int64), generate


def _polynomial(coefficients: Sequence[float]) -> Any:
    """A compiled polynomial c[0] + c[1] x + c[2] x**2 + ... in Horner's order."""

    @intrinsic
    def value(context: Any, x: Any) -> Any:
        def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            *rest, value = [ir.Constant(ir.DoubleType(), each) for each in coefficients]
            for each in reversed(rest):
                product = builder.fmul(value, arguments[0], flags=("contract",))
                value = builder.fadd(product, each, flags=("contract",))
            return value

        return types.float64(types.float64), generate

    return value


@compiled_as_written
def _fraction(x: float) -> tuple[int, float, float]:
    """k, p and q of e**x = 2**k (1 + p / q) for |x| <= LARGEST_EXPONENT.

    k is the bits that multiply a float by 2**k when added to it. The fraction keeps its digits near 0.
    """
    shifted = x * _LOG2E + _ROUNDER
    k = shifted - _ROUNDER
    rest = (x - k * _LN2_HIGH) - k * _LN2_LOW
    square = rest * rest
    odd = 1.26177193074810590878e-4 * square + 3.02994407707441961300e-2
    odd = rest * (odd * square + 9.99999999999999999910e-1)
    even = 3.00198505138664455042e-6 * square + 2.52448340349684104192e-3
    even = (even * square + 2.27265548208155028766e-1) * square + 2.0
    return _bits(shifted) << 52, 2.0 * odd, even - odd


@compiled_as_written
def _parts(x: float) -> tuple[int, float]:
    """The same as k and r = p / q."""
    up, p, q = _fraction(x)
    return up, p / q


@compiled_as_written
def exp(x: float) -> float:
    """e**x for |x| <= LARGEST_EXPONENT."""
    up, less = _parts(x)
    return _float(_bits(1.0 + less) + up)


# The next two use one denominator: a division takes as long as the rest of the function.


@compiled_as_written
def tanh(x: float) -> tuple[float, float]:
    """Hyperbolic tangent as (e - 1) / (e + 1) with e = exp(2 |x|)."""
    # From 20 on the result is 1 to the last bit.
    up, p, q = _fraction(2.0 * min(abs(x), 20.0))
    power = _float(_bits(1.0) + up)
    value = ((power - 1.0) * q + power * p) / ((power + 1.0) * q + power * p)
    value = value if x > 0.0 else -value
    value = value if x == x else x
    return value, 1.0 - value * value


@compiled_as_written
def sigmoid(x: float) -> tuple[float, float]:
    """1 / (1 + exp(-x)) without a large exponential; accurate for small outputs."""
    up, p, q = _fraction(-min(abs(x), LARGEST_EXPONENT))
    small = _float(_bits(1.0) + up) * (q + p)
    value = (q if x >= 0.0 else small) / (q + small)
    value = value if x == x else x
    return value, (1.0 - value) * value


@compiled_as_written
def elu(x: float) -> tuple[float, float]:
    """x on the right; exp(x) - 1 on the left, as (2**k - 1) + 2**k r, accurate near 0."""
    up, less = _parts(max(min(x, 0.0), -LARGEST_EXPONENT))
    power = _float(_bits(1.0) + up)
    low, slope = (power - 1.0) + power * less, power + power * less
    left = x <= 0.0
    return (low if left else x), (slope if left else 1.0)


_ATANH = (
    1.0, 0.33333333333341464, 0.1999999999760066, 0.142857145598293, 0.11111095244928297,
    0.09091434742190317, 0.07681764008993425, 0.06796313734910157, 0.04937216353009925,
    0.08896747832144307,
)  # fmt: skip
"""atanh(sqrt v) / sqrt v for 0 <= v <= 1/9, within 1e-16.

Interpolated at Chebyshev points with 60 digits.
"""

_atanh = _polynomial(_ATANH)


@compiled_as_written
def softplus(x: float) -> tuple[float, float]:
    """max(x, 0) + log(1 + u) with u = exp(-|x|); the slope is the sigmoid.

    log(1 + u) is computed as 2 atanh(u / (2 + u)).
    """
    small = exp(-min(abs(x), LARGEST_EXPONENT))
    ratio = small / (2.0 + small)
    value = max(x, 0.0) + 2.0 * ratio * _atanh(ratio * ratio)
    return (value if x == x else x), (1.0 if x >= 0.0 else small) / (1.0 + small)


@compiled_as_written
def exp_below(x: float) -> float:
    """e**x for any x <= 0."""
    value = exp(max(x, -LARGEST_EXPONENT)) if x > -LARGEST_EXPONENT else 0.0
    return value if x == x else x


@compiled_as_written
def log_one_plus(x: float) -> float:
    """log(1 + x) for x >= 0.

    With 1 + x = 2**k (1 + s) and k = 0 up to 1, so that a small x keeps its digits.
    """
    bits = _bits(1.0 + x)
    s = x if x <= 1.0 else _float((bits & _MANTISSA) | _ONE) - 1.0
    k = 0.0 if x <= 1.0 else _float((bits >> 52) | _WHOLE) - _WHOLE_FROM
    ratio = s / (2.0 + s)
    value = k * _LN2 + 2.0 * ratio * _atanh(ratio * ratio)
    return value if x == x else x


_TAIL = (
    0.7552851304157515, -0.6078966419718921, 0.3871374007422149, -0.18652185795965484,
    0.060396574890917876, -0.00754018896682524, -0.0034796923670479736, 0.001630818459394586,
    0.00013334430941183256, -0.00023109495324019437, -1.908246351414571e-06, 3.514479478753355e-05,
    7.166587641195121e-07, -5.920586519556891e-06, -6.298367338492369e-07, 1.0225604158296038e-06,
    2.7246296951145873e-07, -1.5650236461993106e-07, -8.686647015997893e-08, 1.4630727405651175e-08,
    2.1427603843452355e-08, 1.4329918401088613e-09, -3.73064508186837e-09, -8.546521899880147e-10,
    3.403312308649495e-10, 1.175478991480774e-10,
)  # fmt: skip
"""(s + 4) exp(s**2 / 2) times the normal distribution above s >= 0, within 5e-16.

A polynomial in (s - 4) / (s + 4), the change of variable of Shepherd and Laframboise 1981, "Chebyshev approximation
of (1 + 2x) exp(x**2) erfc x in 0 <= x < inf", interpolated at Chebyshev points with 60 digits.
"""

_tail = _polynomial(_TAIL)
_DENSITY = math.sqrt(0.5 / math.pi)
_DENSITY_ENDS = 37.5
"""The density is below 1e-305 from here on, and its product with x negligible."""


@compiled_as_written
def gelu(x: float) -> tuple[float, float]:
    """x below(x), with below the normal distribution; slope below(x) + x density(x)."""
    size, near = abs(x), max(min(x, _DENSITY_ENDS), -_DENSITY_ENDS)
    bell = exp(-0.5 * near * near)
    shrunk = 1.0 / (size + 4.0)
    rest = bell * shrunk * _tail((size - 4.0) * shrunk)
    below = 1.0 - rest if x > 0.0 else rest
    return x * below, below + near * (bell * _DENSITY)
