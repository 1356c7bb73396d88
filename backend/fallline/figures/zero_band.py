"""A log axis with a band for exactly 0 under its floor.

Owns floor, band and ticks of the axis. Powers of ten are parsed from text, as in the browser, so that both have the
same numbers to the last digit. Must not know figures.
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
"""10 ** -0.95: zeros are drawn 0.95 decades under the floor."""
UPPER_EDGE = 0.44668359215096315
"""10 ** -0.35: upper edge of the band."""
LOWER_EDGE = 0.039810717055349734
"""10 ** -1.4: lower edge of the band, and end of the axis."""


def decade(exponent: int) -> float:
    """Return 10 ** exponent, correctly rounded."""
    return float(f"1e{exponent}")


def tick_text(exponent: int) -> str:
    """Format a power of ten: 0.01, 1,000; beyond, 1e6 and 1e−4."""
    if exponent <= -4 or exponent >= 6:
        return f"1e{exponent}".replace("-", "\u2212")
    return f"{decade(exponent):.{-exponent}f}" if exponent < 0 else f"{10**exponent:,}"


@dataclass(frozen=True, slots=True)
class ZeroBandScale:
    """An axis from the band under 10 ** floor up to 10 ** top."""

    floor: int
    top: int

    @classmethod
    def over(cls, measure: str, least: float, greatest: float) -> ZeroBandScale:
        """Return the scale for these extremes of positive values.

        They are inf and 0 if there are none.
        """
        floor, top = FLOORS.get(measure, FLOOR), TOPS.get(measure, TOP)
        while least < decade(floor) and floor > LOWEST:
            floor -= 1
        while greatest > decade(top) and top < HIGHEST:
            top += 1
        return cls(floor, top)

    def place(self, values: Floats, upper: Floats) -> Floats:
        """Return positions on the axis.

        0 is in the band, unless the bucket's maximum (`upper`) is above 0.
        """
        floor = decade(self.floor)
        raised = np.maximum(values, floor)
        return np.where((values == 0) & (upper == 0), floor * DEPTH, raised)

    @property
    def range(self) -> list[float]:
        """Range of the axis, as logarithms."""
        return [self.floor - 1.4, float(self.top)]

    @property
    def tint(self) -> tuple[float, float]:
        """Lower and upper edge of the band."""
        return decade(self.floor) * LOWER_EDGE, decade(self.floor) * UPPER_EDGE

    def ticks(self) -> tuple[list[float], list[str]]:
        """Return tick values and texts: 0, then every second decade or fewer."""
        step = 2 + max(0, (self.top - self.floor - 8)) // 4
        exponents = range(self.floor, self.top + 1, step)
        zero = decade(self.floor) * DEPTH
        return [zero, *map(decade, exponents)], ["0", *map(tick_text, exponents)]
