"""The page in a real browser on a real server.

An error in the console, a violation of the content security policy or a request to another server fails the test.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from browser.chromium import launch
from browser.dashboard import DESKTOP, PATIENCE, Dashboard
from browser.looks import Studio, open_studio
from browser.proxy import Line, open_line
from browser.tabs import PHONES, Kind, Tabs, new_profile
from support.page import page_built
from support.serving import serving

OpenLab = Callable[..., Dashboard]

HERE = Path(__file__).parent

expect.set_options(timeout=1000 * PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these last: while Playwright runs, no asynchronous test can start a loop in the same thread."""
    items.sort(key=lambda item: HERE in item.path.parents)


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    page_built()
    with serving() as url:
        yield url


@pytest.fixture
def line(address: str) -> Iterator[Line]:
    """A connection to the server that a test can cut."""
    with open_line(int(address.rsplit(":", 1)[1])) as line:
        yield line


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright.chromium)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def studio(chromium: Browser, address: str) -> Iterator[Studio]:
    """A browser that shows the screens of `looks`."""
    with open_studio(chromium.browser_type, address) as studio:
        yield studio


@pytest.fixture(scope="session")
def tabs(chromium: Browser, address: str) -> Tabs:
    return Tabs(chromium, address)


class Visits:
    """A test's tabs and profiles. All are closed and checked for complaints at the end."""

    def __init__(self, browser: Browser, tabs: Tabs, address: str) -> None:
        self._browser = browser
        self._tabs = tabs
        self._address = address
        self._taken: list[Dashboard] = []
        self._contexts: list[BrowserContext] = []
        self.pages: list[Dashboard] = []

    def tab(
        self, size: tuple[int, int] = DESKTOP, theme: str = "light", *, plotted: bool = False
    ) -> Dashboard:
        """Return a tab of a new visitor, not yet on the page."""
        kind = Kind(size[0] <= PHONES, plotted)
        dashboard = Dashboard(
            self._tabs.take(kind, {"width": size[0], "height": size[1]}, theme), self._address
        )
        self._taken.append(dashboard)
        self.pages.append(dashboard)
        return dashboard

    def profile(
        self, size: tuple[int, int] = DESKTOP, theme: str = "light", *, plotted: bool = False, **more: Any
    ) -> BrowserContext:
        """Return a profile for this test alone, for several tabs or for what tabs do not share."""
        context = new_profile(
            self._browser,
            Kind(size[0] <= PHONES, plotted),
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if theme == "dark" else "light",
            **more,
        )
        self._contexts.append(context)
        return context

    def page(self, context: BrowserContext, address: str | None = None) -> Dashboard:
        dashboard = Dashboard(context.new_page(), address or self._address)
        self.pages.append(dashboard)
        return dashboard

    def leave_server(self) -> None:
        """Let all pages stand empty: what they ask of a server that has ended is an error in their console."""
        for context in self._contexts:
            for page in context.pages:
                page.goto("about:blank")

    def close(self, *, failed: bool) -> None:
        """Delete experiments too: one still playing would slow later tests."""
        left = [stored for page in self.pages if (stored := _stored(page))]
        for page in self.pages:
            page.look_through()
            page.leave()
        for page in self._taken:
            (self._tabs.throw_away if failed or page.left else self._tabs.give_back)(page.page)
        for context in self._contexts:
            context.close()
        for stored in left:
            token = {"Authorization": f"Bearer {stored['token']}"}
            httpx.delete(f"{self._address}/api/v1/experiments/{stored['id']}", headers=token)


def _stored(page: Dashboard) -> dict[str, Any] | None:
    try:
        return page.stored
    except PlaywrightError:  # the last page was not ours
        return None


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture
def visits(chromium: Browser, tabs: Tabs, address: str, request: pytest.FixtureRequest) -> Iterator[Visits]:
    visits = Visits(chromium, tabs, address)
    yield visits
    failed = request.node.stash.get(FAILED, True)
    if failed:
        for page in visits.pages:
            print("the page shows:", page.page.locator("body").inner_text(), sep="\n")
            print("page and server said last:", *page.conversation, sep="\n")
    visits.close(failed=failed)
    assert [text for page in visits.pages for text in page.left] == []


@pytest.fixture
def open_lab(visits: Visits) -> OpenLab:
    """Return `open_lab(size, theme=...)`, which opens the page of a new visitor, ready to use.

    `drawn=True` waits for its charts. The charts come from `without_plotly` unless `plotted=True`.
    """

    def opened(
        size: tuple[int, int] = DESKTOP,
        theme: str = "light",
        query: str = "",
        *,
        drawn: bool = False,
        plotted: bool = False,
        at: str | None = None,
        **more: Any,
    ) -> Dashboard:
        if at or more:
            lab = visits.page(visits.profile(size, theme, plotted=plotted, **more), at)
        else:
            lab = visits.tab(size, theme, plotted=plotted)
        return lab.open(query, drawn=drawn or plotted)

    return opened
