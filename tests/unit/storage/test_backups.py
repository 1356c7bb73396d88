"""Backups: complete, private, checked, kept in number; and their restoration."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from fallline.storage import backups, sqlite
from fallline.storage.backups import BackupFolder, publish, staging
from fallline.storage.interface import CopyFailed, Store, StoreInUse, StoreRefused, StoreUnwritable
from fallline.storage.restoring import check_file, restore_file
from fallline.storage.sqlite import NAME, SqliteStore, examine
from fallline.storage.tables import VERSION
from fallline.vocabulary.journal import JournalBatch, Moment, NewExperiment, Receipt, Record, entry, log_id

OLDER = Path(__file__).parents[2] / "golden" / "stored" / "version-1-tables-3.sqlite3"
NOON = 1_782_907_200.0


def record_of(id: str, size: int = 0) -> Record:
    parts = (("gd", "head", b"x" * size),) if size else ()
    batch = JournalBatch(
        (entry("began"),), {"playing": False}, (Receipt("key", b"asked", {"a": 1}),), parts=parts
    )
    return Record(id, Moment(1.0, 1.0), 0, batch, NewExperiment(b"hash"))


def store_with(folder: Path, *ids: str) -> SqliteStore:
    store = SqliteStore(folder)
    store.open()
    store.write([record_of(id, 30_000) for id in ids])
    return store


def nothing() -> None: ...


def unchanged(store: Store) -> None: ...


def copied(store: SqliteStore, folder: Path) -> Path:
    folder.mkdir()
    store.copy_to(folder / NAME, nothing)
    return folder


def ids_in(folder: Path) -> list[str]:
    store = SqliteStore(folder)
    store.open()
    try:
        return sorted(one.id for one in store.experiments())
    finally:
        store.close()


# ---------------------------------------------------------------------- copies


def test_a_copy_stands_alone_is_private_and_belongs_to_no_server(tmp_path: Path) -> None:
    store = store_with(tmp_path / "data", "x", "y")
    copy = copied(store, tmp_path / "copy")
    assert [path.name for path in copy.iterdir()] == [NAME]
    assert stat.S_IMODE((copy / NAME).stat().st_mode) == 0o600
    report = examine(copy)
    assert (report.tables_version, report.experiments, report.uploads, report.damages) == (VERSION, 2, 0, ())
    assert ids_in(copy) == ["x", "y"]
    store.close()


def test_a_copy_has_what_is_written_while_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backups, "CHUNK_PAGES", 1)
    monkeypatch.setattr(backups, "SYNC_CHUNKS", 2)
    store = store_with(tmp_path / "data", *(f"x{number:02}" for number in range(20)))
    written = 0

    def between() -> None:
        nonlocal written
        if written < 60:
            store.write([record_of(f"y{written:02}", 9_000)])
            if written % 3 == 0:
                store.delete([f"x{written // 3:02}"])
            with pytest.raises(ValueError):
                store.write([record_of(f"z{written}", 50_000), record_of(f"y{written:02}")])
            written += 1

    (tmp_path / "copy").mkdir()
    store.copy_to(tmp_path / "copy" / NAME, between)
    expected = sorted(one.id for one in store.experiments())
    store.close()
    assert len(expected) == 60
    assert examine(tmp_path / "copy").damages == ()
    assert ids_in(tmp_path / "copy") == expected


def test_a_copy_to_a_full_disk_or_a_missing_folder_fails_and_the_store_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_with(tmp_path / "data", "x")
    with pytest.raises(CopyFailed, match="not writable"):
        store.copy_to(tmp_path / "nowhere" / NAME, nothing)
    monkeypatch.setattr(backups, "shutil", SimpleNamespace(disk_usage=lambda folder: SimpleNamespace(free=1)))
    monkeypatch.setattr(backups, "room_on", lambda folder: 0)
    with pytest.raises(CopyFailed, match="no room"):
        store.copy_to(tmp_path / NAME, nothing)
    assert not (tmp_path / NAME).exists()
    store.write([record_of("y")])
    store.close()


def test_a_flipped_bit_in_a_copy_is_found(tmp_path: Path) -> None:
    store = store_with(tmp_path / "data", "x", "y")
    copy = copied(store, tmp_path / "copy")
    store.close()
    content = (copy / NAME).read_bytes()
    assert content.count(b'"what":"began"') == 2
    (copy / NAME).write_bytes(content.replace(b'"what":"began"', b'"what":"begun"', 1))
    (damage,) = examine(copy).damages
    assert damage.split(":")[0] in (f"experiment {log_id('x')}", f"experiment {log_id('y')}")


def test_an_unfinished_copy_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / ".fallline-copy.partial").mkdir()
    (tmp_path / ".fallline-copy.partial" / "of a killed process").touch()
    with staging(tmp_path) as staged:
        assert not any(staged.parent.iterdir())
        staged.touch()
    assert not any(tmp_path.iterdir())


def test_the_copy_of_a_killed_server_takes_no_room_after_its_restart(tmp_path: Path) -> None:
    store_with(tmp_path, "x").close()
    with staging(tmp_path) as staged:
        place = staged.parent
    place.mkdir()
    (place / NAME).write_bytes(b"half")
    assert ids_in(tmp_path) == ["x"]
    assert not place.exists()


def test_a_name_that_is_taken_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("new")
    (tmp_path / "old").write_text("old")
    with pytest.raises(CopyFailed, match="exists"):
        publish(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old").read_text() == "old"


def test_a_backup_on_another_disk_is_copied_and_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def on_another_disk(self: Path, target: Path) -> Path:
        if self.parent != target.parent:
            raise OSError(errno.EXDEV, "another disk")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", on_another_disk)
    (tmp_path / "there").mkdir()
    (tmp_path / "new").write_bytes(content := os.urandom(100_000))
    publish(tmp_path / "new", tmp_path / "there" / "backup")
    assert (tmp_path / "there" / "backup").read_bytes() == content
    assert stat.S_IMODE((tmp_path / "there" / "backup").stat().st_mode) == 0o600
    monkeypatch.setattr(
        backups, "shutil", SimpleNamespace(copyfileobj=lambda source, copy: copy.write(b"other"))
    )
    with pytest.raises(CopyFailed, match="other bytes"):
        publish(tmp_path / "new", tmp_path / "there" / "second")
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["backup"]


# ---------------------------------------------------------------------- folders of backups


def added(folder: BackupFolder, kind: str = "") -> str:
    folder.path.parent.mkdir(exist_ok=True)
    (staged := folder.path.parent / "staged").touch()
    return folder.add(staged, kind).name


def test_the_newest_backups_of_each_kind_stay(tmp_path: Path) -> None:
    now = NOON
    folder = BackupFolder(tmp_path / "backups", 2, lambda: now)
    assert folder.seconds_since_last() is None
    first = [added(folder), added(folder, "tables-3-"), added(folder)]
    assert first == [
        "fallline-20260701T120000Z.sqlite3",
        "fallline-tables-3-20260701T120000Z.sqlite3",
        "fallline-20260701T120000Z-2.sqlite3",
    ]
    (folder.path / "of-somebody-else.sqlite3").touch()
    now += 60
    second = added(folder)
    assert sorted(path.name for path in folder.path.iterdir()) == sorted(
        [*first[1:], second, "of-somebody-else.sqlite3"]
    )
    os.utime(folder.path / second, (NOON, NOON))
    os.utime(folder.path / first[2], (NOON - 5, NOON - 5))
    assert folder.seconds_since_last() == 60
    now = NOON - 100
    assert folder.seconds_since_last() == 95, "the clock jumped"


DAY = 86_400.0


class Machine:
    """A folder of at most 7 backups on a machine whose clock may jump."""

    def __init__(self, tmp_path: Path) -> None:
        self.passed = 0.0
        self.ahead = 0.0
        self.folder = BackupFolder(tmp_path / "backups", 7, self.today, lambda: self.passed)

    def today(self) -> float:
        return NOON + self.passed + self.ahead

    def restart(self) -> None:
        self.folder = BackupFolder(self.folder.path, 7, self.today, lambda: self.passed)

    def make(self, count: int, kind: str = "") -> list[str]:
        """Make a backup a day; return their names. Each must exist right after its creation."""
        names = []
        for _ in range(count):
            self.passed += DAY
            names.append(added(self.folder, kind))
            assert names[-1] in self.names(), "a new backup was deleted at once"
            path = self.folder.path / names[-1]
            os.utime(path, (self.today(), self.today()))
        return names

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.path.iterdir())


@pytest.mark.parametrize("kind", ["", "tables-3-"])
def test_backups_of_a_wrong_future_displace_none_and_the_next_ones_stay(tmp_path: Path, kind: str) -> None:
    machine = Machine(tmp_path)
    before = machine.make(7, kind)
    machine.ahead = 31 * DAY
    wrong = machine.make(9, kind)
    assert machine.names() == sorted([*before, *wrong[2:]])
    machine.ahead = 0.0
    after = machine.make(3, kind)
    assert machine.names() == sorted([*before[3:], *after, *wrong[2:]])
    machine.restart()
    after += machine.make(9, kind)
    assert machine.names() == sorted([*after[-7:], *wrong[2:]])
    machine.passed += 31 * DAY
    after += machine.make(1, kind)
    assert machine.names() == sorted(after[-7:]), "the dates of the wrong ones have passed"


def test_a_folder_that_has_only_backups_of_a_wrong_future_gets_new_ones(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.ahead = 31 * DAY
    wrong = machine.make(7)
    machine.ahead = 0.0
    machine.restart()
    after = machine.make(9)
    assert machine.names() == sorted([*wrong, *after[2:]])


def test_backups_of_a_wrong_past_are_the_newest_and_displace_none_of_the_present(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    before = machine.make(7)
    machine.ahead = -1000 * DAY
    machine.restart()
    wrong = machine.make(8)
    assert machine.names() == sorted([*before, *wrong[1:]])
    assert [path.name for path in machine.folder.backups()] == [*before, *wrong[1:]]


def test_a_destination_knows_of_the_jump_too(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    before = machine.make(7)
    machine.ahead = 31 * DAY
    machine.folder = machine.folder.elsewhere(machine.folder.path)
    wrong = machine.make(9)
    assert machine.names() == sorted([*before, *wrong[2:]])


def test_a_backup_dated_in_the_future_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine(tmp_path)
    machine.make(2)
    assert caplog.messages == []
    (machine.folder.path / "fallline-20991231T000000Z.sqlite3").touch()
    with caplog.at_level(logging.WARNING):
        machine.make(1)
    (message,) = caplog.messages
    assert message.startswith(f"backups in {machine.folder.path} with times in the future")
    assert ": 1, up to 20991231T000000Z." in message


def test_backups_with_the_names_of_earlier_versions_keep_their_order(tmp_path: Path) -> None:
    (folder := tmp_path / "backups").mkdir()
    names = [f"fallline-2026060{day}T000000Z{number}.sqlite3" for day in range(1, 5) for number in ("", "-2")]
    for name in names:
        (folder / name).touch()
    machine = Machine(tmp_path)
    (new,) = machine.make(1)
    assert new == "fallline-20260702T120000Z-2.sqlite3"
    assert machine.names() == sorted([*names[1:2], *names[3:], new]), "the oldest are gone"


def test_a_backup_dated_after_a_later_one_is_not_taken_as_fresh(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.make(1)
    machine.ahead = 31 * DAY
    machine.make(1)
    assert machine.folder.seconds_since_last() == 0
    machine.ahead = 0.0
    assert machine.folder.seconds_since_last() == DAY, "the clock may jump to and fro"
    machine.make(1)
    machine.passed += 31 * DAY
    assert machine.folder.seconds_since_last() == 31 * DAY


# ---------------------------------------------------------------------- upgrades


def test_before_the_tables_change_their_file_is_kept(tmp_path: Path) -> None:
    shutil.copy(OLDER, tmp_path / NAME)
    store = SqliteStore(tmp_path, BackupFolder(tmp_path / "backups", 7, lambda: NOON))
    store.open()
    assert store.tables_version == VERSION
    store.close()
    (backup,) = (tmp_path / "backups").iterdir()
    assert backup.name == "fallline-tables-3-20260701T120000Z.sqlite3"
    with closing(sqlite3.connect(backup)) as copy, closing(sqlite3.connect(OLDER)) as older:
        assert list(copy.iterdump()) == list(older.iterdump())
        assert copy.execute("PRAGMA user_version").fetchone() == (3,)
    store.open()
    store.close()
    assert len([*(tmp_path / "backups").iterdir()]) == 1


def test_without_a_backup_the_tables_do_not_change(tmp_path: Path) -> None:
    shutil.copy(OLDER, tmp_path / NAME)
    (tmp_path / "backups").touch()
    with pytest.raises(StoreUnwritable, match="no backup before the upgrade"):
        SqliteStore(tmp_path, BackupFolder(tmp_path / "backups", 7)).open()
    with closing(sqlite3.connect(tmp_path / NAME)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)


# ---------------------------------------------------------------------- restoring


def backed_up(tmp_path: Path) -> tuple[Path, Path]:
    """Return the data folder of a server that went on after a backup, and the backup."""
    data, backup = tmp_path / "data", tmp_path / "backup.sqlite3"
    store = store_with(data, "x", "y")
    store.copy_to(backup, nothing)
    store.write([record_of("later")])
    store.close()
    return data, backup


def test_a_restored_folder_has_the_backup_and_keeps_the_replaced_file(tmp_path: Path) -> None:
    data, backup = backed_up(tmp_path)
    report, old_file = restore_file(backup, data, NOON, unchanged)
    assert (report.experiments, report.damages) == (2, ())
    assert old_file == data / "fallline-replaced-20260701T120000Z.sqlite3"
    assert stat.S_IMODE((data / NAME).stat().st_mode) == 0o600
    assert not [path.name for path in data.iterdir() if path.name.startswith(".")]
    assert ids_in(data) == ["x", "y"]
    restore_file(old_file, data, NOON + 1, unchanged)
    assert ids_in(data) == ["later", "x", "y"]


def test_two_restores_in_a_second_keep_both_replaced_files(tmp_path: Path) -> None:
    data, backup = backed_up(tmp_path)
    old_files = [restore_file(backup, data, NOON, unchanged)[1] for _ in range(3)]
    assert [file and file.name for file in old_files] == [
        f"fallline-replaced-20260701T120000Z{end}.sqlite3" for end in ("", "-2", "-3")
    ]
    restore_file(old_files[0] or backup, data, NOON, unchanged)
    assert ids_in(data) == ["later", "x", "y"]


def test_the_restored_store_is_prepared_before_it_takes_its_place(tmp_path: Path) -> None:
    data, backup = backed_up(tmp_path)

    def fails(store: Store) -> None:
        store.delete(["x"])
        raise StoreRefused("not this one")

    with pytest.raises(StoreRefused, match="not this one"):
        restore_file(backup, data, NOON, fails)
    assert ids_in(data) == ["later", "x", "y"]
    restore_file(backup, data, NOON, lambda store: store.delete(["x"]))
    assert ids_in(data) == ["y"]
    assert examine(data).experiments == 1
    assert check_file(backup, tmp_path).experiments == 2, "the backup is as before"


def test_a_file_in_use_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "WAIT_SECONDS", 0.1)
    data, backup = backed_up(tmp_path)
    used = SqliteStore(data)
    used.open()
    used.write([record_of("last")])
    with pytest.raises(StoreInUse, match="another fallline uses"):
        restore_file(backup, data, NOON, unchanged)
    used.close()
    assert ids_in(data) == ["last", "later", "x", "y"]


@pytest.mark.parametrize(
    ("statement", "words"),
    [("PRAGMA user_version = 99", "newer fallline"), ("PRAGMA application_id = 7", "not a file of fallline")],
)
def test_a_backup_of_a_newer_or_another_program_is_refused(
    tmp_path: Path, statement: str, words: str
) -> None:
    data, backup = backed_up(tmp_path)
    with closing(sqlite3.connect(backup)) as connection:
        connection.execute(statement)
    with pytest.raises(StoreRefused, match=f"{backup} .*{words}"):
        restore_file(backup, data, NOON, unchanged)
    assert ids_in(data) == ["later", "x", "y"]


def test_an_empty_file_is_no_backup(tmp_path: Path) -> None:
    data, _ = backed_up(tmp_path)
    empty = tmp_path / "empty.sqlite3"
    empty.touch()
    for act in (
        lambda: check_file(empty, tmp_path),
        lambda: restore_file(empty, data, NOON, unchanged),
        lambda: restore_file(empty, data, NOON, unchanged, allow_damage=True),
    ):
        with pytest.raises(StoreRefused, match=f"{empty} is empty"):
            act()
    assert ids_in(data) == ["later", "x", "y"]


def test_a_folder_is_no_backup(tmp_path: Path) -> None:
    data, _ = backed_up(tmp_path)
    with pytest.raises(CopyFailed, match=f"{data} is a folder: name a backup in it"):
        check_file(data, tmp_path)


def test_a_damaged_file_and_its_log_are_kept_as_they_are(tmp_path: Path) -> None:
    data, backup = backed_up(tmp_path)
    (data / NAME).write_bytes(damaged := b"no database" * 100)
    (data / f"{NAME}-wal").write_bytes(b"no log")
    _, old_file = restore_file(backup, data, NOON, unchanged)
    assert old_file is not None
    assert old_file.read_bytes() == damaged
    assert old_file.with_name(f"{old_file.name}-wal").read_bytes() == b"no log"
    assert ids_in(data) == ["x", "y"]


def test_a_new_folder_and_one_without_its_file_are_restored(tmp_path: Path) -> None:
    data, backup = backed_up(tmp_path)
    assert restore_file(backup, tmp_path / "new", NOON, unchanged)[1] is None
    assert ids_in(tmp_path / "new") == ["x", "y"]
    (data / NAME).unlink()
    assert restore_file(backup, data, NOON, unchanged)[1] is None
    assert ids_in(data) == ["x", "y"]


def test_a_copied_file_is_restored_with_its_log_and_refused_without(tmp_path: Path) -> None:
    store = store_with(tmp_path / "data", "x")
    for name in (NAME, f"{NAME}-wal"):
        shutil.copy(tmp_path / "data" / name, tmp_path / name.replace(NAME, "copy.sqlite3"))
    store.close()
    restore_file(tmp_path / "copy.sqlite3", tmp_path / "new", NOON, unchanged)
    assert ids_in(tmp_path / "new") == ["x"]


def test_older_tables_are_restored(tmp_path: Path) -> None:
    report = check_file(OLDER, tmp_path)
    assert (report.tables_version, report.experiments > 2) == (3, True)
    restored, _ = restore_file(OLDER, tmp_path / "data", NOON, unchanged)
    assert (restored.tables_version, restored.experiments) == (VERSION, report.experiments)
