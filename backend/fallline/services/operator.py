"""Commands of an operator: back up, check, list and remove experiments.

They work beside a running server, and without one. Names of experiments are `log_id`s, which give no access.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from fallline.storage.backups import SUFFIX, BackupFolder, publish, staging
from fallline.storage.interface import CopyFailed, Store, StoreDamaged, StoreRefused, StoreUnwritable
from fallline.vocabulary.errors import FalllineError
from fallline.vocabulary.journal import Examination, ExperimentInfo, log_id

DELETED_AT_ONCE = 10
"""Experiments deleted together, so that nobody waits long for the store."""

CHECK_SECONDS = 60.0
"""How often it is checked whether a scheduled backup is due."""

RETRY_SECONDS = 3600.0
"""Seconds between a scheduled backup that failed and the next attempt."""

_log = logging.getLogger(__name__)


class OperationFailed(Exception):
    """A command that was not done. The text says why, in one line."""


class DamageFound(OperationFailed):
    """The store or the backup is damaged as a whole."""


class OperatedStore(Protocol):
    """The part of a store that the commands need."""

    async def experiments(self) -> list[ExperimentInfo]: ...

    async def sizes(self) -> dict[str, int]: ...

    async def copy_to(self, target: Path) -> None: ...

    async def delete(self, ids: Sequence[str]) -> None: ...


class ClosedStore:
    """An open store that no server uses. Without present tables, it can only be copied."""

    def __init__(self, store: Store, *, is_current: bool) -> None:
        self._store = store
        self._is_current = is_current

    async def experiments(self) -> list[ExperimentInfo]:
        if not self._is_current:
            raise StoreRefused(
                "the tables are older than this fallline: start the server once to upgrade them"
            )
        return self._store.experiments()

    async def sizes(self) -> dict[str, int]:
        return self._store.sizes()

    async def copy_to(self, target: Path) -> None:
        self._store.copy_to(target, lambda: None)

    async def delete(self, ids: Sequence[str]) -> None:
        self._store.delete(ids)


class Operator:
    """Runs the commands on the store of one data folder.

    `examine` checks the file in a folder. The folder `backups` gets scheduled backups and backups without a
    destination. The function `deleted` is called with the id of each removed experiment.
    """

    def __init__(
        self,
        store: OperatedStore,
        folder: Path,
        examine: Callable[[Path], Examination],
        backups: BackupFolder,
        deleted: Callable[[str], None] = lambda id: None,
    ) -> None:
        self._store = store
        self._folder = folder
        self._examine = examine
        self._backups = backups
        self._deleted = deleted
        self._copying = asyncio.Lock()
        self._retry_at = 0.0

    async def do(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Run one command: `do` names it. Raises OperationFailed."""
        try:
            match request:
                case {"do": "backup", "destination": str(destination)}:
                    return await self.back_up(Path(destination))
                case {"do": "backup"}:
                    return await self.back_up(None)
                case {"do": "check"}:
                    return await self.check()
                case {"do": "list"}:
                    return await self.list()
                case {"do": "remove", "names": [*names]}:
                    return await self.remove([str(name) for name in names])
        except StoreDamaged as error:
            raise DamageFound(str(error)) from error
        except (CopyFailed, StoreRefused, StoreUnwritable) as error:
            raise OperationFailed(str(error)) from error
        except FalllineError as error:
            raise OperationFailed(error.detail) from error
        raise OperationFailed("this server does not know the command: it has another version")

    async def back_up(self, destination: Path | None) -> dict[str, Any]:
        """Make a backup in a folder, or as a new file. It is checked before it gets its name."""
        file = None if destination is None or destination.is_dir() else destination
        if file is not None and file.suffix != SUFFIX:
            raise CopyFailed(f"{file} is no folder: name a folder, or a new file that ends in {SUFFIX}")
        if file is not None and file.exists():
            raise CopyFailed(f"{file} exists: choose another name, or a folder")
        async with self._copy() as (staged, examination):
            if file is not None:
                await asyncio.to_thread(publish, staged, path := file)
            else:
                folder = self._backups if destination is None else self._backups.elsewhere(destination)
                # Backups of a damaged store must not displace the good ones.
                path = await asyncio.to_thread(folder.add, staged, prunes=not examination.damages)
        _log.info("a backup of %d experiments is in %s", examination.experiments, path)
        return {"path": str(path), **report_of(examination)}

    async def check(self) -> dict[str, Any]:
        """Check a copy of the store."""
        async with self._copy() as (_, examination):
            return {"path": str(self._folder), **report_of(examination)}

    @asynccontextmanager
    async def _copy(self) -> AsyncIterator[tuple[Path, Examination]]:
        async with self._copying:
            with staging(self._folder) as staged:
                await self._store.copy_to(staged)
                try:
                    examination = await asyncio.to_thread(self._examine, staged.parent)
                except StoreRefused as error:
                    raise StoreDamaged(f"the store or its copy is damaged: {error.problem}") from error
                except StoreUnwritable as error:
                    raise CopyFailed(f"the copy cannot be checked: {error}") from error
                yield staged, examination

    async def list(self) -> dict[str, Any]:
        """List the experiments, the last used first."""
        experiments, sizes = await self._store.experiments(), await self._store.sizes()
        experiments.sort(key=lambda one: one.used.at, reverse=True)
        return {
            "experiments": [
                {
                    "name": log_id(one.id),
                    "used": one.used.at,
                    "playing": one.is_playing,
                    "bytes": sizes.get(one.id, 0),
                    "owner": None if one.owner is None else one.owner.hex()[:12],
                    "damaged": one.is_damaged,
                }
                for one in experiments
            ]
        }

    async def remove(self, names: Sequence[str]) -> dict[str, Any]:
        """Delete experiments, all or none if a name is unknown."""
        ids = {log_id(one.id): one.id for one in await self._store.experiments()}
        check_names(names, ids)
        chosen = [ids[name] for name in dict.fromkeys(names)]
        for start in range(0, len(chosen), DELETED_AT_ONCE):
            await self._store.delete(batch := chosen[start : start + DELETED_AT_ONCE])
            for id in batch:
                self._deleted(id)
        return {"removed": len(chosen)}

    async def back_up_when_due(self, hours: float) -> None:
        """Make a backup if the newest one is older. After a failure, wait before the next attempt."""
        if self._copying.locked():
            return
        now = asyncio.get_running_loop().time()
        last = self._backups.seconds_since_last()
        if now < self._retry_at or (last is not None and last < hours * 3600):
            return
        try:
            await self.do({"do": "backup"})
        except OperationFailed as error:
            self._retry_at = now + RETRY_SECONDS
            _log.error("the scheduled backup failed: %s", error)


def check_names(names: Sequence[str], known: Collection[str]) -> None:
    """Raise OperationFailed for a name that no experiment has."""
    if unknown := [name for name in names if name not in known]:
        raise OperationFailed(f"no experiment has the name {unknown[0]}: `fallline store ls` lists them")


def report_of(examination: Examination) -> dict[str, Any]:
    """Return a check as JSON."""
    return {
        "experiments": examination.experiments,
        "uploads": examination.uploads,
        "bytes": examination.bytes,
        "tables": examination.tables_version,
        "damaged": list(examination.damages),
    }
