"""Slow readers of exported files cost a bounded memory, and keep nobody from an export."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import socket
import time
import weakref
from contextlib import ExitStack
from typing import Any

import httpx
import numpy as np
import pytest

from fallline.exports.export_data import ExportData, export_data
from fallline.exports.table import EXPORTS
from fallline.services import downloads as module
from fallline.services import views
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


class Copies:
    """The copies of histories that exports have made, one for each run, without holding them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._arrays: list[weakref.ref[np.ndarray[Any, Any]]] = []
        self.series: set[str] = set()
        self.points = 0
        monkeypatch.setattr(views, "export_data", self._noted)

    def _noted(self, *arguments: Any, **named: Any) -> ExportData:
        data = export_data(*arguments, **named)
        for run in data.runs:
            self._arrays.append(weakref.ref(run.history.minimum))
            self.series.update(run.history.names)
        self.points = max(len(line.buckets) for line in data.figures.runs)
        return data

    @property
    def alive(self) -> int:
        return sum(array() is not None for array in self._arrays)

    async def end(self) -> None:
        """Wait until none is alive: the thread that made a piece drops its last reference just after it."""
        async with asyncio.timeout(10):
            while self.alive:
                await asyncio.sleep(0.001)


THREE = {"data": {"samples": 60}, "runs": [{"name": name} for name in ("a", "b", "c")]}


def last_steps(name: str, text: bytes) -> dict[str, int]:
    """Return the last step of each run in a file of histories."""
    if name == "history.json":
        return {run: columns["last"][-1] for run, columns in json.loads(text).items()}
    return {row["run"]: int(row["last"]) for row in csv.DictReader(io.StringIO(text.decode()))}


@pytest.mark.parametrize("name", ["history.csv", "history.json"])
async def test_a_history_frees_each_run_once_it_is_sent(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_app(kernel="numpy") as (app, client):
        one = await created(client, THREE)
        await one.ask("POST", "/step", {"steps": 600})
        copies, reads = Copies(monkeypatch), app.state.lab.views
        file = await reads.export(one.id, name, None)
        seen, text = [copies.alive], b""
        async for piece in reads.pieces(one.id, file.content):
            seen.append(copies.alive)
            text += piece
            if len(seen) == 3:  # what comes later is of the same moment
                await one.ask("POST", "/reset")
        file.place.leave()
        assert seen == sorted(seen, reverse=True)
        assert {*seen} - {0} == {3, 2, 1}
        assert copies.alive == 0
        assert last_steps(name, text) == {"a": 599, "b": 599, "c": 599}


async def test_a_reader_who_leaves_frees_all_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_app(kernel="numpy") as (app, client):
        one = await created(client, THREE)
        await one.ask("POST", "/step", {"steps": 600})
        copies, reads = Copies(monkeypatch), app.state.lab.views
        file = await reads.export(one.id, "history.csv", None)
        pieces = reads.pieces(one.id, file.content)
        await anext(pieces)
        assert copies.alive == 3
        await pieces.aclose()
        file.place.leave()
        del file, pieces
        await copies.end()


@pytest.mark.parametrize("name", list(EXPORTS))
async def test_a_file_copies_only_what_it_shows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = {"history.csv": "all", "history.json": "all", "notebook.ipynb": "losses"}.get(name)
    async with open_app(kernel="numpy") as (_, client):
        one = await created(client, THREE)
        await one.ask("POST", "/step", {"steps": 50})
        names = {*(await one.get("/runs/a/history")).json()["series"]}
        copies = Copies(monkeypatch)
        assert (await one.get(f"/export/{name}")).status_code == 200
        assert copies.series == {"all": names, "losses": {"batch_loss"}, None: set()}[shown]
        assert (copies.points > 1) == (name == "report.html")
        await copies.end()
