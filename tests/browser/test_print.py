"""The printed sheet: A4, white in both themes, with all that a reader without a screen needs."""

from __future__ import annotations

import contextlib
import re
import zlib
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import expect

from browser.conftest import OpenLab, Visits
from browser.dashboard import PHONE, Dashboard
from browser.test_accessibility import AXE, RULES

Theme = Literal["light", "dark"]
A4 = (794, 1123)
MARGIN = 13 * 96 / 25.4
"""px above and below what is printed."""

# Lightness (0 to 255) and colour of what stands on the sheet, and its parts from top to bottom.
SHEET = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const rgb = (colour) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const style = (selector) => getComputedStyle(document.querySelector(selector));
    const top = (selector) => document.querySelector(selector).getBoundingClientRect().top;
    const [loss] = document.querySelectorAll("plotly-chart[kind=loss] .js-plotly-plot");
    return {
        paper: rgb(style("body").backgroundColor),
        ink: rgb(style(".sheet-head h1").color),
        label: rgb(style("plotly-chart[kind=loss] .chart-label.end").color),
        tick: rgb(style("plotly-chart[kind=loss] .tick").fill),
        line: rgb(loss.data.find(({ meta }) => meta?.run === "gd" && meta.role === "train").line.color),
        order: ["h1", ".plot.loss", ".sheet-lower", ".plot.gradients", ".sheet-table", ".sheet-story", ".sheet-seeds"]
            .map((part) => top(part.startsWith(".") ? part : `.sheet-head ${part}`)),
        wide: Math.max(...[...document.querySelectorAll(".app *")].filter((each) => each.checkVisibility())
            .map((each) => each.getBoundingClientRect().right)),
        left: document.querySelector(".app").getBoundingClientRect().right,
    };
}"""

MOST_DARK = 90
LEAST_LIGHT = 250


@pytest.fixture(autouse=True)
def screens_again(visits: Visits) -> Iterator[None]:
    """Leave no tab on paper for a later test."""
    yield
    for page in visits.pages:
        page.page.emulate_media(media="screen")


def ended(
    open_lab: OpenLab, theme: Theme = "light", size: tuple[int, int] = (1440, 900), **more: Any
) -> Dashboard:
    """Return the notebook at the end of its question, with a bet."""
    lab = open_lab(size, theme, drawn=True, **more)
    lab.page.get_by_role("button", name="SGD", exact=True).first.click()
    lab.make_steps(500)
    expect(lab.page.locator("what-happened")).to_be_visible()
    return lab


def on_paper(lab: Dashboard) -> Dashboard:
    lab.page.emulate_media(media="print")
    expect(lab.page.locator("print-sheet h1")).to_be_visible()
    return lab


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_sheet_is_white_with_dark_words_and_light_charts_in_both_themes(
    open_lab: OpenLab, theme: Theme
) -> None:
    lab = on_paper(ended(open_lab, theme))
    sheet = lab.page.evaluate(SHEET)
    assert min(sheet["paper"]) >= LEAST_LIGHT
    assert max(sheet["ink"]) <= MOST_DARK
    assert sum(sheet["tick"]) / 3 <= 110
    assert sheet["line"] == [0, 103, 168], "the light theme's blue"
    assert sheet["label"] in ([0, 103, 168], [173, 69, 5])
    lab.page.emulate_media(media="screen")
    expect(lab.page.locator("html")).to_have_attribute("data-theme", theme)
    expect(lab.page.locator("transport-bar")).to_be_visible()
    assert lab.page.locator("html").get_attribute("data-print") is None
    expected = [95, 180, 238] if theme == "dark" else [0, 103, 168]
    read = """() => document.querySelector("plotly-chart[kind=loss] .js-plotly-plot").data
        .find(({ meta }) => meta?.run === "gd" && meta.role === "train").line.color"""
    lab.until_is(lambda: [int(lab.page.evaluate(read)[k : k + 2], 16) for k in (1, 3, 5)], expected)


def test_a_sheet_has_question_charts_numbers_story_and_seeds_in_this_order(open_lab: OpenLab) -> None:
    lab = on_paper(ended(open_lab))
    page = lab.page
    sheet = page.evaluate(SHEET)
    assert sheet["order"] == sorted(sheet["order"])
    assert sheet["wide"] <= sheet["left"] + 1
    expect(page.locator(".sheet-head h1")).to_have_text("Same start, same rate. Which one gets stuck? SGD.")
    expect(page.locator(".sheet-head p span")).to_have_text("step 500")
    ends = page.locator("plotly-chart[kind=loss] .chart-label.end")
    expect(ends).to_have_count(2)
    for end, run in zip(ends.all_inner_texts(), ("GD", "SGD"), strict=True):
        assert re.search(rf"\b{run}\s+0\.\d+", end) or re.search(r"(GD|SGD)\s+0\.\d+", end)
    expect(page.locator("plotly-chart[kind=gradients] .chart-label.title")).to_have_count(3)
    heads = page.locator(".sheet-table thead th").evaluate_all(
        "(all) => all.map((each) => getComputedStyle(each).color)"
    )
    assert len(set(heads)) == 1
    rows = [row.split("\n") for row in page.locator(".sheet-table tbody tr").all_inner_texts()]
    assert len(rows) == 2
    answers = {run["name"]: run for run in lab.ask("GET")["runs"]}
    cells = page.locator(".sheet-table tbody td b").all_inner_texts()
    for cell, name in zip(cells, ("gd", "sgd"), strict=True):
        assert float(cell) == pytest.approx(answers[name]["latest"]["train_loss"]["value"], rel=5e-3)
    story = page.locator(".sheet-story")
    expect(story).to_contain_text("You bet on SGD. It got stuck.")
    assert story.locator("li").count() >= 3
    recipe = lab.stored["recipe"]
    seeds = page.locator(".sheet-seeds")
    expect(seeds).to_contain_text(
        f"Data seed {recipe['data']['seed']}, network seed {recipe['network']['seed']}."
    )
    expect(seeds).to_contain_text(re.compile(r"GD: full batch, rate 0\.1, seed \d+\."))
    expect(seeds).to_contain_text(re.compile(r"SGD: batch of 1, rate 0\.1, seed \d+\."))
    for part in ("top-bar", "transport-bar", ".rail.recipe", ".rail.inspection", "race-table", "fall-line"):
        expect(page.locator(part)).to_be_hidden()
    underlined = page.locator(".app [data-term]").locator("visible=true")
    assert underlined.count() >= 1
    lines = underlined.evaluate_all("(all) => all.map((each) => getComputedStyle(each).textDecorationLine)")
    assert {*lines} == {"none"}, "paper explains nothing on a tap"


def pages_of(pdf: bytes) -> list[tuple[float, float]]:
    """Return the sizes of a document's pages, in points."""
    count = len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))
    boxes = re.findall(rb"/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)\s*\]", pdf)
    assert len(boxes) == count
    return [(float(width), float(height)) for width, height in boxes]


