"""A cache of uploads, bounded in number and bytes.

The least recently used ones are evicted.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping

from fallline.engine.data.saved_parameters import SavedParameters
from fallline.engine.data.tabular import Table
from fallline.vocabulary.errors import Unavailable

Upload = Table | SavedParameters
"""A table from a CSV, or parameters from an .npz."""

MOST_TABLES = 500
MOST_BYTES = 64 * 1024 * 1024
"""Limit on all uploads together, in bytes. The largest takes about 1.4 MB."""


def choose_evictions(
    sizes: Mapping[str, int], size: int, used: Collection[str], most: int, most_bytes: int
) -> list[str]:
    """Choose uploads to evict for a new one, the least recently used first.

    Raises Unavailable if the `used` ones leave too little.
    """
    chosen, count, total = [], len(sizes), sum(sizes.values())
    for id, each in sizes.items():
        if count < most and total + size <= most_bytes:
            break
        if id not in used:
            chosen.append(id)
            count, total = count - 1, total - each
    if count >= most or total + size > most_bytes:
        raise Unavailable("this server's storage for uploads is full: retry later", retry_after=60)
    return chosen


class UploadCache:
    """Uploads by id, the most recently used last."""

    def __init__(self, most: int = MOST_TABLES, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._uploads: OrderedDict[str, Upload] = OrderedDict()

    def add(self, id: str, upload: Upload, used: Collection[str]) -> None:
        """Add an upload. `used` are the ids of uploads that stay.

        Raises Unavailable, and evicts nothing, if those leave too little.
        """
        sizes = {each: other.size for each, other in self._uploads.items()}
        for evicted in choose_evictions(sizes, upload.size, used, self._most, self._most_bytes):
            del self._uploads[evicted]
        self._uploads[id] = upload

    def find(self, id: str) -> Upload | None:
        """Return the upload and record its use; None if it is not here."""
        if id in self._uploads:
            self._uploads.move_to_end(id)
        return self._uploads.get(id)

    def drop(self, id: str) -> None:
        """Remove an upload."""
        self._uploads.pop(id, None)
