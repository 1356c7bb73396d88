"""The server under a path and behind proxies: nothing that an answer names leaves the path."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from websockets import Origin
from websockets.sync.client import connect

from browser.proxy import Named, open_line
from fallline.web.pages import installed_site
from support.page import page_built
from support.reverse_proxies import installed, open_proxy
from support.serving import NUMPY, SMALL, Server, open_app, open_server, raw

COURSE = "https://course.example"
TRUSTING = {"FALLLINE_PROXIES": "127.0.0.1", "FALLLINE_FRAME_ANCESTORS": COURSE, **NUMPY}
OWN = "own"
"""Our small proxy. It strips the path."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    page_built()
    with open_server("--memory", **TRUSTING) as server:
        yield server


@pytest.fixture(scope="module")
def server_below_a_path() -> Iterator[Server]:
    """A server that knows its path from its own setting."""
    page_built()
    with open_server("--memory", FALLLINE_BASE_PATH="/lab/x", **TRUSTING) as server:
        yield server


@contextmanager
def reached_through(name: str, port: int, path: str, *, strips: bool) -> Iterator[str]:
    if name == OWN:
        with open_line(port, Named) as line:
            yield line.address + Named.PATH
    else:
        with open_proxy(name, port, path, strips=strips) as address:
            yield address


WAYS = [
    (OWN, Named.PATH, True),
    *(
        (name, path, strips)
        for name in installed()
        for path in ("", "/fallline", "/x")
        for strips in (True, False)
    ),
]


@pytest.mark.parametrize(("name", "path", "strips"), WAYS)
def test_everything_answers_behind_a_proxy(name: str, path: str, strips: bool, server: Server) -> None:
    with reached_through(name, server.port, path, strips=strips) as address:
        stays_below(address)


@pytest.mark.parametrize("name", installed())
@pytest.mark.parametrize("strips", [True, False])
def test_everything_answers_under_the_path_of_the_setting(
    name: str, strips: bool, server_below_a_path: Server
) -> None:
    with open_proxy(name, server_below_a_path.port, "/lab/x", strips=strips) as address:
        stays_below(address)


def test_everything_answers_under_the_path_of_the_setting_without_a_proxy(
    server_below_a_path: Server,
) -> None:
    assert server_below_a_path.url.endswith("/lab/x/")
    stays_below(server_below_a_path.url.rstrip("/"))
    root = f"http://127.0.0.1:{server_below_a_path.port}"
    assert [httpx.get(f"{root}/{path}", timeout=90).status_code for path in ("healthz", "readyz")] == [
        200,
        200,
    ]
    malformed = raw(server_below_a_path.port, b"GET / HTTP/1.1\r\nno header\r\n\r\n")
    assert malformed.startswith(b"HTTP/1.1 400 ")
    assert b'"/lab/x/problems/malformed-request"' in malformed


def stays_below(address: str) -> None:
    """Check each kind of answer at this address, which ends with the path."""
    origin, path = re.fullmatch(r"(http://[^/]+)(.*)", address).groups()  # type: ignore[union-attr]
    with httpx.Client(headers={"Origin": origin}, timeout=90) as client:
        page(client, address, path)
        id = rest(client, address, origin, path)
        documentation(client, address, path)
        descriptions(client, address, path)
        exports(client, f"{address}/api/v1/experiments/{id}")
        line(client, address, path, id)
    socket(address, origin, path, id)


