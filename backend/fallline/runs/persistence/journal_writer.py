"""The writes of an experiment: facts, positions and states.

Commands and the ends of step jobs are stored at once, since a client waits. Steps of play can be computed again, so
their positions are stored every second. The experiment is marked loose before any unstored step is shown. Receives the
time.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

from fallline.runs.persistence.saving import Saved
from fallline.runs.run import Run
from fallline.vocabulary.journal import JournalBatch, Json, Receipt, entry

POSITION_SECONDS = 1.0
"""Interval between two stored positions while runs move."""

SAVE_SECONDS = 0.3
"""Computing time of a run between two stored states: a restart replays about this much."""


class JournalWriter:
    """Collects the writes of one experiment; with `saves`, also states."""

    def __init__(self, *, saves: bool = True) -> None:
        self._saves = saves
        self._entries: list[Json] = []
        self._is_required = False
        self._is_closed = False
        self._progress: Json = {}
        self._confirmed: Json = {}
        self._unconfirmed: deque[tuple[Json, tuple[Json, ...]]] = deque()
        self._stored_at = -math.inf
        self._saved: dict[str, Saved] = {}
        self._cleared: list[str] = []

    # ------------------------------------------------------------------ facts

    def add(self, what: str, **facts: Any) -> None:
        """Add a fact that must be stored at once."""
        self._entries.append(entry(what, **facts))
        self._is_required = True

    def add_optional(self, what: str, **facts: Any) -> None:
        """Add a fact that can be recomputed, for the next write that succeeds."""
        self._entries.append(entry(what, **facts))

    def require(self) -> None:
        """Require a write of the present positions: a client waits for it."""
        self._is_required = True

    def discard_states(self, run: str) -> None:
        """Discard the stored states of a run of this name: they belong to another past."""
        if self._saved.pop(run, None) is not None:
            self._cleared.append(run)

    def resume(self, saved: Mapping[str, Saved], progress: Json) -> None:
        """Continue from states and progress that are already stored."""
        self._saved, self._progress, self._confirmed = dict(saved), progress, progress

    def close(self) -> None:
        """Store nothing from here on."""
        self._is_closed = True

    # ------------------------------------------------------------------ writes

    def take(
        self,
        runs: Mapping[str, Run],
        progress: Json,
        now: float,
        *,
        reveals: bool = False,
        receipts: tuple[Receipt, ...] = (),
    ) -> JournalBatch | None:
        """Return the write that is due; it counts as stored until `confirm`.

        `reveals`: the present positions are about to be shown to somebody.
        """
        loosens = progress["loose"] and not self._progress.get("loose")
        beyond = reveals and loosens and progress["runs"] != self._progress.get("runs")
        is_required = self._is_required or beyond or bool(receipts)
        changed = bool(self._entries) or progress != self._progress
        is_due = now - self._stored_at >= POSITION_SECONDS or not progress["loose"]
        is_idle = not self._unconfirmed
        due = [run for run in runs.values() if self._is_due(run)] if is_idle and self._saves else []
        if self._is_closed or not (is_required or due or (is_idle and changed and is_due)):
            return None
        parts, dropped = self._save(due)
        facts, cleared = tuple(self._entries), tuple(self._cleared)
        written = JournalBatch(facts, progress, receipts, cleared, dropped, parts, is_required or loosens)
        self._entries, self._cleared, self._is_required = [], [], False
        self._progress, self._stored_at = progress, now
        self._unconfirmed.append((progress, facts))
        return written

    def _is_due(self, run: Run) -> bool:
        saved = self._saved.get(run.name)
        return run.seconds - (saved.seconds if saved else 0.0) >= SAVE_SECONDS

    def _save(self, due: list[Run]) -> tuple[tuple[tuple[str, str, bytes], ...], tuple[tuple[str, str], ...]]:
        parts: list[tuple[str, str, bytes]] = []
        dropped: list[tuple[str, str]] = []
        for run in due:
            changes = self._saved.setdefault(run.name, Saved()).changes(run)
            parts += [(run.name, name, data) for name, data in changes.parts.items()]
            dropped += [(run.name, name) for name in changes.dropped]
            if changes.clears:
                self._cleared.append(run.name)
        return tuple(parts), tuple(dropped)

    def confirm(self, *, stored: bool) -> None:
        """Report whether the oldest unconfirmed write was stored."""
        progress, facts = self._unconfirmed.popleft()
        if stored:
            self._confirmed = progress
        else:
            # Only optional facts return here. If a required fact fails, the experiment is opened again.
            self._progress, self._entries = self._confirmed, [*facts, *self._entries]
            for saved in self._saved.values():
                saved.is_certain = False
