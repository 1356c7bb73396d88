"""What the Doctor knows of one run: its findings, how it was when it was last examined, and what examining cost.

Must not know how a run is examined, nor when it is time to.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from fallline.diagnosis.examine import Record
from fallline.diagnosis.rule import Trace
from fallline.engine.state import TrainingState
from fallline.runs.allowance import Allowance, Lately
from fallline.runs.trail import Search, Trail
from fallline.vocabulary.findings import Finding
from fallline.vocabulary.run_settings import RunSettings


@dataclass(slots=True)
class Case:
    """The record of one run in one generation.

    `beside` is its part of the experiment's computing time, `since_look` that since the last examination, of which
    `examined` is a copy of the state and `looked_at` the time; `cost` is what the next one is expected to take, in
    seconds. `owed` is what it took beyond that, `spent` what all of them took, `allowance` what they may take beside
    training, which waited for them as `lately` says. `measured` is what is not measured each time, `trail` the way
    since then, `sought` what has still to be looked for. The last examination `is_unfinished` if something of it was
    put off.
    """

    record: Record = field(default_factory=Record)
    examined: TrainingState | None = None
    beside: float = 0.0
    since_look: float = 0.0
    looked_at: float = -math.inf
    cost: float | None = None
    owed: float = 0.0
    spent: float = 0.0
    examinations: int = 0
    failed: int = 0
    allowance: Allowance = field(default_factory=Allowance)
    lately: Lately = field(default_factory=Lately)
    measured: dict[str, tuple[int, RunSettings, Any]] = field(default_factory=dict)
    trail: Trail = field(default_factory=Trail)
    sought: dict[Trace, Search] = field(default_factory=dict)
    is_unfinished: bool = False

    @property
    def findings(self) -> list[Finding]:
        return self.record.findings

    def seen(self) -> dict[str, Any]:
        """The numbers behind what is open as they were seen last, as they are stored."""
        return {id: asdict(evidence) for id, evidence in self.record.fresh.items()}

    def leaves(self, state: TrainingState) -> None:
        """It is examined in this state."""
        self.examined = state.copy()
        self.trail.begin(self.examined)

    def trains(self, seconds: float) -> None:
        """Its part of the experiment's computing time is longer by this."""
        self.beside += seconds
        self.since_look += seconds
        self.allowance.earn(seconds)
        self.lately.computes(seconds)

    def waits(self, seconds: float) -> None:
        """Training waited so long for an examination."""
        self.allowance.spend(seconds)
        self.lately.waits(seconds)

    def forked(self, at_step: int) -> Case:
        """The case of a fork of that step: what was found in the past that both share."""
        return Case(self.record.at(at_step))

    def costs(self) -> dict[str, Any]:
        """What examining has cost so far, and how often it failed; `share` is what training waited for, beside its
        computing time; `waited_seconds` and `computed_seconds` are both of late.
        """
        share = self.allowance.spent / self.beside if self.beside > 0 else 0.0
        return {
            "seconds": self.spent,
            "share": share,
            "waited_seconds": self.lately.waited,
            "computed_seconds": self.lately.computed,
            "examinations": self.examinations,
            "failed": self.failed,
        }
