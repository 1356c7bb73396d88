"""Accessibility and small screens: axe, contrast, touch targets, narrow pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from playwright.sync_api import expect

from browser.conftest import OpenLab
from browser.dashboard import BELOW, DESKTOP, PHONE, Dashboard
from browser.proxy import Line
from browser.test_share import IN_THE_NETWORK, ONLY_HERE, reached_at

AXE = Path(__file__).parents[1] / "frontend/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")

SMALL_TARGETS = """() => [...document.querySelectorAll("button, input, select, summary, a, [role=tab]")]
    .filter((each) => each.checkVisibility() && !each.closest(".skip"))
    .filter((each) => getComputedStyle(each).pointerEvents !== "none")
    .map((each) => [each.getAttribute("aria-label") ?? each.textContent, each.getBoundingClientRect()])
    .filter(([_, box]) => box.width < 43.5 || box.height < 43.5)
    .map(([name, box]) => `${name} ${box.width} x ${box.height}`)"""

# Contrast of every text against its background, opacity included; axe skips what it cannot decide.
FAINT_TEXTS = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const rgba = (colour) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = ([r, g, b, a], under) => [r, g, b].map((part, k) => part * a + under[k] * (1 - a));
    const chain = (element) => (element ? [...chain(element.parentElement), element] : []);
    const ground = (element) => rgba(getComputedStyle(element).backgroundColor);
    const under = (element) => chain(element).reduce((base, each) => over(ground(each), base), [255, 255, 255]);
    const light = (colour) => colour
        .map((part) => part / 255)
        .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
        .reduce((sum, part, k) => sum + part * [0.2126, 0.7152, 0.0722][k], 0);
    const found = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = walk.nextNode(); text; text = walk.nextNode()) {
        const element = text.parentElement;
        if (!text.data.trim() || !element.checkVisibility({ visibilityProperty: true })) continue;
        if (element.closest("svg, .unseen, .skip, :disabled, option")) continue;
        const base = under(element);
        const [r, g, b, a] = rgba(getComputedStyle(element).color);
        const opacity = chain(element).reduce((all, each) => all * getComputedStyle(each).opacity, 1);
        const lights = [light(over([r, g, b, a * opacity], base)), light(base)];
        const ratio = (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
        if (ratio < 4.5) found.push(`${text.data.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
    }
    return found;
}"""


def settled(lab: Dashboard) -> None:
    """Wait for animations to end, so that colours can be measured."""
    lab.until(
        lambda: lab.page.evaluate(
            "document.getAnimations().filter(({ playState }) => playState === 'running').length"
        ),
        lambda count: count == 0,
    )


def axe(lab: Dashboard, within: str) -> list[str]:
    if not lab.page.evaluate("'axe' in window"):
        lab.page.evaluate(AXE.read_text())
    # axe does not see through a canvas: it would judge no contrast below or above the live lines
    violations = lab.page.evaluate(
        """async ([within, rules]) => {
            const { style } = document.querySelector("canvas.live-lines");
            style.display = "none";
            const { violations } = await axe.run(within, { resultTypes: ["violations"], runOnly: rules });
            style.display = "";
            return violations;
        }""",
        [within, RULES],
    )
    return [f"{each['id']}: {[node['target'] for node in each['nodes']]}" for each in violations]


def faults(
    lab: Dashboard,
    within: str = "html",
    *,
    themes: tuple[Theme, ...] = THEMES,
    axe_in: tuple[Theme, ...] = ("light",),
) -> list[str]:
    """Return the page's faults: pale words in these themes, and axe's violations.

    Themes differ only in colours. The page follows the system.
    """
    violations = []
    for theme in themes:
        lab.page.emulate_media(color_scheme=theme)
        expect(lab.page.locator("html")).to_have_attribute("data-theme", theme)
        settled(lab)
        wrong = [*(axe(lab, within) if theme in axe_in else ()), *lab.page.evaluate(FAINT_TEXTS)]
        violations += [f"{theme}: {fault}" for fault in wrong]
    return violations


def faults_in_both_themes(lab: Dashboard) -> list[str]:
    return faults(lab, axe_in=THEMES)


