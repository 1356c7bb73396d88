"""Links as QR codes: an independent reader decodes them, no log has them, and shares take turns."""

from __future__ import annotations

import asyncio
import re
import string
import threading
from functools import partial

import httpx
import numpy as np
import pytest
import zxingcpp

from fallline.services.fair_slots import QUANTUM
from fallline.web import server_routes
from fallline.web.server_routes import MOST_BYTES
from support.clocks import work_for
from support.serving import Server, open_app


def read(svg: str) -> str:
    """Decode a drawing as a phone would: strokes of dark modules, row by row."""
    match = re.search(r'viewBox="0 0 (\d+) \1".*stroke="#000" d="([^"]+)"', svg)
    assert match, svg[:300]
    light = np.full((int(match[1]), int(match[1])), 255, dtype=np.uint8)
    x = y = 0.0
    for command, numbers in re.findall(r"([Mmh])([^Mmh]+)", match[2]):
        arguments = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        if command == "h":
            light[int(y), int(x) : int(x + arguments[0])] = 0
            x += arguments[0]
        else:
            x, y = (arguments[0], arguments[1]) if command == "M" else (x + arguments[0], y + arguments[1])
    (code,) = zxingcpp.read_barcodes(np.kron(light, np.ones((4, 4), dtype=np.uint8)))
    return str(code.text)


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:8000/#watch=abc",
        "ü 1 → 2",
        (string.ascii_letters + string.digits + "-_") * 46,
        "x" * MOST_BYTES,
    ],
)
async def test_a_text_comes_back_from_its_code(text: str, client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/qr", json={"text": text})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/svg+xml"
    assert read(answer.text) == text


@pytest.mark.parametrize("text", ["", "x" * (MOST_BYTES + 1), "ü" * 1_500])
async def test_a_text_too_long_for_a_code_is_refused_with_the_bound(
    text: str, client: httpx.AsyncClient
) -> None:
    answer = await client.post("/api/v1/qr", json={"text": text})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "/text"
    assert text == "" or str(MOST_BYTES) in error["detail"].replace(",", "")


def test_no_log_holds_a_link(shared_server: Server) -> None:
    assert httpx.post(shared_server.url + "api/v1/qr", json={"text": "a-link-of-mine"}, timeout=90).is_success
    assert "a-link-of-mine" not in shared_server.output


async def test_codes_for_a_crowd_behind_one_address_hold_up_no_code_for_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn, goes_on = list[str](), threading.Event()

    def draw(text: str) -> bytes:
        goes_on.wait(90)
        work_for(2 * QUANTUM)  # more than a turn
        drawn.append(text)
        return b"<svg/>"

    monkeypatch.setattr(server_routes, "draw", draw)
    async with open_app(kernel="numpy") as (app, client):
        elsewhere = httpx.ASGITransport(app, client=("192.0.2.9", 1))
        async with httpx.AsyncClient(transport=elsewhere, base_url="http://localhost") as other:
            ask = partial(client.post, "/api/v1/qr", json={"text": "crowd"})
            requests = [asyncio.ensure_future(ask()) for _ in range(30)]
            while len(app.state.lab._drawings) < 30:
                await asyncio.sleep(0)
            requests.append(asyncio.ensure_future(other.post("/api/v1/qr", json={"text": "person"})))
            while len(app.state.lab._drawings) < 31:
                await asyncio.sleep(0)
            goes_on.set()
            assert {(await one).status_code for one in requests} == {200}
    assert drawn[:2] == ["crowd", "person"]


async def test_a_code_is_charged_to_the_share_of_its_request(monkeypatch: pytest.MonkeyPatch) -> None:
    key = {"Fallline-Owner": "ab" * 16}
    async with open_app(kernel="numpy") as (app, client):
        lab, charged = app.state.lab, list[tuple[str, bool]]()
        monkeypatch.setattr(
            lab._executor, "charge", lambda share, seconds: charged.append((share, seconds > 0.0))
        )
        mine = await client.post("/api/v1/experiments", json={}, headers=key)
        await client.post("/api/v1/qr", json={"text": "absent"}, headers=key)
        lab.acknowledged(mine.json()["id"])  # as a socket of the owner does
        await client.post("/api/v1/qr", json={"text": "present"}, headers=key)
        owner = lab.share_of(key["Fallline-Owner"], None)
    assert owner.startswith("owner:")
    assert charged == [("address:127.0.0.1", True), (owner, True)]


async def test_too_many_codes_of_a_share_are_refused_with_when_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_app(kernel="numpy") as (app, client):
        waiting = app.state.lab._drawings
        monkeypatch.setattr(waiting, "most", 0)
        monkeypatch.setattr(waiting, "fewest", 0)
        refused = await client.post("/api/v1/qr", json={"text": "one too many"})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
