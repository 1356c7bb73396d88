"""Compiled rows of the table of schedules: the rates of a slice's steps.

The functions of the table are compiled without licence to reorder, so that a rate does not depend on its neighbours.
NumPy serves a schedule without a code.
"""

from __future__ import annotations

import numpy as np

from fallline.engine.kernels.compiled_code import Array, compiled_to_the_bit
from fallline.engine.methods import schedules
from fallline.vocabulary.run_settings import RunSettings

CONSTANT, STEP, EXPONENTIAL, COSINE, INVERSE_TIME, WARMUP = range(6)
SCHEDULE_CODES = {
    "constant": CONSTANT,
    "step": STEP,
    "exponential": EXPONENTIAL,
    "cosine": COSINE,
    "inverse_time": INVERSE_TIME,
    "warmup": WARMUP,
}

_step = compiled_to_the_bit(schedules.step_schedule)
_exponential = compiled_to_the_bit(schedules.exponential_schedule)
_cosine = compiled_to_the_bit(schedules.cosine_schedule)
_inverse_time = compiled_to_the_bit(schedules.inverse_time_schedule)
_warmup = compiled_to_the_bit(schedules.warmup_schedule)


@compiled_to_the_bit
def _factor(code: int, t: float, first: float, second: float) -> float:
    if code == STEP:
        return _step(t, first, second)
    if code == EXPONENTIAL:
        return _exponential(t, first, second)
    if code == COSINE:
        return _cosine(t, first, second)
    if code == INVERSE_TIME:
        return _inverse_time(t, first)
    if code == WARMUP:
        return _warmup(t, first, second)
    return 1.0


@compiled_to_the_bit
def _lay_out(code: int, base: float, since: int, first: float, second: float, rates: Array) -> None:
    for s in range(len(rates)):
        rates[s] = base * _factor(code, float(since + s), first, second)


def rates_of(settings: RunSettings, step: int, count: int) -> Array:
    """Rates (count,) of the changes from `step` on; empty if the rate is constant."""
    code = SCHEDULE_CODES[settings.schedule.name]
    rates = np.empty(0 if code == CONSTANT else count)
    if code != CONSTANT:
        own = schedules.SCHEDULES[settings.schedule.name].numbers(settings.schedule.own)
        first, second = (*own, 0.0, 0.0)[:2]
        _lay_out(code, settings.learning_rate, step - settings.schedule_since, first, second, rates)
    return rates
