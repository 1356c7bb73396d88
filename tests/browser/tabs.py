"""Browser tabs that tests reuse.

A browser keeps loaded and compiled scripts in a tab: opening the page there again costs a third. A tab has its own
profile, which is emptied after each test.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from browser.dashboard import WATCH

PHONES = 720
"""The widest page that is a phone's."""

# The page requests Plotly's script and finds this in its place. Answering for the server would make the browser request
# every other file through Playwright too, and cache none.
NO_PLOTLY = """window.Plotly = {
    react(plot, data, layout) { Object.assign(plot, { data, layout, on() {} }); plot.classList.add("js-plotly-plot"); },
    purge() {},
};
const { get, set } = Object.getOwnPropertyDescriptor(HTMLScriptElement.prototype, "src");
Object.defineProperty(HTMLScriptElement.prototype, "src", {
    get,
    set(address) {
        if (address.startsWith("assets/plotly-")) setTimeout(() => this.onload());
        else set.call(this, address);
    },
});"""


def without_plotly(context: BrowserContext) -> None:
    """Replace Plotly, which costs a page more time than all else.

    Its input can be read, and the page's own ground, marks, axes and words are there. Only its curves and its pointer
    events are missing.
    """
    context.add_init_script(NO_PLOTLY)


class Kind(NamedTuple):
    """Properties that a tab cannot change later."""

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
    """Tabs of one browser, on one server. Free tabs wait at an address without scripts."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser = browser
        self._rest = f"{address}/healthz"
        self._waiting: dict[Kind, list[Page]] = {}
        self._kinds: dict[Page, Kind] = {}

    def take(self, kind: Kind, size: ViewportSize, theme: str) -> Page:
        """Return a tab of a new visitor."""
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
        """Close a tab whose state is unknown."""
        del self._kinds[page]
        page.context.close()

    def _new(self, kind: Kind) -> Page:
        page = new_profile(self._browser, kind).new_page()
        page.goto(self._rest)
        self._kinds[page] = kind
        return page
