"""The SQLite file: durable, and unchanged if foreign, damaged or in use."""

from __future__ import annotations

import contextlib
import dataclasses
import random
import shutil
import sqlite3
import stat
import struct
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from fallline.storage import disk, sqlite
from fallline.storage.interface import StoreRefused, StoreUnwritable
from fallline.storage.sqlite import NAME, SqliteStore
from fallline.storage.tables import METADATA
from fallline.vocabulary.journal import JournalBatch, Moment, NewExperiment, Receipt, Record, entry

PROGRESS = {"playing": False}


def record_of(id: str, size: int = 0, **facts: object) -> Record:
    parts = (("gd", "head", b"x" * size),) if size else ()
    batch = JournalBatch(
        (entry("began", **facts),), PROGRESS, (Receipt("key", b"asked", {"a": 1, **facts}),), parts=parts
    )
    return Record(id, Moment(1.0, 1.0), 0, batch, NewExperiment(b"hash"))


def noise(seed: int) -> str:
    """Return text that takes its room on the disk: compression makes it half as long."""
    return random.Random(seed).randbytes(400).hex()


def open_store(folder: Path) -> SqliteStore:
    store = SqliteStore(folder)
    store.open()
    return store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    one = open_store(tmp_path)
    yield one
    one.close()


def ids(store: SqliteStore) -> list[str]:
    return sorted(each.id for each in store.experiments())


def query(store: SqliteStore, sql: str) -> object:
    assert store._open is not None
    driver = store._open.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver.execute(sql).fetchone()[0]


def test_no_shared_memory_file_is_used_even_after_a_crash(tmp_path: Path) -> None:
    """On shared folders, such a file damages databases with a write-ahead log."""
    (crashed := tmp_path / "crashed").mkdir()
    store = open_store(tmp_path / "first")
    store.write([record_of("x")])
    for file in (NAME, f"{NAME}-wal"):
        shutil.copy(tmp_path / "first" / file, crashed)
    again = open_store(crashed)
    again.write([record_of("y")])
    assert ids(again) == ["x", "y"]
    for folder in (tmp_path / "first", crashed):
        assert {file.name for file in folder.iterdir()} == {NAME, f"{NAME}-wal", disk.NAME}
    store.close()
    again.close()


