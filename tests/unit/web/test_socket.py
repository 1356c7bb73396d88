"""The pump of one socket, with a client and a lab that are written down here."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

from fastapi import WebSocket

from fallline.services.lab import Lab
from fallline.web.socket import Connection


class Client:
    """Says what it is given, then hangs up once the server has taken it all; keeps what it is sent."""

    client = None

    def __init__(self, *messages: dict[str, Any]) -> None:
        self._messages = list(messages)
        self.heard: list[dict[str, Any]] = []

    async def accept(self) -> None: ...

    async def receive(self) -> dict[str, Any]:
        for _ in range(5):
            await asyncio.sleep(0)
        if self._messages:
            return {"type": "websocket.receive", "text": json.dumps(self._messages.pop(0))}
        return {"type": "websocket.disconnect"}

    async def send_text(self, text: str) -> None:
        self.heard.append(json.loads(text))


class ListedLab:
    """Any experiment is there, and the token "right" opens it."""

    def __init__(self) -> None:
        self.acknowledgements: list[str] = []

    async def watch(self, id: str, *_: Any, **__: Any) -> dict[str, Any]:
        return {"id": id}

    async def unwatch(self, *_: Any) -> None: ...

    def acknowledged(self, id: str) -> None:
        self.acknowledgements.append(id)


async def test_each_acknowledgement_reaches_the_lab_for_what_the_socket_may_change() -> None:
    client = Client(
        {"type": "got", "frame": 0},
        {"type": "watch", "experiment": "mine", "token": "right"},
        {"type": "watch", "experiment": "only-looked-at"},
        {"type": "got", "frame": 0},
        {"type": "got", "frame": 0},
    )
    lab = ListedLab()
    await Connection(cast(WebSocket, client), cast(Lab, lab), 5.0).run()
    assert lab.acknowledgements == ["mine", "mine"]
