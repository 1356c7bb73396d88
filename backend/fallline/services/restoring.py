"""Preparation of a restored store: generations above all that clients may hold.

Clients may have seen steps made after the backup. Other steps now take their numbers.
"""

from __future__ import annotations

import contextlib

from fallline.storage.interface import RecordDamaged, Store, StoreRefused
from fallline.vocabulary.errors import TooNew
from fallline.vocabulary.journal import JournalBatch, Record, upcast

GENERATIONS_SINCE = 1_767_225_600
"""2026-01-01 in seconds since 1970. A restore at second n after it raises generations to n at least.

Commands raise a generation far less often than once a second, so the restored ones are newer than all before.
"""


def least_generation(store: Store, now: float) -> int:
    """Return the least generation of runs in a store restored now, on a clock that may be wrong."""
    last = store.last_mark()
    return int(max(now, 0.0 if last is None else last.at + 1, GENERATIONS_SINCE + 1) - GENERATIONS_SINCE)


def raise_generations(store: Store, least: int) -> None:
    """Give every run at least this generation when it is opened next. Raises StoreRefused for a newer format."""
    for one in store.experiments():
        with contextlib.suppress(RecordDamaged):  # it stays unreadable
            stored = store.load(one.id, with_parts=False)
            assert stored is not None
            try:
                upcast(stored)
            except TooNew as error:
                raise StoreRefused(f"it has experiments of a newer fallline: {error.detail}") from error
            before = stored.progress.get("least_generation", 0)
            progress = {**stored.progress, "least_generation": max(least, before + 1)}
            store.write([Record(one.id, one.used, len(stored.entries), JournalBatch((), progress))])
