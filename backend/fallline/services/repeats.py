"""Commands that come twice: answered again, not done again. In memory, for as long as the experiment exists."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

from fallline.vocabulary.errors import KeyReused


class Repeats:
    """The answers of one experiment's keyed commands."""

    def __init__(self) -> None:
        self._answers: dict[str, tuple[bytes, asyncio.Future[bytes]]] = {}

    async def once(
        self, key: str, asked: object, do: Callable[[], Awaitable[dict[str, Any]]]
    ) -> dict[str, Any]:
        """The answer of `do()`, which happens only the first time that `key` comes.

        `asked` is what the command says, as plain JSON; the same key with another one raises KeyReused. A command that
        fails did nothing, so its key stays free.
        """
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()
        if key in self._answers:
            before, answer = self._answers[key]
            if before != digest:
                raise KeyReused("this key came before with another command: take a new one")
            return _read(await asyncio.shield(answer))
        answer = asyncio.get_running_loop().create_future()
        self._answers[key] = (digest, answer)
        # Shielded: the command goes on when the one who asked hangs up, and its repeat then finds the answer.
        return await asyncio.shield(asyncio.ensure_future(self._do(key, answer, do)))

    async def _do(
        self, key: str, answer: asyncio.Future[bytes], do: Callable[[], Awaitable[dict[str, Any]]]
    ) -> dict[str, Any]:
        try:
            done = await do()
        except BaseException as error:
            del self._answers[key]
            answer.set_exception(error)
            answer.exception()  # looked at, so that nobody repeating it is no complaint
            raise
        answer.set_result(json.dumps(done).encode())
        return done


def _read(answer: bytes) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(answer)
    return read