# Controls outside the visible part of the stage, where nothing scrolls to them.
CUT_OFF = """() => [...document.querySelectorAll("transport-bar, .figure-head")].flatMap((line) => {
    const { right } = line.getBoundingClientRect();
    return [...line.querySelectorAll("button, select")].filter((each) => each.getBoundingClientRect().right > right + 1)
        .map((each) => each.textContent || each.getAttribute("aria-label"));
})"""


def test_axe_and_the_contrast_measure_find_planted_faults(open_lab: OpenLab) -> None:
    """A planted fault of each kind is found."""
    lab = open_lab()
    lab.page.evaluate("""() => {
        const pale = Object.assign(document.createElement("p"), { textContent: "pale words" });
        pale.style.color = "#999";
        document.querySelector(".notes").append(pale, document.createElement("button"));
    }""")
    text = " ".join(faults_in_both_themes(lab))
    assert "light: button-name" in text
    assert "light: color-contrast" in text
    assert "dark: button-name" in text
    assert "light: pale words: 2." in text


def test_axe_finds_nothing_on_a_desktop(open_lab: OpenLab) -> None:
    lab = open_lab(plotted=True)
    assert faults_in_both_themes(lab) == []
    # two runs with markers, a dead layer
    lab.make_steps(900)
    lab.card("gd").get_by_role("radio", name="Mini-batch").click()
    lab.settings("run sgd").get_by_role("radio", name="Adam").click()
    lab.page.keyboard.press("Escape")
    expect(lab.flags).to_have_count(2)
    lab.page.get_by_role("radiogroup", name="Run shown").get_by_role("radio", name="Adam").click()
    expect(lab.page.locator("network-drawing g.dead").first).to_be_visible()
    assert faults(lab) == []
    # a refused value, four runs
    lab.button("Add a run").click()
    lab.button("Add a run").click()
    expect(lab.page.locator("run-card")).to_have_count(4)
    expect(lab.page.locator("doctor-list .finding .acts").first).to_be_in_viewport()
    third = lab.page.locator("run-card").nth(3).get_by_label(re.compile("^Learning rate of [^,]*$"))
    third.fill("-1")
    third.press("Enter")
    assert faults(lab, axe_in=("dark",)) == []


