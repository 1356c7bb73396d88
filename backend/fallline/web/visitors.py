"""Who is calling: the token of a request, how often it may call, and the lab it calls. As dependencies of routes."""

from __future__ import annotations

import hashlib
import re
import time
from collections import OrderedDict
from typing import Annotated

from fastapi import Depends, Request

from fallline.realtime.budget import Budget
from fallline.services.lab import Lab
from fallline.vocabulary.errors import FieldError, InvalidRequest, NotAuthorized, TooManyRequests

MOST_REMEMBERED = 10_000
_KEY = re.compile(r"[!-~]{1,128}")


class Turnstile:
    """Budgets by token, of which only the hash is kept; a second's worth may come at once."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._budgets: OrderedDict[bytes, Budget] = OrderedDict()

    def pass_through(self, token: str, now: float) -> None:
        """Count a call of this token. Raises TooManyRequests."""
        name = hashlib.sha256(token.encode()).digest()
        budget = self._budgets.setdefault(name, Budget(self._rate, self._rate, now))
        self._budgets.move_to_end(name)
        if len(self._budgets) > MOST_REMEMBERED:
            self._budgets.popitem(last=False)
        if not budget.take(now):
            raise TooManyRequests(
                f"one token may make {self._rate:g} calls a second", budget.seconds_to_next(now)
            )


async def _lab(request: Request) -> Lab:
    lab: Lab = request.app.state.lab
    return lab


TheLab = Annotated[Lab, Depends(_lab)]


async def _counted(request: Request) -> str | None:
    """The token of `Authorization: Bearer`, which counts as a call of its owner; None without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return None
    turnstile: Turnstile = request.app.state.turnstile
    turnstile.pass_through(token.strip(), time.monotonic())
    return token.strip()


async def _allowed(id: str, lab: TheLab, token: Annotated[str | None, Depends(_counted)]) -> str:
    """The token, when it is that of the experiment: asked before the body is looked at."""
    if not lab.may_change(id, token or ""):
        raise NotAuthorized("send the token that came with the experiment, as Authorization: Bearer <token>")
    return token or ""


Token = Annotated[str, Depends(_allowed)]


async def _key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise InvalidRequest(FieldError("/Idempotency-Key", "should be 1 to 128 visible ASCII characters"))
    return key


Key = Annotated[str | None, Depends(_key)]
