"""A request that waits until the findings of some runs are complete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fallline.runs.run import Run


@dataclass(frozen=True, slots=True, eq=False)
class WaitsForFindings:
    """Waits for the findings of runs up to these generations and steps, at most until the time `until`.

    `done` gets what `see` returns.
    """

    targets: Mapping[str, tuple[int, int]]
    until: float
    see: Callable[[], Any]
    done: Callable[[Any], None]

    def is_over(self, runs: Mapping[str, Run], is_examined: Callable[[Run, int], bool], now: float) -> bool:
        """Return whether it need not wait: a run that is gone, or has another past, is not waited for."""
        if now >= self.until:
            return True
        waits = (
            runs[name]
            for name, (generation, _) in self.targets.items()
            if name in runs and runs[name].generation == generation
        )
        return all(is_examined(run, self.targets[run.name][1]) for run in waits)
