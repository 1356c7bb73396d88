"""The table of schedules: factors of the learning rate.

A factor depends only on the steps since the schedule was set, so a run can be sliced, stopped and replayed anywhere.
The functions are plain arithmetic on numbers; `kernels.compiled_schedules` compiles them unchanged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fallline.vocabulary.parameters import Parameter
from fallline.vocabulary.run_settings import RunSettings


@dataclass(frozen=True, slots=True)
class Schedule:
    """One schedule.

    `factor(t, *own)` is the factor t steps after the schedule was set, with its own parameters in their order (at most
    two). `source` is the publication.
    """

    name: str
    help: str
    factor: Callable[..., float]
    parameters: tuple[Parameter, ...] = ()
    source: str = ""

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


def inverse_time_schedule(t: float, steps: float) -> float:
    """1 / (1 + t / steps)."""
    return 1.0 / (1.0 + t / steps)


def warmup_schedule(t: float, steps: float, start: float) -> float:
    """Rise from `start` to 1 along a line, then stay."""
    return start + (1.0 - start) * min(t, steps) / steps


def rate_of(settings: RunSettings) -> Callable[[int], float]:
    """The rate of the change from step n to n + 1, as a function of n."""
    row = SCHEDULES[settings.schedule.name]
    own = row.numbers(settings.schedule.own)
    base, since = settings.learning_rate, settings.schedule_since
    return lambda step: base * row.factor(float(step - since), *own)


def _steps(name: str, default: int, help: str) -> Parameter:
    return Parameter(name, default, 1, 1_000_000_000, integer=True, unit="steps", help=help)


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
            (
                _steps("steps", 1000, "steps until the least rate"),
                Parameter("least", 0.01, 0.0, 1.0, help="share of the rate at the end"),
            ),
            "Loshchilov and Hutter 2017, SGDR, arXiv:1608.03983, without restarts",
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
            (
                _steps("steps", 100, "steps until the full rate"),
                Parameter("start", 0.1, 0.0, 1.0, open_minimum=True, help="share of the rate at the start"),
            ),
            "PyTorch's LinearLR; Goyal et al. 2017, Accurate, large minibatch SGD, arXiv:1706.02677",
        ),
    )
}
