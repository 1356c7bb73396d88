"""What stands between a request and its handler: the classes of routes, and dependencies.

Query and body are bounded and parsed strictly, before FastAPI validates them. FastAPI would parse queries and bodies of
any size, accept NaN, and use the last of repeated keys. A body is JSON with any Content-Type, so that
`curl -d '{"steps": 5}'` works; forms of foreign pages are refused by their Origin. Uploads must declare their content
type.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import re
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import Message
from typing import Annotated, Any, TypeAlias, cast

from fastapi import Depends, Header, Request, Security
from fastapi.params import Body
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from fallline.realtime.limits import Budget
from fallline.runs.checks.run import BOUNDS
from fallline.services.command_runner import Disconnected
from fallline.services.lab import Lab
from fallline.vocabulary.commands import Command
from fallline.vocabulary.errors import FieldError, InvalidRequest, NotAuthorized, TooLarge, TooManyRequests
from fallline.web.errors import TooSlow, UnsupportedMediaType
from fallline.web.queries import check_query
from fallline.web.strict_json import parse_object

Handler: TypeAlias = Callable[[Request], Coroutine[Any, Any, Response]]

BODY_BYTES = 64 * 1024
BODY_SECONDS = 10.0
JSON, CSV, NPZ = "application/json", "text/csv", "application/octet-stream"
BYTES = {JSON: BODY_BYTES, CSV: int(BOUNDS["csv_bytes"]), NPZ: int(BOUNDS["npz_bytes"])}
"""Limit on a body by its media type."""

UNICODE = frozenset({"utf-8", "utf8", "us-ascii"})


class StrictRoute(APIRoute):
    """A route with a bounded query, and a bounded body that is strict JSON or a declared upload.

    Its answer has only the fields that the handler returned.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **{**named, "response_model_exclude_unset": True})

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        media_type = None if self.body_field is None else cast(Body, self.body_field.field_info).media_type

        async def check_and_handle(request: Request) -> Response:
            if query := request.scope["query_string"]:
                check_query(query)
            if media_type is None:
                return await handle(request)
            if media_type == JSON:
                return await handle(_WithBody(request, parse_object(await read(request))))
            _check_declared(request, media_type)
            return await handle(_WithBody(request, await read(request, BYTES[media_type])))

        return check_and_handle


class _WithBody(Request):
    """A request whose body has been read. FastAPI validates its value as parsed JSON, for any content type."""

    def __init__(self, request: Request, value: Any) -> None:
        headers = [header for header in request.scope["headers"] if header[0] != b"content-type"]
        super().__init__({**request.scope, "headers": headers}, request.receive)
        self._value = value

    async def body(self) -> bytes:
        return b"{}"  # FastAPI does not ask for the value of an empty body

    async def json(self) -> Any:
        return self._value


async def read(request: Request, limit: int = BODY_BYTES) -> bytes:
    """Return the raw body. Raises TooLarge as early as possible, and TooSlow."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise _too_large(limit)
    except TimeoutError:
        raise TooSlow(f"the body must arrive within {BODY_SECONDS:g} s") from None
    return bytes(body)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body must have at most {limit:,} bytes")


def _check_declared(request: Request, media_type: str) -> None:
    """Raise UnsupportedMediaType unless the request declares this type, and text in UTF-8."""
    declared = Message()
    declared["content-type"] = request.headers.get("content-type", "")
    if declared.get_content_type() != media_type or declared.get_content_charset("utf-8") not in UNICODE:
        raise UnsupportedMediaType(
            media_type, f"send the file with the header Content-Type: {media_type}; text must be in UTF-8"
        )


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
