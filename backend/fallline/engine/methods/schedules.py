"""The table of schedules: factors of the learning rate.

A factor depends only on the steps since the schedule was set, so a run can be sliced, stopped and replayed anywhere.
Only `plateau` also has a memory of losses, in the state: see `engine.training`.
The functions are plain arithmetic on numbers; `kernels.compiled_schedules` compiles them unchanged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fallline.vocabulary.parameters import Parameter
from fallline.vocabulary.run_settings import PLATEAU, RunSettings, ScheduleSettings


@dataclass(frozen=True, slots=True)
class Schedule:
    """One schedule.

    `factor(t, *own)` is the factor t steps after the schedule was set, with its own parameters in their order (at most
    four). `source` is the publication. If it `ends`, its first parameter is the number of its steps, after which
    another schedule may follow.
    """

    name: str
    help: str
    factor: Callable[..., float]
    parameters: tuple[Parameter, ...] = ()
    source: str = ""
    ends: bool = False

    def numbers(self, own: Mapping[str, float]) -> list[float]:
        """The own parameters in the order of `factor`, with defaults."""
        return [float(own.get(row.name, row.default)) for row in self.parameters]


def constant_schedule(t: float) -> float:
    """Always 1."""
    return 1.0


def step_schedule(t: float, every: float, factor: float) -> float:
    """Multiply by the factor once every `every` steps."""
    return math.pow(factor, math.floor(t / every))


def exponential_schedule(t: float, every: float, factor: float) -> float:
    """Reach the factor after `every` steps, at a constant rate of decay."""
    return math.pow(factor, t / every)


def cosine_schedule(t: float, steps: float, least: float) -> float:
    """Fall from 1 to `least` along half a cosine, then stay."""
    return least + (1.0 - least) * 0.5 * (1.0 + math.cos(math.pi * min(t, steps) / steps))


def cosine_restarts_schedule(t: float, steps: float, growth: float, least: float) -> float:
    """Fall from 1 to `least` along half a cosine, again and again; each cycle is `growth` times as long."""
    if growth == 1.0:
        t = t % steps
    while t >= steps:
        t -= steps
        steps *= growth
    return least + (1.0 - least) * 0.5 * (1.0 + math.cos(math.pi * t / steps))


def polynomial_schedule(t: float, steps: float, power: float, least: float) -> float:
    """Fall from 1 to `least` with a power of the steps that remain, then stay."""
    return least + (1.0 - least) * math.pow(1.0 - min(t, steps) / steps, power)


def one_cycle_schedule(t: float, steps: float, peak: float, start: float, least: float) -> float:
    """Rise from `start` to 1 along half a cosine, fall to `least` along another, then stay.

    The share `peak` of the steps rises.
    """
    top = peak * steps
    if t < top:
        return start + (1.0 - start) * 0.5 * (1.0 - math.cos(math.pi * t / top))
    return least + (1.0 - least) * 0.5 * (1.0 + math.cos(math.pi * (min(t, steps) - top) / (steps - top)))


def inverse_time_schedule(t: float, steps: float) -> float:
    """1 / (1 + t / steps)."""
    return 1.0 / (1.0 + t / steps)


def warmup_schedule(t: float, steps: float, start: float) -> float:
    """Rise from `start` to 1 along a line, then stay."""
    return start + (1.0 - start) * min(t, steps) / steps


def plateau_schedule(t: float, every: float, patience: float, factor: float, least: float) -> float:
    """1 until the first drop; `engine.training` knows the drops."""
    return 1.0


# A name in capitals, since programs contain its text.
THRESHOLD = 1e-4


def plateau_memory(
    loss: float, best: float, waited: float, share: float, patience: float, factor: float, least: float
) -> tuple[float, float, float]:
    """The memory after a look at the loss: least loss, looks since then, share of the rate.

    The share falls by the factor when more than `patience` looks found no loss below the least one by a share of
    THRESHOLD.
    """
    if loss < best * (1.0 - THRESHOLD):
        return loss, 0.0, share
    if waited + 1.0 > patience:
        return best, 0.0, max(share * factor, least)
    return best, waited + 1.0, share


def sequence_of(schedule: ScheduleSettings) -> list[tuple[int, Schedule, list[float]]]:
    """The schedules of a sequence, as in PyTorch's SequentialLR: (begin, row, own parameters).

    A schedule's clock starts `begin` steps after the sequence was set.
    """
    sequence, begin = [], 0
    for stage in schedule.stages:
        row = SCHEDULES[stage.name]
        own = row.numbers(stage.own)
        sequence.append((begin, row, own))
        begin += int(own[0]) if row.ends else 0
    return sequence


def rate_of(settings: RunSettings) -> Callable[[int], float]:
    """The rate of the change from step n to n + 1, as a function of n."""
    sequence = sequence_of(settings.schedule)
    base, since = settings.learning_rate, settings.schedule_since
    return lambda step: base * _factor_at(step - since, sequence)


def _factor_at(t: int, sequence: list[tuple[int, Schedule, list[float]]]) -> float:
    begin, row, own = next(stage for stage in reversed(sequence) if stage[0] <= t)
    return row.factor(float(t - begin), *own)


def _steps(name: str, default: int, help: str) -> Parameter:
    return Parameter(name, default, 1, 1_000_000_000, integer=True, unit="steps", help=help)


def _least(default: float) -> Parameter:
    return Parameter("least", default, 0.0, 1.0, help="share of the rate at the end")


def _start(default: float) -> Parameter:
    return Parameter("start", default, 0.0, 1.0, open_minimum=True, help="share of the rate at the start")


_FACTOR = Parameter("factor", 0.5, 0.0, 1.0, open_minimum=True, help="factor of the rate each time")

SCHEDULES: dict[str, Schedule] = {
    row.name: row
    for row in (
        Schedule("constant", "a constant rate", constant_schedule, source="Robbins and Monro 1951"),
        Schedule(
            "step",
            "drops: multiplies the rate by a factor every so many steps",
            step_schedule,
            (_steps("every", 1000, "steps between drops"), _FACTOR),
            "PyTorch's StepLR; He et al. 2015, Deep residual learning, arXiv:1512.03385",
        ),
        Schedule(
            "exponential",
            "smooth decay: multiplies the rate by a factor over every so many steps",
            exponential_schedule,
            (_steps("every", 1000, "steps until the rate is multiplied by the factor"), _FACTOR),
            "PyTorch's ExponentialLR with gamma = factor ** (1 / every)",
        ),
        Schedule(
            "cosine",
            "half a cosine down to the least rate, then constant",
            cosine_schedule,
            (_steps("steps", 1000, "steps until the least rate"), _least(0.01)),
            "Loshchilov and Hutter 2017, SGDR, arXiv:1608.03983, without restarts",
            ends=True,
        ),
        Schedule(
            "cosine_restarts",
            "half a cosine down to the least rate, again and again from the full rate",
            cosine_restarts_schedule,
            (
                _steps("steps", 200, "steps of the first cycle"),
                Parameter("growth", 2, 1, 100, integer=True, help="length of each cycle over the one before"),
                _least(0.01),
            ),
            "Loshchilov and Hutter 2017, SGDR, arXiv:1608.03983; PyTorch's CosineAnnealingWarmRestarts",
        ),
        Schedule(
            "polynomial",
            "falls with a power of the steps that remain, then constant; power 1 is a line",
            polynomial_schedule,
            (
                _steps("steps", 1000, "steps until the least rate"),
                Parameter("power", 1.0, 0.0, 10.0, open_minimum=True, help="power of the steps that remain"),
                _least(0.01),
            ),
            "PyTorch's PolynomialLR; Chen et al. 2018, DeepLab, arXiv:1606.00915",
            ends=True,
        ),
        Schedule(
            "one_cycle",
            "half a cosine up to the full rate, another one down to almost 0, then constant",
            one_cycle_schedule,
            (
                _steps("steps", 1000, "steps of the cycle"),
                Parameter("peak", 0.3, 0.0, 0.99, open_minimum=True, help="share of the steps that rise"),
                _start(0.04),
                _least(4e-6),
            ),
            "Smith and Topin 2018, Super-convergence, arXiv:1708.07120; PyTorch's OneCycleLR, momentum not cycled",
            ends=True,
        ),
        Schedule(
            PLATEAU,
            "reduces the rate when the training loss has stopped falling",
            plateau_schedule,
            (
                Parameter(
                    "every", 100, 10, 1_000_000_000, integer=True, unit="steps", help="steps between looks"
                ),
                Parameter(
                    "patience", 5, 0, 1_000_000, integer=True, unit="looks", help="looks without a lower loss"
                ),
                _FACTOR,
                _least(0.001),
            ),
            "PyTorch's ReduceLROnPlateau, with its relative threshold of 1e-4",
        ),
        Schedule(
            "inverse_time",
            "1/t: the rate divided by 1 + t / steps; steps shrink, but their sum is unbounded",
            inverse_time_schedule,
            (_steps("steps", 1000, "steps until half the rate"),),
            "Robbins and Monro 1951, A stochastic approximation method",
        ),
        Schedule(
            "warmup",
            "linear warm-up from a share of the rate to the full rate, then constant",
            warmup_schedule,
            (_steps("steps", 100, "steps until the full rate"), _start(0.1)),
            "PyTorch's LinearLR; Goyal et al. 2017, Accurate, large minibatch SGD, arXiv:1706.02677",
            ends=True,
        ),
    )
}
