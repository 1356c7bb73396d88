"""The documentation's addresses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI

from fallline.services.meters import Meters
from fallline.web import errors
from fallline.web.pages import serve_documentation


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.lab = SimpleNamespace(meters=Meters())
    errors.install(app)
    serve_documentation(app, tmp_path / "site")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    (folder / "reference").mkdir(parents=True)
    for name in ("index.html", "reference/data.html", "main.js", "main.css", "picture.webp", "index.json"):
        (folder / name).write_text(name)
    (tmp_path / "secret.html").write_text("secret")
    return folder


@pytest.mark.usefixtures("site")
async def test_the_short_address_leads_to_the_first_page(client: httpx.AsyncClient) -> None:
    response = await client.get("/docs", follow_redirects=True)
    assert response.url.path == "/docs/"
    assert response.text == "index.html"


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("", "text/html"),
        ("reference/data.html", "text/html"),
        ("main.js", "text/javascript"),
        ("main.css", "text/css"),
        ("picture.webp", "image/webp"),
        ("index.json", "application/json"),
    ],
)
async def test_each_file_has_its_type_and_is_checked_for_changes(
    client: httpx.AsyncClient, name: str, media_type: str
) -> None:
    response = await client.get(f"/docs/{name}")
    assert response.status_code == 200
    assert response.headers["Content-Type"].split(";")[0] == media_type
    assert response.headers["Cache-Control"] == "no-cache"
    again = await client.get(f"/docs/{name}", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    "name", ["missing.html", "reference", "%2e%2e/secret.html", "..%2fsecret.html", "%00", "a" * 5000]
)
async def test_what_is_not_in_the_site_is_not_found(client: httpx.AsyncClient, name: str) -> None:
    response = await client.get(f"/docs/{name}")
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"


async def test_a_site_that_is_built_later_is_found_later(client: httpx.AsyncClient, tmp_path: Path) -> None:
    response = await client.get("/docs/")
    assert response.status_code == 404
    assert "make docs" in response.json()["detail"]
    (tmp_path / "site").mkdir()
    (tmp_path / "site/index.html").write_text("built")
    assert (await client.get("/docs/")).text == "built"
