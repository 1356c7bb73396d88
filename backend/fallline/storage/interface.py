"""Interface of a store of experiments. A store belongs to one thread.

`vocabulary.journal` has the stored types. A store does not interpret facts, progress and parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from fallline.vocabulary.journal import ExperimentInfo, Json, Moment, Record, StoredExperiment, TableInfo

MARKED_SECONDS = 3600.0
"""Seconds between two marks of a running server. A use is at most this much newer than the last mark."""


class StoreRefused(Exception):
    """The store cannot be used and was not changed. The text says why, in one line.

    The `remedy` is for the store of a server. It does not help with a backup.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(f"{problem}: {remedy}" if remedy else problem)
        self.problem = problem


class StoreDamaged(StoreRefused):
    """SQLite read pages that differ from what it wrote."""


class StoreInUse(StoreRefused):
    """Another process uses the store."""


class CopyFailed(Exception):
    """No copy was made; the store itself is as before. The text says why, in one line."""


class StoreUnwritable(Exception):
    """Storing is not possible now: the disk is full, or the folder is not writable."""


def latest(mark: Moment, newest: float) -> Moment:
    """Return the last mark, or a newer use up to `MARKED_SECONDS` later."""
    later = min(max(newest - mark.seen, 0.0), MARKED_SECONDS)
    return Moment(mark.at + later, mark.seen + later)


class RecordDamaged(Exception):
    """A stored experiment or table cannot be read. The text says which part."""


class Store(Protocol):
    """Stores experiments: changes survive a crash once a call returns."""

    kind: str
    """Name of the store, for people."""

    is_durable: bool
    """True if it outlives this process. If not, states are not stored."""

    def open(self) -> None:
        """Open the store. Raises StoreRefused, or StoreUnwritable if it may work later."""

    def close(self) -> None:
        """Close the store. It need not be open."""

    def try_writing(self) -> None:
        """Try whether storing is possible again. Raises what `open` or `write` would."""

    def experiments(self) -> list[ExperimentInfo]:
        """Return every experiment."""

    def load(self, id: str, *, with_parts: bool = True) -> StoredExperiment | None:
        """Return the data to open an experiment, or None. Raises RecordDamaged."""

    def readable_facts(self, id: str) -> tuple[Json, ...]:
        """Return the facts of an experiment up to the first damaged or missing one."""

    def answer(self, id: str, key: str) -> Json | None:
        """Return the answer to the command with this key, or None. Raises RecordDamaged."""

    def write(self, records: Sequence[Record]) -> None:
        """Store all records in this order, or none. Raises StoreUnwritable.

        Raises ValueError if the number of an entry is not the next one, or if there is no such experiment.
        """

    def touch(self, used: Mapping[str, Moment]) -> None:
        """Store the last use of these experiments. Ignores deleted ones."""

    def last_mark(self) -> Moment | None:
        """Return the latest mark or use in this store, None if nothing was ever stored."""

    def mark(self, moment: Moment) -> None:
        """Store that a server runs at this moment."""

    def delete(self, ids: Sequence[str]) -> None:
        """Delete experiments with all their data. Ignores deleted ones."""

    def sizes(self) -> dict[str, int]:
        """Return the stored bytes of each experiment.

        From the first call on they are counted along with each write.
        """

    def size_of(self, id: str) -> int:
        """Return the counted bytes of an experiment. May be called on any thread."""

    @property
    def stored_bytes(self) -> int:
        """The counted bytes of all experiments. May be called on any thread."""

    def disk_use(self) -> tuple[int, int]:
        """Return the bytes of its files and the free bytes of their disk. May be called on any thread."""

    def copy_to(self, target: Path, between: Callable[[], None]) -> None:
        """Copy everything to a new private file. Raises CopyFailed, and what `between` raises.

        `between` is called between two pieces. It may use the store: the copy has all changes made by the end.
        """

    def tables(self) -> list[TableInfo]:
        """Return every table."""

    def table(self, id: str) -> bytes | None:
        """Return the CSV of a table as uploaded, or None. Raises RecordDamaged."""

    def add_table(self, id: str, at: Moment, body: bytes) -> None:
        """Store a CSV under a new id."""

    def delete_tables(self, ids: Sequence[str]) -> None:
        """Delete tables. Ignores deleted ones."""
