"""The control socket: a Unix socket in the data folder, for the operator's commands.

Its mode is 600 in a folder of mode 700, so it serves only the user who runs the server. A request and its response are
one line of JSON each, and a connection has one of each. Windows has no such socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from fallline.services.background import Background
from fallline.services.operator import CHECK_SECONDS, DamageFound, OperationFailed, Operator

NAME = "fallline.socket"

MOST_BYTES = 64 * 1024
"""Largest request."""

LONGEST_ADDRESS = 100
"""Longest address in bytes; the system's own limit is 104 or 108."""

RETRY_SECONDS = 5.0
"""Seconds between two attempts to open the socket where the folder is not writable."""

_log = logging.getLogger(__name__)


class NotServed(Exception):
    """No server has the control socket of this folder open."""


@contextmanager
def _address(folder: Path) -> Iterator[str]:
    """Yield an address of the socket. A long one goes through an open folder, which Linux has."""
    path = str(folder / NAME)
    if len(os.fsencode(path)) <= LONGEST_ADDRESS:
        yield path
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{descriptor}/{NAME}"
    finally:
        os.close(descriptor)


# ---------------------------------------------------------------------- the server


@asynccontextmanager
async def serve_operator(operator: Operator, folder: Path, backup_hours: float) -> AsyncIterator[None]:
    """Serve the control socket of a folder, and make scheduled backups every so many hours; 0 for none."""
    background = Background()
    if backup_hours:
        background.begin(operator.back_up_when_due(backup_hours))
        background.repeat(lambda: operator.back_up_when_due(backup_hours), CHECK_SECONDS)
    if hasattr(socket, "AF_UNIX"):
        background.begin(_serve(operator, folder))
        await asyncio.sleep(0)  # it listens before the server does
    try:
        yield
    finally:
        await background.end()


async def _serve(operator: Operator, folder: Path) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError):
            response = await _respond(operator, await reader.readline())
            writer.write(json.dumps(response).encode() + b"\n")
            await writer.drain()
        writer.close()

    bound = await _bound(folder)
    server = await asyncio.start_unix_server(handle, sock=bound, limit=MOST_BYTES, start_serving=False)
    try:
        await server.start_serving()
        await asyncio.Event().wait()
    finally:
        server.close()
        with contextlib.suppress(OSError):
            (folder / NAME).unlink()


async def _bound(folder: Path) -> socket.socket:
    """Return the bound socket, once the folder is writable."""
    has_warned = False
    while True:
        try:
            return _bind(folder)
        except OSError as error:
            if not has_warned:
                _log.warning("operators cannot reach this server: %s", error.strerror or error)
            has_warned = True
        await asyncio.sleep(RETRY_SECONDS)


def _bind(folder: Path) -> socket.socket:
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        # A server that was killed leaves it. The store's lock keeps a second server out of the folder.
        (folder / NAME).unlink(missing_ok=True)
        with _address(folder) as address:
            bound.bind(address)
    except OSError:
        bound.close()
        raise
    finally:
        os.umask(before)
    return bound


async def _respond(operator: Operator, line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
    except ValueError:
        return {"error": "the request is not JSON"}
    try:
        return {"answer": await operator.do(request)}
    except OperationFailed as error:
        return {"error": str(error), "is_damage": isinstance(error, DamageFound)}
    except Exception:
        _log.exception("a command of the operator failed")
        return {"error": "the server failed: see its log"}


# ---------------------------------------------------------------------- the client


def ask(folder: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    """Send a request to the server of this folder; return its answer. Raises NotServed and OperationFailed."""
    if not hasattr(socket, "AF_UNIX"):
        raise OperationFailed("this system has no Unix sockets: stop the server and copy its whole folder")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            with _address(folder) as address:
                connection.connect(address)
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as error:
            raise NotServed from error
        except PermissionError as error:
            raise OperationFailed(
                f"{folder} belongs to another user: run this as the user who runs the server"
            ) from error
        except OSError as error:
            raise OperationFailed(f"the server of {folder} cannot be reached: {error.strerror}") from error
        with contextlib.suppress(ConnectionError), connection.makefile("rwb") as stream:
            stream.write(json.dumps(request).encode() + b"\n")
            stream.flush()
            if line := stream.readline():
                response: dict[str, Any] = json.loads(line)
                if "error" in response:
                    raise (DamageFound if response.get("is_damage") else OperationFailed)(response["error"])
                return dict(response["answer"])
    raise OperationFailed("the server ended before it answered")
