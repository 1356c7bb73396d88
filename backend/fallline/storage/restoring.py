"""Restoring the store's file from a backup, while no server uses it.

The file that is replaced stays in the folder under another name.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from fallline.storage.backups import SUFFIX, new_file, staging, sync_folder, time_name
from fallline.storage.interface import CopyFailed, Store, StoreInUse, StoreRefused, StoreUnwritable
from fallline.storage.sqlite import NAME, SqliteStore
from fallline.vocabulary.journal import Examination

LOG = "-wal"
"""Ending of the log beside a file. A copy of a folder may have one."""


def check_file(file: Path, folder: Path) -> Examination:
    """Check a backup, or a copied file with its log, on a copy inside the folder.

    Raises StoreRefused and CopyFailed.
    """
    with staging(folder, "check") as staged:
        _copy(file, staged)
        return _prepared(staged, lambda store: None, file)


def restore_file(
    file: Path, folder: Path, now: float, prepare: Callable[[Store], None], *, allow_damage: bool = False
) -> tuple[Examination, Path | None]:
    """Replace the store of a folder; return what was restored, and where the replaced file is now.

    `prepare` changes the restored store before it takes its place. `now` is in seconds since 1970.
    Raises StoreInUse, StoreRefused for a file that cannot be restored, and CopyFailed; nothing is replaced then.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CopyFailed(f"{folder} is not writable: {error.strerror}") from error
    with staging(folder, "restore") as staged:
        _copy(file, staged)
        examination = _prepared(staged, prepare, file, upgrades=True)
        if examination.damages and not allow_damage:
            raise StoreRefused(
                f"{file} has damaged parts ({examination.damages[0]}): add --damaged to restore the rest"
            )
        return examination, _replace(staged, folder, now)


def _copy(file: Path, staged: Path) -> None:
    try:
        _copy_privately(file, staged)
        if (log := file.with_name(f"{file.name}{LOG}")).exists():
            _copy_privately(log, staged.with_name(f"{staged.name}{LOG}"))
    except FileNotFoundError as error:
        raise CopyFailed(f"there is no {file}") from error
    except IsADirectoryError as error:
        raise CopyFailed(f"{file} is a folder: name a backup in it") from error
    except OSError as error:
        raise CopyFailed(f"{file} cannot be copied: {error.strerror}") from error


def _copy_privately(file: Path, copy: Path) -> None:
    with file.open("rb") as source, os.fdopen(new_file(copy), "wb") as target:
        shutil.copyfileobj(source, target)


def _prepared(
    staged: Path, prepare: Callable[[Store], None], file: Path, *, upgrades: bool = False
) -> Examination:
    """Check and prepare the copy; errors name the file."""
    store = SqliteStore(staged.parent)
    try:
        store.open_unchanged()
        if upgrades:
            store.close()
            store.open()
        try:
            examination = store.examination()
            prepare(store)
        finally:
            store.close()
    except StoreRefused as error:
        raise type(error)(error.problem.replace(str(staged), str(file))) from error
    except StoreUnwritable as error:
        raise StoreRefused(str(error).replace(str(staged), str(file))) from error
    return examination


def _replace(staged: Path, folder: Path, now: float) -> Path | None:
    """Put the file in place of the folder's own; return the new name of that one. Raises StoreInUse."""
    current, log = folder / NAME, folder / f"{NAME}{LOG}"
    replaced = _free_name(folder, f"fallline-replaced-{time_name(now)}")
    replaced_log = replaced.with_name(f"{replaced.name}{LOG}")
    try:
        if log.exists():  # SQLite deletes the log of a damaged file
            _copy_privately(log, replaced_log)
        if _merges_log(folder):
            replaced_log.unlink(missing_ok=True)
        log.unlink(missing_ok=True)  # beside another file, its changes would damage that file
        is_replaced = current.exists()
        if is_replaced:
            _keep(current, replaced)
        staged.replace(current)
        sync_folder(folder)
    except StoreInUse:
        replaced_log.unlink(missing_ok=True)
        raise
    except OSError as error:
        raise CopyFailed(f"{folder} is not writable: {error.strerror}") from error
    return replaced if is_replaced else None


def _free_name(folder: Path, name: str) -> Path:
    """Return a name that no file has: an earlier replaced file may be of the same second."""
    endings = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
    return next(path for end in endings if not (path := folder / f"{name}{end}{SUFFIX}").exists())


def _merges_log(folder: Path) -> bool:
    """Merge the log into its file, as a server does that stops; return False for a damaged one. Raises StoreInUse."""
    store = SqliteStore(folder)
    try:
        store.open_unchanged()
    except StoreInUse:
        raise
    except (StoreRefused, StoreUnwritable):
        return False  # it may be the reason to restore, so it is kept as it is
    store.close()
    return True


def _keep(current: Path, name: Path) -> None:
    """Give a file a second name, so that there is one at each moment."""
    try:
        os.link(current, name)
    except OSError:  # a file system without links
        current.rename(name)