def test_axe_finds_nothing_in_panels_and_dialogs(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(5)
    lab.choose("More: files, theme, keys", "Words and keys")
    assert faults(lab) == []
    lab.page.keyboard.press("Escape")
    lab.page.keyboard.press("a")
    assert faults(lab) == []
    lab.page.keyboard.press("Escape")
    lab.page.keyboard.press("s")
    expect(lab.page.get_by_text(ONLY_HERE)).to_be_visible()
    assert faults(lab) == []
    lab.page.keyboard.press("Escape")
    reached_at(lab, IN_THE_NETWORK)
    lab.page.keyboard.press("s")
    expect(lab.page.locator("img.qr")).to_be_visible()
    assert faults(lab) == []
    lab.page.keyboard.press("Escape")
    lab.settings("network")
    lab.page.get_by_role("button", name=re.compile("Hidden layer 1")).click()
    assert faults(lab) == []
    lab.page.keyboard.press("Escape")
    lab.settings("run gd")
    assert faults(lab) == []
    for opener in ("More: files, theme, keys", "Axes", BELOW):
        lab.page.get_by_role("button", name=opener).click()
        assert faults(lab, axe_in=()) == []
        lab.page.keyboard.press("Escape")
    lab.page.keyboard.press("ArrowLeft")
    expect(lab.page.locator("race-table th.moment")).to_have_text("As of step 4")
    lab.play.click()
    expect(lab.page.get_by_role("dialog", name="Continue from step 4?")).to_be_visible()
    assert lab.focused == "Continue here"
    assert faults(lab) == []


def test_axe_finds_nothing_on_a_phone(open_lab: OpenLab) -> None:
    lab = open_lab(PHONE, plotted=True)
    assert faults_in_both_themes(lab) == []
    lab.button("Recipe (B)").click()
    assert faults(lab) == []
    lab.page.keyboard.press("Escape")
    lab.choose("More: files, theme, keys", "Words and keys")
    assert faults(lab) == []
    lab.page.keyboard.press("Escape")
    lab.make_steps(600)
    lab.page.evaluate("document.querySelector('network-drawing').scrollIntoView({ block: 'center' })")
    assert faults(lab, axe_in=("dark",)) == []


def test_axe_finds_nothing_in_the_strips(open_lab: OpenLab, line: Line) -> None:
    lab = open_lab((1000, 800), at=line.address, drawn=True)
    lab.allow("WebSocket connection to", "Failed to load resource")
    lab.make_steps(10)
    lab.button("Recipe (B)").click()
    lab.rate("GD").fill("1e5")
    lab.rate("GD").press("Enter")
    lab.page.keyboard.press("Escape")
    lab.button("1 step (right arrow)").click()
    expect(lab.strip).to_have_attribute("data-strip", "diverged")
    assert faults(lab) == []
    line.cut()
    expect(lab.strip).to_have_attribute("data-strip", "reconnecting")
    assert faults(lab) == []


def test_axe_and_touch_checks_find_nothing_for_a_visitor_who_watches(open_lab: OpenLab) -> None:
    lab = open_lab(PHONE)
    lab.make_steps(5)
    lab.page.goto(f"{lab.address}/#watch={lab.stored['id']}")
    expect(lab.page.locator("watch-line")).to_contain_text("You are watching.")
    assert faults(lab) == []
    assert lab.page.evaluate(SMALL_TARGETS) == []
    reached_at(lab, IN_THE_NETWORK)
    lab.button("Share (S)").tap()
    expect(lab.page.locator("img.qr")).to_be_visible()
    assert faults(lab) == []
    assert lab.page.evaluate(SMALL_TARGETS) == []
    for width in (320, 390):
        lab.resize(width, 640)
        assert lab.page.locator("dialog").evaluate("(each) => each.scrollWidth <= each.clientWidth")


def test_every_target_on_a_phone_is_large_enough_for_a_finger(open_lab: OpenLab) -> None:
    lab = open_lab(PHONE)
    name = lab.page.locator("exhibit-picker .button .name")
    assert name.evaluate("(each) => each.scrollHeight <= each.clientHeight"), "it is not cut"
    assert lab.page.evaluate(SMALL_TARGETS) == []
    lab.button("Recipe (B)").click()
    assert lab.page.evaluate(SMALL_TARGETS) == []
    lab.settings("run gd").get_by_role("radio", name="Mini-batch").tap()
    expect(lab.page.get_by_role("slider", name="Batch size of Mini-batch")).to_be_visible()
    assert lab.page.evaluate(SMALL_TARGETS) == []
    lab.page.keyboard.press("Escape")
    lab.page.keyboard.press("Escape")
    lab.page.get_by_role("button", name=re.compile("^Speed: 60")).tap()
    expect(lab.page.get_by_role("dialog", name="Speed")).to_be_visible()
    assert lab.page.evaluate(SMALL_TARGETS) == []
    lab.page.keyboard.press("Escape")
    lab.make_steps(20)
    lab.page.keyboard.press("ArrowLeft")
    expect(lab.page.locator("race-table th.moment")).to_have_text("As of step 19")
    lab.page.locator("button.play").tap()
    expect(lab.page.get_by_role("dialog", name="Continue from step 19?")).to_be_visible()
    assert lab.page.evaluate(SMALL_TARGETS) == []


def test_a_notice_on_a_phone_covers_nothing_and_its_undo_works_over_an_open_sheet(
    open_lab: OpenLab,
) -> None:
    lab = open_lab(PHONE)
    lab.button("Recipe (B)").tap()
    lab.settings("data")
    seed = lab.page.get_by_role("textbox", name="Data seed")
    seed.fill("7")
    seed.press("Enter")
    undo = lab.notice.get_by_role("button", name="Undo")
    undo.click(trial=True)  # neither the sheet nor its backdrop covers it
    lab.page.keyboard.press("Escape")
    lab.page.keyboard.press("Escape")
    lab.page.wait_for_selector(".rail.recipe:not(.open)", state="attached")
    names = ("transport-bar", "notice-toast", "transport-bar .scrub", "button.play")
    places = {each: lab.page.locator(each).bounding_box() for each in names}
    transport, notice, timeline, play = (box for box in places.values() if box)
    # in the transport, above its controls: the page ends above it
    assert transport["y"] <= notice["y"], places
    assert notice["y"] + notice["height"] <= min(timeline["y"], play["y"]), places
    undo.tap()
    expect(lab.notice).to_have_count(0)
    low = lab.page.locator("transport-bar").bounding_box()
    assert low, "no transport"
    assert low["y"] > notice["y"] + notice["height"], low


def test_nothing_scrolls_sideways_on_a_narrow_page(open_lab: OpenLab) -> None:
    lab = open_lab((320, 640), plotted=True)
    lab.make_steps(1200)
    for width in (320, 360, 390, 720, 721, 900, 901, 1120, 1221, 1380, 1381):
        lab.resize(width, 700)
        assert lab.page.evaluate(CUT_OFF) == [], width


def test_a_phone_shows_everything_in_one_column_over_a_transport_that_stays(open_lab: OpenLab) -> None:
    lab = open_lab(PHONE, drawn=True)
    lab.make_steps(5)
    play = lab.page.locator("button.play")
    for part in ("race-table", ".plot.gradients", "network-drawing", "predicted-true", "doctor-list"):
        lab.page.locator(part).scroll_into_view_if_needed()
        expect(lab.page.locator(part)).to_be_in_viewport()
        expect(play).to_be_in_viewport(ratio=1)
    lab.page.mouse.wheel(0, 9000)
    bottom = lab.page.locator("doctor-list").bounding_box()
    bar = lab.page.locator("transport-bar").bounding_box()
    assert bottom
    assert bar
    assert bottom["y"] + bottom["height"] <= bar["y"], "its end is above the transport"
    lab.axis("epochs")
    lab.button("Axes").tap()
    expect(lab.page.get_by_role("menuitemradio", name="epochs")).to_be_checked()


def test_the_network_has_a_text_version(open_lab: OpenLab) -> None:
    lab = open_lab(DESKTOP)
    expect(lab.page.get_by_role("img", name="Network of run GD: 5 inputs, 4 relu")).to_be_visible()
    expect(lab.page.get_by_role("table", name="Layers of run GD").get_by_role("row")).to_have_count(4)


def test_a_pause_is_announced_and_charts_have_a_sentence_as_name(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(1)
    expect(lab.page.locator("page-announcer")).to_contain_text("Step 1. GD")
    expect(lab.page.locator("page-announcer")).to_have_attribute("aria-live", "polite")
    expect(lab.chart("loss")).to_have_attribute(
        "aria-label", re.compile(r"^Loss by step\. GD started at .*\. SGD started at .*\.$")
    )


def test_a_screen_reader_hears_that_one_looks_back(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(42)
    spoken = lab.page.locator("page-announcer")
    travel = lab.page.get_by_label("Time travel")
    travel.fill("12")
    expect(spoken).to_contain_text("Looking back, step 12 of 42. GD")
    travel.fill("0")
    expect(spoken).to_contain_text("Looking back, step 0 of 42. GD")
    lab.page.keyboard.press("l")
    expect(spoken).to_contain_text("Step 42. GD")


def test_reduced_motion_stops_animations_and_slows_charts(open_lab: OpenLab) -> None:
    lab = open_lab(reduced_motion="reduce", drawn=True, query="?fps=30")
    long = lab.page.evaluate("""() => [...document.querySelectorAll("*")].filter((each) => {
        const { transitionDuration, animationDuration } = getComputedStyle(each);
        return `${transitionDuration}, ${animationDuration}`.split(", ").some((time) => parseFloat(time) > 0.001);
    }).length""")
    assert long == 0
    # a run is chosen, so that a finding does not switch the network and cause a draw
    lab.page.get_by_role("radiogroup", name="Run shown").get_by_role("radio", name="SGD").click()
    lab.play.click()
    lab.until(lambda: lab.step, lambda step: step > 30)

    def draws() -> tuple[int, float]:
        """Return the loss chart's number of draws and the time."""
        count, now = lab.page.evaluate(
            "() => [+document.querySelector('plotly-chart[kind=loss]').dataset.draws, performance.now()]"
        )
        return int(count), float(now)

    before, began = draws()
    _, ended = lab.until(draws, lambda counted: counted[0] >= before + 4)
    # four draws a second at most
    assert ended - began > 600
