"""A connection that can be cut: a relay before the server, in its own threads.

A browser's "offline" mode does not close open sockets; this does.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal


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
        """Return the bytes that go on in place of these."""
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
        self._start(near, far)

    def _start(self, near: socket.socket, far: socket.socket) -> None:
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
        # a portion may begin with the rest of a body that the server did not wait for
        return re.sub(rf"([A-Z]+) {self.PATH}(/\S* HTTP/1\.1\r\n)".encode(), rb"\1 \2", portion)


class Named(Prefix):
    """Strips the path, and names it to the server in each request."""

    def passed_on(self, portion: bytes) -> bytes:
        named = rb"([A-Z]+ /\S* HTTP/1\.1\r\n)"
        header = f"X-Forwarded-Prefix: {self.PATH}\r\n".encode()
        return re.sub(named, rb"\1" + header, super().passed_on(portion))


class Network(Line):
    """A network whose proxies treat WebSockets and streams badly. Its faults may change while it works."""

    sockets: Literal["pass", "refuse", "swallow", "mute"] = "pass"
    """Handshakes are refused or get no answer, or sockets open and pass nothing on."""
    streams: Literal["pass", "refuse", "hold", "cut"] = "pass"
    """Server-sent events are refused or held back, or each stream is cut after `CUT_SECONDS`."""
    lines: Literal["pass", "refuse"] = "pass"
    """Requests to open a line without WebSocket are refused."""
    bytes_per_second: float | None = None
    """How much passes from the server in one connection."""

    CUT_SECONDS = 0.7
    REFUSAL = b"HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    def __init__(self, target: int) -> None:
        super().__init__(target)
        self.seen: Counter[str] = Counter()
        """The requests by kind: socket, stream and other."""

    def _start(self, near: socket.socket, far: socket.socket) -> None:
        passage = _Passage(self, near, far)
        for direction, source, sink in ((passage.up, near, far), (passage.down, far, near)):
            threading.Thread(target=self._carry, args=(direction, source, sink), daemon=True).start()

    def _carry(self, direction: Callable[[], None], source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            direction()
        for end in (source, sink):
            _end(end)
        with self._lock:
            self._open.discard(source)
        source.close()


class _Passage:
    """One connection through a network. The kind of its present request decides what passes."""

    def __init__(self, network: Network, near: socket.socket, far: socket.socket) -> None:
        self._network, self._near, self._far = network, near, far
        self._kind = "other"

    def up(self) -> None:
        while portion := self._near.recv(65536):
            if re.match(rb"[A-Z]+ /", portion):
                self._kind = _kind_of(portion)
                self._network.seen[self._kind] += 1
                how = {"socket": self._network.sockets, "stream": self._network.streams}.get(self._kind)
                if self._network.lines == "refuse" and b" /api/v1/lines" in portion:
                    how = "refuse"
                if how == "refuse":
                    self._near.sendall(self._network.REFUSAL)
                    return
            elif self._kind == "socket" and self._network.sockets == "mute":
                continue
            if not (self._kind == "socket" and self._network.sockets == "swallow"):
                self._far.sendall(portion)

    def down(self) -> None:
        is_handshake = True
        while portion := self._far.recv(16384):
            network = self._network
            if self._kind == "socket" and network.sockets == "mute" and not is_handshake:
                continue
            is_handshake = False
            if self._kind == "stream" and network.streams == "hold":
                continue
            if self._kind == "stream" and network.streams == "cut":
                self._kind = "stream being cut"
                threading.Timer(network.CUT_SECONDS, self._cut).start()
            if network.bytes_per_second:
                time.sleep(len(portion) / network.bytes_per_second)
            self._near.sendall(portion)

    def _cut(self) -> None:
        for end in (self._near, self._far):
            _end(end)


def _kind_of(request: bytes) -> str:
    head = request.lower()
    if b"upgrade: websocket" in head:
        return "socket"
    return "stream" if b"accept: text/event-stream" in head else "other"


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
