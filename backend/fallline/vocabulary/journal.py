"""What is stored of an experiment: facts in the order in which they came to be, where its runs stand, and their states.

Facts are plain JSON and are never changed once written; `V` is the version of the shape of facts and progress, and
`vocabulary.upcasts` brings every older one to it. Must not know where anything is stored, nor how facts are made or
read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

V = 1
"""Rises with any change of shape that an older program would read wrongly; a row of `upcasts` then says what it was."""


def entry(what: str, **facts: Any) -> Json:
    """A fact: began, edited, found, reset, run_added, run_removed or resumed."""
    return {"v": V, "what": what, **facts}


@dataclass(frozen=True, slots=True)
class Receipt:
    """A keyed command that has been done: its key, the digest of what was asked, and what was answered."""

    key: str
    digest: bytes
    answer: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JournalBatch:
    """What is to be stored of an experiment at one moment, all of it or nothing.

    `progress` says where the runs stand; the newest one counts. `parts` are named pieces of a run's state and history
    that replace those of the same name, `dropped` names some that go, `cleared` runs of which all go (before `parts`
    come). Where it is `needed`, somebody waits for it, or is about to see what must not be lost; else it only spares
    computing, and may fail without harm.
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
    """What is stored of an experiment, as far as it takes to open it again."""

    entries: tuple[Json, ...]
    progress: Json
    parts: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    digests: Mapping[str, bytes] = field(default_factory=dict)
    """Of each key that has been answered, what was asked with it."""
