"""What the rest of the house asks of a store. Knows no implementation.

A store belongs to one thread. It knows nothing of what it holds: facts, progress and parts are words of
`vocabulary.journal`, kept as they come and told as they came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from fallline.vocabulary.journal import JournalBatch, Json, StoredExperiment

MARKED_SECONDS = 3600.0
"""A running server marks the moment this often. Use may be newer than the last mark by as much, and not by more."""


class StoreRefused(Exception):
    """This store cannot be used, and was not touched; the text says why and what to do, in one line for people."""


class StoreUnwritable(Exception):
    """Nothing can be stored at present: the disk is full, or the folder cannot be written to."""


class Moment(NamedTuple):
    """A time, for people and for ages: `at` is in seconds since 1970 by the machine's clock, which may jump; `seen` in
    seconds that servers of this store have seen pass.
    """

    at: float
    seen: float


def latest(marked: Moment, newest: float) -> Moment:
    """The later one of the last mark and the newest use, which a crash may have left behind the mark."""
    later = min(max(newest - marked.seen, 0.0), MARKED_SECONDS)
    return Moment(marked.at + later, marked.seen + later)


@dataclass(frozen=True, slots=True)
class ExperimentInfo:
    """An experiment that is stored: what opens it, when it was used last, whether it plays, the table that it is made
    of, if it is, and the hash of its owner's key, if there was one.
    """

    id: str
    token_hash: bytes
    used: Moment
    is_playing: bool
    table: str | None = None
    owner: bytes | None = None
    is_damaged: bool = False
    """What opens it cannot be relied on."""


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table that is stored: the bytes of its CSV, and when it came."""

    id: str
    size: int
    since: Moment


class RecordDamaged(Exception):
    """What is stored of one experiment or table cannot be read any more; the text says what, in a sentence."""


@dataclass(frozen=True, slots=True)
class NewExperiment:
    """What comes with an experiment's very first record: the hash of its token, the id of its table and the hash of its
    owner's key, if any.
    """

    token_hash: bytes
    table: str | None = None
    owner: bytes | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What is to be stored of one experiment at the time `at`; `first` numbers the first of its entries."""

    id: str
    at: Moment
    first: int
    written: JournalBatch
    begun: NewExperiment | None = None


class Store(Protocol):
    """Keeps experiments. Whatever `write`, `touch` or `forget` has returned from is kept, come what may."""

    kind: str
    """What it is, for people."""

    is_durable: bool
    """Whether it outlives this process. What does not is asked to keep no states."""

    def open(self) -> None:
        """Get ready. Raises StoreRefused, or StoreUnwritable where it may be possible later."""

    def close(self) -> None:
        """The last call; one that was not opened may be closed."""

    def try_writing(self) -> None:
        """Whether anything can be stored, after it could not be: raises what `open` or `write` would."""

    def experiments(self) -> list[ExperimentInfo]:
        """Every experiment."""

    def load(self, id: str) -> StoredExperiment | None:
        """What it takes to open an experiment; None when there is none of that id. Raises RecordDamaged."""

    def readable_facts(self, id: str) -> tuple[Json, ...]:
        """The facts of an experiment from the first one on, up to one that is damaged or missing."""

    def answer(self, id: str, key: str) -> Json | None:
        """What was answered to the command with that key; None when there was none. Raises RecordDamaged."""

    def write(self, records: Sequence[Record]) -> None:
        """Store all of it, in this order, or nothing and raise: StoreUnwritable, or ValueError for what does not fit.

        That is an entry with a number that is taken or skips one, or a record of an experiment that is not there.
        """

    def touch(self, used: Mapping[str, Moment]) -> None:
        """These experiments were used at these times. Those that are gone are passed over."""

    def last_mark(self) -> Moment | None:
        """The last moment that is known to this store, of a mark or of use; None where nothing was ever stored."""

    def mark(self, moment: Moment) -> None:
        """A server is running at this moment."""

    def delete(self, ids: Sequence[str]) -> None:
        """Delete experiments and all that is kept of them. Those that are gone are passed over."""

    def tables(self) -> list[TableInfo]:
        """Every table."""

    def table(self, id: str) -> bytes | None:
        """The CSV of a table as it came; None when there is none of that id. Raises RecordDamaged."""

    def add_table(self, id: str, at: Moment, body: bytes) -> None:
        """Store a CSV under a new id."""

    def delete_tables(self, ids: Sequence[str]) -> None:
        """Delete tables. Those that are gone are passed over."""
