"""Provenance of a run's numbers beside its recipe: the kernel and the builds.

Plain data, stored with states. `execution.builds` collects it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TO_THE_BIT = "equal to the bit"
TO_ROUNDING = "equal to rounding"

OF_ALL = ("engine", "numpy", "simd", "blas")
"""Builds on which every number depends: NumPy makes data and initial parameters, whatever makes the steps."""

OF_COMPILED = ("numba", "llvmlite", "processor")
"""Further builds on which the compiled kernel depends."""

COMPILED = "compiled"


@dataclass(frozen=True, slots=True)
class Provenance:
    """The name of a run's kernel, and the builds of its process."""

    kernel: str
    builds: Mapping[str, str] = field(default_factory=dict)

    def difference(self, other: Provenance) -> list[str]:
        """List the differences that may change a number's last digits."""
        if self.kernel != other.kernel:
            return ["kernel"]
        names = OF_ALL + (OF_COMPILED if self.kernel == COMPILED else ())
        # An unknown build may be any build, so two unknown ones count as different.
        return [
            name for name in names if not self.builds.get(name) or self.builds[name] != other.builds.get(name)
        ]


def replay_of(stored: Provenance, here: Provenance) -> str:
    """Return how exactly a replay here repeats the numbers of a `stored` provenance.

    The same kernel and builds repeat every number to the bit. Others repeat each *step* to rounding, which may grow
    along a run; where that matters, a state is stored and not replayed.
    """
    return TO_ROUNDING if stored.difference(here) else TO_THE_BIT
