"""The page as a visitor finds it: where things stand on it, and what it shows. Must not know what is tested."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

import httpx
from playwright.sync_api import ConsoleMessage, Locator, Page, WebSocket

T = TypeVar("T")

DESKTOP = (1440, 900)
PHONE = (390, 844)
PATIENCE = 20.0

# What happens before any script of the page: refusals of the policy become errors of the console, and the moments at
# which the page can be used and at which something first stands in its table are written down.
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

TRACES = """(kind) => (document.querySelector(`plotly-chart[kind=${kind}] .js-plotly-plot`)?.data ?? [])
    .filter(({ meta }) => meta?.run !== undefined)
    .map(({ meta, x, y }) => ({ run: meta.run, role: meta.role, series: meta.y, x: [...x], y: [...y] }))"""


class Dashboard:
    """One page. `complaints` are errors of the console, refusals of the policy, and requests to anybody else."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.complaints: list[str] = []
        self.allowed: tuple[str, ...] = ()
        self.conversation: deque[str] = deque(maxlen=60)
        self._heard: dict[Any, Callable[[Any], object]] = {
            "console": self._hear,
            "pageerror": lambda error: self.complaints.append(str(error)),
            "websocket": self._listen,
        }
        for event, hear in self._heard.items():
            page.on(event, hear)

    def leave(self) -> None:
        """What the page says from now on is for others."""
        for event, hear in self._heard.items():
            self.page.remove_listener(event, hear)

    def _hear(self, message: ConsoleMessage) -> None:
        """With the address that it is about, where there is one."""
        if message.type == "error":
            self.complaints.append(f"{message.text} {message.location['url']}")

    def _listen(self, socket: WebSocket) -> None:
        """What page and server said to each other last is told with a test that fails."""
        began = time.monotonic()

        def note(direction: str, text: str | bytes) -> None:
            self.conversation.append(f"{time.monotonic() - began:8.3f} {direction} {str(text)[:400]}")

        socket.on("framesent", lambda text: note(">", text))
        socket.on("framereceived", lambda text: note("<", text))
        socket.on("close", lambda _: note("|", "closed"))

    @property
    def requests(self) -> list[str]:
        """What this page has asked for since it was loaded, as the browser keeps it: hearing of each costs much."""
        asked: list[str] = self.page.evaluate(
            "performance.getEntriesByType('resource').map(({ name }) => name)"
        )
        return asked

    def look_through(self) -> None:
        """Whom it asked; anybody but its server is a complaint."""
        own = (self.address, "data:", "blob:")
        self.complaints += [f"asked somebody else: {url}" for url in self.requests if not url.startswith(own)]

    def allow(self, *parts: str) -> None:
        """Complaints in which one of these stands are part of the test: a browser reports a line that is cut."""
        self.allowed += parts

    def allow_to_ask_of(self, runs: str) -> None:
        """One that is taken away while it is looked at: a question is on its way, and the answer is that it is gone."""
        self.allow(
            f"status of 404 (Not Found) {self.address}/api/v1/experiments/{self.kept['id']}/runs/{runs}"
        )

    @property
    def left(self) -> list[str]:
        return [text for text in self.complaints if not any(part in text for part in self.allowed)]

    def open(self, query: str = "", *, drawn: bool = False) -> Dashboard:
        self.page.goto(f"{self.address}/{query}")
        return self.wait(drawn=drawn)

    def wait(self, *, drawn: bool = False) -> Dashboard:
        """Until the page can be used; with `drawn` until its charts stand too."""
        self.page.wait_for_selector("button.play:not(:disabled)")
        if drawn:
            for kind in ("loss", "gradients"):
                self.page.wait_for_selector(f"plotly-chart[kind={kind}][data-state=drawn]")
        return self

    # --- where things stand ---------------------------------------------------------------------------------------

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
        """Those of edits and forks; what the Doctor found has its own."""
        return self.page.locator("plotly-chart[kind=loss] .chart-label.flag:not(.finding)")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def card(self, run: str) -> Locator:
        return self.page.locator(f'run-card[data-run="{run}"]')

    def row(self, run: str) -> Locator:
        return self.page.locator(f'race-table tr[data-run="{run}"]')

    def rate(self, label: str) -> Locator:
        return self.page.get_by_label(f"Learning rate of {label}", exact=True)

    def chart(self, kind: str) -> Locator:
        return self.page.locator(f"plotly-chart[kind={kind}]")

    # --- what it shows --------------------------------------------------------------------------------------------

    @property
    def step(self) -> int:
        return int(str(self.counter.get_attribute("title")).replace(",", ""))

    def samples_seen(self, run: str) -> int:
        """In full: the cell itself rounds large numbers."""
        told = str(self.row(run).locator("td").first.get_attribute("title"))
        return int(told.split()[0].replace(",", ""))

    def traces(self, kind: str, role: str) -> dict[str, tuple[list[float], list[float]]]:
        """x and y of what a chart draws, by "run/series"."""
        return {
            f"{trace['run']}/{trace['series']}": (trace["x"], trace["y"])
            for trace in self.page.evaluate(TRACES, kind)
            if trace["role"] == role
        }

    @property
    def focused(self) -> str:
        """The name of what has the focus, as a screen reader would say it."""
        return str(
            self.page.evaluate("""() => {
                const at = document.activeElement;
                return at.getAttribute("aria-label") ?? at.textContent.trim().slice(0, 40);
            }""")
        )

    # --- the same experiment through the other door ---------------------------------------------------------------

    @property
    def kept(self) -> dict[str, Any]:
        """What the browser remembers: id, token, recipe."""
        kept: dict[str, Any] = self.page.evaluate("JSON.parse(localStorage.getItem('fallline.experiment'))")
        return kept

    def ask(self, method: str, path: str = "", body: Any = None, **query: Any) -> Any:
        """REST, as a script beside the page would use it."""
        kept = self.kept
        answer = httpx.request(
            method,
            f"{self.address}/api/v1/experiments/{kept['id']}{path}",
            headers={"Authorization": f"Bearer {kept['token']}"},
            json=body,
            params=query,
            timeout=60,
        )
        assert answer.is_success, answer.text
        return answer.json()

    def make_steps(self, steps: int) -> None:
        """Exactly so many steps, seen on the page."""
        target = self.step + steps
        self.ask("POST", "/step", {"steps": steps})
        self.until(lambda: self.step, lambda step: step == target)

    def try_now(self) -> None:
        """Press the button of the strip, unless the page tried by itself just before and it is gone."""
        self.page.evaluate("document.querySelector('[data-strip=reconnecting] .button')?.click()")

    def rest(self) -> None:
        """Pause, and wait for what was made before the server heard of it."""
        self.pause.click()
        self.play.wait_for()
        self.until(
            lambda: (self.step, self.ask("GET")["runs"]),
            lambda now: (
                all(run["status"] != "playing" for run in now[1])
                and now[0] == max(run["step"] for run in now[1])
            ),
        )

    def until(self, read: Callable[[], T], holds: Callable[[T], bool], patience: float = PATIENCE) -> T:
        """The first reading that holds. The page's policy forbids Playwright's own way, which evaluates text."""
        give_up = time.monotonic() + patience
        while not holds(reading := read()):
            assert time.monotonic() < give_up, f"still {reading!r} after {patience} s"
            self.page.wait_for_timeout(25)
        return reading
