"""Errors as RFC 9457 problem details, their HTTP statuses, and pydantic's errors as plain messages.

Each message has a JSON pointer and what would be right. They never repeat rejected values, and never show internals of
the server. Must not know which routes there are.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from fallline.vocabulary.errors import (
    Conflict,
    Damaged,
    Failed,
    FalllineError,
    FieldError,
    Gone,
    InvalidRequest,
    KeyReused,
    NotAuthorized,
    NotFound,
    ReadOnly,
    RetryLater,
    StorageFull,
    TooExpensive,
    TooLarge,
    TooManyRequests,
    TooNew,
    Unattended,
    Unavailable,
    UnusableParameters,
    UnusableTable,
)
from fallline.web.base_path import here, named_here

MOST_ERRORS = 20
"""Errors that one answer describes. It says if there are more."""

LONGEST_NAME, LONGEST_POINTER = 64, 256
"""Limits on a field's name and on a pointer that an answer may repeat, in characters."""

Context = Mapping[str, Any]

MUST_BE = "must be "


def below(pointer: str, key: str | int) -> str:
    """Return the JSON pointer (RFC 6901) of a field.

    A name that is too long or not printable is left out.
    """
    name = str(key)
    if len(name) > LONGEST_NAME or any(unicodedata.category(character)[0] == "C" for character in name):
        return pointer
    longer = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
    return longer if len(longer) <= LONGEST_POINTER else pointer


def _number(value: float) -> str:
    return f"{value:,g}" if abs(value) < 1e6 else f"{value:,.0f}"


def _count(one: str, several: str, key: str, bound: str) -> Callable[[Context], str]:
    def message(context: Context) -> str:
        count = context[key]
        return f"must have at {bound} {count} {one if count == 1 else several}"

    return message


def _characters(context: Context) -> str:
    """Return a pattern such as `^[a-z0-9_-]{1,32}$` in words. All patterns of names and ids have this form."""
    characters, most = re.findall(r"\^\[(.+)\]\{1,(\d+)\}\$", context["pattern"])[0]
    *others, last = re.findall(r".-.|.", characters)
    return f"must have 1 to {most} of the characters {', '.join(others)} and {last}"


UNKNOWN = "is not a known field: check its spelling, or leave it out"

_MESSAGES: Mapping[str, str | Callable[[Context], str]] = {
    "missing": "is required",
    "extra_forbidden": UNKNOWN,
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "none_required": "must be null",
    "greater_than": lambda context: f"must be greater than {_number(context['gt'])}",
    "greater_than_equal": lambda context: f"must be at least {_number(context['ge'])}",
    "less_than": lambda context: f"must be less than {_number(context['lt'])}",
    "less_than_equal": lambda context: f"must be at most {_number(context['le'])}",
    "literal_error": lambda context: f"must be {context['expected']}",
    "string_pattern_mismatch": _characters,
    "string_too_short": _count("character", "characters", "min_length", "least"),
    "string_too_long": _count("character", "characters", "max_length", "most"),
    "too_short": _count("entry", "entries", "min_length", "least"),
    "too_long": _count("entry", "entries", "max_length", "most"),
    "value_error": lambda context: f"{context['error']}",
}


def invalid(error: ValidationError, body: Any) -> InvalidRequest:
    """Return the error as an InvalidRequest; `body` is the value that was validated."""
    return translated(error.errors(include_url=False, include_input=False), body)


def invalid_request(error: RequestValidationError, query: dict[str, str]) -> InvalidRequest:
    """Return FastAPI's error as an InvalidRequest. Each location starts with its part of the request.

    A wrong query and a wrong body have a pointer each, into their own part.
    """
    parts: dict[bool, list[Any]] = {True: [], False: []}
    for each in error.errors()[: MOST_ERRORS + 1]:
        parts[each["loc"][0] == "query"].append({**each, "loc": each["loc"][1:]})
    refusals = (translated(parts[True], query), translated(parts[False], error.body))
    fields = [field for each in refusals for field in each.errors]
    return InvalidRequest(*fields[:MOST_ERRORS], more=len(error.errors()) > MOST_ERRORS)


def translated(errors: Sequence[Any], body: Any) -> InvalidRequest:
    """Translate errors as pydantic lists them, up to a limit.

    Messages for one field are joined by "or".

    For an error inside a method that is an object, pydantic also reports that the object is no name. That is left out.
    """
    first = errors[:MOST_ERRORS]
    located = [(pointer_to(each["loc"], body, each["type"]), each) for each in first]
    messages: dict[str, list[str]] = {}
    for pointer, error in located:
        if error["type"].endswith("_type") and any(other.startswith(f"{pointer}/") for other, _ in located):
            continue
        of_field = messages.setdefault(pointer, [])
        if (message := _message(error)) not in of_field:
            of_field.append(message)
    fields = [FieldError(pointer, _joined(of_field)) for pointer, of_field in messages.items()]
    return InvalidRequest(*fields, more=len(errors) > len(first))


def _message(error: Mapping[str, Any]) -> str:
    message = _MESSAGES.get(error["type"], "is not valid")
    return message if isinstance(message, str) else message(error.get("ctx", {}))


def _joined(messages: Sequence[str]) -> str:
    """Join the alternatives: "must be a text or an object"."""
    if all(message.startswith(MUST_BE) for message in messages):
        return MUST_BE + " or ".join(message.removeprefix(MUST_BE) for message in messages)
    return ", or ".join(messages)


