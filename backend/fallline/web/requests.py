"""The layer between a request and its handler: strict parsing, the classes of routes, and dependencies.

Query and body are bounded and parsed strictly, before FastAPI validates them. FastAPI would parse queries and bodies of
any size, and use the last of repeated keys. A body is JSON with any Content-Type, so that `curl -d '{"steps": 5}'`
works; forms of foreign pages are refused by their Origin. Uploads must declare their content type.

Python's parser accepts NaN, 1e999, repeated keys and lone surrogates. A server that accepts them, as FastAPI does by
default, answers 500 when it has to repeat them. Here they are an InvalidRequest with JSON pointers. The work grows
linearly with the body: each value is checked once, up to the number of errors that an answer may report.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import math
import re
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import Message
from itertools import islice
from typing import Annotated, Any, TypeAlias, cast

from fastapi import Depends, Header, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.params import Body
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from fallline.runs.checks.run import BOUNDS
from fallline.services.command_runner import Disconnected
from fallline.services.lab import Lab
from fallline.services.registry import WRONG_TOKEN
from fallline.vocabulary.commands import MOST_UNDO, Command
from fallline.vocabulary.errors import FieldError, InvalidRequest, NotAuthorized, NotFound, TooLarge
from fallline.vocabulary.strict import LARGEST
from fallline.web.errors import MOST_ERRORS, TooSlow, UnsupportedMediaType, below
from fallline.web.queries import check_query

CALLS = "/api/"
"""The start of the paths of calls, beside those of pages and probes."""

Handler: TypeAlias = Callable[[Request], Coroutine[Any, Any, Response]]

BODY_BYTES = 64 * 1024
BODY_SECONDS = 10.0
JSON, CSV, NPZ = "application/json", "text/csv", "application/octet-stream"
BYTES = {JSON: BODY_BYTES, CSV: int(BOUNDS["csv_bytes"]), NPZ: int(BOUNDS["npz_bytes"])}
"""Limit on a body by its media type."""

UNICODE = frozenset({"utf-8", "utf8", "us-ascii"})

COMPRESSED = frozenset({"gzip", "x-gzip", "deflate", "compress", "br", "zstd"})
"""Content codings of bodies that a client may try. Decompressing would multiply the bytes of a request."""

LONGEST_NAMED = 80
"""Most characters of a wrong content type that an answer repeats."""


class StrictRoute(APIRoute):
    """A route with a bounded query, and a bounded body that is strict JSON or a declared upload.

    Its answer has only the fields that the handler returned.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **{**named, "response_model_exclude_unset": True})

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        media_type = None if self.body_field is None else cast(Body, self.body_field.field_info).media_type
        # addresses of pages have parameters for the page, and probes may add some
        names = frozenset(_query_names(self.dependant)) if self.path.startswith(CALLS) else None

        async def check_and_handle(request: Request) -> Response:
            if query := request.scope["query_string"]:
                check_query(query, names)
            if media_type is None:
                return await handle(request)
            _check_coding(request, media_type)
            if media_type == JSON:
                return await handle(_WithBody(request, parse_object(await read(request))))
            _check_declared(request, media_type)
            async with request.app.state.lab.arriving(await _owner(request), await _address(request)):
                return await handle(_WithBody(request, await read(request, BYTES[media_type])))

        return check_and_handle


def _query_names(call: Dependant) -> Iterator[str]:
    """Yield the names of a call's query parameters."""
    for field in call.query_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from model.model_fields
        else:
            yield field.alias
    for each in call.dependencies:
        yield from _query_names(each)


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


def _check_coding(request: Request, media_type: str) -> None:
    """Raise UnsupportedMediaType for a compressed body: its bytes are no JSON and no table."""
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding in COMPRESSED:
        raise UnsupportedMediaType(
            media_type, f"the Content-Encoding was {coding}: send the body uncompressed"
        )


def _check_declared(request: Request, media_type: str) -> None:
    """Raise UnsupportedMediaType unless the request declares this type, and text in UTF-8; InvalidRequest for two."""
    sent = _single(request, "Content-Type") or ""
    declared = Message()
    declared["content-type"] = sent
    is_text = media_type.startswith("text/")
    is_readable = not is_text or declared.get_content_charset("utf-8") in UNICODE
    if declared.get_content_type() == media_type and is_readable:
        return
    was = f"the Content-Type was {sent[:LONGEST_NAMED]!r}" if sent else "there was no Content-Type"
    right = f"{media_type}, with text in UTF-8" if is_text else media_type
    raise UnsupportedMediaType(media_type, f"{was}: send the file as {right}")


