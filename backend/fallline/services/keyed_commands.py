"""Commands with an idempotency key: a repeat gets the first answer.

Owns the keys of one experiment. The answers are stored with what the commands did.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from fallline.services.shared_task import Disconnected, SharedTask
from fallline.vocabulary.errors import KeyReused, Unattended
from fallline.vocabulary.journal import Json, Receipt

KEY_BYTES = 300
"""Memory of a key and its digest, in bytes."""


class KeyedCommands:
    """The keyed commands of one experiment.

    `answered` holds the stored ones and `unfinished` the interrupted ones, each with the digest of its content. `read`
    returns the stored answer to a key.
    """

    def __init__(
        self,
        answered: Mapping[str, bytes],
        unfinished: Mapping[str, bytes],
        read: Callable[[str], Awaitable[Json]],
    ) -> None:
        self._answered = dict(answered)
        self._unfinished = dict(unfinished)
        self._read = read
        self._running: dict[str, tuple[bytes, SharedTask[Json]]] = {}

    @property
    def nbytes(self) -> int:
        """Memory of the keys in bytes, estimated."""
        return KEY_BYTES * (len(self._answered) + len(self._unfinished) + len(self._running))

    async def once(
        self,
        key: str,
        content: object,
        do: Callable[[Receipt], SharedTask[Json]],
        disconnected: Disconnected | None = None,
    ) -> Json:
        """Return the answer of `do(receipt)`, which runs once for a key.

        `content` is the command as plain JSON. Raises KeyReused for the same key with other content. A failed command
        changed nothing, so its key stays free. `do` must store the receipt with the command's effects. `disconnected`
        is done when the caller's connection has ended.
        """
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()
        before = self._answered.get(key) or self._unfinished.get(key)
        if key in self._running:
            before, task = self._running[key]
        if before is not None and before != digest:
            raise KeyReused("this key was used for a command with other content: send a new key")
        if key in self._running:
            return await task.wait(disconnected)
        if key in self._answered:
            return await self._read(key)
        receipt = Receipt(key, digest)
        task = do(receipt)
        self._running[key] = (digest, task)
        task.result.add_done_callback(partial(self._done, receipt))
        return await task.wait(disconnected)

    def _done(self, receipt: Receipt, result: asyncio.Future[Json]) -> None:
        del self._running[receipt.key]
        # Always retrieved, so that asyncio does not report an error without a caller.
        error = None if result.cancelled() else result.exception()
        if isinstance(error, Unattended):
            self._unfinished[receipt.key] = receipt.digest
        elif error is None and not result.cancelled():
            self._unfinished.pop(receipt.key, None)
            self._answered[receipt.key] = receipt.digest
