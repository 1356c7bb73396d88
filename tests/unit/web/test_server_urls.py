"""How others find the server: addresses, names, and what the terminal shows."""

from __future__ import annotations

import ipaddress
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
import zxingcpp

from fallline.web import addresses, server_urls
from fallline.web.addresses import hosts_for_others, is_loopback
from fallline.web.server_urls import ServerUrls, code, is_own_machine, white_on_black
from support.serving import open_app


@pytest.fixture
def bound() -> Iterator[socket.socket]:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        yield listener


@pytest.fixture
def port(bound: socket.socket) -> int:
    number: int = bound.getsockname()[1]
    return number


def at(
    monkeypatch: pytest.MonkeyPatch, *hosts: str, first: str | None = None, name: str = "Laptop.example"
) -> None:
    """Pretend to be a machine with these addresses."""
    own = [ipaddress.ip_address(host) for host in hosts]
    monkeypatch.setattr(addresses, "_of_interfaces", lambda: iter(own))
    monkeypatch.setattr(addresses, "_of_name", lambda: iter(()))
    monkeypatch.setattr(addresses, "_of_default_route", lambda: first and ipaddress.ip_address(first))
    monkeypatch.setattr(socket, "gethostname", lambda: name)


def test_the_systems_addresses_are_all_found() -> None:
    table = subprocess.run(["cat", "/proc/net/fib_trie"], capture_output=True, text=True, check=True).stdout
    local = set(re.findall(r"\|-- (\S+)\n\s+/32 host LOCAL", table))
    assert "127.0.0.1" in local
    assert {str(each) for each in addresses._of_interfaces() if each.version == 4} == local


def test_loopback_is_recognized() -> None:
    assert [
        host for host in ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost") if not is_loopback(host)
    ] == []
    assert [host for host in ("0.0.0.0", "::", "10.0.0.1", "laptop.local", "") if is_loopback(host)] == []


def test_the_address_of_the_default_route_comes_first_and_useless_ones_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at(
        monkeypatch,
        "127.0.0.1", "172.17.0.1", "169.254.3.4", "192.168.1.20", "8.8.8.8", "::1", "fe80::1", "fd00::20",
        first="192.168.1.20",
    )  # fmt: skip
    assert [str(each) for each in hosts_for_others("0.0.0.0")] == ["192.168.1.20", "172.17.0.1", "8.8.8.8"]
    assert [str(each) for each in hosts_for_others("::")][-1] == "fd00::20"
    assert [str(each) for each in hosts_for_others("10.1.2.3")] == ["10.1.2.3"]
    assert hosts_for_others("127.0.0.1") == hosts_for_others("::1") == []


def test_the_terminal_shows_each_address_and_the_announced_name_with_codes_that_scan(
    monkeypatch: pytest.MonkeyPatch, bound: socket.socket, port: int
) -> None:
    at(monkeypatch, "192.168.1.20", "10.0.0.7", first="192.168.1.20")
    monkeypatch.setattr(server_urls, "announces_itself", lambda: True)
    here = ServerUrls(bound, "/x")
    urls = [f"http://{host}:{port}/x" for host in ("192.168.1.20", "10.0.0.7", "laptop.local")]
    assert here.urls() == urls
    text = here.text("utf-8", coloured=False)
    assert re.findall(r"^  (http\S+)$", text, re.MULTILINE) == [f"{url}/" for url in urls]
    codes = re.split(r"^.*http.*$", text, flags=re.MULTILINE)[1:]
    assert [scanned(each.strip("\n")) for each in codes] == [f"{url}/" for url in urls]
    assert "\u2588" not in here.text("ascii", coloured=False)
    assert here.text("utf-8", coloured=True).count("\033[97;40m") == here.text("utf-8", coloured=True).count(
        "\033[0m"
    )


def scanned(text: str) -> str:
    """Read a code of block characters, each two modules high."""
    halves = {" ": (0, 0), "\u2580": (255, 0), "\u2584": (0, 255), "\u2588": (255, 255)}
    rows = [line for line in text.split("\n") if line.strip(" ") or "\u2588" in text]
    rows = [line for line in rows if set(line) <= set(halves) and line]
    pixels = np.array([[halves[each][half] for each in line] for line in rows for half in (0, 1)], np.uint8)
    (result,) = zxingcpp.read_barcodes(
        np.kron(np.pad(pixels, 8, constant_values=255), np.ones((4, 4), np.uint8))
    )
    return result.text


def test_colours_do_not_change_the_code() -> None:
    drawn = code("http://a/")
    assert re.sub(r"\033\[[0-9;]*m", "", white_on_black(drawn)) == drawn


