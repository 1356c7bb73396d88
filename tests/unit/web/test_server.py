"""The start of the server."""

from __future__ import annotations

import gc

import pytest
import uvicorn

from fallline.web.server import Server


async def nothing() -> None:
    return None


async def test_objects_from_the_start_are_never_collected_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def started(self: uvicorn.Server, sockets: object = None) -> None:
        return None

    monkeypatch.setattr(uvicorn.Server, "startup", started)
    heard: list[int] = []
    server = Server(uvicorn.Config("none"), lambda: heard.append(gc.get_freeze_count()), nothing)
    try:
        await server.startup()
    finally:
        gc.unfreeze()
    assert heard[0] > 10_000
