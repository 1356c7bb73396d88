"""Schedules: the factor of the learning rate t steps after the schedule was set."""

import math


def step_schedule(t, every, factor):
    """Multiply by the factor every `every` steps."""
    return math.pow(factor, math.floor(t / every))


def exponential_schedule(t, every, factor):
    """Multiply by the factor over `every` steps, a little at each."""
    return math.pow(factor, t / every)


def cosine_schedule(t, steps, least):
    """Fall from 1 to `least` along half a cosine."""
    return least + (1.0 - least) * 0.5 * (1.0 + math.cos(math.pi * min(t, steps) / steps))


def inverse_time_schedule(t, steps):
    """1 / (1 + t / steps)."""
    return 1.0 / (1.0 + t / steps)


def warmup_schedule(t, steps, start):
    """Rise linearly from `start` to 1."""
    return start + (1.0 - start) * min(t, steps) / steps
