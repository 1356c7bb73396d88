"""The store in one SQLite file: how it is opened, checked and protected.

`sql` has the statements. Acknowledged changes survive a power cut, with a write-ahead log and synchronous FULL.
Exclusive locking keeps other processes out: with two connections, SQLite before 3.51.3 may damage a file in WAL mode.
Because the file is locked before the log is first read, it needs no shared memory, which some shared folders lack.
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
from fallline.storage.backups import BackupFolder, copy_pages, remove_unfinished, staging
from fallline.storage.disk import Reserve, network_file_system, room_on
from fallline.storage.interface import (
    CopyFailed,
    RecordDamaged,
    StoreDamaged,
    StoreInUse,
    StoreRefused,
    StoreUnwritable,
)
from fallline.storage.sums import as_text
from fallline.storage.tables import ESSENTIAL, METADATA, REPLACEABLE, VERSION
from fallline.vocabulary.journal import (
    Examination,
    ExperimentInfo,
    Json,
    Moment,
    Record,
    StoredExperiment,
    TableInfo,
)

NAME = "fallline.sqlite3"

APPLICATION = 0x46414C4C
"""The application id in the file ("FALL")."""

OLDEST = (3, 37, 0)
"""The first SQLite with strict tables."""

WAIT_SECONDS = 3.0
"""Seconds to wait for another server that is stopping."""

PAGE = 4096

MOST_CHUNKS = 64
"""Largest number of chunks of free pages to truncate. The log of a chunk takes a quarter of the room."""

ANOTHER_FOLDER = "set FALLLINE_DATA to another folder"

MOST_PROBLEMS = 100
"""Lines after which SQLite's report of a check ends."""

_OF_ANOTHER = frozenset((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED))
_DAMAGED = frozenset(
    (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH)
)
"""SQLITE_ERROR too: our statements are correct, so the tables must be damaged."""

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


