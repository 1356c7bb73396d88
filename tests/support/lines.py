"""A client of the protocol without WebSocket: by server-sent events or by long polling."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Literal

import httpx

from support.readers import Reader
from support.serving import Experiment

Message = dict[str, Any]
Kind = Literal["events", "polling"]
PATIENCE = 90.0
"""Seconds, for a machine that has other things to do."""


class Line:
    """One line. It acknowledges the frames that it returns, unless `acknowledges` is false."""

    def __init__(self, client: httpx.AsyncClient, kind: Kind, id: str, key: str) -> None:
        self.client, self.kind, self.id = client, kind, id
        self.here = f"/api/v1/lines/{id}"
        self.authorized = {"Authorization": f"Bearer {key}"}
        self.acknowledges = True
        self.reader: Reader | None = None
        """Takes the frames that `next` returns."""
        self.resumes = False
        self.after = 0
        self.seq = 0
        self._polled = 0
        self.sizes: list[tuple[str, int]] = []
        self._messages: asyncio.Queue[tuple[int, list[Message]]] = asyncio.Queue()
        self._received: deque[Message] = deque()
        self._reading: asyncio.Task[None] | None = None

    async def send(self, *messages: Any, seq: int | None = None) -> httpx.Response:
        if seq is None:
            self.seq += 1
            seq = self.seq
        body = {"seq": seq, "messages": list(messages)}
        return await self.client.post(f"{self.here}/messages", json=body, headers=self.authorized)

    async def get(self, after: int, *, wait: float = 0.0, last_id: str | None = None) -> httpx.Response:
        return await self.client.get(
            f"{self.here}/messages",
            params={"after": after, "wait": wait},
            headers={**self.authorized, **_last(last_id)},
        )

    @asynccontextmanager
    async def stream(
        self, after: int = 0, last_id: str | None = None
    ) -> AsyncIterator[AsyncIterator[tuple[int, Message]]]:
        """Read server-sent events."""
        async with self.client.stream(
            "GET",
            f"{self.here}/messages",
            params={"after": after},
            headers={**self.authorized, "Accept": "text/event-stream", **_last(last_id)},
            timeout=PATIENCE,
        ) as response:
            assert response.status_code == 200, await response.aread()
            assert response.headers["content-type"].startswith("text/event-stream")
            yield self._events(response)

    async def _events(self, response: httpx.Response) -> AsyncIterator[tuple[int, Message]]:
        number = 0
        async for text in response.aiter_lines():
            if text.startswith("id: "):
                number = int(text[4:])
            elif text.startswith("data: "):
                self.sizes.append((json.loads(text[6:])["type"], len(text[6:].encode())))
                yield number, json.loads(text[6:])

    def start(self) -> None:
        self._reading = asyncio.create_task(self._read_events() if self.kind == "events" else self._poll())

    async def stop(self) -> None:
        """Stop reading, as a cut does. `start` continues."""
        if self._reading:
            self._reading.cancel()
            with suppress(asyncio.CancelledError, httpx.HTTPError):
                await self._reading
        self._reading = None
        # a poll has acknowledged what came before it; a stream has acknowledged nothing
        while self.kind == "events" and not self._messages.empty():
            self._messages.get_nowait()

    async def _read_events(self) -> None:
        async with self.stream(self.after) as events:
            async for number, message in events:
                self._messages.put_nowait((number, [message]))

    async def _poll(self) -> None:
        while True:
            answer = (await self.get(self._polled, wait=20)).json()
            if "messages" not in answer:
                return
            for message in answer["messages"]:
                self.sizes.append((message["type"], len(json.dumps(message, separators=(",", ":")))))
            self._polled = answer["next"]
            self._messages.put_nowait((self._polled, answer["messages"]))

    async def next(self, seconds: float = PATIENCE) -> Message:
        while not self._received:
            self.after, messages = await asyncio.wait_for(self._messages.get(), seconds)
            self._received.extend(messages)
        message = self._received.popleft()
        if message["type"] == "frame" and self.reader:
            self.reader.take(message, resumed=self.resumes)
            self.resumes = False
        if message["type"] == "frame" and self.acknowledges:
            await self.send({"type": "got", "frame": message["frame"]})
        return message

    async def until(self, kind: str, **fields: Any) -> Message:
        async with asyncio.timeout(PATIENCE):
            while True:
                message = await self.next()
                if message["type"] == kind and fields.items() <= message.items():
                    return message

    async def watch(self, experiment: Experiment, **more: Any) -> Message:
        fields = {"token": experiment.token, **more}
        await self.send({"type": "watch", "experiment": experiment.id, **fields})
        return await self.until("experiment", experiment=experiment.id)

    async def command(self, experiment: Experiment, do: str, **body: Any) -> Message:
        id = str(uuid.uuid4())
        await self.send({"type": "command", "id": id, "experiment": experiment.id, "do": do, **body})
        return await self.until("ack", id=id)


def _last(id: str | None) -> dict[str, str]:
    return {} if id is None else {"Last-Event-ID": id}


@asynccontextmanager
async def open_line(client: httpx.AsyncClient, kind: Kind) -> AsyncIterator[Line]:
    answer = await client.post("/api/v1/lines")
    assert answer.status_code == 201, answer.text
    line = Line(client, kind, answer.json()["line"], answer.json()["key"])
    line.start()
    try:
        yield line
    finally:
        await line.stop()
        with suppress(httpx.HTTPError):
            await client.delete(line.here, headers=line.authorized)
