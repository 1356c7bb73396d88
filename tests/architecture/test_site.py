"""The documentation is a site without faults that needs no other server and no inline script."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built afresh. A page outside the navigation, a broken link or a missing anchor fails the build."""
    folder = tmp_path_factory.mktemp("site")
    result = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return folder


def test_every_document_becomes_a_page(site: Path) -> None:
    documents = {path.relative_to(ROOT / "docs").with_suffix("") for path in (ROOT / "docs").rglob("*.md")}
    pages = {path.relative_to(site).with_suffix("") for path in site.rglob("*.html")}
    assert pages == documents


def test_the_navigation_names_each_page_by_its_title(site: Path) -> None:
    link = r'<a href="([^"]+)" class="md-nav__link[^"]*">.*?<span class="md-ellipsis">\s*([^<]+?)\s*<'
    named = dict(re.findall(link, (site / "index.html").read_text(), re.DOTALL))
    pages = {str(path.relative_to(site)): path.read_text() for path in site.rglob("*/*.html")}
    titles = {address: re.findall(r"<h1[^>]*>([^<]+)<", page) for address, page in pages.items()}
    assert titles == {address: [named.get(address)] for address in pages}


def test_no_page_has_an_inline_script_or_style_or_loads_from_another_server(site: Path) -> None:
    for path in site.rglob("*.html"):
        page = path.read_text()
        assert re.findall(r"<script(?![^>]*(?:\bsrc=|application/json))[^>]*>|<style", page) == [], path
        loads = re.findall(r"<(?:script|img|iframe|source)[^>]*\bsrc=\"?([^\" >]+)", page)
        loads += re.findall(r"<link[^>]*\bhref=\"?([^\" >]+)", page)
        assert len(loads) > 3
        assert [address for address in loads if "//" in address] == [], path


def test_every_file_that_a_page_loads_is_there(site: Path) -> None:
    for path in site.rglob("*.html"):
        for address in re.findall(r"<(?:script|link|img)[^>]*\b(?:src|href)=\"?([^\" >]+)", path.read_text()):
            assert (path.parent / address).is_file(), f"{path}: {address}"


def test_the_site_is_small(site: Path) -> None:
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < 6_000_000
