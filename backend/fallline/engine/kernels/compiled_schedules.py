"""Compiled rows of the table of schedules: the rates of a slice's steps.

The functions of the table are compiled without licence to reorder, so that a rate does not depend on its neighbours.
NumPy serves a schedule without a code.
"""

from __future__ import annotations

import numpy as np

from fallline.engine.kernels.compiled_code import Array, compiled_to_the_bit
from fallline.engine.methods import schedules
from fallline.vocabulary.run_settings import RunSettings

CONSTANT, STEP, EXPONENTIAL, COSINE, COSINE_RESTARTS, POLYNOMIAL, ONE_CYCLE, INVERSE_TIME, WARMUP = range(9)
PLATEAU = CONSTANT  # between two looks
SCHEDULE_CODES = {
    "constant": CONSTANT,
    "step": STEP,
    "exponential": EXPONENTIAL,
    "cosine": COSINE,
    "cosine_restarts": COSINE_RESTARTS,
    "polynomial": POLYNOMIAL,
    "one_cycle": ONE_CYCLE,
    "plateau": PLATEAU,
    "inverse_time": INVERSE_TIME,
    "warmup": WARMUP,
}

_step = compiled_to_the_bit(schedules.step_schedule)
_exponential = compiled_to_the_bit(schedules.exponential_schedule)
_cosine = compiled_to_the_bit(schedules.cosine_schedule)
_cosine_restarts = compiled_to_the_bit(schedules.cosine_restarts_schedule)
_polynomial = compiled_to_the_bit(schedules.polynomial_schedule)
_one_cycle = compiled_to_the_bit(schedules.one_cycle_schedule)
_inverse_time = compiled_to_the_bit(schedules.inverse_time_schedule)
_warmup = compiled_to_the_bit(schedules.warmup_schedule)


@compiled_to_the_bit
def _factor(code: int, t: float, own: Array) -> float:
    if code == STEP:
        return _step(t, own[0], own[1])
    if code == EXPONENTIAL:
        return _exponential(t, own[0], own[1])
    if code == COSINE:
        return _cosine(t, own[0], own[1])
    if code == COSINE_RESTARTS:
        return _cosine_restarts(t, own[0], own[1], own[2])
    if code == POLYNOMIAL:
        return _polynomial(t, own[0], own[1], own[2])
    if code == ONE_CYCLE:
        return _one_cycle(t, own[0], own[1], own[2], own[3])
    if code == INVERSE_TIME:
        return _inverse_time(t, own[0])
    if code == WARMUP:
        return _warmup(t, own[0], own[1])
    return 1.0


@compiled_to_the_bit
def _lay_out(code: int, base: float, since: int, own: Array, rates: Array) -> None:
    for s in range(len(rates)):
        rates[s] = base * _factor(code, float(since + s), own)


def rates_of(settings: RunSettings, step: int, count: int) -> Array:
    """Rates (count,) of the changes from `step` on; empty if the rate is constant."""
    if settings.schedule.name == "constant":
        return np.empty(0)
    rates, t = np.empty(count), step - settings.schedule_since
    sequence = schedules.sequence_of(settings.schedule)
    ends = [*(begin for begin, _, _ in sequence[1:]), t + count]
    for (begin, row, own), end in zip(sequence, ends, strict=True):
        first = max(begin, t)
        _lay_out(
            SCHEDULE_CODES[row.name],
            settings.learning_rate,
            first - begin,
            np.array(own),
            rates[first - t : max(end - t, 0)],
        )
    return rates