def inks_of(pdf: bytes) -> set[tuple[int, ...]]:
    """Return the colours with which a document fills, as red, green and blue from 0 to 255."""
    colours: set[tuple[int, ...]] = set()
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        with contextlib.suppress(zlib.error):
            fills = re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) rg\b", zlib.decompress(stream))
            colours |= {tuple(round(255 * float(part)) for part in fill) for fill in fills}
    return colours


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 900), PHONE])
def test_the_browser_prints_one_page_of_a4_in_light_colours(
    open_lab: OpenLab, theme: Theme, size: tuple[int, int]
) -> None:
    lab = ended(open_lab, theme, size, plotted=True)
    pdf = lab.page.pdf(prefer_css_page_size=True, print_background=False)
    assert pages_of(pdf) == [pytest.approx((595, 842), abs=1)]
    light, dark = {(0, 103, 168), (194, 80, 10), (23, 25, 28)}, {(95, 180, 238), (255, 149, 82), (21, 24, 27)}
    assert light <= inks_of(pdf)
    assert not dark & inks_of(pdf)
    expect(lab.page.locator("html")).to_have_attribute("data-theme", theme)
    assert lab.page.locator("html").get_attribute("data-print") is None


def test_the_fall_line_on_view_and_presenting_print_the_same_sheet(open_lab: OpenLab) -> None:
    lab = ended(open_lab)
    lab.page.keyboard.press("v")
    expect(lab.page.locator("fall-line")).to_be_visible()
    lab.page.keyboard.press("p")
    expect(lab.page.locator(".present-controls")).to_be_visible()
    on_paper(lab)
    expect(lab.page.locator(".plot.loss")).to_be_visible()
    expect(lab.page.locator("plotly-chart[kind=loss] .chart-label.end")).to_have_count(2)
    marked = lab.page.locator(".sheet-story li").filter(has_text=re.compile("^\\d+Step [1-9]"))
    expect(lab.page.locator("plotly-chart[kind=loss] .clause-flag")).to_have_count(marked.count())
    assert marked.count() >= 3
    expect(lab.page.locator("fall-line")).to_be_hidden()
    expect(lab.page.locator(".present-controls")).to_be_hidden()
    lab.page.emulate_media(media="screen")
    expect(lab.page.locator("fall-line")).to_be_visible()
    expect(lab.page.locator(".present-controls")).to_be_visible()


