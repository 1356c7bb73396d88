"""Lines: the socket's protocol over plain HTTP, where no WebSocket passes.

A line keeps the server's messages, with numbers from 1, until its client has them. A client reads them as server-sent
events or by long polling, and posts its own. Owns the kept messages, their lifetime and their reader. `web.connection`
and `realtime.session` own the rules of the protocol, as for the socket.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fallline.realtime.limits import Unsent
from fallline.realtime.session import Closing
from fallline.services.lab import Lab
from fallline.services.registry import hash_of, opens
from fallline.vocabulary.errors import (
    Conflict,
    FieldError,
    InvalidRequest,
    NotAuthorized,
    NotFound,
    TooManyRequests,
)
from fallline.vocabulary.messages import CloseCode
from fallline.web.answers import text_of
from fallline.web.connection import FRAGMENT, Connection, Text
from fallline.web.middleware import timed
from fallline.web.open_sockets import POLLING, OpenSockets

UNUSED_SECONDS = 30.0
"""A line that nobody reads or writes for this long ends."""

COMMENT = ":\n\n"
COMMENT_SECONDS = 10.0
"""Time between comments in a silent stream, so that no proxy takes it for dead."""

FRAME_BYTES = 46 * 1024
"""Approximate bytes of a frame: below 64 KB where every number is long."""

KEPT_BYTES = 256 * 1024
"""Limit on the kept messages other than frames. At most two frames are kept."""

MESSAGE_BYTES = 256
"""Bytes of a kept message beside its text: a text of 100 characters took 240."""

MOST_CLOSED = 50
"""Closed lines whose last messages are kept: they have given their places back."""

MOST_POSTS = 8
"""Requests of one line that may wait for the one before them."""

MOST_NUMBERS = 256
"""Numbers of requests that a line remembers. Lower ones count as repeated."""

log = logging.getLogger("fallline.web")


class _Numbers:
    """The numbers of the requests that have been received."""

    def __init__(self) -> None:
        self._recent: set[int] = set()
        self._all_up_to = -1

    def add(self, number: int) -> bool:
        """Return False if the number was there before."""
        if number <= self._all_up_to or number in self._recent:
            return False
        self._recent.add(number)
        if len(self._recent) > MOST_NUMBERS:
            self._all_up_to = min(self._recent)
            self._recent.remove(self._all_up_to)
        return True


@dataclass(eq=False, frozen=True, slots=True)
class Reader:
    """A request that waits for the messages after number `after`. The newest replaces the one before it."""

    after: int


class Line:
    """One client without a WebSocket."""

    def __init__(
        self, lab: Lab, commands_per_second: float, sockets: OpenSockets, address: str | None
    ) -> None:
        self._sockets = sockets
        self._connection = Connection(
            lab,
            commands_per_second,
            sockets,
            address,
            make_room=self._make_room,
            kind=POLLING,
            frame_bytes=FRAME_BYTES,
        )
        self.open_socket = self._connection.open_socket
        self._kept: dict[int, Text] = {}
        self._frames: dict[int, int] = {}
        """The numbers of the kept frames, by the numbers of their messages."""
        self._others = Unsent(KEPT_BYTES)
        self._newest = 0
        self._passed = 0
        self.has_closed = False
        """True once it has given its place back: all that is left are its last messages."""
        self._news = asyncio.Event()
        self._reader: Reader | None = None
        self._used_at = time.monotonic()
        self._numbers = _Numbers()
        self._writing = asyncio.Lock()
        self._posts = 0
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Fetch messages until nobody has used the line for a while, or somebody ended it."""
        try:
            async with asyncio.TaskGroup() as group:
                fetching = group.create_task(self._fetch())
                while (left := self._seconds_left()) > 0 and not self._ended.is_set():
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._ended.wait(), left)
                fetching.cancel()
        finally:
            await self._stop()

    def end(self) -> None:
        """End it at once."""
        self._ended.set()

    def close(self) -> None:
        """Ask the client to come back later."""
        self._connection.close(CloseCode.RESTART, "the server restarts")

    def _make_room(self) -> None:
        if self.open_socket.watches:
            self._connection.close(CloseCode.RESTART, "the server is full: reconnect")
        else:
            self.end()

    def _seconds_left(self) -> float:
        if self._reader and not self.has_closed:
            return UNUSED_SECONDS
        return self._used_at + UNUSED_SECONDS - time.monotonic()

    def _renew(self) -> None:
        """Count as used. A closed line cannot be: it has no place any more, but still keeps messages."""
        if not self.has_closed:
            self._used_at = time.monotonic()

    async def _stop(self) -> None:
        """Give its place and its experiments back. Repeats have no effect."""
        self._renew()
        self.has_closed = True
        self._news.set()
        self._sockets.leave(self.open_socket)
        self._connection.close(CloseCode.RESTART, "the line has ended")
        async with self._writing:  # a message that is being handled may begin to watch
            self._connection.leave()

    # ------------------------------------------------------------------ keeping messages

    async def _fetch(self) -> None:
        """Keep messages until the line closes. The client is charged for their making."""
        await timed(self._fetch_all(), self._connection.charge)

    async def _fetch_all(self) -> None:
        while True:
            message = await self._connection.next()
            if isinstance(message, Closing):
                break
            if not self._keep(message):
                self._kept.clear()
                self._frames.clear()
                message = Closing(CloseCode.TOO_SLOW, "messages are not being read")
                self._connection.count(message)
                break
        self._newest += 1
        self._kept[self._newest] = Text("", text_of({"type": "close", "code": int(message.code)}))
        await self._stop()

    def _keep(self, text: Text) -> bool:
        """Keep a message. Return False if there are too many."""
        self._newest += 1
        self._kept[self._newest] = text
        self._news.set()
        if text.frame is None:
            return self._others.add(len(text) + MESSAGE_BYTES)
        self._frames[self._newest] = text.frame
        return True

    def _drop(self, number: int) -> None:
        text = self._kept.pop(number, None)
        self._frames.pop(number, None)
        if text is not None and text.frame is None:
            self._others.remove(len(text) + MESSAGE_BYTES)

    def _pass(self, after: int) -> None:
        """Drop the messages that the client has. Raises why it cannot have them."""
        if after > self._newest:
            raise InvalidRequest(FieldError("/after", f"must be at most {self._newest}, the newest message"))
        for number in range(self._passed + 1, after + 1):
            self._drop(number)
        self._passed = max(self._passed, after)

    def _drop_acknowledged_frames(self) -> None:
        acknowledged = self._connection.acknowledged
        for number in [number for number, frame in self._frames.items() if frame <= acknowledged]:
            self._drop(number)

    def _check_is_there(self, after: int) -> None:
        """Raise NotFound if it has ended, or has closed and the client has all of its messages."""
        if self._ended.is_set() or (self.has_closed and after >= self._newest):
            raise _unknown()

    # ------------------------------------------------------------------ reading

    def read(self, after: int, kind: str) -> Reader:
        """Begin to read, in place of an earlier reader. Raises NotFound, Conflict and InvalidRequest."""
        self._check_is_there(after)
        if after < self._passed:
            raise Conflict(f"messages up to {self._passed} were acknowledged and are gone")
        self._pass(after)
        self._reader = Reader(after)
        self.open_socket.kind = kind
        self._news.set()
        return self._reader

    def leave(self, reader: Reader) -> None:
        """End a reader. Repeats have no effect."""
        if self._reader is reader:
            self._renew()
            self._reader = None
            self._news.set()

    async def _next_after(self, number: int, reader: Reader) -> int | None:
        """Wait for the next message; return its number, or None if there will be none for this reader."""
        while self._reader is reader and not self._ended.is_set():
            following = next((k for k in range(number + 1, self._newest + 1) if k in self._kept), None)
            if following is not None:
                return following
            if self.has_closed:
                break
            self._news.clear()
            await self._news.wait()
        return None

    async def events(self, reader: Reader) -> AsyncGenerator[str]:
        """Yield messages as server-sent events; a comment at first, and in silence.

        A long one comes in fragments: a stuck reader then keeps only one of them in memory.
        """
        after = reader.after
        yield COMMENT
        while True:
            try:
                async with asyncio.timeout(COMMENT_SECONDS):
                    number = await self._next_after(after, reader)
            except TimeoutError:
                yield COMMENT
                continue
            if number is None:
                return
            text, after = self._kept[number], number
            self._connection.sent(text)
            yield f"id: {number}\ndata: {text.head}"
            for start in range(0, len(text.rest), FRAGMENT):
                yield text.rest[start : start + FRAGMENT]
            yield "\n\n"

    async def poll(self, reader: Reader, wait: float) -> str:
        """Return the messages as a JSON object, as soon as there are some or after `wait` seconds."""
        after = reader.after
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._next_after(after, reader)
        news = {k: text for k, text in self._kept.items() if k > after} if self._reader is reader else {}
        for text in news.values():
            self._connection.sent(text)
        messages = ",".join(text.head + text.rest for text in news.values())
        return f'{{"messages":[{messages}],"next":{max(news, default=after)}}}'

    # ------------------------------------------------------------------ writing

    async def write(self, number: int, messages: Sequence[Any], after: int | None) -> None:
        """Handle a request's messages, unless its number is repeated.

        Messages behind the one that closes the line have no effect. Raises NotFound, TooManyRequests and
        InvalidRequest.
        """
        self._check_is_there(self._passed if after is None else after)
        self._renew()
        if after is not None:
            self._pass(after)
        if self._posts >= MOST_POSTS:
            raise TooManyRequests("wait for the answer to a request before the next one", 1)
        if not self._numbers.add(number):
            return
        self._posts += 1
        try:
            async with self._writing:
                for message in messages:
                    if self._connection.is_closing:
                        break
                    await self._connection.receive_value(message, len(text_of(message)))
                    await asyncio.sleep(0)  # its answer is kept before the next one is handled
                self._drop_acknowledged_frames()
        finally:
            self._posts -= 1


