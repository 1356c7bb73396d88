"""ASGI middleware that charges senders for the event loop's time that their requests take.

Training runs in another thread, but Python's threads take turns, so a second here is taken from all who train.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from time import thread_time
from typing import Any, TypeVar, cast

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from fallline.services.lab import Lab
from fallline.web.requests import address_of

CHARGED_SECONDS = 0.005
"""Time after which a long response is charged before its end."""

T = TypeVar("T")


@types.coroutine
def timed(work: Coroutine[Any, Any, T], charge: Callable[[float], None]) -> Generator[Any, Any, T]:
    """Await `work`, and call `charge` with the seconds that this thread worked on it.

    Other tasks and threads that it waits for are not part of them.
    """
    spent, go_on = 0.0, partial(work.send, None)
    try:
        while True:
            began = thread_time()
            try:
                waits_for = go_on()
            except StopIteration as end:
                return cast(T, end.value)
            finally:
                spent += thread_time() - began
            if spent >= CHARGED_SECONDS:
                charge(spent)
                spent = 0.0
            try:
                go_on = partial(work.send, (yield waits_for))
            except GeneratorExit:
                work.close()
                raise
            except BaseException as error:  # for the work, such as its cancellation
                go_on = partial(work.throw, error)
    finally:
        charge(spent)


class Charged:
    """The middleware. It knows a sender by the owner key and the address."""

    def __init__(self, app: ASGIApp, lab: Lab) -> None:
        self._app = app
        self._lab = lab

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        owner = Headers(scope=scope).get("fallline-owner")
        address = address_of(scope["client"][0] if scope["client"] else None)
        work = cast(Coroutine[Any, Any, None], self._app(scope, receive, send))
        await timed(work, partial(self._lab.charge, owner, address))