def pointer_to(location: Sequence[str | int], body: Any, kind: str) -> str:
    """Return the JSON pointer of an error's location.

    It leaves out pydantic's names of union branches.
    """
    pointer, here = "", body
    for place, part in enumerate(location):
        if _has(here, part):
            pointer, here = below(pointer, part), here[part]
        elif kind == "missing" and place == len(location) - 1:
            pointer = below(pointer, part)
    return pointer


def _has(value: Any, part: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, dict) and part in value


class MethodNotAllowed(FalllineError):
    """The URL exists, but not for this method.

    `allowed` is the value of the Allow header.
    """

    code = "method-not-allowed"
    title = "The URL does not support this method"

    def __init__(self, allowed: str) -> None:
        super().__init__(f"use one of the methods {allowed}")
        self.allowed = allowed


class UpgradeRequired(FalllineError):
    """A plain request to the URL of sockets, or a handshake whose upgrade a proxy took away."""

    code = "upgrade-required"
    title = "The URL takes WebSockets only"


class ForeignOrigin(FalllineError):
    """A page of another site tries to change something, or to open a socket."""

    code = "foreign-origin"
    title = "Pages of other origins may not do this"


class UnknownHost(FalllineError):
    """The Host header names another server, as in DNS rebinding."""

    code = "unknown-host"
    title = "The Host header does not name this server"


class Malformed(FalllineError):
    """Invalid HTTP or an invalid socket handshake. It never reaches the application."""

    code = "malformed-request"
    title = "The request is not valid HTTP"


class TooSlow(FalllineError):
    """A body that does not arrive in time."""

    code = "too-slow"
    title = "The request took too long to arrive"


class UnsupportedMediaType(FalllineError):
    """A body of an unsupported content type. `supported` is the supported one."""

    code = "unsupported-media-type"
    title = "The URL does not support this content type or coding"

    def __init__(self, supported: str, detail: str) -> None:
        super().__init__(detail)
        self.supported = supported


class Internal(FalllineError):
    """A fault of this server. The log has its cause under `instance`."""

    code = "internal-error"
    title = "Something went wrong in the server"

    def __init__(self, instance: str) -> None:
        super().__init__("the server has a fault; its log has the cause under this `instance`")
        self.instance = instance

    @classmethod
    def new(cls) -> Internal:
        """Return an error with a new instance id."""
        return cls(here(f"/instances/{secrets.token_hex(8)}"))

    def members(self) -> dict[str, object]:
        return {"instance": self.instance}


STATUS: Mapping[type[FalllineError], int] = {
    InvalidRequest: 422,
    TooExpensive: 422,
    UnusableTable: 422,
    UnusableParameters: 422,
    KeyReused: 422,
    Malformed: 400,
    NotAuthorized: 401,
    ForeignOrigin: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    TooSlow: 408,
    Conflict: 409,
    Gone: 410,
    TooNew: 409,
    Damaged: 409,
    TooLarge: 413,
    UnsupportedMediaType: 415,
    UnknownHost: 421,
    UpgradeRequired: 426,
    TooManyRequests: 429,
    Internal: 500,
    Failed: 500,
    Unavailable: 503,
    ReadOnly: 503,
    Unattended: 503,
    StorageFull: 507,
}
"""The HTTP status of each error class."""


class ProblemResponse(JSONResponse):
    """Problem details as an HTTP response."""

    media_type = "application/problem+json"


def problem(error: FalllineError) -> dict[str, Any]:
    """Return the problem details of an error, the same for REST and the socket."""
    return {
        "type": here(f"/problems/{error.code}"),
        "title": error.title,
        "status": STATUS[type(error)],
        "detail": named_here(error.detail),
        **named_here(error.members()),
    }


def problem_response(error: FalllineError) -> ProblemResponse:
    """Return the HTTP response for an error, with the headers of its status."""
    return ProblemResponse(problem(error), STATUS[type(error)], headers=_headers(error))


def _headers(error: FalllineError) -> dict[str, str]:
    match error:
        case NotAuthorized():
            return {"WWW-Authenticate": "Bearer"}
        case MethodNotAllowed(allowed=allowed):
            return {"Allow": allowed}
        case RetryLater(retry_after=seconds):
            return {"Retry-After": str(max(1, round(seconds)))}
        case UnsupportedMediaType(supported=supported):
            return {"Accept-Post": supported}
        case UpgradeRequired():
            return {"Connection": "Upgrade", "Upgrade": "websocket"}
        case TooSlow():
            return {"Connection": "close"}
        case _:
            return {}


def install(app: FastAPI) -> None:
    """Answer all errors of handlers and of the framework with problem details."""
    app.add_exception_handler(FalllineError, _own_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _framework_error)


async def _own_error(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, FalllineError)
    request.app.state.lab.meters.count_error(error)
    return problem_response(error)


async def _invalid(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)
    return problem_response(invalid_request(error, dict(request.query_params)))


async def _framework_error(_: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return problem_response(NotFound(f"no such URL; {here('/openapi.json')} lists all of them"))
    if error.status_code == 405:
        return problem_response(MethodNotAllowed((error.headers or {}).get("Allow", "")))
    phrase = HTTPStatus(error.status_code).phrase
    body = {"type": "about:blank", "title": phrase, "status": error.status_code, "detail": phrase}
    return ProblemResponse(body, error.status_code, headers=error.headers)
