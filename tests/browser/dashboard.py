"""The page of a visitor: its elements and what they show."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import ConsoleMessage, Locator, Page, WebSocket, expect

T = TypeVar("T")

DESKTOP = (1440, 900)
PHONE = (390, 844)
PATIENCE = 20.0
BELOW = re.compile("choose what is below the loss$")

# Runs before the page's scripts: turns violations of the policy into console errors, and records when the page is
# usable and when its table first has content.
WATCH = """
performance.setResourceTimingBufferSize(5000);
addEventListener("securitypolicyviolation", (event) =>
    console.error(`policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
window.__moments = {};
new MutationObserver(() => {
    const play = document.querySelector("transport-bar button.play:not(:disabled)");
    if (play && document.querySelector("race-table tbody tr")) window.__moments.usable ??= performance.now();
}).observe(document, { childList: true, subtree: true, attributes: true });
"""

TRACES = """(kind) => [...document.querySelectorAll(`plotly-chart[kind=${kind}] .js-plotly-plot`)]
    .flatMap(({ data }) => data)
    .filter(({ meta }) => meta?.run !== undefined)
    .map(({ meta, x, y }) => ({ run: meta.run, role: meta.role, series: meta.y, x: [...x], y: [...y] }))"""


class Dashboard:
    """One page. `complaints` are console errors, policy violations, and requests to other servers."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.complaints: list[str] = []
        self.allowed: tuple[str, ...] = ()
        self.conversation: deque[str] = deque(maxlen=60)
        self._heard: dict[Any, Callable[[Any], Any]] = {
            "console": self._hear,
            "pageerror": lambda error: self.complaints.append(str(error)),
            "websocket": self._listen,
        }
        for event, hear in self._heard.items():
            page.on(event, hear)

    def leave(self) -> None:
        """Stop listening to the page."""
        for event, hear in self._heard.items():
            self.page.remove_listener(event, hear)

    def _hear(self, message: ConsoleMessage) -> None:
        """Record a console error with its address, if it has one."""
        if message.type == "error":
            self.complaints.append(f"{message.text} {message.location['url']}")

    def _listen(self, socket: WebSocket) -> None:
        """Record recent messages between page and server, for the report of a failing test."""
        began = time.monotonic()

        def note(direction: str, text: str | bytes) -> None:
            self.conversation.append(f"{time.monotonic() - began:8.3f} {direction} {str(text)[:400]}")

        socket.on("framesent", lambda text: note(">", text))
        socket.on("framereceived", lambda text: note("<", text))
        socket.on("close", lambda _: note("|", "closed"))

    @property
    def requests(self) -> list[str]:
        """The page's requests since it was loaded, from the browser's list: an event for each would cost much."""
        urls: list[str] = self.page.evaluate(
            "performance.getEntriesByType('resource').map(({ name }) => name)"
        )
        return urls

    def look_through(self) -> None:
        """Check the page's requests; one to another server is a complaint."""
        own = (self.address, "data:", "blob:")
        self.complaints += [f"asked somebody else: {url}" for url in self.requests if not url.startswith(own)]

    def allow(self, *parts: str) -> None:
        """Allow complaints that contain one of these texts: a browser reports a lost connection."""
        self.allowed += parts

    def allow_to_ask_of(self, runs: str) -> None:
        """Allow a 404 for a run removed while the page requests it."""
        self.allow(
            f"status of 404 (Not Found) {self.address}/api/v1/experiments/{self.stored['id']}/runs/{runs}"
        )

    @property
    def left(self) -> list[str]:
        return [text for text in self.complaints if not any(part in text for part in self.allowed)]

    def open(self, query: str = "", *, drawn: bool = False) -> Dashboard:
        self.page.goto(f"{self.address}/{query}")
        return self.wait(drawn=drawn)

    def wait(self, *, drawn: bool = False) -> Dashboard:
        """Wait until the page is usable; with `drawn` also for its charts."""
        self.page.wait_for_selector("button.play:not(:disabled)")
        if drawn:
            for kind in ("loss", "gradients"):
                self.page.wait_for_selector(f"plotly-chart[kind={kind}][data-state=drawn]")
        return self

    # --- elements -------------------------------------------------------------------------------------------------

    @property
    def counter(self) -> Locator:
        return self.page.locator("[data-counter=step]")

    @property
    def play(self) -> Locator:
        return self.page.get_by_role("button", name="Play (Space)")

    @property
    def pause(self) -> Locator:
        return self.page.get_by_role("button", name="Pause (Space)")

    @property
    def strip(self) -> Locator:
        return self.page.locator("status-strip .strip")

    @property
    def notice(self) -> Locator:
        return self.page.locator("notice-toast .notice")

    @property
    def flags(self) -> Locator:
        """Flags of edits and forks, not of findings."""
        return self.page.locator("plotly-chart[kind=loss] .chart-label.flag:not(.finding)")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def card(self, run: str) -> Locator:
        """The run in the recipe: its card, or its settings while they are open."""
        return self.page.locator(f':is(run-card, run-settings)[data-run="{run}"]')

    def settings(self, of: str) -> Locator:
        """Open settings in the recipe, "data", "network" or "run gd", and return them."""
        back = self.button("Back to the recipe (Esc)")
        if back.count():
            back.click()
        self.page.locator(f'[data-opens="{of}"]').click()
        back.wait_for()
        return self.page.locator("recipe-rail .settings")

    def choose(self, menu: str | re.Pattern[str], item: str) -> None:
        """Choose an item of a menu."""
        self.page.get_by_role("button", name=menu).click()
        items = self.page.locator("[role=menu] button")
        items.filter(has_text=re.compile(f"^\\s*{re.escape(item)}")).first.click()

    def axis(self, item: str) -> None:
        self.choose("Axes", item)

    def below(self, item: str) -> None:
        """Choose what stands below the loss: a measure of the gradient, or instruments."""
        self.choose(BELOW, item)

    def rule(self, run: str) -> Locator:
        """The heading of the run's row. Its title has the method: "full batch, rate 0.1"."""
        return self.row(run).locator("th.who")

    def row(self, run: str) -> Locator:
        return self.page.locator(f'race-table tr[data-run="{run}"]')

    def rate(self, label: str) -> Locator:
        return self.page.get_by_label(f"Learning rate of {label}", exact=True)

    def chart(self, kind: str) -> Locator:
        return self.page.locator(f"plotly-chart[kind={kind}]")

    # --- values ---------------------------------------------------------------------------------------------------

    @property
    def step(self) -> int:
        return int(str(self.counter.get_attribute("title")).replace(",", ""))

    def samples_seen(self, run: str) -> int:
        """The exact count: the cell itself rounds large numbers."""
        title = str(self.row(run).locator("td").first.get_attribute("title"))
        return int(title.split()[0].replace(",", ""))

    def traces(self, kind: str, role: str) -> dict[str, tuple[list[float], list[float]]]:
        """Return x and y of a chart's traces, by "run/series"."""
        return {
            f"{trace['run']}/{trace['series']}": (trace["x"], trace["y"])
            for trace in self.page.evaluate(TRACES, kind)
            if trace["role"] == role
        }

    @property
    def focused(self) -> str:
        """The accessible name of the focused element."""
        return str(
            self.page.evaluate("""() => {
                const at = document.activeElement;
                return at.getAttribute("aria-label") ?? at.textContent.trim().slice(0, 40);
            }""")
        )

    # --- the same experiment over REST ----------------------------------------------------------------------------

    @property
    def stored(self) -> dict[str, Any]:
        """The browser's stored experiment: id, token, recipe."""
        path = urlsplit(self.address).path
        name = f"fallline.experiment@{path}" if path else "fallline.experiment"
        stored: dict[str, Any] = self.page.evaluate("(name) => JSON.parse(localStorage.getItem(name))", name)
        return stored

    def ask(self, method: str, path: str = "", body: Any = None, **query: Any) -> Any:
        """Send a REST request, as a script would."""
        stored = self.stored
        answer = httpx.request(
            method,
            f"{self.address}/api/v1/experiments/{stored['id']}{path}",
            headers={"Authorization": f"Bearer {stored['token']}"},
            json=body,
            params=query,
            timeout=60,
        )
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def make_steps(self, steps: int) -> None:
        """Make exactly so many steps, and wait until the page shows them."""
        target = self.step + steps
        self.ask("POST", "/step", {"steps": steps})
        self.until_is(lambda: self.step, target)

    def make_own(self) -> None:
        """Make an own experiment of the exhibit, without another number: its play has no end."""
        self.ask("PATCH", "/runs/gd", {"l2": 0.0})
        expect(self.page.locator("exhibit-question")).to_be_hidden()

    def resize(self, width: int, height: int) -> None:
        """Resize the window, and wait until the page fits: a chart takes its new size with the next frame."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.until(
            lambda: self.page.evaluate("document.documentElement.scrollWidth"), lambda wide: wide <= width
        )

    def try_now(self) -> None:
        """Press "Try now", unless the page has reconnected meanwhile."""
        self.page.evaluate("document.querySelector('[data-strip=reconnecting] .button')?.click()")

    def rest(self) -> None:
        """Pause, and wait for the steps made before the pause."""
        self.pause.click()
        self.play.wait_for()
        self.until(
            lambda: (self.step, self.ask("GET")["runs"]),
            lambda now: (
                all(run["status"] != "playing" for run in now[1])
                and now[0] == max(run["step"] for run in now[1])
            ),
        )

    def until_is(self, read: Callable[[], object], value: object) -> None:
        self.until(read, lambda reading: reading == value)

    def until(self, read: Callable[[], T], holds: Callable[[T], bool], patience: float = PATIENCE) -> T:
        """Return the first reading that holds; Playwright's own polling is forbidden by the page's policy."""
        give_up = time.monotonic() + patience
        while not holds(reading := read()):
            assert time.monotonic() < give_up, f"still {reading!r} after {patience} s"
            self.page.wait_for_timeout(25)
        return reading
