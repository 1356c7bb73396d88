"""The stored form of an experiment: facts, progress of its runs, and states.

Facts are plain JSON and never change once written. `V` is the version of the format of facts and progress;
`vocabulary.upcasts` converts older versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

V = 1
"""Format version. It rises with any change that an older program would misread; `upcasts` then gets a row."""


def entry(what: str, **facts: Any) -> Json:
    """Make a fact: began, edited, found, reset, run_added, run_removed or resumed."""
    return {"v": V, "what": what, **facts}


@dataclass(frozen=True, slots=True)
class Receipt:
    """A finished command: its key, the digest of its request, and its answer."""

    key: str
    digest: bytes
    answer: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JournalBatch:
    """Changes of an experiment to store together, all or nothing.

    `progress` has the steps of the runs; the latest one counts. `parts` are named pieces of a run's state and history
    that replace pieces of the same name. `dropped` names pieces to delete, and `cleared` runs whose pieces are all
    deleted before `parts` are added. With `needed`, a client waits for the write or is about to see its result. Without
    it, the write only saves computing later and may fail.
    """

    entries: tuple[Json, ...]
    progress: Json
    receipts: tuple[Receipt, ...] = ()
    cleared: tuple[str, ...] = ()
    dropped: tuple[tuple[str, str], ...] = ()
    parts: tuple[tuple[str, str, bytes], ...] = ()
    needed: bool = True


@dataclass(frozen=True, slots=True)
class StoredExperiment:
    """The stored data needed to open an experiment again."""

    entries: tuple[Json, ...]
    progress: Json
    parts: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    digests: Mapping[str, bytes] = field(default_factory=dict)
    """Digest of the request for each key with an answer."""
