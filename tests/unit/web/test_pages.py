"""The page and its files, by names that hold the hash of their contents."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fallline.vocabulary.errors import NotFound
from fallline.web.pages import Pages, page_routes
from support.page import page_built

SCRIPT = b"let a;" * 100


def built(folder: Path, *, page: bytes = b"<script src=assets/main-A.js></script>") -> Path:
    for name, body in {
        "index.html": page,
        ".built": b"",
        "assets/main-A.js": SCRIPT,
        "assets/main-A.js.br": b"as Brotli",
        "assets/main-A.js.gz": gzip.compress(SCRIPT),
        "assets/inter-B.woff2": b"wOF2",
        "assets/notes.md": b"",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body)
    return folder


def client_of(pages: Pages) -> TestClient:
    app = FastAPI()
    app.include_router(page_routes(pages))
    return TestClient(app)


@pytest.mark.parametrize("name", ["main-B.js", "main-A.js.gz", "notes.md", "../index.html", "../.built"])
def test_files_outside_the_page_are_not_served(tmp_path: Path, name: str) -> None:
    pages = Pages(built(tmp_path))
    assert pages.asset("main-A.js").body == SCRIPT
    assert pages.asset("inter-B.woff2").encoded == {}
    with pytest.raises(NotFound):
        pages.asset(name)


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0, GZIP;q=0.5", "gzip"),
        ("br; q=0.0, gzip; q=0", None),
        ("identity", None),
        ("", None),
    ],
)
def test_a_client_gets_the_smallest_form_that_it_takes(
    tmp_path: Path, accepted: str, coding: str | None
) -> None:
    client = client_of(Pages(built(tmp_path)))
    with client.stream("GET", "/assets/main-A.js", headers={"Accept-Encoding": accepted}) as response:
        assert response.headers.get("content-encoding") == coding
        assert response.headers["vary"] == "Accept-Encoding"
        expected = {"br": b"as Brotli", "gzip": gzip.compress(SCRIPT), None: SCRIPT}[coding]
        assert len(b"".join(response.iter_raw())) == len(expected)


def test_a_new_build_is_served_at_the_next_visit(tmp_path: Path) -> None:
    client = client_of(Pages(built(tmp_path)))
    before = client.get("/")
    built(tmp_path, page=b"<script src=assets/main-C.js></script>")
    (tmp_path / "assets/main-A.js").rename(tmp_path / "assets/main-C.js")
    os.utime(tmp_path / "index.html", (1, 1))
    after = client.get("/", headers={"If-None-Match": before.headers["etag"]})
    assert (after.status_code, after.text) == (200, "<script src=assets/main-C.js></script>")
    assert client.get("/assets/main-C.js").content == SCRIPT


def test_a_server_without_a_built_page_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="make page"):
        Pages(tmp_path / "none").page("index.html")


def test_the_built_page_names_its_files_relative_to_itself_and_the_typeface_first() -> None:
    folder = page_built()
    pages = Pages(folder)
    page = pages.page("index.html").body.decode()
    assert "{{" not in page
    addresses = re.findall(r'(?:href|src|content)="(assets/[^"]+)"', page)
    assert sorted(name.rsplit("-", 1)[0] for name in addresses) == [
        "assets/favicon", "assets/first-paint", "assets/inter", "assets/main", "assets/page", "assets/plotly",
        "assets/plotly-template",
    ]  # fmt: skip
    check = pages.page("check.html").body.decode()
    of_check = re.findall(r'(?:href|src|content)="(assets/[^"]+)"', check)
    assert sorted(name.rsplit("-", 1)[0] for name in set(of_check) - set(addresses)) == ["assets/check"] * 2
    assert "{{" not in check
    assert {path.name for path in (folder / "assets").iterdir() if path.suffix not in (".br", ".gz")} == {
        address.removeprefix("assets/") for address in (*addresses, *of_check)
    }
    files = {address: pages.asset(address.removeprefix("assets/")) for address in addresses}
    for address, file in files.items():
        compressed = {"br", "gzip"} if not address.endswith(".woff2") else set()
        assert file.encoded.keys() == compressed, address
        assert all(len(body) < len(file.body) for body in file.encoded.values())
        if "gzip" in compressed:
            assert gzip.decompress(file.encoded["gzip"]) == file.body
    assert re.search(
        r'<link rel="preload" href="assets/inter-[^"]+" as="font" type="font/woff2" crossorigin>', page
    )
    loading = re.findall(r'(?:href|src)="(assets/[^"]+)"', page)
    assert [name.split("-")[0] for name in loading][:2] == ["assets/favicon", "assets/inter"]
    face = files[loading[1]]
    assert (face.media_type, face.body[:4]) == ("font/woff2", b"wOF2")


def test_no_address_in_the_page_begins_at_the_root_of_its_server() -> None:
    pages = Pages(page_built())
    for page in (pages.page("index.html"), pages.page("check.html")):
        assert not re.search(r'(?:href|src|content)="/', page.body.decode())
