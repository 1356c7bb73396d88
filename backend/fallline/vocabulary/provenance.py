"""What made a run's numbers, beside the recipe that determines them: the kernel, and the builds that it computed with.

Plain data, to be kept wherever states are kept. Must not know how it is found out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TO_THE_BIT = "equal to the bit"
TO_ROUNDING = "equal to rounding"

OF_ALL = ("engine", "numpy", "simd", "blas")
"""Builds on which every number depends: data and initial parameters are NumPy's, whatever makes the steps."""

OF_COMPILED = ("numba", "llvmlite", "processor")
"""Builds on which the compiled kernel depends besides."""

COMPILED = "compiled"


@dataclass(frozen=True, slots=True)
class Provenance:
    """The name of a run's kernel, and the builds of the process that ran it (`execution.builds`)."""

    kernel: str
    builds: Mapping[str, str] = field(default_factory=dict)

    def difference(self, other: Provenance) -> list[str]:
        """What tells the two apart, as far as it may change a number's last digits."""
        if self.kernel != other.kernel:
            return ["kernel"]
        names = OF_ALL + (OF_COMPILED if self.kernel == COMPILED else ())
        # What is not told may be anything: two that say nothing of a build have not said that it is the same one.
        return [
            name for name in names if not self.builds.get(name) or self.builds[name] != other.builds.get(name)
        ]


def replay_of(kept: Provenance, here: Provenance) -> str:
    """What may be promised of a replay here of a recipe whose numbers were made as `kept` says.

    The same kernel and builds repeat every number to the bit. Others repeat each *step* to rounding, which may grow
    along a run; where that matters, a state is kept and not replayed.
    """
    return TO_ROUNDING if kept.difference(here) else TO_THE_BIT
