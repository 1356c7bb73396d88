"""Compiled rows of the table of schedules: the rates of a slice's steps.

The functions of the table are compiled without licence to reorder, so that a rate does not depend on its neighbours.
NumPy serves a schedule without a code.
"""

from __future__ import annotations

import numpy as np

from fallline.engine import schedules
from fallline.engine.kernels.compiled_code import Array, compiled_to_the_bit
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

_stairs = compiled_to_the_bit(schedules.stairs)
_decay = compiled_to_the_bit(schedules.decay)
_half_wave = compiled_to_the_bit(schedules.half_wave)
_hyperbola = compiled_to_the_bit(schedules.hyperbola)
_ramp = compiled_to_the_bit(schedules.ramp)


@compiled_to_the_bit
def _factor(code: int, t: float, first: float, second: float) -> float:
    if code == STEP:
        return _stairs(t, first, second)
    if code == EXPONENTIAL:
        return _decay(t, first, second)
    if code == COSINE:
        return _half_wave(t, first, second)
    if code == INVERSE_TIME:
        return _hyperbola(t, first, second)
    if code == WARMUP:
        return _ramp(t, first, second)
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
        first, second = schedules.SCHEDULES[settings.schedule.name].numbers(settings.schedule.own)
        _lay_out(code, settings.learning_rate, step - settings.schedule_since, first, second, rates)
    return rates
