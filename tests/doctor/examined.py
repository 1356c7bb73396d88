"""The findings of a recipe, in process, for each way of stepping it."""

from __future__ import annotations

from collections.abc import Callable

from doctor.recipes import Patient
from support.aliases import Json
from support.examined import Examined

SLOW_TICKS = (2e-5, 1e-3)
"""Seconds between two readings of the clock on slower machines. Slices are shorter there."""


def _at_once(one: Examined, steps: int) -> None:
    one.step(steps)


def _by_hand(one: Examined, steps: int) -> None:
    """Ten steps one by one, then ten at a time."""
    one.step(min(steps, 10), 1)
    one.step(max(steps - 10, 0), 10)


def _by(stride: int) -> Callable[[Examined, int], None]:
    def step(one: Examined, steps: int) -> None:
        one.step(steps, stride)

    return step


WAYS: dict[str, Callable[[Examined, int], None]] = {"at once": _at_once, "by hand": _by_hand}
"""The two ways of the survey: one request, or small steps by hand."""

STRIDES: dict[str, Callable[[Examined, int], None]] = {"by 1": _by(1), "by 7": _by(7), "at once": _at_once}
"""The ways that must agree with each other."""


def findings_of(
    patient: Patient, way: Callable[[Examined, int], None], tick: float | None = None
) -> list[Json]:
    """Step the recipe that way and return the findings; `tick` sets the speed of the machine."""
    one = Examined(patient.recipe)
    if tick is not None:
        one.clock.tick = tick
    way(one, patient.steps)
    return one.findings()
