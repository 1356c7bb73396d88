"""Protection of the server against other pages in the same browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

import httpx
import pytest
from websockets import Origin
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from fallline.realtime.limits import BURST, HELD_SECONDS
from fallline.web.middleware import CONTENT_SECURITY_POLICY, HEADERS
from support.page import page_built
from support.serving import NUMPY, Server, created, open_app, open_server, raw

FOREIGN = [
    "http://evil.example",
    "null",
    "",
    "http://localhost.evil.example:{port}",
    "http://evil-127.0.0.1:{port}",
    "http://127.0.0.1:{port}.evil.example",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "ftp://127.0.0.1:{port}",
    "https://127.0.0.1:{port}",
    "HTTP://127.0.0.1:{port}",
    "http://user@127.0.0.1:{port}",
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}",
    "127.0.0.1:{port}",
    "*",
]


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_page_gets_no_socket(origin: str, shared_server: Server) -> None:
    origin = origin.format(port=shared_server.port)
    with pytest.raises(InvalidStatus) as refused:
        connect(shared_server.socket_url, additional_headers={"Origin": origin}).__enter__()
    response = refused.value.response
    assert response.status_code == 403
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert json.loads(response.body or b"")["type"] == "/problems/foreign-origin"


def test_two_origins_are_none(shared_server: Server) -> None:
    own = shared_server.url.rstrip("/")
    request = (
        f"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1:{shared_server.port}\r\nConnection: Upgrade\r\n"
        f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Origin: {own}\r\nOrigin: http://evil.example\r\n\r\n"
    )
    assert raw(shared_server.port, request.encode())[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 403")


def test_the_own_page_and_a_script_without_origin_get_one(shared_server: Server) -> None:
    with connect(shared_server.socket_url, origin=Origin(f"http://127.0.0.1:{shared_server.port}")):
        pass
    with connect(shared_server.socket_url) as line:
        assert line.response is not None
        assert "Sec-WebSocket-Extensions" not in line.response.headers  # no permessage-deflate


def test_a_socket_under_a_foreign_name_is_refused(shared_server: Server) -> None:
    request = (
        "GET /api/v1/stream HTTP/1.1\r\nHost: evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert raw(shared_server.port, request.encode()).startswith(b"HTTP/1.1 421 ")


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "PUT"])
async def test_unsafe_methods_are_refused_to_foreign_pages_and_reading_is_left_to_the_browser(
    method: str,
) -> None:
    async with open_app(origins=("https://partner.example",)) as (_, client):
        for origin in (
            "http://evil.example",
            "null",
            "https://partner.example.evil.example",
            "http://partner.example",
            "https://localhost",
        ):
            answer = await client.request(method, "/api/v1/experiments", headers={"Origin": origin})
            assert (answer.status_code, answer.json()["type"]) == (403, "/problems/foreign-origin")
            assert (await client.get("/healthz", headers={"Origin": origin})).status_code == 200
        for origin in ("http://localhost", "https://partner.example"):
            answer = await client.request(method, "/api/v1/experiments", headers={"Origin": origin})
            assert answer.status_code == (201 if method == "POST" else 405)


async def test_a_page_that_came_by_https_belongs_to_a_server_that_is_reached_by_https() -> None:
    async with open_app() as (app, _):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="https://localhost") as secure:
            for origin, status in {"https://localhost": 201, "http://localhost": 403}.items():
                answer = await secure.post("/api/v1/experiments", headers={"Origin": origin})
                assert answer.status_code == status


def test_a_proxy_that_speaks_https_is_believed_only_if_it_is_named() -> None:
    page = "https://127.0.0.1"
    for proxies, opens in {"127.0.0.1": True, "": False}.items():
        with open_server("--memory", FALLLINE_PROXIES=proxies, **NUMPY) as server:
            headers = {"Host": "127.0.0.1", "Origin": page, "X-Forwarded-Proto": "https"}
            answer = httpx.post(server.url + "api/v1/experiments", headers=headers, timeout=90)
            assert answer.status_code == (201 if opens else 403)
            if not opens:
                assert "FALLLINE_PROXIES" in answer.json()["detail"]


async def test_only_the_servers_own_names_are_answered() -> None:
    async with open_app(hosts=("lab.example",)) as (_, client):
        for host, status in {
            "evil.example": 421,
            "lab.example": 200,
            "192.168.1.7:8000": 200,
            "": 421,
            "a b": 421,
        }.items():
            answer = await client.get("/healthz", headers={"Host": host})
            assert answer.status_code == status, host
            assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY


async def responses(client: httpx.AsyncClient) -> dict[str, httpx.Response]:
    one = await created(client)
    page_built()
    plotly = "/" + (await client.get("/")).text.split('name="plotly-src" content="')[1].split('"')[0]
    return {
        "page": await client.get("/"),
        "asset": await client.get(plotly),
        "created": await client.post("/api/v1/experiments", json={}),
        "state": await one.get(),
        "table": await client.get(one.here + "/runs/gd/history", headers={"Accept": "text/csv"}),
        "gone": await one.ask("DELETE", ""),
        "options": await client.options("/healthz"),
        "head": await client.head("/healthz"),
        "unknown": await client.get("/nope"),
        "method": await client.put("/healthz"),
        "wrong": await client.post("/api/v1/experiments", content=b"{"),
        "large": await client.post("/api/v1/experiments", content=b" " * 70_000),
        "description": await client.get("/openapi.json"),
        "host": await client.get("/healthz", headers={"Host": "evil.example"}),
        "origin": await client.post("/api/v1/experiments", headers={"Origin": "null"}),
    }


async def test_every_response_carries_every_header(client: httpx.AsyncClient) -> None:
    for name, response in (await responses(client)).items():
        for header, value in HEADERS.items():
            assert response.headers[header] == value, (name, header)
        cached = {"page": "no-cache", "asset": "public, max-age=31536000, immutable"}
        assert response.headers["cache-control"] == cached.get(name, "no-store"), name
        assert "strict-transport-security" not in response.headers
        assert "server" not in response.headers
        assert "set-cookie" not in response.headers
        assert "access-control-allow-origin" not in response.headers


COURSE = "https://course.example"
EMBEDDED = [
    "/?embed=loss,gradients",
    "/?embed=fall_line",
    "/?fps=5&embed=loss%2Cgradients",
    "/?embed=loss&fps=5",
]
WHOLE = [
    "/", "/?fps=5", "/?EMBED=loss", "/?embedded=loss", "/?xembed=loss", "/?embed", "/?embed=", "/?x=%26embed=loss",
    "/?x=y;embed=loss", "/docs/?embed=loss", "/healthz?embed=loss", "/openapi.json?embed=loss", "/nope?embed=loss",
    "/api/v1/catalog?embed=loss",
]  # fmt: skip


async def test_only_charts_may_be_framed_and_only_by_the_origins_of_the_setting() -> None:
    page_built()
    async with open_app(frame_ancestors=(COURSE, "http://localhost:8080")) as (_, client):
        for url in EMBEDDED:
            for answer in (await client.get(url), await client.head(url)):
                policy = answer.headers["content-security-policy"]
                assert f"; frame-ancestors {COURSE} http://localhost:8080; " in policy, url
                assert policy.count("frame-ancestors") == 1
                assert policy.replace(f"{COURSE} http://localhost:8080", "'none'") == CONTENT_SECURITY_POLICY
                assert "x-frame-options" not in answer.headers
                for header in HEADERS.keys() - {"X-Frame-Options", "Content-Security-Policy"}:
                    assert answer.headers[header] == HEADERS[header]
        etag = (await client.get(EMBEDDED[0])).headers["etag"]
        cached = await client.get(EMBEDDED[0], headers={"If-None-Match": etag})
        assert (cached.status_code, COURSE in cached.headers["content-security-policy"]) == (304, True)
        for url in WHOLE:
            answer = await client.get(url)
            assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY, url
            assert answer.headers["x-frame-options"] == "DENY", url
        foreign = await client.get(EMBEDDED[0], headers={"Host": "evil.example"})
        assert foreign.headers["x-frame-options"] == "DENY"


async def test_without_the_setting_nothing_may_be_framed(client: httpx.AsyncClient) -> None:
    page_built()
    for url in [*EMBEDDED, *WHOLE]:
        answer = await client.get(url)
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY, url
        assert answer.headers["x-frame-options"] == "DENY", url


def test_a_server_does_not_start_with_a_wildcard_or_a_separator_in_the_setting() -> None:
    for value in ("*", "https://a.example; script-src *"):
        ended = subprocess.run(
            [sys.executable, "-m", "fallline", "serve", "--memory", "--port", "0"],
            env={**os.environ, **NUMPY, "FALLLINE_FRAME_ANCESTORS": value},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode != 0
        assert "FALLLINE_FRAME_ANCESTORS must be origins such as https://example.org" in ended.stderr
        assert "Traceback" not in ended.stderr


async def test_behind_tls_the_server_sends_strict_transport_security() -> None:
    async with open_app() as (app, _):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="https://localhost") as secure:
            assert "max-age=63072000" in (await secure.get("/healthz")).headers["strict-transport-security"]


async def test_a_token_is_only_in_the_first_answer(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    one = await created(client)
    texts: list[str] = [caplog.text]
    calls: list[tuple[str, str, Any]] = [
        ("GET", "", None),
        ("GET", "/recipe", None),
        ("POST", "/step", {"steps": 1}),
        ("POST", "/step", {"steps": one.token}),
        ("POST", "/step", {one.token: 1}),
        ("PATCH", "/runs/gd", {"label": 3}),
        ("DELETE", "/runs/" + one.token, None),
    ]
    for method, path, body in calls:
        answer = await one.ask(method, path, body)
        text = answer.text + json.dumps(dict(answer.headers))
        if one.token in json.dumps(body):
            assert answer.status_code == 422  # a pointer may name the field, but the value is not repeated
            text = text.replace(f'"/{one.token}', "").replace(f"/{one.token}: ", "")
        texts.append(text)
    assert not [text for text in texts if one.token in text]
    stored: Any = vars(app_entry(one.id, client))
    assert one.token not in repr(stored)


def test_no_log_level_shows_an_id_or_a_token() -> None:
    with open_server(FALLLINE_LOG_LEVEL="debug", **NUMPY) as server:
        with httpx.Client(base_url=server.url, timeout=90) as client:
            created = client.post("/api/v1/experiments", json={}).json()
            id, token = created["id"], created["token"]
            here, right = f"/api/v1/experiments/{id}", {"Authorization": f"Bearer {token}"}
            assert client.post(here + "/step", json={"steps": 1}, headers=right).status_code == 200
            assert client.post(here + "/step", json={token: 1}, headers=right).status_code == 422
            assert client.get(here, params={"token": token}).status_code == 422
        with connect(server.socket_url + f"?token={token}") as line:
            line.send(json.dumps({"type": "watch", "experiment": id, "token": token}))
            assert json.loads(line.recv(90))["type"] == "experiment"
            line.send(json.dumps({"type": token}))
        with pytest.raises(InvalidStatus):
            connect(server.socket_url + token).__enter__()
        assert server.end()[0] == 0
        assert id not in server.output
        assert token not in server.output


def app_entry(id: str, client: httpx.AsyncClient) -> Any:
    lab = client._transport.app.state.lab  # type: ignore[attr-defined]
    return Entry(lab._registry.entries[id])


class Entry:
    def __init__(self, entry: Any) -> None:
        self.fields = [getattr(entry, name) for name in entry.__slots__]


async def test_many_wrong_tokens_are_refused_and_the_right_one_never() -> None:
    async with open_app(wrong_tokens_per_second=5) as (_, client):
        state = (await client.post("/api/v1/experiments", json={})).json()

        async def step(token: str) -> httpx.Response:
            address = f"/api/v1/experiments/{state['id']}/step"
            return await client.post(address, json={}, headers={"Authorization": f"Bearer {token}"})

        answers = [await step(f"guess-{number}") for number in range(20)]
        assert {answer.status_code for answer in answers[:5]} == {401}
        assert answers[-1].status_code == 429
        assert int(answers[-1].headers["Retry-After"]) >= 1
        assert "wrong tokens" in answers[-1].json()["detail"]
        assert (await step(state["token"])).status_code == 200


async def test_a_flood_of_refused_calls_is_slowed_down_and_other_calls_are_not() -> None:
    async with open_app(refusals_per_second=1 / BURST) as (_, client):
        began = time.perf_counter()
        for _ in range(4):  # the first one is free, and another one after 5 s
            assert (await client.post("/api/v1/experiments", json={"runs": 1})).status_code == 422
        assert time.perf_counter() - began >= 3 * HELD_SECONDS
        fastest = HELD_SECONDS
        for _ in range(20):
            began = time.perf_counter()
            assert (await client.get("/healthz")).status_code == 200
            fastest = min(fastest, time.perf_counter() - began)
        assert fastest < HELD_SECONDS
