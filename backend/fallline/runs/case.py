"""The Doctor's record of one run, and the examinations that runs with the same recipe share."""

from __future__ import annotations

import math
from collections import OrderedDict
from copy import deepcopy
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, TypeAlias

import numpy as np

from fallline.diagnosis.examine import Record
from fallline.diagnosis.track import Track
from fallline.diagnosis.view import Level
from fallline.diagnosis.windows import lowest_of
from fallline.engine.state import TrainingState
from fallline.runs.past.checkpoints import KeptStates, state_bytes
from fallline.vocabulary.columns import Floats
from fallline.vocabulary.recipe import RunRecipe

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


MOST_LEVELS = 2_048
"""Most scheduled examinations whose levels a run keeps. Without edits a billion steps have as many."""

LEVELS_TOGETHER = 32
"""Examinations whose levels are put into the array together: as Python's numbers they take seven times the memory."""


class PastLevels:
    """Present and lowest losses at each scheduled examination, each as a mean: what `harm` of a past step needs."""

    def __init__(self, rows: Floats | None = None) -> None:
        self._rows: Floats = np.empty((0, 5)) if rows is None else rows
        self._new: list[list[float]] = []
        """Rows that wait for others or to be read: after each examination NumPy would copy all."""

    @property
    def rows(self) -> Floats:
        """Step, present train and test loss, and the lowest of both; NaN without a test split.

        The array is never changed in place.
        """
        self._take_in()
        return self._rows

    def _take_in(self) -> None:
        if self._new:
            self._rows = np.vstack([self._rows, self._new])[-MOST_LEVELS:]
            self._new = []

    def add(self, record: Record) -> None:
        """Add this record's losses; before there are enough points it has none."""
        if record.level is not None:
            row = [record.step, *record.level, *lowest_of(record.best)]
            self._new.append([math.nan if each is None else float(each) for each in row])
            if len(self._new) >= LEVELS_TOGETHER:
                self._take_in()

    def level_at(self, step: int) -> Level | None:
        """Return the present losses of the last examination up to this step, None if they are not known."""
        return self._at(step, 1)

    def lowest_at(self, step: int) -> Level | None:
        """Return the lowest losses up to that examination."""
        return self._at(step, 3)

    def _at(self, step: int, column: int) -> Level | None:
        rows = self.rows
        place = int(np.searchsorted(rows[:, 0], step, side="right")) - 1
        if place < 0:
            return None
        train, test = rows[place, column : column + 2].tolist()
        return train, None if math.isnan(test) else test


Key: TypeAlias = bytes
"""Hash of all that an examination depends on."""

MOST_BYTES = 16 * 2**20
"""Memory of shared examinations: enough for a million steps of the notebook's two runs."""

RECORD_BYTES = 4_096
"""About the bytes of a record, whose findings are mostly those of the record before."""


@dataclass(frozen=True, slots=True)
class Examination:
    """A scheduled examination: its record, and the state that it looked at. Neither is ever changed."""

    record: Record
    state: TrainingState

    @property
    def nbytes(self) -> int:
        return state_bytes(self.state) + RECORD_BYTES


