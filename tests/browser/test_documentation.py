"""The documentation in the browser: every page, under the server's own policy, and its search."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

SITE = Path(__file__).parents[2] / "site"
PAGES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    """A tab that fails its test for a message in the console (as of a policy violation) or a foreign request."""
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    faults: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        faults.append(message.text)

    def watch(request: Request) -> None:
        if not request.url.startswith((address, "data:", "blob:")):
            faults.append(request.url)

    def fail(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the tab went on to another page
            faults.append(f"{request.url}: {request.failure}")

    page.on("console", hear)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", watch)
    page.on("requestfailed", fail)
    yield page
    page.close()
    assert faults == []


def test_every_page_opens_without_a_fault(page: Page, address: str) -> None:
    assert "index.html" in PAGES, "make docs"
    for name in PAGES:
        page.goto(f"{address}/docs/{name}")
        expect(page.locator("article h1")).to_have_count(1)
    page.emulate_media(color_scheme="dark")
    page.goto(f"{address}/docs/")
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")


def test_text_has_the_typeface_of_the_page(page: Page, address: str) -> None:
    page.goto(f"{address}/docs/")
    page.evaluate("document.fonts.ready")
    assert page.evaluate("[...document.fonts].map(({ family, status }) => [family, status])") == [
        ["Inter", "loaded"]
    ]
    for text in ("article h1", "article p", ".md-nav__link", ".md-header__title"):
        font = page.locator(text).first.evaluate("(element) => getComputedStyle(element).fontFamily")
        assert font.startswith("Inter"), text


def test_the_search_finds_a_setting_and_leads_to_it(page: Page, address: str) -> None:
    page.goto(f"{address}/docs/")
    page.get_by_role("textbox", name="Search").click()
    page.keyboard.type("FALLLINE_KEEP_DAYS")
    page.locator(".md-search-result__link").first.click()
    expect(page.locator("article")).to_contain_text("FALLLINE_KEEP_DAYS")


def test_a_phone_opens_the_navigation(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{address}/docs/reference/limits.html")
    page.locator(".md-header__button[for=__drawer]").click()
    expect(page.get_by_role("link", name="Settings").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
