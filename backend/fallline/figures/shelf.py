"""A log axis on which exactly 0 has a place of its own: a shelf under the floor.

Owns floor, shelf and ticks of such an axis. Powers of ten are read from text, never computed: the browser does the
same, and only so both get the same numbers to the last digit. Must not know figures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FLOORS = {"ratio": -6, "loss": 0}
TOPS = {"ratio": 1, "grad_mean": 2, "loss": 0}
FLOOR, TOP = -4, 3
LOWEST, HIGHEST = -300, 300

DEPTH = 0.1122018454301963
"""10 ** -0.95: the shelf lies 0.95 decades under the floor."""
UPPER_EDGE = 0.44668359215096315
"""10 ** -0.35: where the tint of the shelf ends."""
LOWER_EDGE = 0.039810717055349734
"""10 ** -1.4: where the axis ends."""


def decade(exponent: int) -> float:
    """10 ** exponent, correctly rounded."""
    return float(f"1e{exponent}")


def tick_text(exponent: int) -> str:
    """A power of ten as people read it: 0.01, 1,000, and from there on 1e6 and 1e−4."""
    if exponent <= -4 or exponent >= 6:
        return f"1e{exponent}".replace("-", "\u2212")
    return f"{decade(exponent):.{-exponent}f}" if exponent < 0 else f"{10**exponent:,}"


@dataclass(frozen=True, slots=True)
class ShelfScale:
    """An axis from the shelf under 10 ** floor up to 10 ** top."""

    floor: int
    top: int

    @classmethod
    def over(cls, measure: str, least: float, greatest: float) -> ShelfScale:
        """The scale for values whose least positive and greatest are these (inf and 0 where there is none)."""
        floor, top = FLOORS.get(measure, FLOOR), TOPS.get(measure, TOP)
        while least < decade(floor) and floor > LOWEST:
            floor -= 1
        while greatest > decade(top) and top < HIGHEST:
            top += 1
        return cls(floor, top)

    def place(self, values: Floats, upper: Floats) -> Floats:
        """Where values stand on the axis: 0 on the shelf, unless something in the bucket (`upper`) was above 0."""
        floor = decade(self.floor)
        raised = np.maximum(values, floor)
        return np.where((values == 0) & (upper == 0), floor * DEPTH, raised)

    @property
    def range(self) -> list[float]:
        """Of the axis, as logarithms."""
        return [self.floor - 1.4, float(self.top)]

    @property
    def tint(self) -> tuple[float, float]:
        """Lower and upper edge of the shelf's tint."""
        return decade(self.floor) * LOWER_EDGE, decade(self.floor) * UPPER_EDGE

    def ticks(self) -> tuple[list[float], list[str]]:
        """Tick values and texts: the shelf, then every second decade, fewer where there are many."""
        step = 2 + max(0, (self.top - self.floor - 8)) // 4
        exponents = range(self.floor, self.top + 1, step)
        shelf = decade(self.floor) * DEPTH
        return [shelf, *map(decade, exponents)], ["0", *map(tick_text, exponents)]
