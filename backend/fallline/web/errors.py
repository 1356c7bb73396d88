"""Errors as the world sees them: RFC 9457 problem details, and the one table from kind to status.

They never repeat what came in, and never tell of the server's inside. Must not know which routes there are.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
from fallline.web.plain_words import translated

log = logging.getLogger("fallline.web")


class MethodNotAllowed(FalllineError):
    """The address exists, but not for this method. `allowed` is the value of the Allow header."""

    code = "method-not-allowed"
    title = "The address does not take this method"

    def __init__(self, allowed: str) -> None:
        super().__init__(f"this address takes {allowed}")
        self.allowed = allowed


class ForeignOrigin(FalllineError):
    """A page of another site tries to change something, or to open a socket."""

    code = "foreign-origin"
    title = "Pages of other sites may not do that"


class UnknownHost(FalllineError):
    """The request came under a name that is not this server's (DNS rebinding does that)."""

    code = "unknown-host"
    title = "This server does not go by that name"


class Malformed(FalllineError):
    """What is no HTTP, or no handshake of a socket, and never reaches the application."""

    code = "malformed-request"
    title = "The request cannot be read"


class TooSlow(FalllineError):
    """A body that does not end."""

    code = "too-slow"
    title = "The request took too long to arrive"


class UnsupportedMediaType(FalllineError):
    """A body of a kind that the address does not take. `taken` is the kind that it does."""

    code = "unsupported-media-type"
    title = "The address does not take this kind of body"

    def __init__(self, taken: str, detail: str) -> None:
        super().__init__(detail)
        self.taken = taken


class Internal(FalllineError):
    """A mistake of this server's. `instance` stands in its log too."""

    code = "internal-error"
    title = "Something went wrong in the server"

    def __init__(self, instance: str) -> None:
        super().__init__("it is a mistake of the server, and stands in its log under the instance given here")
        self.instance = instance

    @classmethod
    def anew(cls) -> Internal:
        """One more, with an instance id of its own."""
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
"""Every kind of problem and its HTTP status; `type` is /problems/ and the code."""


class ProblemResponse(JSONResponse):
    """Problem details as an HTTP response."""

    media_type = "application/problem+json"


def problem(error: FalllineError) -> dict[str, Any]:
    """The problem details of an error: the same object for REST and for the socket."""
    return {
        "type": f"/problems/{error.code}",
        "title": error.title,
        "status": STATUS[type(error)],
        "detail": error.detail,
        **error.members(),
    }


def problem_response(error: FalllineError) -> ProblemResponse:
    """The HTTP response that tells of an error, with the headers its status asks for."""
    return ProblemResponse(problem(error), STATUS[type(error)], headers=_headers(error))


def _headers(error: FalllineError) -> dict[str, str]:
    match error:
        case NotAuthorized():
            return {"WWW-Authenticate": "Bearer"}
        case MethodNotAllowed(allowed=allowed):
            return {"Allow": allowed}
        case TooManyRequests(retry_after=seconds) | Unavailable(retry_after=seconds):
            return {"Retry-After": str(max(1, round(seconds)))}
        case UnsupportedMediaType(taken=taken):
            return {"Accept-Post": taken}
        case TooSlow():
            return {"Connection": "close"}
        case _:
            return {}


def install(app: FastAPI) -> None:
    """Let every error of the app's handlers, and the framework's own, be told as problem details."""
    app.add_exception_handler(FalllineError, _told)
    app.add_exception_handler(RequestValidationError, _query_told)
    app.add_exception_handler(HTTPException, _framework_told)


async def _told(_: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, FalllineError)
    return problem_response(error)


async def _query_told(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)
    complaints = [{**complaint, "loc": complaint["loc"][1:]} for complaint in error.errors()]
    return problem_response(translated(complaints, dict(request.query_params)))


async def _framework_told(_: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return problem_response(
            NotFound("there is nothing at this address; /openapi.json lists what there is")
        )
    if error.status_code == 405:
        return problem_response(MethodNotAllowed((error.headers or {}).get("Allow", "")))
    phrase = HTTPStatus(error.status_code).phrase
    body = {"type": "about:blank", "title": phrase, "status": error.status_code, "detail": phrase}
    return ProblemResponse(body, error.status_code, headers=error.headers)


class LastResort:
    """ASGI middleware: what nobody foresaw is answered with 500 and an instance id, and logged under it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except ClientDisconnect:
            return
        except Exception:
            error = Internal.anew()
            log.exception("%s: unforeseen", error.instance)
            if started:
                raise
            await problem_response(error)(scope, receive, send)
