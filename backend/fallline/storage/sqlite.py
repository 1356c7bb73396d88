"""The store in one SQLite file: how it is opened, checked and kept safe. What is stored in it is `sql`'s.

Set up so that what was acknowledged outlives a power cut (a write-ahead log, synchronous FULL), and that no other
process can come near (exclusive locking): with two connections SQLite before 3.51.3 may damage a file in WAL mode.
Locked before the log is first looked at, it also needs no memory shared through the file system, which folders of
another system lack.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from fallline.storage import sql
from fallline.storage.checksums import as_text
from fallline.storage.interface import (
    ExperimentInfo,
    Moment,
    Record,
    RecordDamaged,
    StoreRefused,
    StoreUnwritable,
    TableInfo,
)
from fallline.storage.mounts import network_file_system
from fallline.storage.reserve import Reserve, room_on
from fallline.storage.tables import TRUTH, VERSION
from fallline.vocabulary.journal import Json, StoredExperiment

NAME = "fallline.sqlite3"

APPLICATION = 0x46414C4C
"""What the file says of whose it is ("FALL")."""

OLDEST = (3, 37, 0)
"""The first SQLite with strict tables."""

WAIT_SECONDS = 3.0
"""How long a server that is just ending may still hold the file."""

PAGE = 4096

RETURNED_TIMES = 64
"""How many pieces of free pages are cut off the file at once. The log of a piece takes a quarter of the room."""

_OF_ANOTHER = frozenset((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED))
_DAMAGED = frozenset(
    (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH)
)
"""SQLITE_ERROR as well: what is asked is right, so the tables are not what they were."""

_UNWRITABLE = frozenset(
    (
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_NOMEM,
    )
)


_logger = logging.getLogger(__name__)


class StoreDamaged(StoreRefused):
    """SQLite met pages that cannot be what it wrote."""


class SqliteStore:
    """Experiments in a file of this folder, which is made where there is none and which nobody else may read."""

    kind = f"SQLite {sqlite3.sqlite_version}"
    is_durable = True

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._reserve = Reserve(folder)
        self._log = self.path.with_name(f"{NAME}-wal")
        self._damage: str | None = None
        self._engine: Engine | None = None
        self._open: Connection | None = None
        self._is_ready = False

    # ------------------------------------------------------------------ opening

    def open(self) -> None:
        if sqlite3.sqlite_version_info < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            raise StoreRefused(
                f"storing needs SQLite {oldest} or newer, and this Python has {sqlite3.sqlite_version}"
            )
        if kind := network_file_system(self.path.parent):
            raise StoreRefused(
                f"{self.path.parent} lies on a network file system ({kind}), on which SQLite may lose or damage what "
                "it stores: name a folder on a disk of this machine by FALLLINE_DATA"
            )
        try:
            had_log = self._check_traces()
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise StoreUnwritable(f"{self.path.parent} cannot be written to: {error.strerror}") from error
        self._engine = create_engine(
            "sqlite://",
            creator=self._connect,
            poolclass=StaticPool,
            hide_parameters=True,  # errors are logged, and an id is the right to read
        )
        event.listen(self._engine, "begin", _begin)
        try:
            with self._failing_in_words():
                self._open = self._engine.connect()
                self._check(self._open, had_log=had_log)
                self._prepare(self._open)
                self._is_ready = True
        except BaseException:
            self.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        # Without an isolation level the module begins no transactions of its own, see `_begin`.
        connection = sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None)
        connection.text_factory = as_text
        return connection

    def _check_traces(self) -> bool:
        """Whether there is a log. Raises StoreRefused where a file is missing that was there."""
        log = self._log.stat().st_size if self._log.exists() else None
        if self.path.exists() and self.path.stat().st_size:
            return log is not None
        if log or self._reserve.path.exists():
            state = "is empty" if self.path.exists() else "is missing"
            raise StoreRefused(
                f"{self.path} {state}, and this folder has been used before: put the file or a copy of it there; to "
                f"begin anew, empty the folder"
            )
        return log is not None

    def _check(self, connection: Connection, *, had_log: bool) -> None:
        """Look before anything is written. Raises StoreRefused."""
        _pragma(connection, "locking_mode = EXCLUSIVE")
        version, application = _pragma(connection, "user_version"), _pragma(connection, "application_id")
        if version == 0 and application == 0 and not _pragma(connection, "schema_version"):
            return  # an empty file, ours to fill
        if application != APPLICATION:
            raise StoreRefused(f"{self.path} is not fallline's: name another folder by FALLLINE_DATA")
        if int(str(version)) > VERSION:
            raise StoreRefused(
                f"{self.path} was written by a newer fallline (tables {version}, this one knows {VERSION}): update it"
            )
        for table in TRUTH:
            found = _pragma(connection, f"quick_check({table.name})")
            if found != "ok":
                raise StoreRefused(_damaged(self.path, str(found)))
        if version != VERSION or had_log:
            return
        with connection.begin():
            is_cut_off = sql.was_left_open(connection)
        if is_cut_off:
            raise StoreRefused(
                f"{self._log} is missing, which has the last changes: put it there; if it is lost, make an empty file "
                "of that name to go on without them"
            )

    def _prepare(self, connection: Connection) -> None:
        if _pragma(connection, "auto_vacuum") == 0:
            _pragma(connection, "auto_vacuum = INCREMENTAL")  # of a file with tables it takes a VACUUM, below
        checkpoint = min(1000, room_on(self.path.parent) // PAGE)
        for setting in (
            "journal_mode = WAL",
            "synchronous = FULL",
            f"wal_autocheckpoint = {checkpoint}",
            "secure_delete = FAST",  # what is deleted is overwritten where that takes no more room
            "foreign_keys = ON",
            "trusted_schema = OFF",
        ):
            _pragma(connection, setting)
        if int(str(_pragma(connection, "user_version"))) < VERSION:
            # Alembic takes a third of a second to import, and most starts have nothing to migrate.
            from fallline.storage.migrating import migrate  # noqa: PLC0415

            with connection.begin():
                migrate(connection)
                connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION}")
                connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
        if _pragma(connection, "auto_vacuum") == 0:
            with contextlib.suppress(sqlite3.OperationalError):  # no room for a second copy
                _pragma(connection, "auto_vacuum = INCREMENTAL")
                _driver(connection).execute("VACUUM")
        for table in TRUTH:
            if (
                _pragma(connection, f"integrity_check({table.name})") != "ok"
            ):  # its index, as the table is whole
                _logger.error("an index of %s was damaged, and is made again", table.name)
                _driver(connection).execute(f"REINDEX {table.name}")
        self._note_session(connection, is_open=True)
        with contextlib.suppress(sqlite3.OperationalError):  # a full disk: what is stored can be read
            _pragma(connection, "wal_checkpoint(TRUNCATE)")
        self._reserve.fill()

    def _note_session(self, connection: Connection, *, is_open: bool) -> None:
        """Best effort: a full disk is no reason not to open or close the file."""
        with contextlib.suppress(StoreUnwritable, StoreRefused), self._failing_in_words(), connection.begin():
            sql.note_session(connection, is_open=is_open)

    def close(self) -> None:
        if self._open is not None:
            if self._is_ready:
                self._open.rollback()
                self._note_session(self._open, is_open=False)
            self._open.close()
        if self._engine is not None:
            self._engine.dispose()
        self._open, self._engine, self._is_ready = None, None, False

    def try_writing(self) -> None:
        if self._damage is not None:
            raise StoreRefused(self._damage)
        if self._open is None:
            self.open()
        if self._is_short_of_room():
            self._return_room()
        if not self._reserve.fill() or self._is_short_of_room():
            raise StoreUnwritable(f"there is next to no room left on the disk of {self.path}")
        with self._transaction() as connection:
            connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")  # a page, and no change

    # ------------------------------------------------------------------ reading and writing

    def experiments(self) -> list[ExperimentInfo]:
        with self._transaction() as connection:
            return sql.experiments(connection)

    def load(self, id: str) -> StoredExperiment | None:
        with self._reading() as connection:
            kept = sql.load(connection, id)
        if kept is None:
            return None
        try:
            with self._transaction() as connection:
                return replace(kept, parts=sql.parts(connection, id))
        except StoreRefused:  # damaged; what these parts say can be computed again
            return kept

    def readable_facts(self, id: str) -> tuple[Json, ...]:
        with self._reading() as connection:
            return sql.readable_facts(connection, id)

    def answer(self, id: str, key: str) -> Json | None:
        with self._reading() as connection:
            return sql.answer(connection, id, key)

    def write(self, records: Sequence[Record]) -> None:
        with self._changing() as connection:
            sql.write(connection, records)

    def touch(self, used: Mapping[str, Moment]) -> None:
        with self._changing() as connection:
            sql.touch(connection, used)

    def last_mark(self) -> Moment | None:
        with self._transaction() as connection:
            return sql.last_mark(connection)

    def mark(self, moment: Moment) -> None:
        with self._changing() as connection:
            sql.mark(connection, moment)

    def delete(self, ids: Sequence[str]) -> None:
        self._delete(lambda connection: sql.delete(connection, ids))

    def tables(self) -> list[TableInfo]:
        with self._transaction() as connection:
            return sql.tables(connection)

    def table(self, id: str) -> bytes | None:
        with self._reading() as connection:
            return sql.table(connection, id)

    def add_table(self, id: str, at: Moment, body: bytes) -> None:
        with self._changing() as connection:
            sql.add_table(connection, id, at, body)

    def delete_tables(self, ids: Sequence[str]) -> None:
        self._delete(lambda connection: sql.delete_tables(connection, ids))

    def _delete(self, what: Callable[[Connection], None]) -> None:
        """Delete, on a full disk with the room that is held back for it, and give the room to the disk."""
        try:
            with self._changing() as connection:
                what(connection)
        except StoreUnwritable:
            self._reserve.release()
            self._return_room()
            try:
                with self._changing() as connection:
                    what(connection)
            finally:
                self._return_room()
                self._reserve.fill()
        else:
            if self._is_short_of_room():
                self._return_room()

    def _is_short_of_room(self) -> bool:
        return shutil.disk_usage(self.path.parent).free < room_on(self.path.parent)

    def _return_room(self) -> None:
        """Cut free pages off the file, and empty the log: in small pieces, each of which needs little room."""
        if self._open is None:
            return
        driver, pages = _driver(self._open), room_on(self.path.parent) // PAGE // 4
        with contextlib.suppress(
            sqlite3.OperationalError
        ):  # too little room for that: what is deleted is deleted
            for _ in range(RETURNED_TIMES):
                driver.execute(f"PRAGMA incremental_vacuum({pages})").fetchall()
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                if not driver.execute("PRAGMA freelist_count").fetchone()[0]:
                    return

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Connection]:
        if self._open is None:
            raise StoreUnwritable(f"{self.path} is not open")
        with self._failing_in_words(), self._open.begin():
            yield self._open

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A transaction for one experiment or table: damage on its pages is damage of it."""
        try:
            with self._transaction() as connection:
                yield connection
        except StoreDamaged as error:
            raise RecordDamaged("the pages where it lies cannot be read") from error

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Connection]:
        """A transaction that writes: a file whose pages are damaged is not written to any more."""
        if self._damage is not None:
            raise StoreRefused(self._damage)
        try:
            with self._transaction() as connection:
                yield connection
        except StoreDamaged as error:
            self._damage = str(error)
            raise

    @contextlib.contextmanager
    def _failing_in_words(self) -> Iterator[None]:
        try:
            yield
        except UnicodeDecodeError as error:  # words of SQLite's own, which quote what is damaged
            raise StoreDamaged(_damaged(self.path, "its text is no UTF-8")) from error
        except (DBAPIError, sqlite3.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
            if code in _OF_ANOTHER:
                raise StoreRefused(
                    f"another fallline uses {self.path.parent}: end it, or name another folder by FALLLINE_DATA"
                ) from error
            if code in _DAMAGED:
                raise StoreDamaged(_damaged(self.path, str(cause))) from error
            if code in _UNWRITABLE:
                raise StoreUnwritable(f"{self.path} cannot be written to: {cause}") from error
            raise


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _pragma(connection: Connection, asked: str) -> object:
    """What the pragma answers, outside of any transaction, since some mean nothing inside one."""
    row = _driver(connection).execute(f"PRAGMA {asked}").fetchone()
    return None if row is None else row[0]


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _damaged(path: Path, found: str) -> str:
    first = found.splitlines()[0]
    return (
        f"{path} is damaged ({first}) and was left as it is: "
        "put a copy in its place, or name another folder by FALLLINE_DATA"
    )
