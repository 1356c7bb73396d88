"""Charts in a page of another origin: live, read-only, and only where the setting allows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
from playwright.sync_api import FrameLocator, Page, Request, WebSocket, expect

from browser.conftest import OpenLab, Visits
from browser.dashboard import Dashboard
from browser.proxy import open_line
from browser.test_accessibility import AXE, RULES
from browser.test_share import dialog
from support.page import page_built
from support.serving import NUMPY, serving

SECRETS = re.compile("authorization|fallline-owner", re.IGNORECASE)

# Notes each use of the page's storage.
SPY = """(() => {
    window.__touched = [];
    for (const name of ["localStorage", "sessionStorage", "indexedDB"]) {
        const { get } = Object.getOwnPropertyDescriptor(Window.prototype, name)
            ?? Object.getOwnPropertyDescriptor(window, name);
        Object.defineProperty(window, name, { configurable: true, get() {
            window.__touched.push(name);
            return get.call(window);
        } });
    }
})();"""


class Site:
    """Pages of another origin."""

    def __init__(self) -> None:
        pages: dict[str, str] = {}

        class Pages(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = pages.get(self.path, "").encode()
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.pages = pages
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        self.origin = f"http://localhost:{self.server.server_port}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def page(self, body: str) -> str:
        path = f"/{len(self.pages)}"
        self.pages[path] = (
            f"<!doctype html><html lang=en><title>A course</title><body><main>{body}</main></body>"
        )
        return self.origin + path


@contextmanager
def site() -> Iterator[Site]:
    other = Site()
    try:
        yield other
    finally:
        other.server.shutdown()
        other.server.server_close()


class Lab:
    """A server that a site may frame, with one experiment."""

    def __init__(self, address: str) -> None:
        self.address = address
        answer = httpx.post(f"{address}/api/v1/experiments", json={}).raise_for_status().json()
        self.id, self.token = answer["id"], answer["token"]

    def step(self, steps: int) -> None:
        httpx.post(
            f"{self.address}/api/v1/experiments/{self.id}/step",
            json={"steps": steps},
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=60,
        ).raise_for_status()

    def frame(self, query: str = "?embed=loss,gradients", fragment: str | None = None) -> str:
        fragment = f"watch={self.id}" if fragment is None else fragment
        return f'<iframe src="{self.address}/{query}#{fragment}" title="Charts" width="900" height="520"></iframe>'


@pytest.fixture(scope="module")
def course() -> Iterator[Site]:
    with site() as other:
        yield other


@pytest.fixture(scope="module")
def lab(course: Site) -> Iterator[Lab]:
    page_built()
    with serving("--memory", FALLLINE_FRAME_ANCESTORS=course.origin, **NUMPY) as address:
        yield Lab(address)


def opened(visits: Visits, url: str) -> tuple[Page, FrameLocator]:
    page = visits.profile().new_page()
    page.goto(url)
    return page, page.frame_locator("iframe")


def drawn(frame: FrameLocator, kind: str, step: int) -> None:
    expect(frame.locator(f"plotly-chart[kind={kind}]")).to_have_attribute("data-last-step", str(step))


def test_a_page_of_a_listed_origin_shows_the_charts_live(visits: Visits, course: Site, lab: Lab) -> None:
    lab.step(20)
    _, frame = opened(visits, course.page(lab.frame()))
    step = httpx.get(f"{lab.address}/api/v1/experiments/{lab.id}").json()["runs"][0]["step"]
    for kind in ("loss", "gradients"):
        drawn(frame, kind, step)
    expect(frame.locator("plotly-chart")).to_have_count(2)
    lab.step(7)
    for kind in ("loss", "gradients"):
        drawn(frame, kind, step + 7)
    controls = frame.locator("button, input, select, a, summary, top-bar, transport-bar, dialog")
    expect(controls).to_have_count(0)


@pytest.mark.parametrize(
    ("names", "kinds", "has_fall_line"),
    [("loss", ["loss"], False), ("gradients", ["gradients"], False), ("fall_line", [], True),
     ("loss,fall_line", ["loss"], True), ("loss,fall_line,gradients", ["loss", "gradients"], True)],
)  # fmt: skip
def test_each_chart_can_be_chosen(
    visits: Visits, course: Site, lab: Lab, names: str, kinds: list[str], has_fall_line: bool
) -> None:
    lab.step(5)
    _, frame = opened(visits, course.page(lab.frame(f"?embed={names}")))
    for kind in kinds:
        expect(frame.locator(f"plotly-chart[kind={kind}][data-state=drawn]")).to_be_visible()
    expect(frame.locator("plotly-chart")).to_have_count(len(kinds))
    if has_fall_line:
        expect(frame.locator(".fall-ground")).to_be_visible()
    else:
        expect(frame.locator("fall-line")).to_have_count(0)
    boxes = [
        box
        for place in ("plotly-chart", "fall-line")
        for each in frame.locator(place).all()
        if (box := each.bounding_box())
    ]
    assert all(box["height"] > 100 and box["width"] > 350 for box in boxes)
    area = sum(box["height"] * box["width"] for box in boxes)
    assert area > 0.8 * 900 * 520, "the charts fill the frame"


@pytest.mark.parametrize("width", [360, 900])
def test_the_fall_line_keeps_its_height_in_a_low_frame(
    visits: Visits, course: Site, lab: Lab, width: int
) -> None:
    frame_of = lab.frame("?embed=loss,fall_line,gradients").replace('width="900"', f'width="{width}"')
    _, frame = opened(visits, course.page(frame_of))
    expect(frame.locator(".fall-ground")).to_be_visible()
    heights = [
        box["height"]
        for place in ("fall-line", "plotly-chart[kind=loss]", "plotly-chart[kind=gradients]")
        if (box := frame.locator(place).bounding_box())
    ]
    assert heights[0] >= 240
    assert min(heights) > 120, heights


@pytest.mark.parametrize("charts", ["gradients", "fall_line", "fall_line,gradients"])
def test_charts_without_the_loss_say_which_line_is_which_run(
    visits: Visits, course: Site, lab: Lab, charts: str
) -> None:
    _, frame = opened(visits, course.page(lab.frame(f"?embed={charts}")))
    names = frame.locator("embed-names > span")
    expect(names).to_have_text(["GD", "SGD"])
    for name in names.all():
        expect(name.locator(".marker")).to_be_visible()
    _, frame = opened(visits, course.page(lab.frame("?embed=loss,gradients")))
    expect(frame.locator("plotly-chart[kind=loss] .chart-label.end")).to_have_count(2)
    expect(frame.locator("embed-names")).to_have_count(0)


def test_no_other_page_and_no_other_origin_can_frame_the_server(
    visits: Visits, course: Site, lab: Lab
) -> None:
    def is_shown(page: Page) -> bool:
        page.wait_for_timeout(500)
        (frame,) = page.main_frame.child_frames
        return frame.url.startswith(lab.address) and frame.locator(".app").count() == 1

    page, _ = opened(visits, course.page(lab.frame()))
    assert is_shown(page)
    for query in ("", "?fps=10", "?EMBED=loss", "?embedded=loss", "?embed"):
        page, _ = opened(visits, course.page(lab.frame(query)))
        assert not is_shown(page), query
    with site() as stranger:
        page, _ = opened(visits, stranger.page(lab.frame()))
        assert not is_shown(page)


def test_it_neither_reads_nor_sends_a_token_or_a_key_that_the_browser_has(visits: Visits, lab: Lab) -> None:
    """The embedded page at the top, where the whole storage of its origin is in reach."""
    context = visits.profile()
    own = visits.page(context, lab.address).open()
    token, key = own.stored["token"], own.page.evaluate("JSON.parse(localStorage.getItem('fallline.owner'))")
    assert len(key) == 32
    before = own.page.evaluate("JSON.stringify(localStorage)")
    page = context.new_page()
    page.add_init_script(SPY)
    messages: list[str] = []
    headers: list[str] = []
    methods: set[str] = set()

    def hear(socket: WebSocket) -> None:
        socket.on("framesent", lambda text: messages.append(str(text)))

    def note(request: Request) -> None:
        methods.add(request.method)
        headers.extend(request.all_headers())

    page.on("websocket", hear)
    page.on("request", note)
    # its own experiment, whose token the browser stores
    page.goto(f"{lab.address}/?embed=loss,gradients,fall_line#watch={own.stored['id']}")
    expect(page.locator("plotly-chart[kind=loss][data-state=drawn]")).to_be_visible()
    own.make_steps(12)
    expect(page.locator("plotly-chart[kind=loss]")).to_have_attribute("data-last-step", "12")
    expect(page.locator(".fall-ground")).to_be_visible()
    for letter in ["Space", "r", "g", "ArrowRight", "p", "b", "s"]:
        page.keyboard.press(letter)
    page.wait_for_timeout(500)
    assert page.evaluate("window.__touched") == []
    assert methods == {"GET"}
    assert [name for name in headers if SECRETS.search(name)] == []
    assert len(messages) >= 1
    assert [
        text for text in messages if token in text or key in text or '"token"' in text or "command" in text
    ] == []
    assert own.step == 12
    assert own.page.evaluate("JSON.stringify(localStorage)") == before
    page.close()


def test_the_spy_sees_the_page_itself_read_its_storage(visits: Visits, lab: Lab) -> None:
    page = visits.profile().new_page()
    page.add_init_script(SPY)
    page.goto(lab.address)
    page.wait_for_selector("button.play:not(:disabled)")
    assert "localStorage" in page.evaluate("window.__touched")


def test_without_an_experiment_the_frame_says_what_its_address_needs(
    visits: Visits, course: Site, lab: Lab
) -> None:
    for fragment in ("", "watch=unknown"):
        _, frame = opened(visits, course.page(lab.frame(fragment=fragment)))
        expect(frame.locator("embed-note")).to_contain_text("experiment")


def test_a_name_that_is_no_chart_is_named_over_the_others(visits: Visits, course: Site, lab: Lab) -> None:
    _, frame = opened(visits, course.page(lab.frame("?embed=map,loss")))
    expect(frame.locator("plotly-chart[kind=loss][data-state=drawn]")).to_be_visible()
    expect(frame.locator("embed-note")).to_have_text(
        'There is no chart "map". The names are loss, fall_line and gradients.'
    )
    _, frame = opened(visits, course.page(lab.frame("?embed=loss")))
    expect(frame.locator("plotly-chart[kind=loss][data-state=drawn]")).to_be_visible()
    expect(frame.locator("embed-note")).to_be_hidden()


def test_a_cut_line_is_said_and_the_charts_go_on_when_it_is_mended(visits: Visits, lab: Lab) -> None:
    with open_line(int(lab.address.rsplit(":", 1)[1])) as line:
        page = visits.profile().new_page()
        page.goto(f"{line.address}/?embed=loss#watch={lab.id}")
        expect(page.locator("plotly-chart[kind=loss][data-state=drawn]")).to_be_visible()
        note = page.locator("embed-note")
        expect(note).to_be_hidden()
        line.cut()
        expect(note).to_contain_text("Connection lost")
        expect(note.locator("button")).to_have_count(0)
        lab.step(3)
        step = httpx.get(f"{lab.address}/api/v1/experiments/{lab.id}").json()["runs"][0]["step"]
        line.mend()
        expect(note).to_be_hidden()
        expect(page.locator("plotly-chart[kind=loss]")).to_have_attribute("data-last-step", str(step))
        page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_charts(visits: Visits, lab: Lab, theme: str) -> None:
    page = visits.profile(theme=theme).new_page()
    page.goto(f"{lab.address}/?embed=loss,fall_line,gradients#watch={lab.id}")
    expect(page.locator("plotly-chart[kind=gradients][data-state=drawn]")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    page.evaluate(AXE.read_text())
    violations: Any = page.evaluate(
        """async (rules) => {
            document.querySelector("canvas.live-lines").style.display = "none";
            const { violations } = await axe.run("html", { resultTypes: ["violations"], runOnly: rules });
            return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target)}`);
        }""",
        RULES,
    )
    assert violations == []


def test_share_offers_the_code_of_the_charts_on_view(open_lab: OpenLab) -> None:
    lab: Dashboard = open_lab()
    for picture, charts in (("loss", "loss,gradients"), ("fall line", "fall_line,gradients")):
        lab.button("Share (S)").click()
        dialog(lab).locator("[role=radio][data-value=embed]").click()
        box = dialog(lab).get_by_label("Code", exact=True)
        expect(box).to_have_value(re.compile("^<iframe "))
        code = box.input_value()
        assert f'src="{lab.address}/?embed={charts}#watch={lab.stored["id"]}"' in code, picture
        assert lab.stored["token"] not in code
        expect(dialog(lab)).to_contain_text("FALLLINE_FRAME_ANCESTORS")
        expect(dialog(lab).locator("img.qr")).to_be_hidden()
        lab.page.keyboard.press("Escape")
        lab.page.keyboard.press("v")
