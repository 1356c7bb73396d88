"""Who is calling: the token of a request, how often it may call, and the lab it calls. As dependencies of routes."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import re
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, Request

from fallline.realtime.budget import Budget
from fallline.services.attending import Gone
from fallline.services.lab import Lab
from fallline.vocabulary.errors import FieldError, InvalidRequest, NotAuthorized, TooManyRequests

MOST_REMEMBERED = 10_000
_KEY = re.compile(r"[!-~]{1,128}")
_OWNER = re.compile(r"[0-9a-fA-F]{32}")
NETWORK_BITS = 64
"""Of an address of IPv6: one household or machine has all addresses of such a network."""


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
    keys = request.headers.getlist("idempotency-key")
    if len(keys) > 1:
        raise InvalidRequest(FieldError("/Idempotency-Key", "should be sent once"))
    if keys and not _KEY.fullmatch(keys[0]):
        raise InvalidRequest(FieldError("/Idempotency-Key", "should be 1 to 128 visible ASCII characters"))
    return keys[0] if keys else None


Key = Annotated[str | None, Depends(_key)]


async def _owner(request: Request) -> str | None:
    keys = request.headers.getlist("fallline-owner")
    if not keys:
        return None
    if len(keys) > 1 or not _OWNER.fullmatch(keys[0]):
        raise InvalidRequest(FieldError("/Fallline-Owner", "should be 32 hex digits, once"))
    return keys[0].lower()


Owner = Annotated[str | None, Depends(_owner)]
"""The key under which somebody makes things; None without one."""


def address_of(host: str | None) -> str | None:
    """Where a caller is, as far as callers are told apart: the address, or the network of one of IPv6."""
    if host is None:
        return None
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), NETWORK_BITS), strict=False))


@asynccontextmanager
async def watched(request: Request) -> AsyncIterator[Gone]:
    """What is done when the caller hangs up. The body must have been read: what comes after it is looked at."""
    gone: Gone = asyncio.get_running_loop().create_future()

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        if not gone.done():
            gone.set_result(None)

    watching = asyncio.create_task(watch())
    try:
        yield gone
    finally:
        watching.cancel()


async def _address(request: Request) -> str | None:
    return address_of(request.client.host if request.client else None)


Address = Annotated[str | None, Depends(_address)]
"""Where the request came from; uvicorn has put what believed proxies say in its place."""