def test_an_experiment_without_a_question_prints_its_runs_and_the_step_on_view(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_own()
    lab.make_steps(40)
    lab.page.keyboard.press("ArrowLeft")
    expect(lab.counter).to_have_text("39")
    on_paper(lab)
    expect(lab.page.locator(".sheet-head h1")).to_have_text("GD and SGD")
    expect(lab.page.locator(".sheet-head p span")).to_have_text("step 39")
    expect(lab.page.locator(".sheet-story")).to_have_count(0)


def test_long_names_of_runs_leave_the_table_on_the_sheet(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    for run in ("gd", "sgd"):
        lab.ask("PATCH", f"/runs/{run}", {"label": f"Donaudampfschifffahrtsgesellschaftskapitaen {run}"})
    lab.make_steps(40)
    on_paper(lab)
    wide, left = lab.page.locator(".sheet-table").evaluate(
        "(table) => [table, table.closest('.app')].map((each) => each.getBoundingClientRect().right)"
    )
    assert wide <= left + 1


def test_eight_long_names_leave_the_table_on_the_first_page(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    name = "Donaudampfschifffahrtsgesellschaftskapitaen"
    for number in range(6):
        lab.ask("POST", "/runs", {"name": f"run-{number + 3}", "label": f"{name} number {number}"})
    for run in ("gd", "sgd"):
        lab.ask("PATCH", f"/runs/{run}", {"label": f"{name} {run}"})
    lab.make_steps(40)
    on_paper(lab)
    expect(lab.page.locator(".sheet-head h1")).to_have_text("8 runs")
    expect(lab.page.locator(".sheet-table tbody tr")).to_have_count(8)
    top, bottom = lab.page.locator(".sheet-table").evaluate(
        "(table) => [document.querySelector('.app').getBoundingClientRect().top, table.getBoundingClientRect().bottom]"
    )
    assert bottom - top <= A4[1] - 2 * MARGIN


def test_the_menu_prints(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.page.evaluate("() => { window.print = () => (window.__printed = true); }")
    lab.choose("More: files, theme, keys", "Print a sheet")
    assert lab.page.evaluate("window.__printed") is True


def test_axe_finds_nothing_on_the_sheet(open_lab: OpenLab) -> None:
    lab = on_paper(ended(open_lab))
    lab.page.evaluate(AXE.read_text())
    violations = lab.page.evaluate(
        """async (rules) => (await axe.run("html", { resultTypes: ["violations"], runOnly: rules })).violations
            .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target)}`)""",
        RULES,
    )
    assert violations == []
