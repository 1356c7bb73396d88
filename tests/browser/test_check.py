"""The page for the technician before a class: which way to the server works, in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page, Route, expect

from browser.conftest import Visits
from browser.dashboard import PHONE
from browser.proxy import Prefix, open_line
from browser.test_accessibility import AXE, RULES

Open = Callable[..., Page]


@pytest.fixture
def check(visits: Visits, address: str) -> Open:
    def open_page(
        before: Callable[[Page], Any] = lambda _: None,
        here: str = address,
        size: tuple[int, int] = (1440, 900),
    ) -> Page:
        page = visits.profile(size).new_page()
        complaints: list[str] = []

        def hear(message: ConsoleMessage) -> None:
            if message.type == "error":
                complaints.append(message.text)

        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        before(page)
        page.goto(f"{here}/check")
        expect(page.locator(".result")).to_contain_text("eady")
        page.complaints = complaints  # type: ignore[attr-defined]
        return page

    return open_page


def row(page: Page, name: str) -> Any:
    return page.locator(f'[data-row="{name}"]')


def test_each_line_says_in_words_what_was_measured(check: Open) -> None:
    page = check()
    for name, words in {
        "Server": r"fallline \S+ is ready\.",
        "WebSocket": r"Answers after [\d.]+ ms\. The page uses it\.",
        "Server-sent events": r"Answers after [\d.]+ ms\.",
        "Long polling": r"Answers after [\d.]+ ms\.",
        "Round trip": r"[\d.]+ ms, at most [\d.]+ ms\.",
        "Throughput": r"[\d.]+ Mbit/s: the page loads .+ Enough for [\d,]+ people\.",
        "Clock": r"Agrees with the server's\.",
        "Browser": r"Chromium \d+\.",
        "Storage": r"A reload returns to the same experiment\.",
    }.items():
        expect(row(page, name)).to_have_attribute("data-tone", "ok")
        expect(row(page, name).locator(".text")).to_have_text(re.compile(f"^{words}$"))
    # the server of the tests listens to this machine only
    expect(row(page, "Address")).to_have_attribute("data-tone", "bad")
    expect(page.locator(".result")).to_have_text("Not ready: address.")
    assert page.complaints == []  # type: ignore[attr-defined]
    page.get_by_role("button", name="Check again").click()
    expect(page.locator(".result")).to_have_text("Checking…")
    expect(page.locator(".result")).to_have_text("Not ready: address.")
    page.get_by_role("link", name="Open fallline").click()
    expect(page.locator("transport-bar")).to_be_visible()


def test_a_socket_that_never_opens_and_a_blocked_storage_are_named(check: Open) -> None:
    def spoil(page: Page) -> None:
        page.add_init_script("""
            window.WebSocket = class { close() {} send() {} };
            Object.defineProperty(window, "localStorage", { get() { throw new Error("blocked"); } });
        """)

    page = check(spoil)
    expect(row(page, "WebSocket").locator(".text")).to_have_text("No answer within 3 s.")
    expect(row(page, "WebSocket")).to_have_attribute("data-tone", "bad")
    expect(row(page, "Server-sent events").locator(".text")).to_contain_text("The page uses it.")
    expect(row(page, "Storage")).to_have_attribute("data-tone", "bad")
    expect(row(page, "Round trip")).to_have_attribute("data-tone", "ok")


def test_it_works_under_a_path(check: Open, address: str) -> None:
    with open_line(int(address.rsplit(":", 1)[1]), Prefix) as line:
        here = line.address + Prefix.PATH
        page = check(here=here)
        expect(row(page, "WebSocket")).to_have_attribute("data-tone", "ok")
        urls = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
        assert [url for url in urls if not url.startswith(f"{here}/")] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 900), PHONE, (320, 480)])
def test_it_is_accessible_and_fits_at_every_size(size: tuple[int, int], theme: str, check: Open) -> None:
    page = check(lambda page: page.emulate_media(color_scheme=theme), size=size)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate(AXE.read_text())
    violations = page.evaluate(
        "(rules) => axe.run(document, { runOnly: rules }).then(({ violations }) => violations)", RULES
    )
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in violations] == []


@pytest.mark.parametrize("width", [360, 560, 1000])
def test_the_option_that_lets_others_in_breaks_at_no_hyphen(width: int, check: Open) -> None:
    page = check(size=(width, 800))
    expect(row(page, "Address")).to_contain_text("Start the server with --host 0.0.0.0.")
    lines = (
        row(page, "Address")
        .locator(".text")
        .evaluate("""(text) => {
        const walk = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
        const range = document.createRange();
        while (walk.nextNode()) {
            const { data } = walk.currentNode, start = data.indexOf("--host 0.0.0.0");
            if (start < 0) continue;
            range.setStart(walk.currentNode, start);
            range.setEnd(walk.currentNode, start + "--host 0.0.0.0".length);
        }
        return range.getClientRects().length;
    }""")
    )
    assert lines == 1


@pytest.mark.parametrize("size", [(1440, 900), (320, 480)])
def test_a_long_address_begins_a_line_and_fills_it(size: tuple[int, int], check: Open) -> None:
    others = "http://lecture-hall-042.faculty-of-mathematics.university-of-somewhere.example.org:8931"

    def answer(route: Route) -> None:
        route.fulfill(json={"addresses": [others]})

    page = check(lambda page: page.route("**/api/v1/addresses", answer), size=size)
    text = row(page, "Address").locator(".text")
    expect(text).to_have_text(re.compile(rf"^Others open {re.escape(others)}/, not 127\.0\.0\.1:\d+\.$"))
    box, around = (one.bounding_box() for one in (text.locator(".address"), text))
    assert abs(box["x"] - around["x"]) < 1, "it begins a line"
    assert around["x"] + around["width"] <= size[0]
    lines = text.locator(".address").evaluate("""(address) => {
        const range = document.createRange();
        range.selectNodeContents(address);
        return [...range.getClientRects()].map(({ right }) => right);
    }""")
    letter = 12
    assert all(right > box["x"] + box["width"] - 2 * letter for right in lines[:-1]), (
        "each but the last is full"
    )
