"""Slow readers of exported files cost a bounded memory, and keep nobody from an export."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import ExitStack

import httpx
import pytest

from fallline.services import downloads as module
from support.serving import NUMPY, created, open_app, open_server

MOST, MANY = 4, 60
REPORT_BYTES = 5 << 20
REPORT = "GET /api/v1/experiments/{id}/export/report.html HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"


async def test_readers_who_take_nothing_of_a_report_cost_a_bounded_memory() -> None:
    with open_server(**NUMPY, FALLLINE_EXPORTS=str(MOST)) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            one = await created(client)
            assert (await one.get("/export/report.html")).status_code == 200
            before, most = server.resident_bytes, 0
            with ExitStack() as readers:
                for _ in range(MANY):
                    reader = readers.enter_context(socket.socket())
                    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                    reader.connect(("127.0.0.1", server.port))
                    reader.sendall(REPORT.format(id=one.id, port=server.port).encode())
                give_up = time.monotonic() + 4
                while time.monotonic() < give_up:
                    most = max(most, server.resident_bytes - before)
                    assert (await client.get("/healthz")).status_code == 200
            assert most < MANY * REPORT_BYTES / 3
            async with asyncio.timeout(60):  # until their places are free again
                while (await one.get("/export/report.html")).status_code != 200:
                    await asyncio.sleep(0.05)


async def test_a_download_leaves_its_place_however_it_ends() -> None:
    async with open_app(kernel="numpy", exports=2) as (app, client):
        one = await created(client)
        await one.ask("POST", "/step", {"steps": 50})
        for _ in range(3):
            for name in ("report.html", "history.csv", "recipe.json"):
                answer = await one.get(f"/export/{name}")
                assert answer.status_code == 200
                assert "attachment" in answer.headers["content-disposition"]
                assert (await client.head(f"{one.here}/export/{name}")).status_code == 200
            assert (await one.get("/export/report.html", run="nobody")).status_code == 404
        downloads = app.state.lab.views._downloads
        assert (len(downloads), downloads._slots.free) == (0, 2)


async def test_a_full_server_says_when_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_app(kernel="numpy", exports=2) as (app, client):
        one, downloads = await created(client), app.state.lab.views._downloads
        places = [await downloads.enter("other"), await downloads.enter("another")]
        monkeypatch.setattr(module, "WAIT_SECONDS", 0.05)
        full = await one.get("/export/recipe.json")
        assert (full.status_code, full.headers["retry-after"]) == (503, "5")
        monkeypatch.setattr(downloads._waiting, "most", 0)
        monkeypatch.setattr(downloads._waiting, "fewest", 0)
        many = await one.get("/export/recipe.json")
        assert (many.status_code, many.headers["retry-after"]) == (429, "5")
        for path in ("", "/recipe", "/runs/gd/history"):
            assert (await one.get(path)).status_code == 200, "other reads go on"
        monkeypatch.undo()
        for place in places:
            place.leave()
        assert (await one.get("/export/recipe.json")).status_code == 200


async def test_measurements_and_figures_that_wait_are_bounded_and_exports_are_not_among_them() -> None:
    async with open_app(kernel="numpy") as (app, client):
        one, waiting = await created(client), app.state.lab.views._waiting
        waiting.most = waiting.fewest = 0
        for path in ("/runs/gd/instruments/curvature", "/runs/gd/check", "/figures/loss"):
            many = await one.get(path)
            assert (many.status_code, many.headers["retry-after"]) == (429, "5"), path
        for path in ("", "/recipe", "/export/report.html"):
            assert (await one.get(path)).status_code == 200, path