NETWORK_BITS = 64
"""Length of an IPv6 network in bits: one household or machine has all addresses of such a network."""


async def _lab(request: Request) -> Lab:
    lab: Lab = request.app.state.lab
    return lab


TheLab = Annotated[Lab, Depends(_lab)]


# ---------------------------------------------------------------------- headers


_KEY = re.compile(r"[!-~]{1,128}")
_OWNER = re.compile(r"[0-9a-fA-F]{32}")
_NUMBER = re.compile(r"[0-9]{1,15}")


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


def _single(request: Request, name: str) -> str | None:
    """Return the value of a header; None without it. Raises InvalidRequest if it comes more than once."""
    values = request.headers.getlist(name)
    if len(values) > 1:
        raise InvalidRequest(FieldError(f"/{name}", "must appear only once"))
    return values[0] if values else None


def _key_of(request: Request) -> str | None:
    key = _single(request, "Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise InvalidRequest(FieldError("/Idempotency-Key", "must be 1 to 128 visible ASCII characters"))
    return key


def _checked_header(request: Request, name: str, pattern: re.Pattern[str], kind: str) -> str | None:
    """Return the value of a header; None without it. Raises InvalidRequest for another kind, and for two."""
    values = request.headers.getlist(name)
    if len(values) > 1 or not all(map(pattern.fullmatch, values)):
        raise InvalidRequest(FieldError(f"/{name}", f"must be {kind} and appear only once"))
    return values[0] if values else None


async def _owner(request: Request, _: Annotated[Described, _OWNER_HEADER] = None) -> str | None:
    key = _checked_header(request, "Fallline-Owner", _OWNER, "32 hex digits")
    return None if key is None else key.lower()


Owner = Annotated[str | None, Depends(_owner)]
"""The owner's key; None without one."""


async def _last_event_id(
    request: Request,
    _: Annotated[
        Described, _header("Last-Event-ID", _NUMBER, "The number of the last message that the client has.")
    ] = None,
) -> int:
    return int(_checked_header(request, "Last-Event-ID", _NUMBER, "a whole number") or 0)


LastEventId = Annotated[int, Depends(_last_event_id)]
"""The number that a reader of server-sent events sends when it resumes; 0 without one."""


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

BEARER = HTTPBearer(scheme_name="token", auto_error=False)
Token = Annotated[HTTPAuthorizationCredentials, Security(BEARER)]
"""The token of an experiment, which `CommandRoute` has checked."""


class KeyedRoute(StrictRoute):
    """A route that needs a key.

    The key is checked before the body is read; FastAPI would read the body before any dependency.
    """

    def authorize(self, request: Request, key: str) -> None:
        """Check the key, "" if there is none. Raises NotAuthorized, and NotFound."""
        raise NotImplementedError

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def authorize_and_handle(request: Request) -> Response:
            _single(request, "Authorization")  # FastAPI would use the first of several
            credentials, limits = await BEARER(request), request.app.state
            key = credentials.credentials if credentials else ""
            if key:
                limits.rate_limiter.count(key, time.monotonic())
            try:
                self.authorize(request, key)
            except NotAuthorized:
                # The right key is never refused, so guesses lock out nobody who shares the address.
                limits.guess_limiter.count(await _address(request) or "", time.monotonic())
                raise
            return await handle(request)

        return authorize_and_handle


class CommandRoute(KeyedRoute):
    """A route that changes an experiment."""

    def authorize(self, request: Request, key: str) -> None:
        parts = request.path_params
        is_undo = "undo" in parts
        id, _ = undo_of(parts["undo"]) if is_undo else (parts["id"], "")
        if not request.app.state.lab.may_change(id, key, is_undo=is_undo):
            raise NotAuthorized(WRONG_TOKEN)


def undo_of(undo: str) -> tuple[str, str]:
    """Return the id of the experiment and that of the change, which an `undo` joins. Raises NotFound."""
    id, _, change = undo.partition(".")
    if not 0 < len(change) <= MOST_UNDO:
        raise NotFound("no change has this id: send the `undo` of the answer, or its header `Fallline-Undo`")
    return id, change


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


async def _undoer(
    request: Request, undo: str, token: Token, _: Annotated[Described, _KEY_HEADER] = None
) -> Caller:
    return await _caller(request, undo_of(undo)[0], token)


TheUndoer = Annotated[Caller, Depends(_undoer)]
"""The caller of an undo, whose experiment may have been deleted."""


# ---------------------------------------------------------------------- strict JSON

DEEPEST = 16
MOST_FIELDS = 512
"""Limit on the fields of one object, above that of any valid one: each unknown field would cost an error."""

ENOUGH_DIGITS = 20
"""A whole number with more digits is too large, whatever the further digits are."""

CONTAINERS = (dict, list)

Path: TypeAlias = tuple[Any, ...]
"""Location of a value: () for the body, else (path of its container, its key or index)."""


class _WithRepeats(dict[str, Any]):
    """An object with repeated keys."""

    repeated: list[str]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) == len(pairs):
        return unique
    result = _WithRepeats(unique)
    keys: set[str] = set()
    result.repeated = [key for key, _ in pairs if key in keys or keys.add(key)]  # type: ignore[func-returns-value]
    return result


