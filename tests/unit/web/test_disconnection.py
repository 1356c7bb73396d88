"""A request whose caller hangs up is noticed."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request

from fallline.web.requests import disconnection


def request(messages: asyncio.Queue[dict[str, Any]]) -> Request:
    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, messages.get)


async def test_the_future_is_done_when_the_caller_hangs_up() -> None:
    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    async with disconnection(request(messages)) as disconnected:
        messages.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        await asyncio.sleep(0.01)
        assert not disconnected.done()
        messages.put_nowait({"type": "http.disconnect"})
        await asyncio.wait_for(disconnected, 60)


async def test_the_task_ends_with_the_answer() -> None:
    before = asyncio.all_tasks()
    async with disconnection(request(asyncio.Queue())) as disconnected:
        pass
    await asyncio.sleep(0.01)
    assert not disconnected.done()
    assert asyncio.all_tasks() == before
