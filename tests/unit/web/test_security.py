"""Own and foreign hosts and origins."""

from __future__ import annotations

import pytest

from fallline.web.middleware import CONTENT_SECURITY_POLICY, is_own_host, is_own_origin

NAMES = frozenset({"localhost", "lectern"})


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8000", "lectern:80", "127.0.0.1:8000", "10.0.0.7", "[::1]:8000", "[fe80::1]"],
)
def test_the_machines_names_and_any_address_are_own(host: str) -> None:
    assert is_own_host(host, NAMES)


@pytest.mark.parametrize(
    "host",
    [None, "", "evil.example", "localhost.evil.example", "evil-localhost", "localhost@evil.example",
     "127.0.0.1.evil.example", "localhost:", "localhost:x", "localhost:8000:1", "127.1", "0x7f.1", "[::1", "::1",
     "[::1].evil.example", "localhost/", "localhost evil.example", "[]", "localhost,evil.example"],
)  # fmt: skip
def test_other_hosts_are_not(host: str | None) -> None:
    assert not is_own_host(host, NAMES)


def test_a_star_takes_any_name() -> None:
    assert is_own_host("anything.example:443", {"*"})
    assert not is_own_host("not a host", {"*"})


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:8000", "localhost:8000"),
        ("http://localhost", "LOCALHOST:80"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("https://partner.example:8443", "localhost:8000"),
    ],
)
def test_own_origins(origin: str, host: str) -> None:
    assert is_own_origin(origin, "http", host, {"https://partner.example:8443"})


@pytest.mark.parametrize("host", ["lab.example", "lab.example:443"])
def test_a_page_belongs_to_the_server_of_its_own_scheme(host: str) -> None:
    assert is_own_origin("https://lab.example", "https", host, ())
    assert not is_own_origin("https://lab.example", "http", host, ())
    assert not is_own_origin("http://lab.example", "https", host, ())
    assert not is_own_origin("http://lab.example:443", "https", host, ())


@pytest.mark.parametrize(
    "origin",
    ["", "null", "http://evil.example", "http://localhost:8001", "http://localhost", "http://localhost:8000.evil.example",
     "http://evil.example/localhost:8000", "http://localhost:8000/", "http://localhost:8000/path", "HTTP://LOCALHOST:8000",
     "http://user@localhost:8000", "http://localhost:8000@evil.example", "ftp://localhost:8000", "ws://localhost:8000",
     "localhost:8000", "//localhost:8000", "http://localhost:8000 http://evil.example", "http://evillocalhost:8000",
     "http://sub.localhost:8000", "https://partner.example", "http://localhost:8000#", "http://localhost:8000?",
     "https://localhost:8000"],
)  # fmt: skip
def test_foreign_origins(origin: str) -> None:
    assert not is_own_origin(origin, "http", "localhost:8000", {"https://partner.example:8443"})


def test_the_policy_loosens_no_script_rule() -> None:
    rules = dict(rule.split(" ", 1) for rule in CONTENT_SECURITY_POLICY.split("; "))
    assert (
        rules["default-src"]
        == rules["object-src"]
        == rules["base-uri"]
        == rules["frame-ancestors"]
        == "'none'"
    )
    assert rules["script-src"] == rules["connect-src"] == "'self'"
    assert "unsafe-eval" not in CONTENT_SECURITY_POLICY