def test_a_server_for_this_machine_only_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, "192.168.1.20", first="192.168.1.20")
    monkeypatch.setattr(server_urls, "announces_itself", lambda: True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        here = ServerUrls(listener)
        assert (here.urls(), here.text("utf-8", coloured=False)) == ([], "")
        with here.announced():
            assert here.urls() == []


class Network:
    """Multicast DNS as a library offers it."""

    registered: list[Any]
    is_open = True

    def __init__(self) -> None:
        type(self).registered = []
        type(self).is_open = True

    def register_service(self, service: Any, *, allow_name_change: bool) -> None:
        assert allow_name_change
        self.registered.append(service)

    def close(self) -> None:
        type(self).is_open = False


def test_the_name_is_announced_while_the_server_runs(
    monkeypatch: pytest.MonkeyPatch, bound: socket.socket, port: int
) -> None:
    at(monkeypatch, "192.168.1.20", first="192.168.1.20")
    monkeypatch.setattr(server_urls, "announces_itself", lambda: False)
    monkeypatch.setattr(server_urls, "Zeroconf", Network)
    monkeypatch.setattr(server_urls, "ServiceInfo", lambda *names, **more: (names, more), raising=False)
    monkeypatch.setattr(server_urls, "ZeroconfError", ValueError, raising=False)
    here = ServerUrls(bound)
    assert here.urls() == [f"http://192.168.1.20:{port}"]
    with here.announced():
        assert here.urls()[-1] == f"http://laptop.local:{port}"
        give_up = time.monotonic() + 60
        while not Network.registered and time.monotonic() < give_up:
            time.sleep(0.01)
        ((names, more),) = Network.registered
        assert names[0] == "_http._tcp.local."
        assert (more["server"], more["port"]) == ("laptop.local.", port)
        assert more["addresses"] == [ipaddress.ip_address("192.168.1.20").packed]
        assert Network.is_open
    assert not Network.is_open


def test_without_the_extra_only_the_systems_own_name_is_shown(
    monkeypatch: pytest.MonkeyPatch, bound: socket.socket
) -> None:
    at(monkeypatch, "192.168.1.20", first="192.168.1.20")
    monkeypatch.setattr(server_urls, "Zeroconf", None)
    for announces in (True, False):
        monkeypatch.setattr(server_urls, "announces_itself", lambda announces=announces: announces)
        here = ServerUrls(bound)
        with here.announced():
            assert any("laptop.local" in url for url in here.urls()) is announces


@pytest.mark.parametrize("name", ["my_laptop", "", "localhost", "-x", "läptop"])
def test_a_host_name_that_no_url_can_have_is_left_out(
    name: str, monkeypatch: pytest.MonkeyPatch, bound: socket.socket
) -> None:
    at(monkeypatch, "192.168.1.20", first="192.168.1.20", name=name)
    monkeypatch.setattr(server_urls, "announces_itself", lambda: True)
    assert [url for url in ServerUrls(bound).urls() if ".local" in url] == []


def test_only_a_page_on_the_servers_own_machine_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, "192.168.1.20", first="192.168.1.20", name="Laptop")
    for client, host, is_own in (
        ("127.0.0.1", "localhost:8000", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("::1", "[::1]:8000", True),
        ("127.0.0.1", "0.0.0.0:8000", True),
        ("::1", "[::]:8000", True),
        ("192.168.1.7", "0.0.0.0:8000", False),
        ("127.0.0.1", "lab.example", False),
        ("127.0.0.1", "192.168.1.20:8000", False),
        ("192.168.1.7", "localhost:8000", False),
        (None, "localhost", False),
        ("127.0.0.1", None, False),
        # the machine's name leads to 127.0.1.1 on Debian; at another port there is a proxy
        ("127.0.0.1", "laptop:8000", True),
        ("127.0.0.1", "laptop", False),
        ("127.0.0.1", "laptop:8001", False),
        ("127.0.0.1", "other:8000", False),
        ("192.168.1.7", "laptop:8000", False),
    ):
        assert is_own_machine(client, host, 8000) is is_own, (client, host)


async def test_the_addresses_are_for_pages_on_the_servers_own_machine_only(
    monkeypatch: pytest.MonkeyPatch, bound: socket.socket, port: int
) -> None:
    at(monkeypatch, "192.168.1.20", first="192.168.1.20")
    async with open_app(hosts=("lab.example",)) as (app, client):
        assert (await client.get("/api/v1/addresses")).json() == {"addresses": []}
        app.state.server_urls = ServerUrls(bound)
        own = (await client.get("/api/v1/addresses")).json()
        assert own["addresses"][0] == f"http://192.168.1.20:{port}"
        through_a_name = await client.get("/api/v1/addresses", headers={"Host": "lab.example"})
        assert through_a_name.json() == {"addresses": []}
        transport = httpx.ASGITransport(app, client=("192.168.1.7", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as other:
            assert (await other.get("/api/v1/addresses")).json() == {"addresses": []}


async def test_a_server_in_the_network_takes_names_of_the_network_by_itself() -> None:
    for host, status in (
        ("127.0.0.1", 421),
        ("localhost", 421),
        ("0.0.0.0", 200),
        ("::", 200),
        ("10.0.0.1", 200),
    ):
        async with open_app(host=host) as (_, client):
            answer = await client.get("/healthz", headers={"Host": "some-laptop.local:8000"})
            assert answer.status_code == status, host
            for foreign in ("evil.example", "local", "evil.local.example", "a.b.local", ".local"):
                assert (await client.get("/healthz", headers={"Host": foreign})).status_code == 421, foreign