class ExaminationCache:
    """The examinations that were used last, of all experiments of one worker: a class trains one recipe."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._examinations: OrderedDict[Key, Examination] = OrderedDict()
        self.nbytes = 0

    def __len__(self) -> int:
        return len(self._examinations)

    def find(self, key: Key) -> Examination | None:
        """Return the examination with this key, if a run has made it."""
        examination = self._examinations.get(key)
        if examination is not None:
            self._examinations.move_to_end(key)
        return examination

    def add(self, key: Key, examination: Examination) -> None:
        """Add an examination; the ones that were not used for longest make room."""
        self._examinations[key] = examination
        self.nbytes += examination.nbytes
        while self.nbytes > self._most_bytes:
            self.nbytes -= self._examinations.popitem(last=False)[1].nbytes


@dataclass(slots=True)
class Case:
    """The Doctor's record of one run in one generation; all times in seconds.

    | field | is |
    | --- | --- |
    | `track` | the points of the run, up to its present step |
    | `record` | what the scheduled examinations found |
    | `levels` | the losses at each of them |
    | `look` | the record of a look at a step between two of them, or at the end of a run that diverged |
    | `published` | the record whose findings watchers have |
    | `examined` | the state at the last scheduled examination, never changed |
    | `key` | the key of that examination; None if it is not known, as in a run that was restored |
    | `rebuilt` | the state up to which a replay has made `track` again; None if it is complete |
    | `kept` | states at the steps of the next ones |
    | `measured` | results of expensive measurements of the next examination, by its step and their name |
    | `computed` | its part of the experiment's computing time |
    | `cost` | expected cost of an examination without expensive measurements |
    | `needed` | what the next examination needs at least, if one was over budget |
    | `spent` | cost of all examinations |
    | `budget`, `recent_waits` | what examinations may cost beside training, and how long it waited for them |
    """

    track: Track
    record: Record = field(default_factory=Record)
    levels: PastLevels = field(default_factory=PastLevels)
    look: Record | None = None
    published: Record = field(default_factory=Record)
    examined: TrainingState | None = None
    key: Key | None = None
    rebuilt: TrainingState | None = None
    kept: KeptStates = field(default_factory=KeptStates)
    measured: dict[tuple[int, str], Any] = field(default_factory=dict)
    computed: float = 0.0
    cost: float | None = None
    needed: float = 0.0
    spent: float = 0.0
    examinations: int = 0
    failed: int = 0
    budget: ExaminationBudget = field(default_factory=ExaminationBudget)
    recent_waits: RecentWaits = field(default_factory=RecentWaits)

    def shown(self, step: int) -> Record:
        """Return the record that answers for the run at this step."""
        return self.look if self.look is not None and self.look.step == step else self.record

    def key_at(self, step: int, problem: Key, recipe: RunRecipe, kernel: str) -> Key | None:
        """Return the key of the next scheduled examination, or None if the key of the last one is not known.

        It continues the key of the last one with the step and the edits since then, so it has the whole past.
        `problem` is the fingerprint of the problem, and `kernel` the name of the run's.
        """
        before = self.record.step
        if before >= 0 and self.key is None:
            return None
        digest = blake2b(self.key or problem + repr(recipe.settings).encode(), digest_size=32)
        edits = [edit for edit in recipe.changes_before(step) if edit[0] >= before]
        digest.update(repr((recipe.seed, kernel, step, edits)).encode())
        return digest.digest()

    def complete(self, examination: Examination, key: Key | None) -> None:
        """Let the next examination go on from this one."""
        self.record, self.examined, self.key, self.look = examination.record, examination.state, key, None
        self.levels.add(examination.record)
        self.kept.drop(0, examination.record.step)
        self.track.forget(examination.record.step)

    def add_computing(self, seconds: float) -> None:
        """Add to its part of the experiment's computing time."""
        self.computed += seconds
        self.budget.earn(seconds)
        self.recent_waits.add_computing(seconds)

    def add_wait(self, seconds: float) -> None:
        """Add time that training waited for an examination."""
        self.budget.spend(seconds)
        self.recent_waits.add_wait(seconds)

    def forked(self) -> Case:
        """Return the case of a fork at the present step, which shares the past."""
        examined = None if self.examined is None else self.examined.copy()
        rebuilt = None if self.rebuilt is None else self.rebuilt.copy()
        return Case(
            deepcopy(self.track),
            self.record,
            PastLevels(self.levels.rows),
            examined=examined,
            key=self.key,
            rebuilt=rebuilt,
            kept=self.kept.copy(),
        )

    def costs(self) -> dict[str, Any]:
        """Return the cost of examinations so far, and how many failed.

        `share` is the time that training waited over its computing time.
        """
        share = self.budget.spent / self.computed if self.computed > 0 else 0.0
        return {
            "seconds": self.spent,
            "share": share,
            **self.recent_costs(),
            "examinations": self.examinations,
            "failed": self.failed,
        }

    def recent_costs(self) -> dict[str, float]:
        """Return how long training waited lately, and computed, rounded: so few frames have to say it anew."""
        waits = self.recent_waits
        return {"waited_seconds": round(waits.waited, 3), "computed_seconds": round(waits.computed, 2)}
