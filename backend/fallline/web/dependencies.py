"""Dependencies of the routes: lab, token, keys, address and rate limit."""

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
from fallline.services.command_runner import Disconnected
from fallline.services.lab import Lab
from fallline.vocabulary.errors import FieldError, InvalidRequest, NotAuthorized, TooManyRequests

MOST_REMEMBERED = 10_000
_KEY = re.compile(r"[!-~]{1,128}")
_OWNER = re.compile(r"[0-9a-fA-F]{32}")
NETWORK_BITS = 64
"""Length of an IPv6 network in bits: one household or machine has all addresses of such a network."""


class RateLimiter:
    """A limit of `rate` calls per second for each token, with bursts of one second.

    It stores only hashes.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._budgets: OrderedDict[bytes, Budget] = OrderedDict()

    def count(self, token: str, now: float) -> None:
        """Count a call with this token. Raises TooManyRequests."""
        name = hashlib.sha256(token.encode()).digest()
        budget = self._budgets.setdefault(name, Budget(self._rate, self._rate, now))
        self._budgets.move_to_end(name)
        if len(self._budgets) > MOST_REMEMBERED:
            self._budgets.popitem(last=False)
        if not budget.take(now):
            raise TooManyRequests(
                f"the limit is {self._rate:g} calls per second for each token", budget.seconds_to_next(now)
            )


async def _lab(request: Request) -> Lab:
    lab: Lab = request.app.state.lab
    return lab


TheLab = Annotated[Lab, Depends(_lab)]


async def _counted(request: Request) -> str | None:
    """Return the bearer token and count the call; None without a token."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return None
    limiter: RateLimiter = request.app.state.rate_limiter
    limiter.count(token.strip(), time.monotonic())
    return token.strip()


async def _allowed(id: str, lab: TheLab, token: Annotated[str | None, Depends(_counted)]) -> str:
    """Return the token if it is the experiment's.

    It is checked before the body is read.
    """
    if not lab.may_change(id, token or ""):
        raise NotAuthorized(
            "send the token of this experiment in the header Authorization: Bearer <token>; "
            "POST /experiments returned it"
        )
    return token or ""


Token = Annotated[str, Depends(_allowed)]


async def _key(request: Request) -> str | None:
    keys = request.headers.getlist("idempotency-key")
    if len(keys) > 1:
        raise InvalidRequest(FieldError("/Idempotency-Key", "must appear only once"))
    if keys and not _KEY.fullmatch(keys[0]):
        raise InvalidRequest(FieldError("/Idempotency-Key", "must be 1 to 128 visible ASCII characters"))
    return keys[0] if keys else None


Key = Annotated[str | None, Depends(_key)]


async def _owner(request: Request) -> str | None:
    keys = request.headers.getlist("fallline-owner")
    if not keys:
        return None
    if len(keys) > 1 or not _OWNER.fullmatch(keys[0]):
        raise InvalidRequest(FieldError("/Fallline-Owner", "must be 32 hex digits and appear only once"))
    return keys[0].lower()


Owner = Annotated[str | None, Depends(_owner)]
"""The owner's key; None without one."""


def address_of(host: str | None) -> str | None:
    """Return the address of a caller: an IPv4 address or an IPv6 network."""
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
async def disconnection(request: Request) -> AsyncIterator[Disconnected]:
    """Yield a future that is done when the caller hangs up.

    The body must have been read before.
    """
    disconnected: Disconnected = asyncio.get_running_loop().create_future()

    async def wait() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        if not disconnected.done():
            disconnected.set_result(None)

    task = asyncio.create_task(wait())
    try:
        yield disconnected
    finally:
        task.cancel()


async def _address(request: Request) -> str | None:
    return address_of(request.client.host if request.client else None)


Address = Annotated[str | None, Depends(_address)]
"""The caller's address. Behind a trusted proxy, uvicorn has replaced it by the forwarded one."""
