"""A connection that can be cut: a relay before the server, in its own threads.

A browser's "offline" mode does not close open sockets; this does.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Line:
    """Relays connections to a local port until cut; then it refuses new ones."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._is_cut = False
        self._flows = threading.Event()
        self._flows.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Close both ends of every connection; data in flight is lost."""
        with self._lock:
            self._is_cut = True
            self._flows.set()
            going, self._open = self._open, set()
        for end in going:
            _end(end)

    def mend(self) -> None:
        with self._lock:
            self._is_cut = False

    def fall_silent(self) -> None:
        """Keep connections open but pass nothing on, until cut."""
        self._flows.clear()

    def passed_on(self, portion: bytes) -> bytes:
        """What becomes of these bytes on their way."""
        return portion

    def close(self) -> None:
        _end(self._listener)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self._join(near)

    def _join(self, near: socket.socket) -> None:
        try:
            if self._is_cut:
                raise ConnectionRefusedError
            far = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            near.close()
            return
        with self._lock:
            self._open |= {near, far}
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._relay, args=(source, sink), daemon=True).start()

    def _relay(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while portion := source.recv(65536):
                self._flows.wait()
                sink.sendall(self.passed_on(portion))
        for end in (source, sink):
            _end(end)
        with self._lock:
            self._open.discard(source)
        # each thread closes only the socket it reads: a closed descriptor may be reused before another reader wakes
        source.close()


class Prefix(Line):
    """Stands before a server as a proxy does that offers it under a path, and strips the path from requests."""

    PATH = "/some/where"

    def passed_on(self, portion: bytes) -> bytes:
        return re.sub(rf"\A([A-Z]+) {self.PATH}/".encode(), rb"\1 /", portion)


class Named(Prefix):
    """Strips the path, and names it to the server in each request."""

    def passed_on(self, portion: bytes) -> bytes:
        named = rb"\A([A-Z]+ \S+ HTTP/1.1\r\n)"
        header = f"X-Forwarded-Prefix: {self.PATH}\r\n".encode()
        return re.sub(named, rb"\1" + header, super().passed_on(portion))


def _end(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@contextmanager
def open_line(target: int, kind: type[Line] = Line) -> Iterator[Line]:
    """Relay connections to this port."""
    line = kind(target)
    try:
        yield line
    finally:
        line.close()
