"""The SQLite file: set up so that it lasts, and left alone where it is not ours, not whole or in use."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from fallline.storage import reserve, sqlite
from fallline.storage.interface import Moment, NewExperiment, Record, StoreRefused, StoreUnwritable
from fallline.storage.sqlite import NAME, SqliteStore
from fallline.storage.tables import METADATA
from fallline.vocabulary.journal import JournalBatch, Receipt, entry

PROGRESS = {"playing": False}


def begun(id: str, size: int = 0) -> Record:
    parts = (("gd", "head", b"x" * size),) if size else ()
    written = JournalBatch((entry("began"),), PROGRESS, (Receipt("key", b"asked", {"a": 1}),), parts=parts)
    return Record(id, Moment(1.0, 1.0), 0, written, NewExperiment(b"hash"))


def opened(folder: Path) -> SqliteStore:
    store = SqliteStore(folder)
    store.open()
    return store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    one = opened(tmp_path)
    yield one
    one.close()


def ids(store: SqliteStore) -> list[str]:
    return sorted(each.id for each in store.experiments())


def asked(store: SqliteStore, sql: str) -> object:
    assert store._open is not None
    driver = store._open.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver.execute(sql).fetchone()[0]


def test_no_memory_is_shared_through_the_file_system_not_even_after_a_crash(tmp_path: Path) -> None:
    """On folders that another system shares, that is what damages files with a write-ahead log."""
    (crashed := tmp_path / "crashed").mkdir()
    store = opened(tmp_path / "first")
    store.write([begun("x")])
    for file in (NAME, f"{NAME}-wal"):
        shutil.copy(tmp_path / "first" / file, crashed)
    again = opened(crashed)
    again.write([begun("y")])
    assert ids(again) == ["x", "y"]
    for folder in (tmp_path / "first", crashed):
        assert {file.name for file in folder.iterdir()} == {NAME, f"{NAME}-wal", reserve.NAME}
    store.close()
    again.close()


def test_what_is_written_lasts(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.write([begun("x")])
    store.close()
    again = opened(tmp_path)
    assert ids(again) == ["x"]
    assert again.answer("x", "key") == {"a": 1}
    again.close()


def test_what_is_written_is_in_the_files_when_the_call_returns(store: SqliteStore, tmp_path: Path) -> None:
    for number in range(5):
        store.write([begun(f"x{number}", 50_000)])
        there = tmp_path / f"as after a crash {number}"
        there.mkdir()
        for name in (NAME, f"{NAME}-wal"):
            shutil.copy(tmp_path / name, there / name)
        other = opened(there)
        assert ids(other) == [f"x{each}" for each in range(number + 1)]
        other.close()


def test_it_is_set_up_to_last(store: SqliteStore) -> None:
    assert asked(store, "PRAGMA journal_mode") == "wal"
    assert asked(store, "PRAGMA synchronous") == 2  # FULL: the log is synced at every commit
    assert asked(store, "PRAGMA foreign_keys") == 1
    assert asked(store, "SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%STRICT%'") == len(
        METADATA.tables
    )


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "folder"
    store = opened(folder)
    store.write([begun("x")])
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    store.close()
    assert modes == {"folder": 0o700, NAME: 0o600, f"{NAME}-wal": 0o600, reserve.NAME: 0o600}


def test_the_migrations_lead_to_the_tables_that_the_program_knows(store: SqliteStore) -> None:
    assert store._open is not None
    assert compare_metadata(MigrationContext.configure(store._open), METADATA) == []


def test_a_second_process_is_told_so_and_the_first_goes_on(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import sys, pathlib\n"
        "from fallline.storage import sqlite\n"
        "sqlite.WAIT_SECONDS = 0.1\n"
        "try: sqlite.SqliteStore(pathlib.Path(sys.argv[1])).open()\n"
        "except sqlite.StoreRefused as error: print(error)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout.startswith(f"another fallline uses {tmp_path}")
    store.write([begun("x")])
    assert ids(store) == ["x"]


def test_one_that_was_just_ending_is_waited_for(store: SqliteStore, tmp_path: Path) -> None:
    code = "import sys, pathlib\nfrom fallline.storage.sqlite import SqliteStore\n"
    code += "print('begins', flush=True)\nSqliteStore(pathlib.Path(sys.argv[1])).open()\nprint('open')\n"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begins\n"
        store.close()
        assert process.stdout.readline() == "open\n"


def changed_file(folder: Path, *statements: str) -> bytes:
    opened(folder).close()
    connection = sqlite3.connect(folder / NAME)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return (folder / NAME).read_bytes()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("PRAGMA user_version = 99", "written by a newer fallline .* update it"),
        ("PRAGMA application_id = 7", "is not fallline's"),
    ],
)
def test_a_file_that_is_not_for_this_program_is_refused_and_left_alone(
    tmp_path: Path, statement: str, words: str
) -> None:
    before = changed_file(tmp_path, statement)
    with pytest.raises(StoreRefused, match=words):
        SqliteStore(tmp_path).open()
    assert (tmp_path / NAME).read_bytes() == before


def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(before := b"these are my notes\n" * 100)
    with pytest.raises(StoreRefused, match=r"is damaged .* left as it is"):
        SqliteStore(tmp_path).open()
    assert (tmp_path / NAME).read_bytes() == before


def page_of(path: Path, table: str) -> int:
    connection = sqlite3.connect(path)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    connection.close()
    return int(page)


def spoil(path: Path, table: str) -> bytes:
    page = page_of(path, table)
    spoilt = bytearray(path.read_bytes())
    spoilt[(page - 1) * 4096 : page * 4096] = b"\xa5" * 4096
    path.write_bytes(spoilt)
    return bytes(spoilt)


def test_a_damaged_log_is_refused_and_left_alone(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.write([begun(f"x{number}") for number in range(50)])
    store.close()
    before = spoil(tmp_path / NAME, "entry")
    with pytest.raises(StoreRefused, match="is damaged"):
        SqliteStore(tmp_path).open()
    assert (tmp_path / NAME).read_bytes() == before


def test_damaged_states_are_done_without(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.write([begun("x", 50_000)])
    store.close()
    spoil(tmp_path / NAME, "part")
    again = opened(tmp_path)
    kept = again.load("x")
    assert kept is not None
    assert (len(kept.entries), kept.parts) == (1, {})
    again.close()


def test_a_folder_that_cannot_be_written_to_is_no_reason_to_end(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = SqliteStore(tmp_path / "file" / "folder")
    with pytest.raises(StoreUnwritable):
        store.open()
    with pytest.raises(StoreUnwritable):
        store.try_writing()
    with pytest.raises(StoreUnwritable):
        store.write([begun("x")])
    (tmp_path / "file").unlink()
    store.try_writing()
    store.write([begun("x")])
    assert ids(store) == ["x"]
    store.close()


def test_a_full_disk_stores_nothing_by_halves_and_is_got_over(store: SqliteStore) -> None:
    store.write([begun("x")])
    pages = asked(store, "PRAGMA page_count")
    asked(store, f"PRAGMA max_page_count = {int(str(pages)) + 2}")
    with pytest.raises(StoreUnwritable):
        store.write([begun("small"), begun("large", 100_000)])
    assert ids(store) == ["x"]
    asked(store, "PRAGMA max_page_count = 1000000")
    store.try_writing()
    store.write([begun("small"), begun("large", 100_000)])
    assert ids(store) == ["large", "small", "x"]


def test_an_old_sqlite_is_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "OLDEST", (99, 0, 0))
    with pytest.raises(StoreRefused, match=r"needs SQLite 99\.0\.0 or newer"):
        SqliteStore(tmp_path).open()


def test_an_error_that_is_logged_says_no_id(store: SqliteStore) -> None:
    id = "-".join(("an", "id"))  # in one piece it would stand in the line that the error quotes
    store.write([begun(id)])
    with pytest.raises(ValueError, match="does not fit") as refused:
        store.write([begun(id)])
    assert id not in "".join(traceback.format_exception(refused.value))
