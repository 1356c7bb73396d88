"""The page ships Inter: text has the same widths on every machine."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hatch_build import sources_of
from playwright.sync_api import BrowserContext, Error, Route, expect

from browser.conftest import OpenLab, Visits
from browser.dashboard import PHONE, Dashboard
from browser.test_exports import content, open_panel, take
from integration import test_page_logic

ROOT = Path(__file__).parents[2]
FILE = re.compile(r"/assets/inter-[A-Z0-9]{8}\.woff2$")

# Formulas and code use the machine's monospaced face.
WRITTEN = """() => [...document.querySelectorAll("body *")].filter((each) =>
    each.getClientRects().length && !getComputedStyle(each).fontFamily.includes("mono")
    && [...each.childNodes].some((child) => child instanceof Text && child.data.trim()))
    .map((each, at) => (each.setAttribute("data-written", at), at))"""

STATUS = "[...document.fonts].find(({ family }) => family === 'Inter').status"

# Charts are drawn without it after three seconds; a busy machine may need longer for the rest.
PATIENT = "setTimeout = ((later) => (run, ms) => later(run, ms === 3000 ? 600000 : ms))(setTimeout);"

WIDTHS = """(letters) => {
    const line = document.body.appendChild(document.createElement("span"));
    Object.assign(line.style, { position: "absolute", whiteSpace: "pre", fontSize: "100px" });
    const wide = (text, fontFamily = "", fontVariantNumeric = "") => {
        Object.assign(line.style, { fontFamily, fontVariantNumeric });
        line.textContent = text;
        return line.getBoundingClientRect().width;
    };
    const measured = letters.map((words) => wide(...words));
    line.remove();
    return measured;
}"""


def hold(context: BrowserContext) -> list[Route]:
    """Hold requests for the typeface until each route is continued."""
    routes: list[Route] = []
    context.route(FILE, lambda route: routes.append(route))
    return routes


def opened_without(visits: Visits, context: BrowserContext) -> Dashboard:
    """Open the page while a part of it is still missing."""
    lab = visits.page(context)
    lab.page.goto(lab.address, wait_until="domcontentloaded")
    return lab.wait()


def faces(lab: Dashboard, selector: str) -> dict[str, dict[str, Any]]:
    """Return the faces that the browser used, by words."""
    session = lab.page.context.new_cdp_session(lab.page)
    session.send("DOM.enable")
    session.send("CSS.enable")
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    result = {}
    for node in session.send("DOM.querySelectorAll", {"nodeId": root, "selector": selector})["nodeIds"]:
        try:
            words = session.send("DOM.getOuterHTML", {"nodeId": node})["outerHTML"]
            fonts = session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        except Error:
            continue  # a chart has drawn itself again, so the node is no longer on the page
        result[words] = {font["familyName"]: font["isCustomFont"] for font in fonts}
    session.detach()
    return result


def foreign(drawn: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return words in other faces; hidden words have none."""
    return {words: each for words, each in drawn.items() if each and each != {"Inter Variable": True}}


@pytest.mark.parametrize("size", [None, PHONE])
def test_every_word_uses_the_shipped_typeface(open_lab: OpenLab, size: tuple[int, int] | None) -> None:
    lab = open_lab(**({"size": size} if size else {}), plotted=True)
    lab.make_steps(40)
    expect(lab.chart("loss")).to_have_attribute("data-last-step", "40")
    lab.ask("PATCH", "/runs/gd", {"batch_size": 32})
    lab.flags.first.wait_for()
    lab.page.evaluate(WRITTEN)
    others = {words: face for words, face in faces(lab, "[data-written]").items() if face}
    assert len(others) > 60
    assert foreign(others) == {}
    charts = [words for words in others if re.search(r"class=\"\w*tick|chart-label|<tspan|<text", words)]
    assert len(charts) > 10, "words of Plotly's axes and of our labels are among them"


def test_the_typeface_is_requested_once_before_the_scripts(open_lab: OpenLab) -> None:
    lab = open_lab(plotted=True)
    assert [url for url in lab.requests if "inter" in url] == [
        url for url in lab.requests if FILE.search(url)
    ]
    urls = [url for url in lab.requests if FILE.search(url)]
    assert len(urls) == 1
    assert urls[0].startswith(lab.address)
    first = [url for url in lab.requests if url.startswith(lab.address)].index(urls[0])
    scripts = [at for at, url in enumerate(lab.requests) if "/assets/main-" in url]
    assert first < scripts[0]


def test_the_typeface_has_the_widths_of_inter_and_tabular_figures(open_lab: OpenLab) -> None:
    lab = open_lab()
    assert lab.page.evaluate("document.fonts.check('13px Inter')")
    assert lab.page.evaluate(STATUS) == "loaded"
    family = lab.page.evaluate("getComputedStyle(document.body).fontFamily")
    page, alone, machine, ones, eights, words, plain = lab.page.evaluate(
        WIDTHS,
        [
            ["Two ways down", ""],
            ["Two ways down", "Inter"],
            ["Two ways down", family.split(", ", 1)[1]],
            ["1111", ""],
            ["8888", ""],
            ["(read-only): a, b.", ""],
            ["(read-only): a, b.", "", "normal"],
        ],
    )
    assert page == alone != machine
    # widths of the letters and of a tabular figure in the file, in em
    assert page == pytest.approx(758, abs=6)
    assert ones == eights == pytest.approx(4 * 64.84, abs=0.5)
    assert words == plain, "only figures are tabular"


