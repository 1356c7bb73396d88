"""Compiled orders of passes, equal to `batches.order_of_pass` number for number.

NumPy takes 25 microseconds to make a generator at an address and shuffle 900 rows, as long as all the steps of a pass
at batch size 32. This code takes three. `same_as_numpy` checks that NumPy still draws the same orders. Sources:

- O'Neill, "PCG: a family of simple fast space-efficient statistically good algorithms for random number generation"
  (2014), XSL-RR 128/64;
- the entropy hash of NumPy's SeedSequence, after O'Neill's seed_seq_fe;
- the shuffle of Fisher and Yates with indices drawn under a mask.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fallline.engine.batches import order_of_pass
from fallline.engine.kernels.compiled_code import Whole, compiled, compiled_in_place
from fallline.engine.randomness import PURPOSES

_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(16)
_ZERO, _ONE = np.uint64(0), np.uint64(1)
_HASH_START, _HASH_STEP = np.uint64(0x43B0D7E5), np.uint64(0x931E8875)
_MIX_LEFT, _MIX_RIGHT = np.uint64(0xCA01F9DD), np.uint64(0x4973F715)
_OUT_START, _OUT_STEP = np.uint64(0x8B51F9DD), np.uint64(0x58F38DED)
_MULTIPLIER_HIGH, _MULTIPLIER_LOW = np.uint64(0x2360ED051FC65DA4), np.uint64(0x4385DF649FCCF645)
_ROTATION, _WORD, _WORD_BITS = np.uint64(58), np.uint64(64), np.uint64(63)
_ORDER = np.uint64(PURPOSES["order"])


@intrinsic
def _high_half(context: Any, one: Any, other: Any) -> Any:
    """The upper 64 bits of a product of two 64-bit numbers."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(*(builder.zext(each, wide) for each in arguments))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate


@compiled_in_place
def _hashed(value: Any, constant: Any, step: Any) -> Any:
    """The hash of a 32-bit word, and the constant for the next one."""
    constant_after = (constant * step) & _LOW
    value = ((value ^ constant) * constant_after) & _LOW
    return value ^ (value >> _SHIFT), constant_after


@compiled_in_place
def _advanced(high: Any, low: Any, add_high: Any, add_low: Any) -> Any:
    """The generator's next state: state times multiplier plus increment, in 128 bits."""
    product = low * _MULTIPLIER_LOW
    upper = _high_half(low, _MULTIPLIER_LOW) + high * _MULTIPLIER_LOW + low * _MULTIPLIER_HIGH
    total = product + add_low
    carry = _ONE if total < product else _ZERO
    return upper + add_high + carry, total


@compiled_in_place
def _drawn(high: Any, low: Any) -> Any:
    """The 64 random bits of a state."""
    value, transpose = high ^ low, high >> _ROTATION
    return (value >> transpose) | (value << ((_WORD - transpose) & _WORD_BITS))


@compiled
def _seed(seed: Any, number: Any, pool: Any, state: Any) -> None:
    """Write state and increment of the generator at (seed, "order", number).

    High halves come first.
    """
    pool[0], pool[1] = seed, _ORDER
    pool[2], pool[3] = number & _LOW, number >> _HALF
    constant = _HASH_START
    for i in range(4):
        pool[i], constant = _hashed(pool[i], constant, _HASH_STEP)
    for source in range(4):
        for to in range(4):
            if source != to:
                value, constant = _hashed(pool[source], constant, _HASH_STEP)
                value = (_MIX_LEFT * pool[to] - _MIX_RIGHT * value) & _LOW
                pool[to] = value ^ (value >> _SHIFT)
    constant = _OUT_START
    for i in range(4):
        low, constant = _hashed(pool[(2 * i) % 4], constant, _OUT_STEP)
        high, constant = _hashed(pool[(2 * i + 1) % 4], constant, _OUT_STEP)
        state[i] = low | (high << _HALF)
    add_high = (state[2] << _ONE) | (state[3] >> _WORD_BITS)
    add_low = (state[3] << _ONE) | _ONE
    # A first step from zero leaves the increment.
    low = add_low + state[1]
    high = add_high + state[0] + (_ONE if low < add_low else _ZERO)
    high, low = _advanced(high, low, add_high, add_low)
    state[0], state[1], state[2], state[3] = high, low, add_high, add_low


@compiled
def _shuffle(seed: int, first: int, m: int, order: Whole, pool: Any, state: Any) -> None:
    for number in range(len(order) // m):
        rows = order[number * m : (number + 1) * m]
        for i in range(m):
            rows[i] = i
        _seed(np.uint64(seed), np.uint64(first + number), pool, state)
        high, low, add_high, add_low = state[0], state[1], state[2], state[3]
        spare, has_spare = _ZERO, False
        mask = _LOW
        for i in range(m - 1, 0, -1):
            last = np.uint64(i)
            while mask >> _ONE >= last:
                mask >>= _ONE
            while True:
                if has_spare:
                    word = spare
                else:
                    high, low = _advanced(high, low, add_high, add_low)
                    spare = _drawn(high, low)
                    word, spare = spare & _LOW, spare >> _HALF
                has_spare = not has_spare
                if word & mask <= last:
                    break
            j = np.int64(word & mask)
            rows[i], rows[j] = rows[j], rows[i]


def shuffled_passes(seed: int, first: int, m: int, passes: int) -> Whole:
    """Orders of passes `first`, `first` + 1, ... of m rows (below 2**32), end to end."""
    order = np.empty(passes * m, dtype=np.int64)
    _shuffle(seed, first, m, order, np.empty(4, np.uint64), np.empty(4, np.uint64))
    return order


def same_as_numpy() -> bool:
    """Return whether NumPy still draws the orders of `shuffled_passes`."""
    theirs = [order_of_pass("shuffle", 12_345, number, 97) for number in (2**32 - 1, 2**32)]
    return np.array_equal(shuffled_passes(12_345, 2**32 - 1, 97, 2), np.concatenate(theirs))