def test_written_records_survive_a_restart(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.write([record_of("x")])
    store.close()
    again = open_store(tmp_path)
    assert ids(again) == ["x"]
    assert again.answer("x", "key") == {"a": 1}
    again.close()


def test_written_records_are_in_the_files_when_the_call_returns(store: SqliteStore, tmp_path: Path) -> None:
    for number in range(5):
        store.write([record_of(f"x{number}", 50_000)])
        there = tmp_path / f"as after a crash {number}"
        there.mkdir()
        for name in (NAME, f"{NAME}-wal"):
            shutil.copy(tmp_path / name, there / name)
        other = open_store(there)
        assert ids(other) == [f"x{each}" for each in range(number + 1)]
        other.close()


def test_the_file_is_set_up_for_durability(store: SqliteStore) -> None:
    assert query(store, "PRAGMA journal_mode") == "wal"
    assert query(store, "PRAGMA synchronous") == 2  # FULL: the log is synced at every commit
    assert query(store, "PRAGMA foreign_keys") == 1
    assert query(store, "SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%STRICT%'") == len(
        METADATA.tables
    )


def test_no_other_user_can_read_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "folder"
    store = open_store(folder)
    store.write([record_of("x")])
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    store.close()
    assert modes == {"folder": 0o700, NAME: 0o600, f"{NAME}-wal": 0o600, disk.NAME: 0o600}


def test_the_migrations_lead_to_the_present_tables(store: SqliteStore) -> None:
    assert store._open is not None
    assert compare_metadata(MigrationContext.configure(store._open), METADATA) == []


def test_a_second_process_is_refused_and_the_first_continues(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import sys, pathlib\n"
        "from fallline.storage import sqlite\n"
        "sqlite.WAIT_SECONDS = 0.1\n"
        "try: sqlite.SqliteStore(pathlib.Path(sys.argv[1])).open()\n"
        "except sqlite.StoreRefused as error: print(error)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.startswith(f"another fallline uses {tmp_path}")
    store.write([record_of("x")])
    assert ids(store) == ["x"]


def test_opening_waits_for_a_server_that_is_stopping(store: SqliteStore, tmp_path: Path) -> None:
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
    open_store(folder).close()
    connection = sqlite3.connect(folder / NAME)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return (folder / NAME).read_bytes()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("PRAGMA user_version = 99", "written by a newer fallline .* update fallline"),
        ("PRAGMA application_id = 7", "is not a file of fallline"),
    ],
)
def test_a_file_of_another_version_or_program_is_refused_and_unchanged(
    tmp_path: Path, statement: str, words: str
) -> None:
    before = changed_file(tmp_path, statement)
    with pytest.raises(StoreRefused, match=words):
        SqliteStore(tmp_path).open()
    assert (tmp_path / NAME).read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_unchanged(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(before := b"these are my notes\n" * 100)
    with pytest.raises(StoreRefused, match=r"is damaged .* left as it is"):
        SqliteStore(tmp_path).open()
    assert (tmp_path / NAME).read_bytes() == before


def page_of(path: Path, table: str) -> int:
    connection = sqlite3.connect(path)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    connection.close()
    return int(page)


def pages_below(file: bytes | bytearray, root: int) -> list[int]:
    """Return the pages to which an inner page of a table points."""
    page = file[(root - 1) * sqlite.PAGE : root * sqlite.PAGE]
    assert page[0] in (2, 5), "an inner page"
    cells = struct.unpack_from(f">{int.from_bytes(page[3:5])}H", page, 12)
    return [int.from_bytes(page[cell : cell + 4]) for cell in cells]


def damage(path: Path, table: str) -> bytes:
    page = page_of(path, table)
    damaged = bytearray(path.read_bytes())
    damaged[(page - 1) * 4096 : page * 4096] = b"\xa5" * 4096
    path.write_bytes(damaged)
    return bytes(damaged)


def test_a_damaged_log_is_refused_and_unchanged(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.write([record_of(f"x{number}") for number in range(50)])
    store.close()
    before = damage(tmp_path / NAME, "entry")
    with pytest.raises(StoreRefused, match="is damaged"):
        SqliteStore(tmp_path).open()
    assert (tmp_path / NAME).read_bytes() == before


def test_an_experiment_opens_without_its_damaged_states(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.write([record_of("x", 50_000)])
    store.close()
    damage(tmp_path / NAME, "part")
    again = open_store(tmp_path)
    stored = again.load("x")
    assert stored is not None
    assert (len(stored.entries), stored.parts) == (1, {})
    again.close()


def test_a_flipped_bit_in_the_map_of_pages_is_mended(tmp_path: Path) -> None:
    """The map has an entry of 5 bytes for each page, also of essential tables."""
    folder = tmp_path / "intact"
    folder.mkdir()
    with contextlib.closing(open_store(folder)) as store:
        for number in range(60):
            store.write([record_of(f"x{number}", 40 * number, noise=noise(number))])
        before = [store.load(f"x{number}") for number in range(60)]
    intact = (folder / NAME).read_bytes()
    mended = 0
    for byte in range(sqlite.PAGE, sqlite.PAGE + 5 * (len(intact) // sqlite.PAGE - 2), 4):
        copy = tmp_path / str(byte)
        shutil.copytree(folder, copy)
        content = bytearray(intact)
        content[byte] ^= 1 << byte % 8
        (copy / NAME).write_bytes(content)
        with contextlib.closing(open_store(copy)) as again:
            after = [again.load(f"x{number}") for number in range(60)]
            has_parts = [stored is not None and bool(stored.parts) for stored in after]
            mended += not any(has_parts)
            without = [stored and dataclasses.replace(stored, parts={}) for stored in after]
            assert without == [stored and dataclasses.replace(stored, parts={}) for stored in before], byte
    assert mended > 20


def test_damage_beside_that_of_the_map_of_pages_is_refused(tmp_path: Path) -> None:
    with contextlib.closing(open_store(tmp_path)) as store:
        store.write([record_of(f"x{number}", noise=noise(number)) for number in range(60)])
    content = bytearray((tmp_path / NAME).read_bytes())
    *_, page = pages_below(content, page_of(tmp_path / NAME, "entry"))
    content[sqlite.PAGE + 5 * (page - 3)] ^= 1
    content[(page - 1) * sqlite.PAGE + 7] ^= 1  # the number of its unused bytes
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(StoreRefused, match="is damaged") as refused:
        SqliteStore(tmp_path).open()
    assert "***" not in str(refused.value), "the problem, not the heading of the report"
    assert (tmp_path / NAME).read_bytes() == content


def test_a_store_recovers_when_its_folder_becomes_writable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = SqliteStore(tmp_path / "file" / "folder")
    with pytest.raises(StoreUnwritable):
        store.open()
    with pytest.raises(StoreUnwritable):
        store.try_writing()
    with pytest.raises(StoreUnwritable):
        store.write([record_of("x")])
    (tmp_path / "file").unlink()
    store.try_writing()
    store.write([record_of("x")])
    assert ids(store) == ["x"]
    store.close()


def test_a_full_disk_stores_all_or_nothing_and_the_store_recovers(store: SqliteStore) -> None:
    store.write([record_of("x")])
    pages = query(store, "PRAGMA page_count")
    query(store, f"PRAGMA max_page_count = {int(str(pages)) + 2}")
    with pytest.raises(StoreUnwritable):
        store.write([record_of("small"), record_of("large", 100_000)])
    assert ids(store) == ["x"]
    query(store, "PRAGMA max_page_count = 1000000")
    store.try_writing()
    store.write([record_of("small"), record_of("large", 100_000)])
    assert ids(store) == ["large", "small", "x"]


def test_an_old_sqlite_is_refused_with_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "OLDEST", (99, 0, 0))
    with pytest.raises(StoreRefused, match=r"needs SQLite 99\.0\.0 or newer"):
        SqliteStore(tmp_path).open()


def test_a_logged_error_contains_no_id(store: SqliteStore) -> None:
    id = "-".join(("an", "id"))  # in one piece it would be in the source line of the traceback
    store.write([record_of(id)])
    with pytest.raises(ValueError, match="do not follow") as refused:
        store.write([record_of(id)])
    assert id not in "".join(traceback.format_exception(refused.value))
