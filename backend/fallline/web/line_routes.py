"""Routes of lines: the socket's messages as server-sent events, by long polling, and posted."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from fallline.vocabulary import answers
from fallline.vocabulary.messages import Posted
from fallline.web.lines import Line, Reader
from fallline.web.open_sockets import EVENTS, POLLING
from fallline.web.openapi import content
from fallline.web.queries import LineQuery
from fallline.web.requests import (
    Address,
    KeyedRoute,
    LastEventId,
    StrictRoute,
    Token,
    disconnection,
)

STREAM = "text/event-stream"


class LineRoute(KeyedRoute):
    """A route of one line."""

    def authorize(self, request: Request, key: str) -> None:
        request.state.line = request.app.state.lines.find(request.path_params["line"], key)


opening = APIRouter(prefix="/api/v1", tags=["lines"], route_class=StrictRoute)
router = APIRouter(prefix="/api/v1", tags=["lines"], route_class=LineRoute)


@opening.post("/lines", status_code=201, response_model=answers.OpenedLine)
async def open_line(request: Request, address: Address) -> dict[str, Any]:
    """Open a line: the WebSocket's protocol over plain HTTP.

    Its other calls need the `key` in the header `Authorization: Bearer <key>`. A line that nobody reads or writes for
    30 seconds ends.
    """
    id, key = request.app.state.lines.open(address)
    return {"line": id, "key": key}


@router.get("/lines/{line}/messages", response_model=answers.LineMessages, responses=content(STREAM))
async def read_messages(
    line: str, request: Request, query: LineQuery, last: LastEventId, _: Token
) -> Response:
    """Return the messages after number `after`: at once, or within `wait` seconds if there are none yet.

    With `Accept: text/event-stream` the answer is a stream of server-sent events. Each `data` is one message as on the
    WebSocket, and `id` is its number; the header `Last-Event-ID` is another way to send `after`.
    """
    this: Line = request.state.line
    after = max(query.after, last)
    if STREAM in request.headers.get("accept", "").lower():
        return _Events(this, this.read(after, EVENTS))
    reader = this.read(after, POLLING)
    try:
        async with disconnection(request) as disconnected:
            disconnected.add_done_callback(lambda _: this.leave(reader))
            text = await this.poll(reader, query.wait)
    finally:
        this.leave(reader)
    return Response(text, media_type="application/json", headers={"Vary": "Accept"})


@router.post("/lines/{line}/messages", status_code=202, response_model=answers.Accepted)
async def post_messages(line: str, payload: Posted, request: Request, _: Token) -> dict[str, Any]:
    """Send messages as on the WebSocket. Answers and errors come among the line's messages.

    A repeated `seq` is not done again.
    """
    this: Line = request.state.line
    await this.write(payload.seq, payload.messages, payload.after)
    return {"seq": payload.seq}


@router.delete("/lines/{line}", status_code=204)
async def end_line(line: str, request: Request, _: Token) -> None:
    """End a line."""
    request.state.line.end()


class _Events(StreamingResponse):
    """A stream of events; its reader leaves when the stream ends, also before its first event."""

    def __init__(self, line: Line, reader: Reader) -> None:
        # The second header asks nginx not to hold the stream back.
        headers = {"Vary": "Accept", "X-Accel-Buffering": "no"}
        super().__init__(line.events(reader), media_type=STREAM, headers=headers)
        self._leave = partial(line.leave, reader)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()
