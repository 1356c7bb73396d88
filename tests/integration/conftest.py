"""A server shared by tests that change only their own experiments."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.serving import Server, open_server


@pytest.fixture(scope="session")
def shared_server() -> Iterator[Server]:
    with open_server() as server:
        yield server
