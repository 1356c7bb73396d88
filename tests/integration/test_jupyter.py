"""The entry of jupyter-server-proxy, started as Jupyter starts it, behind a proxy that does what Jupyter's does."""

from __future__ import annotations

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import httpx
import pytest

from browser.proxy import Named, open_line
from fallline.jupyter import environment
from fallline.settings import read_settings
from integration.test_base_path import stays_below
from support.page import page_built
from support.serving import NUMPY, open_entry

ROOT = Path(__file__).parents[2]


class Jupyter(Named):
    """Strips the path of a user's Jupyter, and names it with each request."""

    PATH = "/user/ann/fallline"


def test_jupyter_starts_the_server_and_offers_it_below_its_own_path() -> None:
    page_built()
    entries = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    ((name, value),) = entries["jupyter_serverproxy_servers"].items()
    entry = EntryPoint(name, value, "jupyter_serverproxy_servers").load()()
    settings = entry["environment"](base_url="/user/ann/")
    assert settings["FALLLINE_BASE_PATH"] == f"/user/ann/{name}" == Jupyter.PATH
    frames = {"FALLLINE_FRAME_ANCESTORS": "https://course.example"}
    with (
        open_entry(entry["command"], **settings, **frames, **NUMPY) as server,
        open_line(server.port, Jupyter) as line,
    ):
        here = line.address + Jupyter.PATH
        stays_below(here)
        of_the_hub = {"Host": "hub.example", "Origin": "https://hub.example", "X-Forwarded-Proto": "https"}
        created = httpx.post(f"{here}/api/v1/experiments", headers=of_the_hub, timeout=90)
        assert created.status_code == 201
        assert created.headers["strict-transport-security"]


@pytest.mark.parametrize(
    "base_url", ["/user/ann@school.example/", "/user/ann%20b/", "/hub/a/user/ann/second/"]
)
def test_a_path_of_jupyter_that_cannot_be_a_base_path_does_not_keep_the_server_from_its_start(
    base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in environment(base_url).items():
        monkeypatch.setenv(name, text)
    assert read_settings().base_path == ""
