"""What an experiment has to have stored, and when: facts, where its runs stand, and now and then their states.

Commands and the ends of step jobs are stored at once, since somebody waits for them. Steps made by playing are facts
that can be computed again; that they may have been *seen* is stored before they are. Told the time; must not know where
anything is stored.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

from fallline.runs.run import Run
from fallline.runs.saving import Saved
from fallline.vocabulary.journal import JournalBatch, Json, Receipt, entry

POSITION_SECONDS = 1.0
"""While steps are made, where the runs stand is stored this often."""

SAVE_SECONDS = 0.3
"""Computing time of a run after which its state is stored, so that the way from there to where it stands is short."""


class Books:
    """The bookkeeping of one experiment. With `saves` states are stored too, so that little is computed again."""

    def __init__(self, *, saves: bool = True) -> None:
        self._saves = saves
        self._entries: list[Json] = []
        self._is_needed = False
        self._is_closed = False
        self._progress: Json = {}
        self._confirmed: Json = {}
        self._under_way: deque[tuple[Json, tuple[Json, ...]]] = deque()
        self._stored_at = -math.inf
        self._saved: dict[str, Saved] = {}
        self._cleared: list[str] = []

    # ------------------------------------------------------------------ what happened

    def note(self, what: str, **facts: Any) -> None:
        """A fact that must not be lost."""
        self._entries.append(entry(what, **facts))
        self._is_needed = True

    def mention(self, what: str, **facts: Any) -> None:
        """A fact that can be found out again: it goes with what is stored next, and waits where that fails."""
        self._entries.append(entry(what, **facts))

    def need(self) -> None:
        """Somebody waits until it is stored where the runs stand now."""
        self._is_needed = True

    def begin(self, run: str) -> None:
        """What is stored of the states of a run of this name is of another past."""
        if self._saved.pop(run, None) is not None:
            self._cleared.append(run)

    def resume(self, saved: Mapping[str, Saved], progress: Json) -> None:
        """These are stored already."""
        self._saved, self._progress, self._confirmed = dict(saved), progress, progress

    def close(self) -> None:
        """Nothing is stored any more."""
        self._is_closed = True

    # ------------------------------------------------------------------ what to store

    def take(
        self,
        runs: Mapping[str, Run],
        progress: Json,
        now: float,
        *,
        reveals: bool = False,
        receipts: tuple[Receipt, ...] = (),
    ) -> JournalBatch | None:
        """What is to be stored now, if anything. It counts as stored from here on, until `confirmed` says otherwise.

        `reveals`: somebody is about to be shown the runs as they are.
        """
        loosens = progress["loose"] and not self._progress.get("loose")
        beyond = reveals and loosens and progress["runs"] != self._progress.get("runs")
        is_needed = self._is_needed or beyond or bool(receipts)
        changed = progress != self._progress
        is_time = now - self._stored_at >= POSITION_SECONDS or not progress["loose"]
        may = not self._under_way
        due = [run for run in runs.values() if self._is_due(run)] if may and self._saves else []
        if self._is_closed or not (is_needed or due or (may and changed and is_time)):
            return None
        parts, dropped = self._save(due)
        facts, cleared = tuple(self._entries), tuple(self._cleared)
        written = JournalBatch(facts, progress, receipts, cleared, dropped, parts, is_needed or loosens)
        self._entries, self._cleared, self._is_needed = [], [], False
        self._progress, self._stored_at = progress, now
        self._under_way.append((progress, facts))
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

    def confirmed(self, *, stored: bool) -> None:
        """The oldest of what was taken and not yet confirmed is stored, or is not."""
        progress, facts = self._under_way.popleft()
        if stored:
            self._confirmed = progress
        else:
            # Only mentions are left to be put back: where a fact that is needed fails, the experiment is opened again.
            self._progress, self._entries = self._confirmed, [*facts, *self._entries]
            for saved in self._saved.values():
                saved.is_known = False
