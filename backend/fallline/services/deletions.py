"""Deleted experiments, which can be brought back for a while.

Owns when they can, and when they are deleted for good. The store keeps a deleted experiment whole, marked in its
progress, so the deletion and its undo outlive a restart.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable

from fallline.runs.undoing import UNDO_SECONDS
from fallline.services.experiment_loader import ExperimentLoader
from fallline.services.registry import Deleted, Registry, check_token
from fallline.services.store_thread import StoreThread
from fallline.vocabulary.errors import Gone, ReadOnly
from fallline.vocabulary.journal import Deletion

MOST_KEPT = 1_000
"""Most deleted experiments that are kept; beyond, the oldest are deleted for good."""

MOST_REMEMBERED = 10_000
"""Most remembered deletions that cannot be undone any more."""


class Deletions:
    """Deletes experiments, and brings them back within `UNDO_SECONDS`."""

    def __init__(self, registry: Registry, loader: ExperimentLoader, store: StoreThread) -> None:
        self._registry = registry
        self._loader = loader
        self._store = store

    async def delete(self, id: str, token: str | None) -> str | None:
        """Delete an experiment; return the id that undoes it.

        None if it is gone for good: it is damaged, or nothing can be stored, and deleting frees space.
        """
        entry = self._registry.authorize(id, token)
        if self._store.is_read_only:
            await self._store.delete([id])
            self._loader.forget(id)
            return None
        deletion = Deletion(secrets.token_hex(8), self._store.age.now())
        del self._registry.entries[id]  # nobody opens it meanwhile
        try:
            await self._loader.close(id, entry)
            is_kept = await self._note(id, deletion)
            if is_kept:
                self._registry.deleted[id] = Deleted(entry, deletion)
            else:
                await self._store.delete([id])
        except BaseException:
            self._registry.entries[id] = entry
            self._loader.interrupted(id)
            raise
        self._loader.forget(id)
        return f"{id}.{deletion.undo}" if is_kept else None

    async def _note(self, id: str, deletion: Deletion) -> bool:
        with contextlib.suppress(ReadOnly):
            return await self._store.note_deletion(id, deletion)
        return False

    async def undo(self, id: str, undo: str, token: str | None) -> None:
        """Bring back a deleted experiment, paused. Raises NotAuthorized, ReadOnly, and Gone when it is too late."""
        deleted = self._registry.deleted[id]
        check_token(token, deleted.entry.token_hash)
        is_late = self._store.age.now() - deleted.deletion.at >= UNDO_SECONDS
        if is_late or not deleted.is_kept or undo != deleted.deletion.undo:
            raise Gone(
                "this experiment cannot be brought back any more: it was deleted more than 10 minutes ago"
            )
        deleted.is_kept = False  # no second undo, and no sweep, meanwhile
        try:
            is_back = await self._store.note_deletion(id, None)
        except BaseException:
            deleted.is_kept = True
            raise
        del self._registry.deleted[id]
        if is_back:
            self._registry.entries[id] = deleted.entry
            self._registry.touch(deleted.entry)

    async def delete_expired(self) -> None:
        """Delete for good what cannot be brought back any more."""
        deleted, now = self._registry.deleted, self._store.age.now()
        restorable = [id for id, each in deleted.items() if each.is_kept]
        surplus = set(restorable[:-MOST_KEPT])
        for id in restorable:
            if id in surplus or now - deleted[id].deletion.at >= UNDO_SECONDS:
                await self._delete_for_good(id, deleted[id])
        for id in list(deleted)[:-MOST_REMEMBERED]:
            del deleted[id]

    async def release_room(self) -> bool:
        """Delete the oldest for good; return whether there was one."""
        return await self._release(lambda one: True)

    async def release_until_writable(self) -> None:
        """Delete for good, the oldest first, until a full disk has room again. New data comes before an undo."""
        with contextlib.suppress(ReadOnly):  # not for want of room
            while self._store.is_read_only and await self.release_room():
                pass

    async def release_upload(self) -> bool:
        """Delete for good the oldest that keeps a table or parameters; return whether there was one."""
        return await self._release(lambda one: bool(one.entry.upload_ids))

    async def _release(self, may_go: Callable[[Deleted], bool]) -> bool:
        for id, each in self._registry.deleted.items():
            if each.is_kept and may_go(each):
                await self._delete_for_good(id, each)
                return True
        return False

    async def _delete_for_good(self, id: str, deleted: Deleted) -> None:
        deleted.is_kept = False  # no undo meanwhile
        try:
            await self._store.delete([id])
        except BaseException:
            deleted.is_kept = True
            raise
