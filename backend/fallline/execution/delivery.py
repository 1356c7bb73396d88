"""Calls on the event loop: in order, and those that publish a change only after it is stored."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from fallline.vocabulary.errors import Failed, ReadOnly
from fallline.vocabulary.journal import Receipt

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A call on the event loop, and the call instead if storing failed, or `do` raised."""

    do: Callable[[], None]
    fail: Callable[[Exception], None] = lambda _: None

    def attempt(self) -> None:
        """Do it. After an exception, log it and fail: the deliveries that follow go on."""
        try:
            self.do()
        except Exception:
            _log.exception("a delivery failed")
            self.fail(Failed())


class DeliveryQueue:
    """The deliveries of one open experiment, in order."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[object | None, list[Delivery]]] = deque()
        self._done: set[object] = set()
        self._is_broken = False

    def add(self, deliveries: list[Delivery], ticket: object | None = None) -> None:
        """Queue deliveries. With a `ticket`, they wait until it is settled."""
        self._waiting.append((ticket, deliveries))
        self._deliver()

    def settle(self, ticket: object, *, stored: bool) -> None:
        """Note whether the ticket's write succeeded. If not, all later deliveries fail."""
        self._done.add(ticket)
        self._is_broken = self._is_broken or not stored
        self._deliver()

    def _deliver(self) -> None:
        while self._waiting:
            ticket, deliveries = self._waiting[0]
            if not self._is_broken and ticket is not None and ticket not in self._done:
                return
            self._done.discard(ticket)
            self._waiting.popleft()
            for delivery in deliveries:
                if self._is_broken:
                    delivery.fail(ReadOnly())
                else:
                    delivery.attempt()


@dataclass(slots=True)
class Reply:
    """The answer to a call, sent once the changes of the call are stored."""

    answer: asyncio.Future[Any]
    result: Any
    then: Callable[[Any], None] | None = None
    receipt: Receipt | None = None

    @property
    def failed(self) -> bool:
        return isinstance(self.result, Exception)

    @property
    def receipts(self) -> list[Receipt]:
        """The receipt with the answer; empty for a failed call."""
        if self.receipt is None or self.failed:
            return []
        return [replace(self.receipt, answer=self.result)]

    def delivery(self) -> Delivery:
        if self.failed:
            return Delivery(lambda: fail(self.answer, self.result), lambda _: fail(self.answer, self.result))
        return Delivery(self._send, lambda error: fail(self.answer, error))

    def _send(self) -> None:
        if self.then is not None:
            self.then(self.result)
        if not self.answer.done():
            self.answer.set_result(self.result)


def resolve(answer: asyncio.Future[None]) -> None:
    """End the wait for an answer without content, if anybody still waits."""
    if not answer.done():
        answer.set_result(None)


def fail(answer: asyncio.Future[Any], error: Exception) -> None:
    """Let the wait for an answer end with an error, if anybody still waits."""
    if not answer.done():
        answer.set_exception(error)
