"""Commands that come twice: answered again, not done again, for as long as the experiment exists.

Owns which keys came with what. What has been answered is stored with what the command did; must not know where.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from fallline.services.attending import Attended, Gone
from fallline.vocabulary.errors import KeyReused, Unattended
from fallline.vocabulary.journal import Json, Receipt

KEY_BYTES = 300
"""Of a key with its digest."""


class Repeats:
    """The keyed commands of one experiment.

    `answered` are those that are stored, each with the digest of what was asked, `begun` those that were cut off, and
    `read` gives the stored answer to a key.
    """

    def __init__(
        self,
        answered: Mapping[str, bytes],
        begun: Mapping[str, bytes],
        read: Callable[[str], Awaitable[Json]],
    ) -> None:
        self._answered = dict(answered)
        self._begun = dict(begun)
        self._read = read
        self._at_work: dict[str, tuple[bytes, Attended[Json]]] = {}

    @property
    def nbytes(self) -> int:
        """Bytes that the keys take, about."""
        return KEY_BYTES * (len(self._answered) + len(self._begun) + len(self._at_work))

    async def once(
        self,
        key: str,
        asked: object,
        do: Callable[[Receipt], Attended[Json]],
        gone: Gone | None = None,
    ) -> Json:
        """The answer of `do(receipt)`, which happens only the first time that `key` comes.

        `asked` is what the command says, as plain JSON; the same key with another one raises KeyReused. A command that
        fails did nothing, so its key stays free. `do` sees to it that the receipt is stored with what it does. `gone`
        is done when the connection of the one who asks has ended.
        """
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()
        before = self._answered.get(key) or self._begun.get(key)
        if key in self._at_work:
            before, work = self._at_work[key]
        if before is not None and before != digest:
            raise KeyReused("this key came before with another command: take a new one")
        if key in self._at_work:
            return await work.wait(gone)
        if key in self._answered:
            return await self._read(key)
        receipt = Receipt(key, digest)
        work = do(receipt)
        self._at_work[key] = (digest, work)
        work.answer.add_done_callback(partial(self._done, receipt))
        return await work.wait(gone)

    def _done(self, receipt: Receipt, answer: asyncio.Future[Json]) -> None:
        del self._at_work[receipt.key]
        # Looked at in any case, so that an error that nobody waits for is no complaint.
        error = None if answer.cancelled() else answer.exception()
        if isinstance(error, Unattended):
            self._begun[receipt.key] = receipt.digest
        elif error is None and not answer.cancelled():
            self._begun.pop(receipt.key, None)
            self._answered[receipt.key] = receipt.digest