def _number(text: str) -> int | float:
    """Return a number with a point or an exponent: to JSON Schema 900, 900.0 and 9e2 are the same integer."""
    number = float(text)
    return int(number) if number.is_integer() and abs(number) <= LARGEST else number


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_number)
_SHORTENING = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_number, parse_int=lambda digits: int(digits[:ENOUGH_DIGITS])
)


def parse(raw: bytes | str) -> Any:
    """Parse strict JSON (RFC 8259, UTF-8). Raises InvalidRequest."""
    body = _decoded(raw)
    errors = list(islice(_errors(body), MOST_ERRORS + 1))
    if errors:
        raise InvalidRequest(*errors[:MOST_ERRORS], more=len(errors) > MOST_ERRORS)
    return body


def parse_object(raw: bytes | str) -> dict[str, Any]:
    """Parse a JSON object. An empty text counts as the empty object."""
    body = parse(raw) if raw.strip() else {}
    if not isinstance(body, dict):
        raise InvalidRequest(FieldError("", "must be a JSON object"))
    return body


def _decoded(raw: bytes | str) -> Any:
    try:
        text = raw if isinstance(raw, str) else raw.decode("utf-8")
        if text.startswith("\ufeff"):
            raise InvalidRequest(FieldError("", "must be JSON without a byte order mark"))
        return _values(text)
    except UnicodeDecodeError:
        raise InvalidRequest(FieldError("", "must be JSON in UTF-8")) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidRequest(FieldError("", f"must be JSON: syntax error at {where}")) from None
    except RecursionError:
        raise InvalidRequest(_too_deep("")) from None


def _values(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError:
        raise
    except ValueError:
        # Python refuses to convert a number of some thousand digits, and does not say where it is.
        return _SHORTENING.decode(text)


def _too_deep(pointer: str) -> FieldError:
    return FieldError(pointer, f"must be nested at most {DEEPEST} levels deep")


def _errors(body: Any) -> Iterator[FieldError]:
    """Find invalid values, breadth first. A pointer is built for an error only."""
    if (problem := _problem(body)) is not None:
        yield FieldError("", problem)
    queue: list[tuple[Any, Path, int]] = [(body, (), 0)] if isinstance(body, CONTAINERS) else []
    for value, path, depth in queue:  # it grows during the loop
        if depth >= DEEPEST:
            yield _too_deep(_pointer(path))
            continue
        if isinstance(value, dict) and len(value) > MOST_FIELDS:
            yield FieldError(_pointer(path), f"must have at most {MOST_FIELDS} fields")
            continue
        if isinstance(value, _WithRepeats):
            yield from (
                FieldError(below(_pointer(path), key), "must appear only once") for key in value.repeated
            )
        entries: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in entries:
            if not (type(key) is int or _encodable(key)):
                yield FieldError(_pointer(path), "must have field names without lone surrogates")
            elif isinstance(item, CONTAINERS):
                if item or depth + 1 >= DEEPEST:
                    queue.append((item, (path, key), depth + 1))
            elif (problem := _problem(item)) is not None:
                yield FieldError(below(_pointer(path), key), problem)


def _problem(value: Any) -> str | None:
    """Return the problem with a text or a number; None if there is none."""
    if isinstance(value, int):
        return None if -LARGEST <= value <= LARGEST else "must be between -2^53 and 2^53"
    if isinstance(value, float):
        return None if math.isfinite(value) else "must be a finite number"
    if isinstance(value, str):
        return None if _encodable(value) else "must be text without lone surrogates"
    return None


def _encodable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _pointer(path: Path) -> str:
    keys: list[str | int] = []
    while path:
        path, key = path
        keys.append(key)
    pointer = ""
    for key in reversed(keys):
        pointer = below(pointer, key)
    return pointer