class Lines:
    """The lines of a server, each with its task, by id."""

    def __init__(self, open_line: Callable[[str | None], Line], sockets: OpenSockets) -> None:
        self._open_line = open_line
        self._sockets = sockets
        self._lines: dict[str, tuple[Line, bytes, asyncio.Task[None]]] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def open(self, address: str | None) -> tuple[str, str]:
        """Open a line; return its id and its key. Raises Unavailable."""
        self._end_closed()
        line = self._open_line(address)
        self._sockets.enter(line.open_socket, time.monotonic())
        id, key = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        task = asyncio.create_task(self._run(id, line))
        self._lines[id] = (line, hash_of(key), task)
        return id, key

    def _end_closed(self) -> None:
        """End the closed lines that were opened first, beyond `MOST_CLOSED`."""
        closed = [line for line, _, _ in self._lines.values() if line.has_closed]
        for line in closed[: max(len(closed) - MOST_CLOSED, 0)]:
            line.end()

    async def _run(self, id: str, line: Line) -> None:
        try:
            await line.run()
        except Exception:
            log.exception("a line ended by an unexpected exception")
        finally:
            self._lines.pop(id, None)

    def find(self, id: str, key: str) -> Line:
        """Return the line. Raises NotFound and NotAuthorized."""
        if id not in self._lines:
            raise _unknown()
        line, hashed, _ = self._lines[id]
        if not opens(key, hashed):
            raise NotAuthorized(
                "send the key of this line in the header Authorization: Bearer <key>; POST /lines returned it"
            )
        return line

    def close(self) -> None:
        """Ask all clients to come back later."""
        for line, _, _ in self._lines.values():
            line.close()

    async def stop(self) -> None:
        """End all lines."""
        for line, _, _ in self._lines.values():
            line.end()
        await asyncio.gather(*[task for _, _, task in self._lines.values()])


def _unknown() -> NotFound:
    return NotFound("no line has this id any more: open another")
