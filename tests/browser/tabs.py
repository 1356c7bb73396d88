"""Tabs of the browser that are used again by test after test.

What a browser has loaded and compiled it keeps while it stays in a tab: a page that is opened where it was before
costs a third. A tab has a profile to itself, and who leaves one leaves nothing in it. Must not know what is tested.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from browser.dashboard import WATCH

PHONES = 720
"""The widest page that is a phone's."""

# The page asks for Plotly's script, is told that it is there, and finds this. Answering in the server's place would
# have the browser ask about every other file too, and keep none.
NO_PLOTLY = """window.Plotly = {
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


def without_plotly(context: BrowserContext) -> None:
    """Charts without Plotly, which costs a page more time than all the rest.

    What it is given to draw is there to be read, and so is what the page draws itself: ground, marks, axes and words.
    Only its curves are missing, and what it does with a pointer.
    """
    context.add_init_script(NO_PLOTLY)


class Kind(NamedTuple):
    """What a tab cannot change any more."""

    is_phone: bool
    plotted: bool


def new_profile(browser: Browser, kind: Kind, **more: Any) -> BrowserContext:
    context = browser.new_context(has_touch=kind.is_phone, is_mobile=kind.is_phone, **more)
    context.set_default_timeout(20_000)
    context.add_init_script(WATCH)
    if not kind.plotted:
        without_plotly(context)
    return context


class Tabs:
    """Those of one browser, on one server. Each waits at an address where nothing of the page runs."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser = browser
        self._rest = f"{address}/healthz"
        self._waiting: dict[Kind, list[Page]] = {}
        self._kinds: dict[Page, Kind] = {}

    def take(self, kind: Kind, size: ViewportSize, theme: str) -> Page:
        """A tab as of somebody who was never here."""
        waiting = self._waiting.setdefault(kind, [])
        page = waiting.pop() if waiting else self._new(kind)
        page.set_viewport_size(size)
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        return page

    def give_back(self, page: Page) -> None:
        page.unroute_all()
        page.goto(self._rest)
        page.evaluate("localStorage.clear()")
        page.mouse.move(0, 0)
        self._waiting[self._kinds[page]].append(page)

    def throw_away(self, page: Page) -> None:
        """What is in it is not known."""
        del self._kinds[page]
        page.context.close()

    def _new(self, kind: Kind) -> Page:
        page = new_profile(self._browser, kind).new_page()
        page.goto(self._rest)
        self._kinds[page] = kind
        return page
