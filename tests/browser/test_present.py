"""Presenting: one picture, readable from ten metres; controls that fade and return."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, expect

from browser.conftest import OpenLab
from browser.dashboard import DESKTOP, PHONE, Dashboard
from browser.proxy import Line
from browser.test_accessibility import SMALL_TARGETS, axe, faults_in_both_themes
from browser.test_exhibits import expect_exhibit, options, picker
from fallline.vocabulary.exhibits import EXHIBITS

WALL = (1920, 1080)

# Every text that can be seen, with the height of its letters on the screen.
TEXTS = """() => {
    const seen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
        !element.closest(".unseen, .present-controls");
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const texts = [];
    for (let text = walk.nextNode(); text; text = walk.nextNode()) {
        const element = text.parentElement;
        if (!text.data.trim() || !seen(element)) continue;
        const scale = element.closest(".scene") ? new DOMMatrix(getComputedStyle(
            document.querySelector(".scene")).transform).a : 1;
        texts.push([text.data.trim(), scale * parseFloat(getComputedStyle(element).fontSize)]);
    }
    return texts;
}"""

SIZES = """() => {
    const magnified = new DOMMatrix(getComputedStyle(document.querySelector(".scene")).transform).a;
    const size = (selector) => parseFloat(getComputedStyle(document.querySelector(selector)).fontSize);
    const [{ data }] = document.querySelectorAll("plotly-chart[kind=loss] .js-plotly-plot");
    const marks = [...document.querySelectorAll("plotly-chart[kind=loss] .chart-marks .end")];
    return {
        caption: size(".present-caption h1"),
        line: size(".present-caption div > p"),
        counter: size(".present-counter b"),
        label: magnified * size("plotly-chart[kind=loss] .chart-label.end"),
        tick: magnified * size("plotly-chart[kind=loss] .tick"),
        stroke: magnified * data.find(({ meta }) => meta?.role === "train").line.width,
        marks: marks.map((mark) => mark.getBoundingClientRect().width),
    };
}"""

# Labels at the ends of lines that touch each other, or leave the window.
ASTRAY = """() => {
    const boxes = [...document.querySelectorAll(".chart-label.end, .chart-label.flag, .fall-label")]
        .filter((label) => label.checkVisibility())
        .map((label) => [label.textContent, label.getBoundingClientRect()]);
    const out = boxes.filter(([, { left, right, top, bottom }]) =>
        left < -1 || top < -1 || right > innerWidth + 1 || bottom > innerHeight + 1);
    const touching = boxes.flatMap(([name, one], k) => boxes.slice(k + 1)
        .filter(([, other]) => one.left < other.right - 2 && other.left < one.right - 2 &&
            one.top < other.bottom - 2 && other.top < one.bottom - 2)
        .map(([other]) => `${name} and ${other}`));
    return [...out.map(([name]) => name), ...touching];
}"""

# Texts that can be seen and that the controls touch.
UNDER_CONTROLS = """() => {
    const bar = document.querySelector(".present-controls").getBoundingClientRect();
    const texts = [...document.querySelectorAll(".chart-label, .tick, .fall-label, .present-foot > span")]
        .filter((text) => text.checkVisibility({ opacityProperty: true, visibilityProperty: true }));
    return texts.filter((text) => {
        const { left, right, top, bottom } = text.getBoundingClientRect();
        return left < bar.right && right > bar.left && top < bar.bottom && bottom > bar.top;
    }).map(({ textContent }) => textContent);
}"""


def controls(lab: Dashboard) -> Locator:
    return lab.page.get_by_role("group", name="Presenting")


def presented(open_lab: OpenLab, size: tuple[int, int] = WALL, steps: int = 300, **more: Any) -> Dashboard:
    """Present the notebook after some steps."""
    lab = open_lab(size, drawn=True, **more)
    lab.make_steps(steps)
    lab.page.keyboard.press("p")
    expect(controls(lab)).to_be_visible()
    chart = lab.chart("loss")
    width = size[0]
    lab.until(
        lambda: chart.evaluate("(chart) => chart.getBoundingClientRect().width"),
        lambda wide: wide > 0.85 * width,
    )
    lab.until(lambda: chart.get_attribute("data-last-step"), lambda step: step == str(steps))
    lab.page.wait_for_timeout(200)
    return lab


def test_at_1920_the_sizes_are_those_of_a_wall_and_nothing_is_smaller(open_lab: OpenLab) -> None:
    lab = presented(open_lab)
    sizes = lab.page.evaluate(SIZES)
    marks = sizes.pop("marks")
    assert sizes == pytest.approx(
        {"caption": 44, "line": 28, "counter": 56, "label": 28, "tick": 20, "stroke": 4}, rel=0.01
    )
    assert len(marks) == 2
    assert all(16 <= mark <= 24 for mark in marks)
    drawn = {"loss": ".chart-label.end", "fall": ".fall-label:not(.start)", "gradients": ".chart-label.title"}
    for hero, part in drawn.items():
        expect(lab.page.locator(part).locator("visible=true").first).to_be_visible()
        texts = lab.page.evaluate(TEXTS)
        assert len(texts) > 8, hero
        assert [text for text in texts if text[1] < 19.9] == [], hero
        lab.page.keyboard.press("v")
        lab.page.wait_for_timeout(400)


def test_the_bars_go_and_the_picture_takes_the_window(open_lab: OpenLab) -> None:
    lab = presented(open_lab)
    for part in ("top-bar", ".rail.recipe", ".rail.inspection", "transport-bar", "race-table", "loss-head"):
        expect(lab.page.locator(part)).to_be_hidden()
    box = lab.chart("loss").bounding_box()
    assert box is not None
    assert box["width"] > 1800
    assert box["height"] > 780
    assert lab.page.evaluate(ASTRAY) == []
    lab.page.keyboard.press("p")
    expect(lab.page.locator("transport-bar")).to_be_visible()
    expect(controls(lab)).to_have_count(0)
    assert lab.page.locator("html").get_attribute("data-mode") is None


def test_the_caption_is_the_worst_finding_and_before_play_the_question(open_lab: OpenLab) -> None:
    lab = open_lab(WALL, drawn=True)
    lab.button("Present (P)").click()
    heading = lab.page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Same start, same rate. Which one gets stuck?")
    lab.ask("POST", "/step", {"steps": 300})
    expect(heading).to_have_text("SGD: layer 2 is dead since step 196.")
    expect(lab.page.locator(".present-counter b")).to_have_text("300")


def test_flags_have_words_also_when_what_happened_is_known(open_lab: OpenLab) -> None:
    lab = open_lab(WALL, drawn=True)
    lab.make_steps(500)
    expect(lab.page.locator("plotly-chart[kind=loss] .clause-flag").first).to_be_visible()
    lab.page.keyboard.press("p")
    expect(lab.page.locator("plotly-chart[kind=loss] .clause-flag")).to_have_count(0)
    expect(lab.page.locator("plotly-chart[kind=loss] .flag.finding")).to_have_text(
        ["3 units dead", "layer 2 dead"]
    )
    lab.page.keyboard.press("p")
    expect(lab.page.locator("plotly-chart[kind=loss] .clause-flag").first).to_be_visible()


def test_v_shows_each_picture_alone_and_large(open_lab: OpenLab) -> None:
    lab = presented(open_lab)
    places = {"loss": ".plot.loss", "fall": "fall-line", "gradients": ".plot.gradients"}
    for hero in ("loss", "fall", "gradients", "loss"):
        for name, place in places.items():
            expect(lab.page.locator(place)).to_be_visible(visible=name == hero)
        box = lab.page.locator(places[hero]).bounding_box()
        assert box is not None
        assert box["height"] > 780
        chosen = controls(lab).locator("[aria-checked=true]")
        assert chosen.get_attribute("data-value") == hero
        if hero == "fall":
            expect(lab.page.locator(".fall-ground")).to_have_attribute("data-plane-steps", "300 300")
        if hero == "gradients":
            expect(lab.page.locator("plotly-chart[kind=gradients] .chart-label.title")).to_have_count(3)
            marks = lab.page.locator("plotly-chart[kind=gradients] .chart-marks .now").locator("visible=true")
            expect(marks).to_have_count(6)
        assert lab.page.evaluate(ASTRAY) == [], hero
        lab.page.keyboard.press("v")
        lab.page.wait_for_timeout(400)


def test_controls_fade_after_three_seconds_and_return_with_key_pointer_and_focus(open_lab: OpenLab) -> None:
    lab = presented(open_lab)
    view = lab.page.locator("present-view")
    opacity = "(element) => Number(getComputedStyle(element).opacity)"

    def fades() -> None:
        expect(view).to_have_attribute("data-faded", "")
        lab.until(lambda: controls(lab).evaluate(opacity), lambda now: now == 0)

    lab.page.mouse.move(700, 500)
    lab.page.wait_for_timeout(2000)
    assert controls(lab).evaluate(opacity) == 1
    lab.page.mouse.move(705, 505)
    lab.page.wait_for_timeout(2000)
    assert controls(lab).evaluate(opacity) == 1, "three seconds after the last move"
    fades()
    lab.page.mouse.move(710, 500)
    lab.until(lambda: controls(lab).evaluate(opacity), lambda now: now == 1)
    fades()
    lab.page.keyboard.press("y")
    lab.until(lambda: controls(lab).evaluate(opacity), lambda now: now == 1)
    fades()
    lab.page.keyboard.press("Tab")
    lab.until(lambda: controls(lab).evaluate(opacity), lambda now: now == 1)
    lab.page.wait_for_timeout(3500)
    assert controls(lab).evaluate(opacity) == 1, "while a control has the focus"


def test_escape_leaves_and_returns_the_focus(open_lab: OpenLab) -> None:
    lab = open_lab(WALL, drawn=True)
    lab.button("Present (P)").click()
    expect(controls(lab)).to_be_visible()
    lab.page.keyboard.press("Escape")
    expect(controls(lab)).to_have_count(0)
    assert lab.focused == "Present (P)"


def test_the_controls_play_step_and_reset(open_lab: OpenLab) -> None:
    lab = open_lab(WALL, drawn=True)
    lab.make_own()
    lab.page.keyboard.press("p")
    count = lab.page.locator(".present-counter b")
    controls(lab).get_by_role("button", name="1 step (right arrow)").click()
    expect(count).to_have_text("1")
    controls(lab).get_by_role("button", name="Play (Space)").click()
    lab.until(lambda: int(str(count.get_attribute("title")).replace(",", "")), lambda step: step > 20)
    lab.page.keyboard.press("Space")
    expect(controls(lab).get_by_role("button", name="Play (Space)")).to_be_visible()
    controls(lab).get_by_role("button", name="Back to step 0 (R)").click()
    expect(count).to_have_text("0")


def test_the_caption_is_of_the_step_that_the_picture_shows(open_lab: OpenLab) -> None:
    lab = open_lab(WALL, drawn=True)
    lab.make_own()
    lab.page.keyboard.press("p")
    lab.page.keyboard.press("Space")
    steps = """() => [document.querySelector(".present-caption"), document.querySelector("plotly-chart[kind=loss]")]
        .map(({ dataset }) => Number(dataset.step))"""
    pairs = []
    for _ in range(12):
        lab.page.wait_for_timeout(170)
        pairs.append(lab.page.evaluate(steps))
    assert [pair for pair in pairs if pair[0] != pair[1]] == []
    assert len({caption for caption, _ in pairs}) >= 4
    lab.page.keyboard.press("Space")
    lab.until(
        lambda: lab.page.evaluate(steps),
        lambda pair: (
            pair[0] == pair[1] == int(lab.page.locator(".present-counter b").inner_text().replace(",", ""))
        ),
    )


def test_playing_lines_are_where_they_are_drawn_at_rest(open_lab: OpenLab) -> None:
    """The canvas is magnified as the chart is: its markers stand on the axes of the chart."""
    lab = presented(open_lab)
    places = """() => {
        const canvas = document.querySelector("canvas.live-lines");
        const box = canvas.getBoundingClientRect();
        return { canvas: [canvas.width, canvas.height], box: [box.width, box.height] };
    }"""
    measured = lab.page.evaluate(places)
    assert measured["canvas"] == pytest.approx(measured["box"], abs=2), "as sharp as the screen"
    at = lab.page.evaluate("""() => {
        const mark = document.querySelector("plotly-chart[kind=loss] .chart-marks .end[data-run=gd]");
        const { x, y, width, height } = mark.getBoundingClientRect();
        return [x + width / 2, y + height / 2];
    }""")
    lab.page.mouse.move(*at)
    expect(lab.page.locator("plotly-chart[kind=loss] .chart-cursor .read")).to_contain_text(
        re.compile("29[0-9]|300")
    )


@pytest.mark.parametrize("size", [WALL, DESKTOP, (1366, 650), (960, 540), (768, 1024), PHONE, (844, 390)])
def test_smaller_windows_present_in_proportion(open_lab: OpenLab, size: tuple[int, int]) -> None:
    lab = presented(open_lab, size)
    assert lab.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert lab.page.evaluate("document.documentElement.scrollHeight") <= size[1]
    box = lab.chart("loss").bounding_box()
    assert box is not None
    assert box["height"] >= 0.5 * size[1]
    assert [text for text in lab.page.evaluate(TEXTS) if text[1] < 11.9] == []
    assert [one for one in lab.page.evaluate(SMALL_TARGETS) if "plotly" not in one] == []
    inside = controls(lab).bounding_box()
    assert inside is not None
    assert inside["x"] >= 0
    assert inside["x"] + inside["width"] <= size[0]
    assert lab.page.evaluate(UNDER_CONTROLS) == []
    lab.page.keyboard.press("v")
    expect(controls(lab).get_by_role("radio", name="Fall line")).to_be_checked()
    assert lab.page.evaluate(UNDER_CONTROLS) == []
    # beside a message too
    for _ in range(2):
        lab.page.keyboard.press("v")
    expect(controls(lab).get_by_role("radio", name="Loss")).to_be_checked()
    lab.page.keyboard.press("r")
    expect(lab.notice).to_contain_text("Back at step 0.")
    lab.until_is(lambda: lab.page.evaluate(UNDER_CONTROLS), [])


def test_controls_in_two_rows_stand_below_the_picture_on_a_phone(open_lab: OpenLab) -> None:
    lab = open_lab(PHONE)
    picker(lab).click()
    options(lab).filter(has_text=EXHIBITS["spirals"].title).click()
    expect_exhibit(lab, "spirals")
    lab.make_steps(100)
    lab.page.reload()  # without the message about the other exhibit
    lab.wait(drawn=True)
    lab.page.keyboard.press("p")
    expect(controls(lab).get_by_role("radio")).to_have_count(4)
    lab.page.keyboard.press("Tab")
    lab.until_is(lambda: lab.page.evaluate(UNDER_CONTROLS), [])
    lab.page.keyboard.press("r")
    expect(lab.notice).to_contain_text("Back at step 0.")
    lab.until_is(lambda: lab.page.evaluate(UNDER_CONTROLS), [])


def test_axe_finds_nothing_while_presenting(open_lab: OpenLab) -> None:
    lab = presented(open_lab)
    lab.page.keyboard.press("Tab")
    for _ in range(3):
        assert faults_in_both_themes(lab) == []
        lab.page.keyboard.press("v")
        lab.page.wait_for_timeout(400)


def test_a_cut_line_is_said_below_the_picture(open_lab: OpenLab, line: Line) -> None:
    lab = presented(open_lab, at=line.address)
    foot = lab.page.locator(".present-foot .end")
    expect(foot).to_have_text(re.compile("^mean squared error over"))
    lab.allow("ERR_", "WebSocket")
    line.cut()
    expect(foot).to_have_text("Connection lost at step 300.")
    expect(controls(lab).get_by_role("button", name="Play (Space)")).to_be_disabled()
    line.mend()
    expect(foot).to_have_text(re.compile("^mean squared error over"))


def test_forced_colours_leave_controls_and_words(open_lab: OpenLab) -> None:
    lab = presented(open_lab, forced_colors="active")
    lab.page.keyboard.press("Tab")
    assert axe(lab, "html") == []
    border = controls(lab).evaluate("(element) => getComputedStyle(element).borderTopColor")
    assert border != "rgba(0, 0, 0, 0)", "the controls stand out from the picture"


def test_less_motion_means_no_fading(open_lab: OpenLab) -> None:
    lab = presented(open_lab, reduced_motion="reduce")
    lasts = controls(lab).evaluate("(element) => parseFloat(getComputedStyle(element).transitionDuration)")
    assert lasts == 0


def test_with_many_layers_arrows_choose_the_one_over_time(open_lab: OpenLab) -> None:
    lab = open_lab((1920, 1080), drawn=True)
    layers = [{"units": 8, "activation": "sigmoid"}] * 5
    recipe = {"network": {"layers": layers}}
    created = httpx.post(f"{lab.address}/api/v1/experiments", json=recipe).json()["id"]
    lab.page.goto(f"{lab.address}/#watch={created}")
    lab.page.reload()
    expect(lab.page.locator("watch-line")).to_be_visible()
    expect(lab.chart("gradients")).to_have_attribute("data-state", "drawn")
    for key in "pvv":
        lab.page.keyboard.press(key)
    layer = lab.page.locator("present-view .layer")
    expect(layer.get_by_role("status")).to_have_text("W1")
    shown = lab.chart("gradients")
    expect(shown).to_contain_text("5 × 8")
    layer.get_by_role("button").last.click()
    expect(layer.get_by_role("status")).to_have_text("W2")
    expect(shown).to_contain_text("8 × 8")
    expect(shown).not_to_contain_text("5 × 8")
    box = layer.get_by_role("button").last.bounding_box()
    assert box
    assert min(box["width"], box["height"]) >= 44
    lab.page.keyboard.press("v")
    expect(layer).to_have_count(0)
