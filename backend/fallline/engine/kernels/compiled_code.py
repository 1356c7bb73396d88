"""How functions are compiled, and arithmetic that compiles into vectors. Must not know networks.

Only imported where the extra `fast` is installed: this module is where Numba enters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
Function = TypeVar("Function", bound=Callable[..., Any])

REORDERED = frozenset({"reassoc", "contract", "arcp", "nsz"})
"""What the compiler may do with sums. Never all of fastmath: that lets it take NaN and infinity for impossible, and
drop the very test that finds a diverged step."""

AS_WRITTEN = frozenset({"contract"})


def compiled(function: Function) -> Function:
    """Compile at the first call, without the GIL, and keep the code on disk; sums may be taken in another order."""
    return _compiled(function, REORDERED)


def compiled_in_place(function: Function) -> Function:
    """As `compiled`, and always made part of its caller: for what is called once a step on a handful of numbers."""
    return _compiled(function, REORDERED, forceinline=True)


def compiled_as_written(function: Function) -> Function:
    """As `compiled`, for arithmetic that lives off the very order in which it is written."""
    return _compiled(function, AS_WRITTEN)


def _compiled(function: Function, fastmath: frozenset[str], *, forceinline: bool = False) -> Function:
    options = {
        "nogil": True,
        "cache": True,
        "error_model": "numpy",
        "_nrt": False,
        "forceinline": forceinline,
    }
    made = njit(fastmath=set(fastmath), **options)(function)
    return cast(Function, made)


@intrinsic
def _bits(context: Any, number: Any) -> Any:
    """The 64 bits of a float as an integer."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], target.get_value_type(types.int64))

    return types.int64(types.float64), generate


@intrinsic
def _float(context: Any, bits: Any) -> Any:
    """The float that has these 64 bits."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], target.get_value_type(types.float64))

    return types.float64(types.int64), generate


# A library's exp and tanh are calls, and a loop with a call in it does not become vector code (measured: a step of
# 2-64-64-1 tanh takes 2.3 times as long). These have neither calls nor branches. Coefficients: Moshier, Cephes
# mathematical library, exp.c and tanh.c; within 2 units in the last place of the library's.

_ROUNDER = (
    6755399441055744.0  # 1.5 * 2**52: adding it rounds to a whole number, which then stands in the low bits
)
_LOG2E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 6.93145751953125e-1, 1.42860682030941723212e-6
LARGEST_EXPONENT = 708.0


@compiled_as_written
def exp(x: float) -> float:
    """e**x for |x| <= LARGEST_EXPONENT: 2**k times a rational function of what remains."""
    shifted = x * _LOG2E + _ROUNDER
    k = shifted - _ROUNDER
    rest = (x - k * _LN2_HIGH) - k * _LN2_LOW
    square = rest * rest
    odd = 1.26177193074810590878e-4 * square + 3.02994407707441961300e-2
    odd = rest * (odd * square + 9.99999999999999999910e-1)
    even = 3.00198505138664455042e-6 * square + 2.52448340349684104192e-3
    even = (even * square + 2.27265548208155028766e-1) * square + 2.0
    return _float(_bits(1.0 + 2.0 * odd / (even - odd)) + (_bits(shifted) << 52))


@compiled_as_written
def tanh(x: float) -> float:
    """Hyperbolic tangent: a rational function near 0, by exp elsewhere; NaN stays NaN."""
    size, square = abs(x), x * x
    above = (
        -9.64399179425052238628e-1 * square - 9.92877231001918586564e1
    ) * square - 1.61468768441708447952e3
    below = ((square + 1.12811678491632931402e2) * square + 2.23548839060100448583e3) * square
    near = x + x * square * above / (below + 4.84406305325125486048e3)
    # From 20 on the answer is 1 to the last bit, and exp would leave its range.
    far = 1.0 - 2.0 / (exp(2.0 * min(size, 20.0)) + 1.0)
    far = far if x > 0.0 else -far
    found = near if size < 0.625 else far
    return found if x == x else x


@compiled_as_written
def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)) without a large exponential, so that small outputs keep all their digits; NaN stays NaN."""
    small = exp(-min(abs(x), LARGEST_EXPONENT))
    found = (1.0 if x >= 0.0 else small) / (1.0 + small)
    return found if x == x else x
