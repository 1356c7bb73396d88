"""Errors as RFC 9457 problem details, and their HTTP statuses.

They never repeat rejected values, and never show internals of the server. Must not know which routes there are.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from fallline.vocabulary.errors import (
    Conflict,
    Damaged,
    Failed,
    FalllineError,
    InvalidRequest,
    KeyReused,
    NotAuthorized,
    NotFound,
    ReadOnly,
    TooExpensive,
    TooLarge,
    TooManyRequests,
    TooNew,
    Unattended,
    Unavailable,
    UnusableParameters,
    UnusableTable,
)
from fallline.web.validation_messages import invalid_request


class MethodNotAllowed(FalllineError):
    """The URL exists, but not for this method.

    `allowed` is the value of the Allow header.
    """

    code = "method-not-allowed"
    title = "The URL does not support this method"

    def __init__(self, allowed: str) -> None:
        super().__init__(f"use one of the methods {allowed}")
        self.allowed = allowed


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
    title = "The URL does not support this content type"

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
        return cls(f"/instances/{secrets.token_hex(8)}")

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
    TooNew: 409,
    Damaged: 409,
    TooLarge: 413,
    UnsupportedMediaType: 415,
    UnknownHost: 421,
    TooManyRequests: 429,
    Internal: 500,
    Failed: 500,
    Unavailable: 503,
    ReadOnly: 503,
    Unattended: 503,
}
"""The HTTP status of each error class."""


class ProblemResponse(JSONResponse):
    """Problem details as an HTTP response."""

    media_type = "application/problem+json"


def problem(error: FalllineError) -> dict[str, Any]:
    """Return the problem details of an error, the same for REST and the socket."""
    return {
        "type": f"/problems/{error.code}",
        "title": error.title,
        "status": STATUS[type(error)],
        "detail": error.detail,
        **error.members(),
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
        case TooManyRequests(retry_after=seconds) | Unavailable(retry_after=seconds):
            return {"Retry-After": str(max(1, round(seconds)))}
        case UnsupportedMediaType(supported=supported):
            return {"Accept-Post": supported}
        case TooSlow():
            return {"Connection": "close"}
        case _:
            return {}


def install(app: FastAPI) -> None:
    """Answer all errors of handlers and of the framework with problem details."""
    app.add_exception_handler(FalllineError, _own_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _framework_error)


async def _own_error(_: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, FalllineError)
    return problem_response(error)


async def _invalid(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)
    return problem_response(invalid_request(error, dict(request.query_params)))


async def _framework_error(_: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return problem_response(NotFound("no such URL; /openapi.json lists all of them"))
    if error.status_code == 405:
        return problem_response(MethodNotAllowed((error.headers or {}).get("Allow", "")))
    phrase = HTTPStatus(error.status_code).phrase
    body = {"type": "about:blank", "title": phrase, "status": error.status_code, "detail": phrase}
    return ProblemResponse(body, error.status_code, headers=error.headers)