class SqliteStore:
    """Experiments in a private file of this folder, created if missing.

    Before its tables change, a copy goes to `backups`.
    """

    kind = f"SQLite {sqlite3.sqlite_version}"
    is_durable = True

    def __init__(self, folder: Path, backups: BackupFolder | None = None) -> None:
        self.path = folder / NAME
        self._backups = backups
        self._reserve = Reserve(folder)
        self._log = self.path.with_name(f"{NAME}-wal")
        self._damage: str | None = None
        self._replaceable_damage = ""
        """Damage outside the essential tables, found in opening."""
        self._engine: Engine | None = None
        self._open: Connection | None = None
        self._is_ready = False
        self._has_session = False
        self._sizes: dict[str, int] | None = None
        self._total = 0

    # ------------------------------------------------------------------ opening

    def open(self) -> None:
        self._check_system()
        try:
            had_log = self._check_files()
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise StoreUnwritable(f"{self.path.parent} is not writable: {error.strerror}") from error
        self._connect(had_log=had_log, prepares=True)

    def open_unchanged(self) -> None:
        """Open an existing file as it is: older tables stay as they are. Raises what `open` raises."""
        self._check_system()
        try:
            had_log = self._check_files()
            if not self.path.exists():
                raise StoreRefused(f"there is no {self.path}")
        except OSError as error:
            raise StoreUnwritable(f"{self.path.parent} cannot be read: {error.strerror}") from error
        self._connect(had_log=had_log, prepares=False)
        if not self.tables_version:
            self.close()
            raise StoreRefused(f"{self.path} is empty: it has no tables of fallline")

    def _check_system(self) -> None:
        if sqlite3.sqlite_version_info < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            raise StoreRefused(
                f"storing needs SQLite {oldest} or newer; this Python has {sqlite3.sqlite_version}"
            )
        if kind := network_file_system(self.path.parent):
            raise StoreRefused(
                f"{self.path.parent} is on a network file system ({kind}), where SQLite may lose or damage data: "
                "set FALLLINE_DATA to a folder on a local disk"
            )

    def _connect(self, *, had_log: bool, prepares: bool) -> None:
        self._sizes, self._total = None, 0
        self._engine = create_engine(
            "sqlite://",
            creator=self._driver_connection,
            poolclass=StaticPool,
            hide_parameters=True,  # errors are logged, and an id grants access
        )
        event.listen(self._engine, "begin", _begin)
        try:
            with self._translating_errors():
                self._open = self._engine.connect()
                self._check(self._open, had_log=had_log)
                if prepares:
                    self._prepare(self._open)
                self._has_session = self.tables_version == VERSION
                self._is_ready = True
        except BaseException:
            self.close()
            raise

    def _driver_connection(self) -> sqlite3.Connection:
        # Without an isolation level, the sqlite3 module begins no transactions; `_begin` does.
        connection = sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None)
        connection.text_factory = as_text
        return connection

    def _check_files(self) -> bool:
        """Return whether there is a log. Raises StoreRefused if a file is missing."""
        log = self._log.stat().st_size if self._log.exists() else None
        if self.path.exists() and self.path.stat().st_size:
            return log is not None
        if log or self._reserve.path.exists():
            state = "is empty" if self.path.exists() else "is missing"
            raise StoreRefused(
                f"{self.path} {state}, but this folder has been used before: restore the file or a copy of it, or "
                "empty the folder to start afresh"
            )
        return log is not None

    def _check(self, connection: Connection, *, had_log: bool) -> None:
        """Check the file before anything is written. Raises StoreRefused."""
        _pragma(connection, "locking_mode = EXCLUSIVE")
        version, application = _pragma(connection, "user_version"), _pragma(connection, "application_id")
        if version == 0 and application == 0 and not _pragma(connection, "schema_version"):
            return  # an empty file
        if application != APPLICATION:
            raise StoreRefused(f"{self.path} is not a file of fallline", ANOTHER_FOLDER)
        if int(str(version)) > VERSION:
            raise StoreRefused(
                f"{self.path} was written by a newer fallline (tables {version}, here {VERSION}): update fallline"
            )
        damage = _quick_check(connection)
        if damage != "ok":
            for table in ESSENTIAL:
                result = str(_pragma(connection, f"quick_check({table.name})"))
                if result != "ok" and not _is_of_the_page_map(result):
                    raise _damaged(self.path, result)
            if version != VERSION:
                raise _damaged(self.path, damage)
            self._replaceable_damage = damage
        if version != VERSION or had_log or damage != "ok":
            return
        with connection.begin():
            lost_log = sql.was_left_open(connection)
        if lost_log:
            raise StoreRefused(
                f"{self._log}, which has the last changes, is missing: restore it, or create an empty file of that "
                "name to continue without them"
            )

    def _prepare(self, connection: Connection) -> None:
        remove_unfinished(self.path.parent)
        if _pragma(connection, "auto_vacuum") == 0:
            _pragma(connection, "auto_vacuum = INCREMENTAL")  # a file with tables also needs the VACUUM below
        checkpoint = min(1000, room_on(self.path.parent) // PAGE)
        for setting in (
            "journal_mode = WAL",
            "synchronous = FULL",
            f"wal_autocheckpoint = {checkpoint}",
            "secure_delete = FAST",  # overwrite deleted data where that needs no more room
            "foreign_keys = ON",
            "trusted_schema = OFF",
        ):
            _pragma(connection, setting)
        if self._replaceable_damage:
            self._replace(connection, self._replaceable_damage)
        if (version := self.tables_version) < VERSION:
            if version and self._backups is not None:
                self._back_up_first(self._backups, version)
            with connection.begin():
                _migrate(connection)
                connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION}")
                connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
        if _pragma(connection, "auto_vacuum") == 0:
            with contextlib.suppress(sqlite3.OperationalError):  # no room for a second copy
                _pragma(connection, "auto_vacuum = INCREMENTAL")
                _driver(connection).execute("VACUUM")
        for table in ESSENTIAL:
            if (
                _pragma(connection, f"integrity_check({table.name})") != "ok"
            ):  # its index: the table is intact
                _logger.error("an index of %s was damaged and is rebuilt", table.name)
                _driver(connection).execute(f"REINDEX {table.name}")
        self._note_session(connection, is_open=True)
        with contextlib.suppress(sqlite3.OperationalError):  # a full disk: stored data can be read
            _pragma(connection, "wal_checkpoint(TRUNCATE)")
        self._reserve.fill()

    def _replace(self, connection: Connection, damage: str) -> None:
        """Empty the replaceable tables, and write all other pages anew. Raises StoreUnwritable without the room.

        A lost page, of a table or of the free ones, would end each later write. `DROP TABLE` reads the pages.
        """
        _logger.error("the file was damaged and is mended; stored steps are computed again: %s", damage)
        names = ", ".join(f"'{table.name}'" for table in REPLACEABLE)
        _pragma(connection, "writable_schema = ON")
        _driver(connection).execute(f"DELETE FROM sqlite_schema WHERE tbl_name IN ({names})")
        _pragma(connection, "writable_schema = RESET")
        _driver(connection).execute("VACUUM")
        with connection.begin():
            METADATA.create_all(connection, tables=REPLACEABLE)
        self._replaceable_damage = ""

    @property
    def tables_version(self) -> int:
        """The version of the tables in the open file."""
        assert self._open is not None
        return int(str(_pragma(self._open, "user_version")))

    def _back_up_first(self, backups: BackupFolder, version: int) -> None:
        """Keep the file of older tables. Raises StoreUnwritable, and the tables stay as they are."""
        try:
            with staging(self.path.parent) as staged:
                self.copy_to(staged, lambda: None)
                examine(staged.parent)
                path = backups.add(staged, f"tables-{version}-")
        except CopyFailed as error:
            raise StoreUnwritable(f"no backup before the upgrade of the tables: {error}") from error
        _logger.warning("the tables of %s change; a backup is in %s", self.path, path)

    def _note_session(self, connection: Connection, *, is_open: bool) -> None:
        """Store the session if possible: a full disk must not prevent opening or closing."""
        with (
            contextlib.suppress(StoreUnwritable, StoreRefused),
            self._translating_errors(),
            connection.begin(),
        ):
            sql.note_session(connection, is_open=is_open)

    def close(self) -> None:
        if self._open is not None:
            if self._is_ready:
                self._open.rollback()
                if self._has_session:
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
            # Returning pages takes room for the log. A full disk has no room except the reserve.
            if self._is_short_of_room() and self._free_bytes() >= room_on(self.path.parent):
                self._reserve.release()
                self._return_room()
        if not self._reserve.fill() or self._is_short_of_room():
            raise StoreUnwritable(f"the disk of {self.path} is almost full")
        with self._transaction() as connection:
            connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")  # writes a page, changes nothing

    # ------------------------------------------------------------------ reading and writing

    def experiments(self) -> list[ExperimentInfo]:
        with self._transaction() as connection:
            return sql.experiments(connection)

    def load(self, id: str, *, with_parts: bool = True) -> StoredExperiment | None:
        with self._reading() as connection:
            stored = sql.load(connection, id)
        if stored is None or not with_parts:
            return stored
        try:
            with self._transaction() as connection:
                return replace(stored, parts=sql.parts(connection, id))
        except StoreRefused:  # damaged parts can be computed again
            return stored

    def readable_facts(self, id: str) -> tuple[Json, ...]:
        with self._reading() as connection:
            return sql.readable_facts(connection, id)

    def answer(self, id: str, key: str) -> Json | None:
        with self._reading() as connection:
            return sql.answer(connection, id, key)

    def write(self, records: Sequence[Record]) -> None:
        with self._changing() as connection:
            grown = sql.write(connection, records)
        if self._sizes is not None:
            for id, bytes in grown.items():
                self._sizes[id] = self._sizes.get(id, 0) + bytes
            self._total += sum(grown.values())

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
        self._delete(lambda connection: sql.delete_experiments(connection, ids))
        if self._sizes is not None:
            self._total -= sum(self._sizes.pop(id, 0) for id in set(ids))

    def sizes(self) -> dict[str, int]:
        if self._sizes is None:
            with self._transaction() as connection:
                self._sizes = sql.sizes(connection)
            self._total = sum(self._sizes.values())
        return dict(self._sizes)

    def size_of(self, id: str) -> int:
        sizes = self._sizes  # another thread may set it
        return 0 if sizes is None else sizes.get(id, 0)

    @property
    def stored_bytes(self) -> int:
        return self._total

    def disk_use(self) -> tuple[int, int]:
        try:
            size = sum(file.stat().st_size for file in (self.path, self._log) if file.exists())
            return size, shutil.disk_usage(self.path.parent).free
        except OSError:  # the folder is not there yet
            return 0, 0

    def copy_to(self, target: Path, between: Callable[[], None]) -> None:
        if self._open is None:
            raise CopyFailed(f"{self.path} is not open")
        copy_pages(_driver(self._open), target, between)

    def examination(self) -> Examination:
        """Check the whole file. Raises StoreRefused for a damage that is not of one experiment."""
        assert self._open is not None
        size = self.path.stat().st_size
        with self._translating_errors():
            version, report = self.tables_version, str(_pragma(self._open, "integrity_check(1)"))
        if report != "ok":
            raise _damaged(self.path, report)
        with self._transaction() as connection:
            if version != VERSION:
                experiments, uploads = (
                    connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()
                    for name in ("experiment", "dataset")
                )
                return Examination(version, experiments, uploads, size)
            experiments, uploads = len(sql.experiments(connection)), len(sql.tables(connection))
            return Examination(version, experiments, uploads, size, tuple(sql.damages(connection)))

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

    def _delete(self, delete: Callable[[Connection], None]) -> None:
        """Delete, with the reserve on a full disk, and return free pages to the disk."""
        try:
            with self._changing() as connection:
                delete(connection)
        except StoreUnwritable:
            self._reserve.release()
            self._return_room()
            try:
                with self._changing() as connection:
                    delete(connection)
            finally:
                self._return_room()
                self._reserve.fill()
        else:
            if self._is_short_of_room():
                self._return_room()

    def _is_short_of_room(self) -> bool:
        return shutil.disk_usage(self.path.parent).free < room_on(self.path.parent)

    def _free_bytes(self) -> int:
        """Return the bytes of the file that hold nothing."""
        assert self._open is not None
        pages: int = _driver(self._open).execute("PRAGMA freelist_count").fetchone()[0]
        return PAGE * pages

    def _return_room(self) -> None:
        """Truncate free pages of the file and the log, in small chunks."""
        if self._open is None:
            return
        driver, pages = _driver(self._open), room_on(self.path.parent) // PAGE // 4
        with contextlib.suppress(sqlite3.OperationalError):  # too little room; the deletion itself is done
            for _ in range(MOST_CHUNKS):
                # One step a page: before Python 3.12 `execute` makes a single one.
                driver.executescript(f"PRAGMA incremental_vacuum({pages})")
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                if not driver.execute("PRAGMA freelist_count").fetchone()[0]:
                    return

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Connection]:
        if self._open is None:
            raise StoreUnwritable(f"{self.path} is not open")
        with self._translating_errors(), self._open.begin():
            yield self._open

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A transaction for one experiment or table. Raises RecordDamaged."""
        try:
            with self._transaction() as connection:
                yield connection
        except StoreDamaged as error:
            raise RecordDamaged("its pages cannot be read") from error

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Connection]:
        """A transaction that writes. After damaged pages, nothing is written any more."""
        if self._damage is not None:
            raise StoreRefused(self._damage)
        try:
            with self._transaction() as connection:
                yield connection
        except StoreDamaged as error:
            self._damage = str(error)
            raise

    @contextlib.contextmanager
    def _translating_errors(self) -> Iterator[None]:
        try:
            yield
        except UnicodeDecodeError as error:  # in a message of SQLite that quotes damaged text
            raise _damaged(self.path, "its text is not UTF-8") from error
        except (DBAPIError, sqlite3.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
            if code in _OF_ANOTHER:
                raise StoreInUse(
                    f"another fallline uses {self.path.parent}: stop it, or set FALLLINE_DATA to another folder"
                ) from error
            if code in _DAMAGED:
                raise _damaged(self.path, str(cause)) from error
            if code in _UNWRITABLE:
                raise StoreUnwritable(f"{self.path} is not writable: {cause}") from error
            raise


def examine(folder: Path) -> Examination:
    """Check the file in a folder, which no server uses. Raises StoreRefused and StoreUnwritable."""
    store = SqliteStore(folder)
    store.open_unchanged()
    try:
        return store.examination()
    finally:
        store.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(connection: Connection) -> None:
    """Run all missing migrations in the connection's transaction."""
    # Importing Alembic takes 0.3 s, and most starts have nothing to migrate.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "fallline.storage:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _pragma(connection: Connection, pragma: str) -> object:
    """Run a pragma outside of any transaction, since some have no effect inside one."""
    row = _driver(connection).execute(f"PRAGMA {pragma}").fetchone()
    return None if row is None else row[0]


def _quick_check(connection: Connection) -> str:
    """Check the whole file: return "ok", or the first damage."""
    try:
        return _problems(str(_pragma(connection, "quick_check")))[0]
    except sqlite3.DatabaseError as error:  # some damages end the check itself
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT:
            raise
        return str(error)


def _problems(report: str) -> list[str]:
    """Return the lines of SQLite's report without its headings."""
    return [line for line in report.splitlines() if not line.startswith("***")]


def _is_of_the_page_map(report: str) -> bool:
    """True if the report is complete and only concerns the map of pages, which `VACUUM` makes anew."""
    problems = _problems(report)
    return len(problems) < MOST_PROBLEMS and all("ptr map" in line or "ptrmap" in line for line in problems)


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _damaged(path: Path, report: str) -> StoreDamaged:
    return StoreDamaged(
        f"{path} is damaged ({_problems(report)[0]}) and was left as it is",
        f"restore a backup, or {ANOTHER_FOLDER}",
    )
