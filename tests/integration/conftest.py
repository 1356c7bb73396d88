"""A client of an app in this process, and a server shared by tests that change only their own experiments."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from support.serving import Server, open_app, open_server


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_app() as (_, client):
        yield client


@pytest.fixture(scope="session")
def shared_server() -> Iterator[Server]:
    with open_server(FALLLINE_UNUSED_CREATIONS="1000000") as server:
        yield server
