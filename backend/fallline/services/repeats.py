"""Commands that come twice: answered again, not done again, for as long as the experiment exists.

Owns which keys came with what. What has been answered is stored with what the command did; must not know where.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping

from fallline.vocabulary.errors import KeyReused
from fallline.vocabulary.journal import Json, Receipt


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
        self._at_work: dict[str, tuple[bytes, asyncio.Future[Json]]] = {}

    async def once(self, key: str, asked: object, do: Callable[[Receipt], Awaitable[Json]]) -> Json:
        """The answer of `do(receipt)`, which happens only the first time that `key` comes.

        `asked` is what the command says, as plain JSON; the same key with another one raises KeyReused. A command that
        fails did nothing, so its key stays free. `do` sees to it that the receipt is stored with what it does.
        """
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()
        before = self._answered.get(key) or self._begun.get(key)
        if key in self._at_work:
            before, answer = self._at_work[key]
        if before is not None and before != digest:
            raise KeyReused("this key came before with another command: take a new one")
        if key in self._at_work:
            return await asyncio.shield(answer)
        if key in self._answered:
            return await self._read(key)
        answer = asyncio.get_running_loop().create_future()
        self._at_work[key] = (digest, answer)
        # Shielded: the command goes on when the one who asked hangs up, and its repeat then finds the answer.
        return await asyncio.shield(asyncio.ensure_future(self._do(Receipt(key, digest), answer, do)))

    async def _do(
        self, receipt: Receipt, answer: asyncio.Future[Json], do: Callable[[Receipt], Awaitable[Json]]
    ) -> Json:
        try:
            done = await do(receipt)
        except BaseException as error:
            answer.set_exception(error)
            answer.exception()  # looked at, so that nobody repeating it is no complaint
            raise
        else:
            self._answered[receipt.key] = receipt.digest
            answer.set_result(done)
            return done
        finally:
            del self._at_work[receipt.key]
