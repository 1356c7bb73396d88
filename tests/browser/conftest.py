"""The page in a real browser on a real server.

A page that left an error in the console, hurt the content security policy or asked another server fails its test.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from browser.chromium import launch
from browser.dashboard import DESKTOP, PATIENCE, Dashboard
from support.serving import serving

OpenLab = Callable[..., Dashboard]

HERE = Path(__file__).parent

expect.set_options(timeout=1000 * PATIENCE)

# The page asks for Plotly's script, is told that it is there, and finds this. Answering in the server's place would
# have the browser ask about every other file too, and keep none.
NO_CHARTS = """window.Plotly = {
    react(plot, data, layout) { Object.assign(plot, { data, layout, on() {} }); plot.classList.add("js-plotly-plot"); },
    purge() {},
};
const { get, set } = Object.getOwnPropertyDescriptor(HTMLScriptElement.prototype, "src");
Object.defineProperty(HTMLScriptElement.prototype, "src", {
    get,
    set(address) {
        if (address.endsWith("/plotly.min.js")) setTimeout(() => this.onload());
        else set.call(this, address);
    },
});"""


def without_charts(context: BrowserContext) -> None:
    """Tests that look at no chart go without Plotly, which costs each page more time than all the rest."""
    context.add_init_script(NO_CHARTS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These come last: while Playwright is there, no asynchronous test can start a loop in the same thread."""
    items.sort(key=lambda item: HERE in item.path.parents)


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


class Visits:
    """Browser profiles and the pages in them; all are closed and looked through at the end."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser = browser
        self._address = address
        self._contexts: list[BrowserContext] = []
        self.pages: list[Dashboard] = []

    def profile(self, size: tuple[int, int] = DESKTOP, theme: str = "light", **more: Any) -> BrowserContext:
        width, height = size
        is_phone = width <= 720
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            has_touch=is_phone,
            is_mobile=is_phone,
            **more,
        )
        context.set_default_timeout(20_000)
        self._contexts.append(context)
        return context

    def page(self, context: BrowserContext, address: str | None = None) -> Dashboard:
        dashboard = Dashboard(context.new_page(), address or self._address)
        self.pages.append(dashboard)
        return dashboard

    def close(self) -> None:
        for context in self._contexts:
            context.close()


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture
def visits(chromium: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Visits]:
    visits = Visits(chromium, address)
    yield visits
    if request.node.stash.get(FAILED, False):
        for page in visits.pages:
            print("the page shows:", page.page.locator("body").inner_text(), sep="\n")
            print("page and server said last:", *page.conversation, sep="\n")
    visits.close()
    assert [text for page in visits.pages for text in page.left] == []


@pytest.fixture
def open_lab(visits: Visits) -> OpenLab:
    """`open_lab(size, theme=..., drawn=True)`: the page of somebody who was never here, ready to use."""

    def opened(
        size: tuple[int, int] = DESKTOP,
        theme: str = "light",
        query: str = "",
        *,
        drawn: bool = False,
        at: str | None = None,
        **more: Any,
    ) -> Dashboard:
        context = visits.profile(size, theme, **more)
        if not drawn:
            without_charts(context)
        return visits.page(context, at).open(query, drawn=drawn)

    return opened
