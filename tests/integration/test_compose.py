"""The profile tls of compose.yaml: the server believes Caddy, whose configuration is the shipped one."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from support.reverse_proxies import installed, open_shipped_caddy
from support.serving import NUMPY, open_server

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]


def test_the_server_believes_the_address_of_caddy_and_no_other() -> None:
    network = yaml.safe_load((ROOT / "compose.yaml").read_text())["networks"]["default"]
    (subnet,) = network["ipam"]["config"]
    address = SERVICES["caddy"]["networks"]["default"]["ipv4_address"]
    assert SERVICES["fallline"]["environment"]["FALLLINE_PROXIES"] == address
    hosts = [*ipaddress.ip_network(subnet["subnet"]).hosts()]
    assert hosts[-1] == ipaddress.ip_address(address), "services without an address get the first ones"


def test_caddy_starts_with_the_profile_only_and_may_do_no_more_than_listen() -> None:
    caddy = SERVICES["caddy"]
    assert (caddy["profiles"], "profiles" in SERVICES["fallline"]) == (["tls"], False)
    assert (caddy["cap_drop"], caddy["cap_add"], caddy["read_only"]) == (["ALL"], ["NET_BIND_SERVICE"], True)


@pytest.mark.parametrize("name", [name for name in installed() if name == "caddy"])
@pytest.mark.parametrize(("proxies", "status"), [("127.0.0.1", 201), ("10.231.77.14", 403)])
def test_a_page_by_https_may_change_things_if_the_server_believes_caddy(
    name: str, proxies: str, status: int
) -> None:
    with (
        open_server("--memory", FALLLINE_HOSTS="lab.local", FALLLINE_PROXIES=proxies, **NUMPY) as server,
        open_shipped_caddy(server.port, "lab.local") as port,
        httpx.Client(verify=False) as client,
    ):
        answer = client.post(
            f"https://127.0.0.1:{port}/api/v1/experiments",
            json={},
            headers={"Host": f"lab.local:{port}", "Origin": f"https://lab.local:{port}"},
            extensions={"sni_hostname": "lab.local"},
        )
        assert answer.status_code == status
