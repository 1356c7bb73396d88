"""The page and its files, by the hash of what they hold."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from fallline.vocabulary.errors import NotFound
from fallline.web.pages import Pages, installed_pages


def pages_of(folder: Path, script: str = "let a;") -> Pages:
    frontend = folder / "frontend"
    for name, text in {
        "index.html": "<script src={{assets}}/main.js></script><meta content={{plotly}}>",
        "main.js": script,
        "package.json": "{}",
        "jsconfig.json": "{}",
        "tests/one.test.js": "",
        ".hidden/a.js": "",
        "styles/a.css": "a{}" * 100,
        "notes.md": "",
    }.items():
        (frontend / name).parent.mkdir(parents=True, exist_ok=True)
        (frontend / name).write_text(text)
    (folder / "figures").mkdir(exist_ok=True)
    (folder / "figures/plotly-template.json").write_text("{}")
    return Pages(frontend, folder, b"plotly();" * 1000)


def test_the_page_names_its_files_by_their_contents(tmp_path: Path) -> None:
    pages = pages_of(tmp_path)
    page = pages.index.body.decode()
    assert f"{pages.assets}/main.js" in page
    assert pages.plotly in page
    assert pages.find(f"{pages.assets}/main.js").body == b"let a;"
    assert pages.find(pages.plotly).media_type.startswith("text/javascript")


def test_another_content_has_another_address_and_the_old_one_is_gone(tmp_path: Path) -> None:
    before, after = pages_of(tmp_path), pages_of(tmp_path, "let b;")
    assert before.assets != after.assets
    assert before.etag != after.etag
    assert before.plotly == after.plotly
    with pytest.raises(NotFound):
        after.find(f"{before.assets}/main.js")


@pytest.mark.parametrize(
    "name",
    [
        "index.html",
        "package.json",
        "jsconfig.json",
        "tests/one.test.js",
        ".hidden/a.js",
        "notes.md",
        "../secret",
    ],
)
def test_what_is_no_part_of_the_page_is_not_served(tmp_path: Path, name: str) -> None:
    pages = pages_of(tmp_path)
    with pytest.raises(NotFound):
        pages.find(f"{pages.assets}/{name}")


async def test_packing_makes_files_smaller_and_changes_nothing_in_them(tmp_path: Path) -> None:
    pages = pages_of(tmp_path)
    await pages.pack()
    packed = pages.find(pages.plotly).packed
    assert packed is not None
    assert gzip.decompress(packed) == b"plotly();" * 1000
    assert pages.find(f"{pages.assets}/main.js").packed is None  # a few bytes only grow


def test_the_installed_pages_are_whole() -> None:
    pages = installed_pages()
    assert pages.find(f"{pages.assets}/main.js").body


async def test_the_typeface_is_served_as_it_is_and_asked_for_before_anything_else() -> None:
    pages = installed_pages()
    face = pages.find(f"{pages.assets}/fonts/inter.woff2")
    assert face.media_type == "font/woff2"
    assert not face.packable
    page = pages.index.body.decode()
    asked = re.findall(r'(?:href|src)="(/assets/[^"]+)"', page)
    assert asked[1] == f"{pages.assets}/fonts/inter.woff2"
    assert 'as="font" type="font/woff2" crossorigin>' in page
    assert pages.find(f"{pages.assets}/figures/plotly-template.json").body.startswith(b"{")
    assert b"plotly.js" in pages.find(pages.plotly).body[:200]
    assert b"{{" not in pages.index.body
