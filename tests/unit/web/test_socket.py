"""The tasks of one socket, with a fake client and a fake lab."""

from __future__ import annotations

import asyncio
import gc
import json
from math import inf
from typing import Any, cast
from weakref import ref

import pytest
from fastapi import WebSocket

from fallline.realtime.outbox import Outbox
from fallline.realtime.session import COMMAND_BURST, MESSAGE_BURST, MOST_REFUSED
from fallline.services.lab import Lab
from fallline.web import connection
from fallline.web import socket as sockets
from fallline.web.connection import FRAGMENT
from fallline.web.socket import Socket
from support.listed_lab import ListedLab
from support.pulling import Source
from support.spies import noting
from support.watching import read_binary


class Client:
    """Sends its messages, then hangs up when the server has received them.

    It receives `takes` messages and stores them; with `lasts` it stays connected.
    """

    client = None

    def __init__(self, *messages: dict[str, Any]) -> None:
        self._messages = list(messages)
        self.heard: list[dict[str, Any]] = []
        self._fragments: list[str | bytes] = []
        self.longest = 0
        self.takes, self.lasts, self.is_stuck = inf, False, False
        self.closed: int | None = None

    async def accept(self) -> None: ...

    async def receive(self) -> dict[str, Any]:
        for _ in range(5):
            await asyncio.sleep(0)
        if self._messages:
            return {"type": "websocket.receive", "text": json.dumps(self._messages.pop(0))}
        if self.lasts:
            await asyncio.Event().wait()
        return {"type": "websocket.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        """Send a message, or a fragment of one."""
        (fragment,) = (message[kind] for kind in ("text", "bytes") if kind in message)
        self._fragments.append(fragment)
        self.longest = max(self.longest, len(fragment))
        if message.get("more"):
            return
        self.takes -= 1
        if self.takes < 0:
            self.is_stuck = True
            await asyncio.Event().wait()
        whole = type(fragment)().join(self._fragments)
        self._fragments.clear()
        self.heard.append(json.loads(whole) if isinstance(whole, str) else read_binary(whole))

    async def close(self, code: int, reason: str) -> None:
        self.closed = int(code)


async def test_an_acknowledgement_reaches_the_lab_for_experiments_with_a_token() -> None:
    client = Client(
        {"type": "got", "frame": 0},
        {"type": "watch", "experiment": "mine", "token": "right"},
        {"type": "watch", "experiment": "only-looked-at"},
        {"type": "got", "frame": 0},
        {"type": "got", "frame": 0},
    )
    lab = ListedLab()
    await Socket(cast(WebSocket, client), cast(Lab, lab), 5.0).run()
    assert lab.acknowledgements == ["mine", "mine"]


async def test_the_work_for_a_socket_is_charged_to_the_owner_of_what_it_watches() -> None:
    lab = ListedLab()
    client = Client({"type": "ping", "id": 1}, {"type": "watch", "experiment": "mine", "token": "right"})
    await Socket(cast(WebSocket, client), cast(Lab, lab), 5.0).run()
    assert {share for share, _ in lab.charged} == {"owner of mine"}  # at the end: the work is short
    assert all(0 < seconds < 1 for _, seconds in lab.charged)


async def test_a_client_that_takes_no_message_in_time_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "SEND_SECONDS", 0.05)
    client = Client({"type": "ping", "id": 1})
    client.takes, client.lasts = 0, True
    async with asyncio.timeout(60):
        await Socket(cast(WebSocket, client), cast(Lab, ListedLab()), 5.0).run()
    assert client.heard == []


async def test_all_watches_end_when_the_client_hangs_up() -> None:
    class Left(ListedLab):
        def __init__(self) -> None:
            super().__init__()
            self.left: set[str] = set()

        def unwatch(self, id: str, *_: Any) -> None:
            self.left.add(id)

    client, lab = Client(*({"type": "watch", "experiment": each} for each in "abc")), Left()
    async with asyncio.timeout(60):
        await Socket(cast(WebSocket, client), cast(Lab, lab), 5.0).run()
    assert lab.left == set("abc")


async def test_frames_are_bytes_with_the_encoding_binary_and_long_ones_come_in_fragments() -> None:
    source = Source()
    source.advance(1_000)

    class Long(ListedLab):
        async def watch(
            self, id: str, token: str | None, watcher: Outbox, *_: Any, **__: Any
        ) -> dict[str, Any]:
            source.join(watcher)
            watcher.ask(0.0)
            source.publish()
            return {"id": id}

    client = Client({"type": "watch", "experiment": "e", "encoding": "binary", "buckets": 5_000})
    await Socket(cast(WebSocket, client), cast(Lab, Long()), 5.0).run()
    answer, frame = client.heard
    assert answer["type"] == "experiment"
    assert frame["frame"] == 1
    last = frame["runs"]["gd"]["columns"]["last"].tolist()
    assert last == list(range(len(last)))
    assert client.longest == FRAGMENT


async def test_frames_that_are_being_sent_hold_no_columns() -> None:
    """A stuck reader keeps one text in memory, not its columns."""
    source = Source()
    source.advance(8)
    references = []

    class OneFrame(ListedLab):
        async def watch(
            self, id: str, token: str | None, watcher: Outbox, *_: Any, **__: Any
        ) -> dict[str, Any]:
            source.join(watcher)
            watcher.ask(0.0)
            source.publish()
            assert watcher.frame is not None
            references.append(ref(watcher.frame.runs["gd"].buckets.minimum))
            return {"id": id}

    client = Client({"type": "watch", "experiment": "e"})
    client.takes, client.lasts = 1, True
    running = asyncio.ensure_future(Socket(cast(WebSocket, client), cast(Lab, OneFrame()), 5.0).run())
    while not client.is_stuck:
        await asyncio.sleep(0)
    gc.collect()
    assert [reference() for reference in references] == [None]
    running.cancel()
    await asyncio.wait([running])


async def test_each_message_that_cannot_be_understood_counts_and_too_many_end_the_socket() -> None:
    wrong = {"type": "watch", "experiment": "e", "fps": -1}
    client = Client(*[wrong] * 200)
    await Socket(cast(WebSocket, client), cast(Lab, ListedLab()), 5.0).run()
    statuses = [message["problem"]["status"] for message in client.heard]
    assert client.closed == 4008
    assert statuses.count(429) == MOST_REFUSED + 1
    assert COMMAND_BURST <= statuses.count(422) < 100


async def test_a_message_beyond_the_budget_is_not_even_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    monkeypatch.setattr(connection, "read", noting(lambda text: parsed.append(text), connection.read))
    client = Client(*[{"type": "ping", "id": "x" * 60_000}] * 600)
    await Socket(cast(WebSocket, client), cast(Lab, ListedLab()), 5.0).run()
    assert client.closed == 4008
    assert int(MESSAGE_BURST / (60_029 / 1024)) <= len(parsed) < 600


async def test_a_long_message_goes_in_fragments() -> None:
    class Talkative(ListedLab):
        async def watch(self, id: str, *_: Any, **__: Any) -> dict[str, Any]:
            return {"text": "x" * 100_000}

    client = Client({"type": "watch", "experiment": "e"})
    await Socket(cast(WebSocket, client), cast(Lab, Talkative()), 5.0).run()
    assert len(client.heard[0]["state"]["text"]) == 100_000
    assert client.longest == FRAGMENT
