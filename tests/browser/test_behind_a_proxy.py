"""The page behind nginx, Caddy and proxies of ours, at the root and under a path: it never leaves the path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from browser.conftest import Visits
from browser.proxy import Named, Prefix, open_line
from browser.test_embed import Site, drawn, opened, site
from browser.test_share import dialog, link_of
from support.page import page_built
from support.reverse_proxies import installed, open_proxy
from support.serving import NUMPY, Server, open_server

SILENT, OWN = "own, which names no path", "own"


@pytest.fixture(scope="module")
def course() -> Iterator[Site]:
    with site() as other:
        yield other


@pytest.fixture(scope="module")
def server(course: Site) -> Iterator[Server]:
    page_built()
    with open_server(
        "--memory", FALLLINE_PROXIES="127.0.0.1", FALLLINE_FRAME_ANCESTORS=course.origin, **NUMPY
    ) as server:
        yield server


@contextmanager
def reached_through(name: str, port: int, path: str, *, strips: bool) -> Iterator[str]:
    if name in (SILENT, OWN):
        with open_line(port, Named if name == OWN else Prefix) as line:
            yield line.address + path
    else:
        with open_proxy(name, port, path, strips=strips) as address:
            yield address


WAYS = [
    (SILENT, Prefix.PATH, True),
    (OWN, Prefix.PATH, True),
    *(
        (name, path, strips)
        for name in installed()
        for path, strips in (("", False), ("/fallline", True), ("/x", False))
    ),
]


@pytest.mark.parametrize(("name", "path", "strips"), WAYS)
def test_the_page_works_and_stays_below_its_path(
    name: str, path: str, strips: bool, server: Server, course: Site, visits: Visits
) -> None:
    with reached_through(name, server.port, path, strips=strips) as here:
        lab = visits.page(visits.profile(plotted=True), here).open(drawn=True)
        lab.play.click()
        expect(lab.page.locator(".connection")).to_have_attribute("data-status", "live")
        lab.until(lambda: lab.row("gd").inner_text(), lambda row: "step 0" not in row)
        lab.rest()
        assert lab.page.locator("a.brand").evaluate("(brand) => brand.href") == f"{here}/"
        assert link_of(lab, "watch").startswith(f"{here}/#watch=")
        assert link_of(lab, "moment").startswith(f"{here}/#x=1.")
        dialog(lab).locator("[role=radio][data-value=embed]").click()
        box = dialog(lab).get_by_label("Code", exact=True)
        expect(box).to_have_value(re.compile("^<iframe "))
        _, frame = opened(visits, course.page(box.input_value()))
        drawn(frame, "loss", lab.step)
        assert [url for url in lab.requests if not url.startswith((f"{here}/", "blob:"))] == []
        before = lab.stored["id"]
        lab.page.reload()
        lab.wait(drawn=True)
        assert lab.stored["id"] == before
        visits.leave_server()


def test_pages_under_different_paths_of_one_name_keep_separate_experiments(
    server: Server, visits: Visits
) -> None:
    with open_line(server.port, Prefix) as line:
        profile = visits.profile()
        below = visits.page(profile, line.address + Prefix.PATH).open()
        above = visits.page(profile, line.address).open()
        assert below.stored["id"] != above.stored["id"]
        owners = above.page.evaluate(
            "Object.entries(localStorage).filter(([name]) => name.startsWith('fallline.owner')).map(([, key]) => key)"
        )
        assert len(owners) == len(set(owners)) == 2
        visits.leave_server()
