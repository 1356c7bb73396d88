"""The entry of jupyter-server-proxy, started as Jupyter starts it, behind a proxy that does what Jupyter's does."""

from __future__ import annotations

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import httpx

from browser.proxy import Named, open_line
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
    environment = {key: text.format(base_url="/user/ann/") for key, text in entry["environment"].items()}
    assert environment["FALLLINE_BASE_PATH"] == f"/user/ann/{name}" == Jupyter.PATH
    frames = {"FALLLINE_FRAME_ANCESTORS": "https://course.example"}
    with (
        open_entry(entry["command"], **environment, **frames, **NUMPY) as server,
        open_line(server.port, Jupyter) as line,
    ):
        here = line.address + Jupyter.PATH
        stays_below(here)
        of_the_hub = {"Host": "hub.example", "Origin": "https://hub.example", "X-Forwarded-Proto": "https"}
        created = httpx.post(f"{here}/api/v1/experiments", headers=of_the_hub, timeout=90)
        assert created.status_code == 201
        assert created.headers["strict-transport-security"]
