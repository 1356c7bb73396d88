"""The Doctor's record of one run."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from fallline.diagnosis.examine import Record
from fallline.diagnosis.rule import Trace
from fallline.engine.state import TrainingState
from fallline.runs.past.checkpoints import RecentStates, Search
from fallline.vocabulary.run_settings import RunSettings

SHARE = 0.025
"""Share of the training time that examinations may take: half of the 5 % by which viewing a run may slow it, since
instruments use the other half.
"""

SAVED_SECONDS = 0.3
"""Most time that can be saved up for an expensive check: a longer pause would be noticed."""

PERIOD_SECONDS = 20.0
"""Shortest computing time over which waits are reported: in less, one expensive check is a large share."""


@dataclass(slots=True)
class ExaminationBudget:
    """Seconds that examinations of a run may take at full speed.

    `left` is the unspent part; below 0 it is a debt, which the run earns back first.
    """

    left: float = 0.0
    spent: float = 0.0

    def earn(self, seconds: float) -> None:
        """Add the share of so much training time."""
        self.left = min(self.left + SHARE * seconds, SAVED_SECONDS)

    def affords(self, seconds: float) -> bool:
        """True if it covers this cost; a full budget covers every cost."""
        return self.left >= min(seconds, SAVED_SECONDS)

    def spend(self, seconds: float) -> None:
        self.left -= seconds
        self.spent += seconds


@dataclass(slots=True)
class RecentWaits:
    """How long training waited in the last one or two periods."""

    _computed: float = 0.0
    _waited: float = 0.0
    _before: tuple[float, float] = (0.0, 0.0)

    @property
    def computed(self) -> float:
        return self._before[0] + self._computed

    @property
    def waited(self) -> float:
        return self._before[1] + self._waited

    def add_computing(self, seconds: float) -> None:
        if self._computed >= PERIOD_SECONDS:
            self._before = (self._computed, self._waited)
            self._computed = self._waited = 0.0
        self._computed += seconds

    def add_wait(self, seconds: float) -> None:
        self._waited += seconds


@dataclass(slots=True)
class Case:
    """The record of one run in one generation; all times in seconds.

    | field | is |
    | --- | --- |
    | `computed` | its part of the experiment's computing time |
    | `computed_since` | the same since the last examination |
    | `examined`, `examined_at` | copy of the state at the last examination, and its time |
    | `cost` | expected cost of the next examination |
    | `debt` | cost of the last examination beyond the expected one |
    | `spent` | cost of all examinations |
    | `budget`, `recent_waits` | what examinations may cost beside training, and how long it waited for them |
    | `measurements` | results that are not measured each time |
    | `recent_states` | states since the last examination |
    | `searches` | searches for first steps that are not finished |
    | `is_unfinished` | whether the last examination deferred something |
    """

    record: Record = field(default_factory=Record)
    examined: TrainingState | None = None
    computed: float = 0.0
    computed_since: float = 0.0
    examined_at: float = -math.inf
    cost: float | None = None
    debt: float = 0.0
    spent: float = 0.0
    examinations: int = 0
    failed: int = 0
    budget: ExaminationBudget = field(default_factory=ExaminationBudget)
    recent_waits: RecentWaits = field(default_factory=RecentWaits)
    measurements: dict[str, tuple[int, RunSettings, Any]] = field(default_factory=dict)
    recent_states: RecentStates = field(default_factory=RecentStates)
    searches: dict[Trace, Search] = field(default_factory=dict)
    is_unfinished: bool = False

    def latest_evidence(self) -> dict[str, Any]:
        """Return the latest evidence of open findings by id, as it is stored."""
        return {id: asdict(evidence) for id, evidence in self.record.fresh.items()}

    def mark_examined(self, state: TrainingState) -> None:
        """Note that the run was examined in this state."""
        self.examined = state.copy()
        self.recent_states.begin(self.examined)

    def add_computing(self, seconds: float) -> None:
        """Add to its part of the experiment's computing time."""
        self.computed += seconds
        self.computed_since += seconds
        self.budget.earn(seconds)
        self.recent_waits.add_computing(seconds)

    def add_wait(self, seconds: float) -> None:
        """Add time that training waited for an examination."""
        self.budget.spend(seconds)
        self.recent_waits.add_wait(seconds)

    def forked(self, at_step: int) -> Case:
        """Return the case of a fork at that step: the findings of the shared past."""
        return Case(self.record.at(at_step))

    def costs(self) -> dict[str, Any]:
        """Return the cost of examinations so far, and how many failed.

        `share` is the time that training waited over its computing time. `waited_seconds` and `computed_seconds` are
        recent.
        """
        share = self.budget.spent / self.computed if self.computed > 0 else 0.0
        return {
            "seconds": self.spent,
            "share": share,
            "waited_seconds": self.recent_waits.waited,
            "computed_seconds": self.recent_waits.computed,
            "examinations": self.examinations,
            "failed": self.failed,
        }
