"""Links as QR codes: an independent reader decodes them, and no log has them."""

from __future__ import annotations

import re
import string

import httpx
import numpy as np
import pytest
import zxingcpp

from fallline.web.server_routes import MOST_BYTES
from support.serving import Server


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
    assert httpx.post(shared_server.url + "api/v1/qr", json={"text": "a-link-of-mine"}).is_success
    assert "a-link-of-mine" not in shared_server.output
