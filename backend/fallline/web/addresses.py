"""The addresses and names under which other machines reach this one.

Addresses come from the system's interfaces (getifaddrs), names from the host name. Must not know who listens.
"""

from __future__ import annotations

import ctypes
import ipaddress
import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PROBE = ("192.0.2.1", 9)
"""An address for documentation (RFC 5737). Connecting a datagram socket to it sends nothing, but chooses a route."""

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
AVAHI = Path("/run/avahi-daemon/socket")
CONTAINERS = (Path("/.dockerenv"), Path("/run/.containerenv"))


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches what listens at a host."""
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host.strip("[]").partition("%")[0]).is_loopback
    return False


def machine_name() -> str | None:
    """Return the first label of the host name; None if it is no name for a URL."""
    name = socket.gethostname().lower().partition(".")[0]
    return name if LABEL.fullmatch(name) and name != "localhost" else None


def in_container() -> bool:
    """Return whether the process runs in a container, whose addresses others may not reach."""
    return any(mark.exists() for mark in CONTAINERS)


def announces_itself() -> bool:
    """Return whether the system announces `<name>.local` in the network: macOS and Windows do, Linux with Avahi."""
    return sys.platform in ("darwin", "win32") or AVAHI.exists()


def hosts_for_others(host: str) -> list[Address]:
    """Return the addresses at which other machines reach what listens at a host, the likeliest first.

    Link-local addresses need an interface in the URL, so they are left out.
    """
    try:
        listens_at = ipaddress.ip_address(host)
    except ValueError:
        return []
    if not listens_at.is_unspecified:
        return [] if listens_at.is_loopback else [listens_at]
    versions = (4, 6) if listens_at.version == 6 and _takes_both() else (listens_at.version,)
    usable = {
        address
        for address in (*_of_interfaces(), *_of_name())
        if address.version in versions and not (address.is_loopback or address.is_link_local)
    }
    first = _of_default_route()
    return sorted(usable, key=lambda each: (each != first, each.version, not each.is_private, int(each)))


def _takes_both() -> bool:
    """Return whether a socket at `::` takes connections of IPv4 too, as is usual on Linux and macOS."""
    return os.name == "posix"


def _of_default_route() -> Address | None:
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(PROBE)
        return ipaddress.ip_address(probe.getsockname()[0])
    return None


def _of_name() -> Iterator[Address]:
    """Addresses to which the host name resolves. On Windows those are all."""
    if os.name == "posix":
        return
    with suppress(OSError):
        for *_, place in socket.getaddrinfo(socket.gethostname(), None):
            yield ipaddress.ip_address(str(place[0]).partition("%")[0])


class _Interface(ctypes.Structure):
    """The first fields of `struct ifaddrs`, alike on Linux, macOS and BSD."""

    _fields_ = (
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("flags", ctypes.c_uint),
        ("address", ctypes.c_void_p),
    )


def _of_interfaces() -> Iterator[Address]:
    """Addresses of all interfaces; none where the system has no getifaddrs."""
    try:
        library = ctypes.CDLL(None)
        begin, end = library.getifaddrs, library.freeifaddrs
    except (AttributeError, OSError, TypeError):
        return
    first = ctypes.c_void_p()
    if begin(ctypes.byref(first)) != 0:
        return
    try:
        place = first.value
        while place:
            entry = _Interface.from_address(place)
            if entry.address and (address := _read(entry.address)) is not None:
                yield address
            place = entry.next
    finally:
        end(first)


def _read(place: int) -> Address | None:
    """Read a `struct sockaddr`. Linux has two bytes of the family, others a length and one byte."""
    head = ctypes.string_at(place, 2)
    family = int.from_bytes(head, sys.byteorder) if sys.platform == "linux" else head[1]
    if family == socket.AF_INET:
        return ipaddress.IPv4Address(ctypes.string_at(place + 4, 4))
    if family == socket.AF_INET6:
        return ipaddress.IPv6Address(ctypes.string_at(place + 8, 16))
    return None
