"""How others find the server: its URLs for them, the text for the terminal, and its name in the network.

The name `<machine>.local` needs multicast DNS (RFC 6762). The extra `mdns` announces it, where the system does not.
"""

from __future__ import annotations

import io
import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from urllib.parse import urlsplit

import segno

from fallline.web.addresses import (
    Address,
    announces_itself,
    hosts_for_others,
    in_container,
    is_loopback,
    machine_name,
)

try:
    from zeroconf import Error as ZeroconfError
    from zeroconf import ServiceInfo, Zeroconf
except ImportError:
    Zeroconf = None

SERVICE = "_http._tcp.local."
MOST_CODES = 4
"""QR codes in the terminal. Further URLs are listed only."""

EVERY = ("0.0.0.0", "::")
"""Addresses at which a server takes all of its machine's. As the name of a server they lead to this machine."""

log = logging.getLogger("fallline.web")


class ServerUrls:
    """The URLs of a listening server for other machines. They are read anew each time: networks change."""

    def __init__(self, bound: socket.socket, base: str = "") -> None:
        self._host, self.port = bound.getsockname()[:2]
        self._base = base
        name = machine_name()
        self._name = None if name is None or is_loopback(self._host) else f"{name}.local"
        self._is_announced = announces_itself()

    def urls(self) -> list[str]:
        """Return the URLs without a final slash: addresses, then the name if it is announced."""
        hosts = [f"[{each}]" if each.version == 6 else str(each) for each in hosts_for_others(self._host)]
        if self._name and hosts and self._is_announced:
            hosts.append(self._name)
        return [self._url(host) for host in hosts]

    def _url(self, host: str) -> str:
        return f"http://{host}{_port(self.port)}{self._base}"

    def text(self, encoding: str, *, coloured: bool) -> str:
        """Return the lines for a terminal of this encoding, empty if nobody else reaches the server."""
        urls = self.urls()
        if not urls:
            return ""
        draws = _has_blocks(encoding)
        lines = ["Others in this network open:"]
        for place, url in enumerate(urls):
            lines.append(f"  {url}/")
            if draws and place < MOST_CODES:
                drawn = code(f"{url}/")
                lines.append(white_on_black(drawn) if coloured else drawn)
        if in_container():
            lines.append("This is a container. If they cannot, they open the address of its host.")
        return "\n".join(lines)

    @contextmanager
    def announced(self) -> Iterator[None]:
        """Announce the name in the network, if the extra is installed and others can reach the server."""
        addresses = hosts_for_others(self._host)
        if Zeroconf is None or self._name is None or not addresses:
            yield
            return
        try:
            network = Zeroconf()
        except OSError as error:
            log.warning("%s is not announced: %s", self._name, error.strerror or error)
            yield
            return
        self._is_announced = True
        # Registering asks the network for a second whether the name is free.
        Thread(target=self._register, args=(network, addresses), daemon=True).start()
        try:
            yield
        finally:
            network.close()

    def _register(self, network: Zeroconf, addresses: Sequence[Address]) -> None:
        name = str(self._name).removesuffix(".local")
        service = ServiceInfo(
            SERVICE,
            f"fallline on {name}.{SERVICE}",
            addresses=[each.packed for each in addresses],
            port=self.port,
            properties={"path": f"{self._base}/"},
            server=f"{name}.local.",
        )
        try:
            network.register_service(service, allow_name_change=True)
        except (OSError, ZeroconfError) as error:
            self._is_announced = announces_itself()
            log.warning("%s is not announced: %s", self._name, error)


def _has_blocks(encoding: str) -> bool:
    try:
        "\u2580\u2584\u2588".encode(encoding)
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def code(text: str) -> str:
    """Return a QR code of block characters, the light modules filled: for a dark background."""
    out = io.StringIO()
    segno.make_qr(text, error="L").terminal(out, border=2, compact=True)
    return out.getvalue().rstrip("\n")


def white_on_black(text: str) -> str:
    """Return the lines in white on black. A scanner needs these colours, and a terminal may have others."""
    return "\n".join(f"\033[97;40m{line}\033[0m" for line in text.split("\n"))


def is_own_machine(client: str | None, host: str | None, port: int) -> bool:
    """Return whether a request comes from this machine, to a name that reaches this machine only.

    So does the machine's own name where it leads to a loopback address, as on Debian. With another `port` than the
    server's it is a proxy's name.
    """
    name = urlsplit(f"//{host}").hostname if host else None
    if client is None or name is None or not is_loopback(client):
        return False
    return is_loopback(name) or name in EVERY or str(host).lower() == f"{machine_name()}{_port(port)}"


def _port(port: int) -> str:
    """Return the port as a part of a URL."""
    return "" if port == 80 else f":{port}"