def page(client: httpx.Client, address: str, path: str) -> None:
    answer = client.get(f"{address}/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["x-frame-options"] == "DENY"
    named = re.findall(r'(?:src|href|content)="([^"]*\.(?:js|css|json|svg|woff2))"', answer.text)
    assert len(named) >= 6
    for url in named:
        file = client.get(urljoin(f"{address}/", url))
        assert (file.status_code, file.request.url.path.startswith(f"{path}/assets/")) == (200, True)
    framed = client.get(f"{address}/?embed=loss")
    assert f"frame-ancestors {COURSE};" in framed.headers["content-security-policy"]
    assert "x-frame-options" not in framed.headers
    for other in ("/x?embed=loss", "/docs/?embed=loss", "/healthz?embed=loss"):
        assert client.get(address + other).headers["x-frame-options"] == "DENY"
    if path:
        slash = client.get(address)
        assert slash.status_code in (301, 302, 307)
        assert urlsplit(slash.headers["location"]).path == f"{path}/"


def rest(client: httpx.Client, address: str, origin: str, path: str) -> str:
    assert client.get(f"{address}/healthz").json()["status"] == "ok"
    assert client.get(f"{address}/readyz").json()["status"] == "ready"
    created = client.post(f"{address}/api/v1/experiments", json=SMALL)
    id: str = created.json()["id"]
    assert (created.status_code, created.headers["location"]) == (201, f"{path}/api/v1/experiments/{id}")
    assert client.get(origin + created.headers["location"]).json()["id"] == id
    table = client.post(
        f"{address}/api/v1/datasets", content=b"a,b\n1,2\n2,3\n3,5\n", headers={"Content-Type": "text/csv"}
    )
    assert client.get(origin + table.headers["location"]).json()["id"] == table.json()["id"]
    for url, call, code in (
        ("/api/v1/experiments/nope", "GET", "not-found"),
        ("/nope", "GET", "not-found"),
        ("/api/v1/catalog", "DELETE", "method-not-allowed"),
        (f"/api/v1/experiments/{id}/step", "POST", "not-authorized"),
        ("/api/v1/experiments", "POST", "invalid-request"),
    ):
        answer = client.request(call, address + url, content=b"{" if call == "POST" else None)
        assert answer.json()["type"] == f"{path}/problems/{code}"
        leaves_nothing(answer.text, path)
    unknown = {"data": {"name": "csv", "dataset": "0" * 32, "target": "a"}}
    leaves_nothing(client.post(f"{address}/api/v1/experiments", json=unknown).text, path)
    leaves_nothing(client.get(f"{address}/api/v1/catalog").text, path)
    assert client.post(f"{address}/api/v1/qr", json={"text": address}).text.startswith("<svg")
    foreign = client.post(f"{address}/api/v1/experiments", headers={"Origin": "http://evil.example"})
    assert (foreign.status_code, foreign.json()["type"]) == (403, f"{path}/problems/foreign-origin")
    return id


def leaves_nothing(text: str, path: str) -> None:
    """Check that each path of the API in a text starts with the base path."""
    assert text.count("/api/v1/") == text.count(f"{path}/api/v1/"), text


def documentation(client: httpx.Client, address: str, path: str) -> None:
    short = client.get(f"{address}/docs", follow_redirects=True)
    assert short.request.url.path == f"{path}/docs/"
    if not installed_site().is_dir():
        assert short.json()["type"] == f"{path}/problems/not-found"
        return
    assert short.status_code == 200
    for start in ("", "reference/settings.html"):
        urls = re.findall(r'(?:src|href)="([^"#]+)"', client.get(f"{address}/docs/{start}").text)
        assert len(urls) > 10
        for url in urls:
            if not url.startswith(("http", "data:", "mailto:")):
                assert urlsplit(urljoin(f"{address}/docs/{start}", url)).path.startswith(f"{path}/docs/"), url
    folder = client.get(f"{address}/docs/reference")
    if folder.is_redirect:
        assert urlsplit(folder.headers["location"]).path == f"{path}/docs/reference/"


def descriptions(client: httpx.Client, address: str, path: str) -> None:
    document = client.get(f"{address}/openapi.json").json()
    assert document.get("servers") == ([{"url": path}] if path else None)
    assert "/api/v1/experiments" in document["paths"]
    codes = re.findall(r"`([^` ]*)/problems/[a-z-]+`", document["info"]["description"])
    assert {*codes} == {path}


def exports(client: httpx.Client, experiment: str) -> None:
    assert client.get(f"{experiment}/export/recipe.json").json()["data"]["samples"] == 60
    assert client.get(f"{experiment}/export/report.html").text.startswith("<!doctype html>")
    archive = client.get(f"{experiment}/export/parameters.npz").content
    assert io.BytesIO(archive).read(2) == b"PK"


def line(client: httpx.Client, address: str, path: str, id: str) -> None:
    """Carry messages without a socket, by events and by polling."""
    opened = client.post(f"{address}/api/v1/lines").json()
    url, key = f"{address}/api/v1/lines/{opened['line']}", {"Authorization": f"Bearer {opened['key']}"}
    messages = [{"type": "watch", "experiment": id}, {"type": "watch", "experiment": "nope"}]
    client.post(f"{url}/messages", json={"seq": 1, "messages": messages}, headers=key).raise_for_status()
    problem = f'"{path}/problems/not-found"'
    polled = ""
    for after in range(2):
        polled += client.get(f"{url}/messages?after={after}&wait=5", headers=key).text
    assert problem in polled
    events = {**key, "Accept": "text/event-stream"}
    with client.stream("GET", f"{url}/messages?after=1", headers=events) as stream:
        assert any(problem in event for event in stream.iter_lines())
    assert client.delete(url, headers=key).status_code == 204
    ended = client.get(f"{url}/messages", headers=key)
    assert (ended.status_code, ended.json()["type"]) == (404, f"{path}/problems/not-found")


def socket(address: str, origin: str, path: str, id: str) -> None:
    url = address.replace("http", "ws", 1) + "/api/v1/stream"
    with connect(url, origin=Origin(origin)) as line:

        def answer(message: dict[str, Any]) -> dict[str, Any]:
            line.send(json.dumps(message))
            while True:
                received: dict[str, Any] = json.loads(line.recv(30))
                if received["type"] in ("experiment", "error"):
                    return received

        assert answer({"type": "watch", "experiment": id})["state"]["id"] == id
        command = {"type": "command", "id": "c", "experiment": id, "do": "play"}
        assert answer(command)["problem"]["type"] == f"{path}/problems/not-authorized"
        assert (
            answer({"type": "watch", "experiment": "nope"})["problem"]["type"] == f"{path}/problems/not-found"
        )


async def test_without_a_path_all_is_as_before() -> None:
    async with open_app() as (_, client):
        created = await client.post("/api/v1/experiments", json=SMALL, headers={"X-Forwarded-Prefix": "/x"})
        assert created.headers["location"].startswith("/api/v1/experiments/")
        document = (await client.get("/openapi.json")).json()
        assert "servers" not in document
        assert "`/problems/not-found`" in document["info"]["description"]
