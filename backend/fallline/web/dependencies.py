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
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from fallline.realtime.budget import Budget
from fallline.services.command_runner import Disconnected
from fallline.services.lab import Lab
from fallline.vocabulary.commands import Command
from fallline.vocabulary.errors import FieldError, InvalidRequest, NotAuthorized, TooManyRequests
from fallline.web.strict_route import Handler, StrictRoute

MOST_REMEMBERED = 10_000
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


# ---------------------------------------------------------------------- headers


_KEY = re.compile(r"[!-~]{1,128}")
_OWNER = re.compile(r"[0-9a-fA-F]{32}")


def _header(name: str, pattern: re.Pattern[str], description: str) -> Any:
    """Describe an optional header. Its reader checks it: FastAPI would use the first of several."""
    schema: dict[str, Any] = {"pattern": f"^{pattern.pattern}$"}
    return Header(alias=name, description=description, json_schema_extra=schema)


_KEY_HEADER = _header(
    "Idempotency-Key",
    _KEY,
    "A unique name of this command, such as a UUID: a repeat gets the same answer and is not done again",
)
_OWNER_HEADER = _header(
    "Fallline-Owner",
    _OWNER,
    "The owner's key, 32 random hex digits that the client creates. The server stores only its hash.",
)
Described = str | SkipJsonSchema[None]


def _key_of(request: Request) -> str | None:
    keys = request.headers.getlist("idempotency-key")
    if len(keys) > 1:
        raise InvalidRequest(FieldError("/Idempotency-Key", "must appear only once"))
    if keys and not _KEY.fullmatch(keys[0]):
        raise InvalidRequest(FieldError("/Idempotency-Key", "must be 1 to 128 visible ASCII characters"))
    return keys[0] if keys else None


async def _owner(request: Request, _: Annotated[Described, _OWNER_HEADER] = None) -> str | None:
    keys = request.headers.getlist("fallline-owner")
    if not keys:
        return None
    if len(keys) > 1 or not _OWNER.fullmatch(keys[0]):
        raise InvalidRequest(FieldError("/Fallline-Owner", "must be 32 hex digits and appear only once"))
    return keys[0].lower()


Owner = Annotated[str | None, Depends(_owner)]
"""The owner's key; None without one."""


# ---------------------------------------------------------------------- callers


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


async def _address(request: Request) -> str | None:
    return address_of(request.client.host if request.client else None)


Address = Annotated[str | None, Depends(_address)]
"""The caller's address. Behind a trusted proxy, uvicorn has replaced it by the forwarded one."""

_BEARER = HTTPBearer(scheme_name="token", auto_error=False)
Token = Annotated[HTTPAuthorizationCredentials, Security(_BEARER)]
"""The token of an experiment, which `CommandRoute` has checked."""


class CommandRoute(StrictRoute):
    """A route that changes an experiment.

    The token is checked before the body is read; FastAPI would read the body before any dependency.
    """

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def authorize_and_handle(request: Request) -> Response:
            credentials, app = await _BEARER(request), request.app.state
            token = credentials.credentials if credentials else ""
            if token:
                app.rate_limiter.count(token, time.monotonic())
            if not app.lab.may_change(request.path_params["id"], token):
                raise NotAuthorized(
                    "send the token of this experiment in the header Authorization: Bearer <token>; "
                    "POST /experiments returned it"
                )
            return await handle(request)

        return authorize_and_handle


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a change, whose token has been checked."""

    lab: Lab
    id: str
    token: str
    key: str | None
    address: str | None

    async def command(
        self,
        do: str,
        command: Command,
        run: str | None = None,
        disconnected: Disconnected | None = None,
    ) -> dict[str, Any]:
        """Run a command on the experiment; return the answer."""
        return await self.lab.command(
            self.id, self.token, do, command, run, self.key, address=self.address, disconnected=disconnected
        )


async def _caller(
    request: Request, id: str, token: Token, _: Annotated[Described, _KEY_HEADER] = None
) -> Caller:
    return Caller(request.app.state.lab, id, token.credentials, _key_of(request), await _address(request))


TheCaller = Annotated[Caller, Depends(_caller)]


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
