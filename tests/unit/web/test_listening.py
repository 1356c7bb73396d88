"""A server that cannot listen says what would help."""

from __future__ import annotations

import errno
import socket

import pytest

from fallline.web.server import CannotListen, listening_socket


@pytest.mark.parametrize(
    ("number", "help"),
    [
        (errno.EADDRINUSE, "Use --port for another port"),
        (errno.EADDRNOTAVAIL, "use an address of this machine, or 0.0.0.0"),
        (errno.EACCES, "use --port for another port"),
    ],
)
def test_an_address_that_cannot_be_taken_gets_a_hint(
    number: int, help: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(CannotListen, match=f"^cannot listen on 127.0.0.1, port 80: refused; .*{help}"):
        listening_socket("127.0.0.1", 80)


def test_a_name_that_leads_nowhere_gets_a_hint() -> None:
    with pytest.raises(CannotListen, match=r"use an address of this machine, or 0\.0\.0\.0"):
        listening_socket("nowhere.invalid", 0)
