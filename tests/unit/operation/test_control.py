"""The control socket: private, replaced after a kill, and reachable in deep folders."""

from __future__ import annotations

import asyncio
import errno
import gc
import json
import logging
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fallline.operation import control
from fallline.operation.control import NAME, NotServed, ask, serve_operator
from fallline.services.operator import OperationFailed, Operator


class Answers(Operator):
    """An operator that answers what a test says."""

    def __init__(
        self, answer: Callable[[Any], dict[str, Any]] = lambda request: {"request": request}
    ) -> None:
        self._answer = answer
        self.due: list[float] = []

    async def do(self, request: Any) -> dict[str, Any]:
        return self._answer(request)

    async def back_up_when_due(self, hours: float) -> None:
        self.due.append(hours)


async def asked(folder: Path, request: Any) -> dict[str, Any]:
    return await asyncio.to_thread(ask, folder, request)


async def test_a_request_gets_its_answer_through_a_private_socket(tmp_path: Path) -> None:
    async with serve_operator(operator := Answers(), tmp_path, 6):
        assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600
        for number in range(3):
            assert await asked(tmp_path, {"do": number}) == {"request": {"do": number}}
        assert operator.due == [6]
    assert not (tmp_path / NAME).exists()
    with pytest.raises(NotServed):
        await asked(tmp_path, {})


async def test_errors_come_in_words_and_others_go_to_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(request: Any) -> dict[str, Any]:
        raise OperationFailed("no room") if request["do"] == "backup" else RuntimeError("secret")

    async with serve_operator(Answers(fail), tmp_path, 0):
        with pytest.raises(OperationFailed, match=r"^no room$"):
            await asked(tmp_path, {"do": "backup"})
        with caplog.at_level(logging.ERROR), pytest.raises(OperationFailed, match="see its log"):
            await asked(tmp_path, {"do": "check"})
    assert "secret" in caplog.text


@pytest.mark.parametrize("line", [b"", b"\n", b"no json\n", b"\xff\n", b"x" * 200_000 + b"\n"])
async def test_bad_requests_end_their_connection_only(tmp_path: Path, line: bytes) -> None:
    async with serve_operator(Answers(), tmp_path, 0):
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / NAME))
        writer.write(line)
        writer.write_eof()
        response = await asyncio.wait_for(reader.read(), 60)
        assert response == b"" or "error" in json.loads(response)
        writer.close()
        assert await asked(tmp_path, {}) == {"request": {}}


async def test_the_socket_of_a_killed_server_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / NAME))
    with pytest.raises(NotServed):
        await asked(tmp_path, {})
    async with serve_operator(Answers(), tmp_path, 0):
        assert await asked(tmp_path, {}) == {"request": {}}


async def test_a_deep_folder_is_reached(tmp_path: Path) -> None:
    (deep := tmp_path / ("d" * 90) / ("e" * 90)).mkdir(parents=True)
    with pytest.raises(NotServed):
        await asked(deep, {})
    async with serve_operator(Answers(), deep, 0):
        assert await asked(deep, {"do": 1}) == {"request": {"do": 1}}


async def test_a_folder_that_is_not_there_yet_is_served_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(control, "RETRY_SECONDS", 0.01)
    async with serve_operator(Answers(), tmp_path / "data", 0):
        while "operators cannot reach this server" not in caplog.text:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert caplog.text.count("operators cannot reach this server") == 1
        (tmp_path / "data").mkdir()
        while not (tmp_path / "data" / NAME).exists():
            await asyncio.sleep(0.01)
        assert await asked(tmp_path / "data", {}) == {"request": {}}


def test_another_user_learns_who_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "connect", refuse)  # to root, nothing is forbidden
    with pytest.raises(OperationFailed, match="run this as the user who runs the server"):
        ask(tmp_path, {})


async def test_a_server_that_ends_is_reported(tmp_path: Path) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_unix_server(hang_up, tmp_path / NAME)
    with pytest.raises(OperationFailed, match="ended before it answered"):
        await asked(tmp_path, {})
    server.close()


async def test_a_server_that_ends_at_once_leaves_no_socket(tmp_path: Path) -> None:
    for _ in range(5):
        async with serve_operator(Answers(), tmp_path, 0):
            pass
        assert not any(tmp_path.iterdir())
    gc.collect()  # an open socket would be a warning, and so an error