def test_the_typeface_has_every_character_of_page_and_server(open_lab: OpenLab) -> None:
    sources = [
        path
        for path in (*sources_of(ROOT / "frontend"), *(ROOT / "backend/fallline").rglob("*"))
        if path.suffix in {".ts", ".html", ".css", ".py", ".json"}
    ]
    assert len(sources) > 300
    signs = {
        sign for path in sources for sign in path.read_text("utf-8") if sign.isprintable() and sign != " "
    }
    assert {"−", "→", "Σ", "ŷ", "²", "✓"} <= signs
    lab = open_lab()
    lab.page.evaluate(
        """(signs) => document.body.append(...signs.map((sign) =>
            Object.assign(document.createElement("i"), { className: "tried", textContent: sign })))""",
        sorted(signs),
    )
    assert foreign(faces(lab, "i.tried")) == {}


def test_charts_are_drawn_once_the_typeface_is_loaded(visits: Visits) -> None:
    context = visits.profile(plotted=True)
    context.add_init_script(PATIENT)
    routes = hold(context)
    lab = opened_without(visits, context)
    lab.until(lambda: lab.page.evaluate("window.Plotly !== undefined"), bool)
    lab.page.wait_for_timeout(500)
    assert lab.chart("loss").get_attribute("data-state") == "waiting"
    for route in routes:
        route.continue_()
    expect(lab.chart("loss")).to_have_attribute("data-state", "drawn")
    assert lab.page.evaluate("document.fonts.check('13px Inter')")


def test_charts_are_drawn_without_a_typeface_that_does_not_load(visits: Visits) -> None:
    context = visits.profile(plotted=True)
    routes = hold(context)
    lab = opened_without(visits, context)
    lab.allow("Failed to load resource")
    lab.wait(drawn=True)
    assert lab.page.evaluate(STATUS) == "loading"
    for route in routes:
        route.abort()
    lab.until_is(lambda: lab.page.evaluate(STATUS), "error")
    lab.page.reload(wait_until="domcontentloaded")
    routes[-1].abort()
    lab.wait(drawn=True)


def test_nothing_moves_when_the_typeface_loads(visits: Visits) -> None:
    """The frame keeps its place: only invisible words change their widths."""
    context = visits.profile()
    routes = hold(context)
    lab = opened_without(visits, context)
    boxes = """() => ["top-bar", ".recipe", ".stage", ".inspection", "transport-bar", "step-inspector", ".plot.loss"]
        .map((each) => document.querySelector(each).getBoundingClientRect().toJSON())"""
    before = lab.page.evaluate(boxes)
    for route in routes:
        route.continue_()
    lab.until(lambda: lab.page.evaluate("document.fonts.check('13px Inter')"), bool)
    assert lab.page.evaluate(boxes) == before


def tick_widths(words: list[str]) -> list[float]:
    """The widths that charts assume."""
    script = (
        f'import {{ tickWidth }} from "{ROOT}/frontend/charts/letter-widths.ts";'
        f"console.log(JSON.stringify({json.dumps(words)}.map(tickWidth)));"
    )
    command = [test_page_logic.node(), "--input-type=module", "--eval", script]
    widths: list[float] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return widths


def test_tick_labels_have_the_assumed_widths(open_lab: OpenLab) -> None:
    lab = open_lab()
    words = ["0.0001", "1,000,000", "−1.5e−6", "100M", "4,288", "88.8"]
    measured = lab.page.evaluate(WIDTHS, [[text, ""] for text in words])
    widths = tick_widths(words)
    for text, width, room in zip(words, measured, widths, strict=True):
        assert 0.11 * width <= room + 0.1 < 1.25 * 0.11 * width, text


# An SVG as pixels, in the way the page makes a PNG.
PAINTED = """(svg) => {
    const image = new Image();
    image.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
    return image.decode().then(() => {
        const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
        canvas.getContext("2d").drawImage(image, 0, 0);
        return canvas.toDataURL();
    });
}"""


def test_a_picture_of_a_chart_contains_the_typeface_and_uses_it(open_lab: OpenLab) -> None:
    lab = open_lab(plotted=True)
    lab.make_steps(60)
    expect(lab.chart("loss")).to_have_attribute("data-last-step", "60")
    open_panel(lab)
    press = lab.page.get_by_role("button", name="Loss as SVG")
    svg = content(take(lab, press)).decode()
    [rule] = re.findall(r"<style[^>]*>@font-face\{[^<]+</style>", svg)
    [carried] = re.findall(r"base64,([A-Za-z0-9+/=]+)\)", rule)
    assert base64.b64decode(carried) == (ROOT / "frontend/fonts/inter.woff2").read_bytes()
    # under an unknown name the words look the same while the rule is there
    renamed = re.sub(r"\bInter\b", "Carried", svg)
    assert renamed.count("Carried") > 10
    original, carrying, bare = (
        lab.page.evaluate(PAINTED, each)
        for each in (svg, renamed, re.sub(r"<style.*?</style>", "", renamed, flags=re.DOTALL))
    )
    assert original == carrying != bare
