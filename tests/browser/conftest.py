"""The page in a real browser on a real server. A test that leaves an error in the browser's console fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from browser.chromium import launch
from support.serving import serving

OpenLab = Callable[..., Page]

DESKTOP = (1440, 900)
PHONE = (390, 844)
READY = "race-table table"
DRAWN = 'plotly-chart[kind="loss"][data-state="drawn"]'


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    with serving() as url:
        yield url


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def open_lab(chromium: Browser, address: str) -> Iterator[OpenLab]:
    """`open_lab(size, theme=...)`: a page of a visitor who was never here, ready to use and drawn."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def opened(size: tuple[int, int] = DESKTOP, theme: str = "light", query: str = "") -> Page:
        width, height = size
        phone = width <= 720
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            has_touch=phone,
            is_mobile=phone,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{address}/{query}")
        page.wait_for_selector(READY)
        page.wait_for_selector(DRAWN)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints
