"""Instruments: in place of the gradients, measured while open, for the run and step on view."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Route, expect

from browser.conftest import OpenLab
from browser.dashboard import BELOW, PHONE, Dashboard
from browser.test_accessibility import SMALL_TARGETS, faults

GAUGES = ("edge", "alpha", "noise")
FIRST = "Edge, step, noise"

PLACES = """() => ["plotly-chart[kind=loss]", ".plot.gradients", "transport-bar", "predicted-true"]
    .map((one) => JSON.stringify(document.querySelector(one).getBoundingClientRect()))"""


# Words of open instruments outside the page, or the page if it is wider than the screen.
BEYOND = """() => [...document.querySelectorAll(".instruments .chart-label, .instruments text")]
    .map((each) => [each.textContent, each.getBoundingClientRect()])
    .filter(([text, { left, right, width }]) => text && width && (left < -0.5 || right > innerWidth + 0.5))
    .map(([text, { left, right }]) => `${text}: ${left} to ${right}`)
    .concat(document.documentElement.scrollWidth > innerWidth ? "the page" : [])"""


def value(lab: Dashboard, kind: str) -> Locator:
    return lab.chart(kind).locator(".title .values i")


def opened(lab: Dashboard) -> Dashboard:
    lab.below(FIRST)
    for kind in GAUGES:
        expect(value(lab, kind)).to_have_count(1, timeout=20_000)
    return lab


def leave(lab: Dashboard) -> None:
    """Move focus away from the switch, which uses arrows and Space itself."""
    lab.page.evaluate("() => document.activeElement.blur()")


def needle(lab: Dashboard, kind: str) -> tuple[float, float]:
    x, y = lab.page.evaluate(
        """(kind) => { const { x, y } = document.querySelector(`plotly-chart[kind=${kind}] .js-plotly-plot`)
            .data.find(({ meta }) => meta.role === "needle"); return [x[0] ?? -1, y[0] ?? -1]; }""",
        kind,
    )
    return float(x), float(y)


def test_three_gauges_replace_the_gradients_and_no_panel_moves(open_lab: OpenLab) -> None:
    lab = open_lab(plotted=True)
    lab.make_steps(40)
    before = lab.page.evaluate(PLACES)
    opened(lab)
    assert lab.page.evaluate(PLACES) == before
    expect(lab.chart("gradients")).to_have_count(0)
    curvature = lab.ask("GET", "/runs/gd/instruments/curvature", step=40)
    lab.until(lambda: needle(lab, "edge"), lambda point: point[0] == 40)
    assert abs(needle(lab, "edge")[1] - curvature["edge"]) < 1e-9
    expect(lab.page.locator("gradient-head")).to_contain_text(
        re.compile(r"takes [\d,.]+ m?s$|takes [\d,.]+ ms")
    )
    lab.below("Size of the gradient")
    expect(lab.chart("gradients")).to_have_attribute("data-state", "drawn")
    expect(lab.chart("edge")).to_have_count(0)


def test_the_gauges_follow_the_chosen_run_and_the_step_on_view(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(30)
    opened(lab)
    runs = lab.page.get_by_role("radiogroup", name="Run measured")
    expect(runs.get_by_role("radio", name="GD", exact=True)).to_be_checked()
    runs.get_by_role("radio", name="SGD").click()
    lab.until_is(lambda: value(lab, "noise").get_attribute("data-lane"), "b")
    assert lab.page.locator("network-drawing").get_attribute("data-run") == "sgd", "it is the same choice"
    lab.page.keyboard.press("ArrowLeft")
    expect(runs.get_by_role("radio", name="GD", exact=True)).to_be_checked()
    leave(lab)
    lab.page.keyboard.press("2")
    lab.until_is(lambda: value(lab, "noise").get_attribute("data-lane"), "b")
    assert "batch 1" in str(value(lab, "noise").text_content())
    for _ in range(3):
        lab.page.keyboard.press("ArrowLeft")
    lab.until_is(lambda: needle(lab, "edge")[0], 27)
    curvature = lab.ask("GET", "/runs/sgd/instruments/curvature", step=27)
    assert abs(needle(lab, "edge")[1] - min(curvature["edge"], 2.0)) < 1e-9


def test_playing_leaves_a_trail_and_shows_the_cost(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_own()
    opened(lab)
    leave(lab)
    lab.page.keyboard.press("Space")
    trail = "() => document.querySelector('plotly-chart[kind=alpha] .js-plotly-plot').data[0].x.length"
    lab.until(lambda: lab.page.evaluate(trail), lambda points: points > 1, patience=180)
    expect(lab.page.locator("gradient-head")).to_contain_text(re.compile(r"takes [\d,]+ ms, every [\d.]+ s"))
    lab.page.keyboard.press("Space")


def test_the_exhibit_of_the_edge_opens_its_gauges_and_undo_closes_them(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.page.locator("exhibit-picker button").press("ArrowDown")
    lab.page.keyboard.type("edge")
    lab.page.keyboard.press("Enter")
    expect(lab.page.locator("gradient-head h2")).to_have_text("Instruments")
    expect(value(lab, "edge")).to_have_text("2.32 of 5.00", timeout=20_000)
    lab.notice.get_by_role("button", name="Undo").click()
    expect(lab.page.locator("gradient-head h2")).to_have_text("Gradients")


def test_an_instrument_without_an_answer_says_that_it_waits(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_own()
    lab.play.click()
    routes: list[Route] = []
    answered: list[Route] = []
    lab.page.route(
        "**/instruments/curvature*",
        lambda route: route.continue_() if answered else routes.append(route),
    )
    lab.below(FIRST)
    waits = lab.page.locator(".instruments .waiting:visible")
    lab.until(lambda: len(routes), lambda count: count > 0)
    expect(waits.first).to_have_text("Not measured yet: playing runs go first.")
    answered.extend(routes)
    routes[0].continue_()
    for kind in GAUGES:
        expect(value(lab, kind)).to_have_count(1)
    expect(waits).to_have_count(0)
    lab.page.unroute("**/instruments/curvature*")


def test_a_phone_shows_the_edge_in_the_unit_of_its_marker(open_lab: OpenLab) -> None:
    lab = opened(open_lab(PHONE))
    edge = lab.ask("GET", "/runs/gd/instruments/curvature")["edge"]
    assert float(value(lab, "edge").inner_text()) == float(f"{edge:.2g}")
    expect(lab.chart("edge").locator(".chart-label.level")).to_have_text("edge")
    expect(lab.chart("alpha").locator(".chart-label.level")).to_have_text(["lowest", "as high"])


def test_instruments_work_by_keyboard_without_faults_in_either_theme(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    choice = lab.page.get_by_role("button", name=BELOW)
    choice.focus()
    lab.page.keyboard.press("Enter")
    lab.page.get_by_role("menuitemradio", name=FIRST).focus()
    lab.page.keyboard.press("Enter")
    expect(choice).to_be_focused()
    for name in ("Steepest bend", "Step length α", "Noise scale", "GD"):
        lab.page.keyboard.press("Tab")
        assert lab.focused == name
    for kind in GAUGES:
        expect(value(lab, kind)).to_have_count(1, timeout=20_000)
    expect(lab.chart("edge")).to_have_attribute(
        "aria-label", re.compile(r"Steepest bend of GD: .* edge of stability\.")
    )
    assert faults(lab) == []


def test_on_a_phone_instruments_fit_and_are_large_enough(open_lab: OpenLab) -> None:
    lab = opened(open_lab(PHONE))
    assert faults(lab) == []
    assert lab.page.evaluate(SMALL_TARGETS) == []
    for name in ("one", "other"):
        lab.ask("POST", "/runs", {"name": name, "fork_of": "sgd", "at_step": 0})
    runs = lab.page.get_by_role("radiogroup", name="Run measured")
    expect(runs.get_by_role("radio")).to_have_count(4)
    boxes = [one.bounding_box() for one in (runs, lab.page.get_by_role("button", name=BELOW))]
    tops = [box["y"] for box in boxes if box]
    assert abs(tops[0] - tops[1]) < 10, "in one line"
    look_at_the_others(lab)


def test_instruments_of_classes_fit_a_phone_too(open_lab: OpenLab) -> None:
    lab = open_lab(PHONE)
    lab.page.locator("exhibit-picker button").press("ArrowDown")
    lab.page.get_by_role("option", name="Two spirals").click()
    expect(lab.row("adam")).to_have_count(1)
    lab.make_steps(20)
    opened(lab)
    look_at_the_others(lab, "Confusion matrix", "Decision map")


def look_at_the_others(lab: Dashboard, *names: str) -> None:
    """Open each choice for a paused run: measured, drawn, named, and no word outside the page."""
    choice = lab.page.get_by_role("button", name=BELOW)
    choice.click()
    group = lab.page.get_by_role("group", name="Instruments")
    values = [each.inner_text().splitlines()[0] for each in group.get_by_role("menuitemradio").all()]
    lab.page.keyboard.press("Escape")
    for value in names or values:
        lab.below(value)
        row = lab.page.locator(".instruments plotly-chart")
        expect(row.first).to_have_attribute("data-state", "drawn", timeout=20_000)
        for chart in row.all():
            expect(chart).not_to_have_attribute("aria-label", re.compile("not measured yet"))
        assert lab.page.evaluate(BEYOND) == [], value
        assert faults(lab, within=".instruments", themes=("light",)) == [], value
