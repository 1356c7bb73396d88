"""The changes of an experiment that can be undone: its runs as they were before a reset or a removal.

A run is its recipe, so only that is kept, with the position up to which it is replayed. Receives the time, on a clock
that goes on after a restart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from fallline.runs.run import Run
from fallline.vocabulary.errors import Gone
from fallline.vocabulary.journal import Json
from fallline.vocabulary.recipe import RunRecipe

UNDO_SECONDS = 600.0
"""How long a change can be undone."""

MOST_KEPT = 16
"""Most changes of an experiment that can be undone; beyond, the oldest cannot."""


@dataclass(frozen=True, slots=True)
class UndoKey:
    """The random id under which a change can be undone, and the time of the change."""

    id: str
    at: float


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A run before the change: its recipe with all edits, its position, and what made its numbers.

    `is_removed`: the change was its removal, so that its name may be taken since. `place` counts the runs before it;
    a run that was stored without one returns behind the others.
    """

    recipe: RunRecipe
    position: Json
    kernel: str
    is_rounded: bool
    is_removed: bool
    place: int | None

    @classmethod
    def of(cls, run: Run, place: int, *, is_removed: bool) -> KeptRun:
        return cls(run.recipe, run.position(), run.kernel.name, run.is_rounded, is_removed, place)

    def as_json(self) -> Json:
        """Return it as plain JSON for `read`."""
        return {
            "recipe": self.recipe.model_dump(mode="json"),
            "position": self.position,
            "kernel": self.kernel,
            "rounded": self.is_rounded,
            "removed": self.is_removed,
            "place": self.place,
        }

    @classmethod
    def read(cls, stored: Json) -> KeptRun:
        recipe = RunRecipe.model_validate(stored["recipe"])
        made = stored["kernel"], stored["rounded"], stored["removed"], stored.get("place")
        return cls(recipe, stored["position"], *made)


def move_to(place: int | None, name: str, runs: dict[str, Any]) -> None:
    """Move the last run to its place among the others; without one it stays."""
    if place is not None:
        for other in [each for each in runs if each != name][place:]:
            runs[other] = runs.pop(other)


@dataclass(slots=True)
class Undos:
    """The last changes that can be undone: times and runs by id."""

    _times: dict[str, float] = field(default_factory=dict)
    _runs: dict[str, list[KeptRun]] = field(default_factory=dict)

    def keep(self, key: UndoKey, run: KeptRun) -> Json:
        """Keep a run before a change; return the fact to store with the change."""
        self._times[key.id] = key.at
        self._runs.setdefault(key.id, []).append(run)
        for id in list(self._times)[:-MOST_KEPT]:
            self.drop(id)
        return {"undo": {"id": key.id, "at": key.at, **run.as_json()}}

    def replay(self, fact: Json) -> None:
        """Replay what a stored fact says: a change that can be undone, or one that was."""
        if (undo := fact.get("undo")) is not None:
            self.keep(UndoKey(undo["id"], undo["at"]), KeptRun.read(undo))
        if (undone := fact.get("undone")) is not None:
            self.drop(undone)

    def drop(self, id: str) -> None:
        self._times.pop(id, None)
        self._runs.pop(id, None)

    def runs(self, key: UndoKey) -> Iterable[KeptRun]:
        """Return the runs before a change. Raises Gone once they are not kept any more."""
        if key.at - self._times.get(key.id, -UNDO_SECONDS) >= UNDO_SECONDS:
            raise Gone(
                "this change cannot be undone any more: it was longer than 10 minutes ago, or was undone"
            )
        return self._runs[key.id]
