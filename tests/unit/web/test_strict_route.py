"""Bodies of requests: how much is read and when, and what handlers get."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from support.serving import created, open_app


@pytest.fixture
async def served() -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    async with open_app() as (app, client):
        yield app, client


class NeverRead(httpx.AsyncByteStream):
    """A body that must not be read."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")


@pytest.mark.parametrize("token", ["", "Bearer wrong", "Basic dXNlcjpwYXNz"])
async def test_the_token_is_checked_before_the_body_is_read(token: str, served: Any) -> None:
    _, client = served
    one = await created(client)
    for method, path in (("POST", "/step"), ("PATCH", "/runs/gd"), ("POST", "/runs")):
        headers = {"Authorization": token} if token else {}
        answer = await client.request(method, one.here + path, content=NeverRead(), headers=headers)
        assert answer.status_code == 401


async def test_the_rate_is_limited_before_the_body_is_read() -> None:
    async with open_app(requests_per_second=1) as (_, client):
        one = await created(client)
        await one.ask("POST", "/pause")
        answer = await client.post(one.here + "/pause", content=NeverRead(), headers=one.authorized)
        assert answer.status_code == 429


@pytest.mark.parametrize(
    "kind", ["", "application/json", "text/plain", "application/x-www-form-urlencoded", "?"]
)
async def test_json_may_have_any_content_type(kind: str, served: Any) -> None:
    _, client = served
    one = await created(client)
    headers = {**one.authorized, **({"Content-Type": kind} if kind else {})}
    answer = await client.post(one.here + "/step", content=b'{"steps": 2, "run": "gd"}', headers=headers)
    assert [run["step"] for run in answer.json()["runs"]] == [2, 0]


@pytest.mark.parametrize("body", [b"", b" \r\n", b"{}"])
async def test_an_empty_body_is_an_empty_object(body: bytes, served: Any) -> None:
    _, client = served
    one = await created(client)
    assert (await client.post(one.here + "/reset", content=body, headers=one.authorized)).status_code == 200
    refused = await client.patch(one.here + "/runs/gd", content=body, headers=one.authorized)
    assert refused.json()["errors"] == [{"pointer": "", "detail": "must change at least one setting"}]


@pytest.mark.parametrize("coding", ["gzip", "GZip", "deflate", "br"])
async def test_a_compressed_body_is_refused_before_it_is_read(coding: str, served: Any) -> None:
    _, client = served
    one = await created(client)
    for path, headers in (
        ("/api/v1/experiments", {}),
        (one.here + "/step", one.authorized),
        ("/api/v1/datasets", {"Content-Type": "text/csv"}),
    ):
        headers = {**headers, "Content-Encoding": coding}
        answer = await client.post(path, content=NeverRead(), headers=headers)
        assert answer.status_code == 415
        assert answer.json()["detail"].endswith(": send the body uncompressed")
