"""All words can be read, on a desktop and above the table on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from browser.conftest import OpenLab
from browser.dashboard import BELOW, DESKTOP, PHONE
from browser.test_stage import HEIGHTS, PLACES, SIZES

# Words that end in an ellipsis. Hidden parts of a fitting line and names for screen readers do not count.
CUT = """() => [...document.querySelectorAll("body *")].filter((each) => {
    const { textOverflow, overflowX, clipPath } = getComputedStyle(each);
    const line = each.closest(".fitting")?.getBoundingClientRect();
    const isBelow = line && each.getBoundingClientRect().top >= line.bottom;
    const isSeen = each.checkVisibility() && clipPath === "none" && !isBelow;
    return isSeen && textOverflow === "ellipsis" && overflowX !== "visible" && each.scrollWidth > each.clientWidth;
}).map((each) => each.textContent)"""


@pytest.mark.parametrize("size", [DESKTOP, (1280, 800)])
def test_no_words_of_the_notebooks_experiment_are_cut_on_a_desktop(
    open_lab: OpenLab, size: tuple[int, int]
) -> None:
    lab = open_lab(size)
    assert lab.page.evaluate(CUT) == []
    lab.make_steps(300)
    assert lab.page.evaluate(CUT) == []
    fork = {
        "name": "sgd-210",
        "fork_of": "sgd",
        "at_step": 210,
        "label": "SGD from 210",
        "learning_rate": 0.005,
    }
    lab.ask("POST", "/runs", fork)
    expect(lab.row("sgd-210")).to_be_visible()
    lab.play.click()
    end = lab.page.locator("predicted-true .end")
    expect(end).to_have_text(re.compile(r"^steps [\d,]+ to [\d,]+, 300 test samples$"))
    assert lab.page.evaluate(CUT) == []
    lab.rest()
    lab.page.keyboard.press("ArrowLeft")
    expect(end).to_have_text(re.compile(r"300 test samples$"))
    assert lab.page.evaluate(CUT) == []
    lab.page.get_by_role("button", name=BELOW).click()
    assert lab.page.evaluate(CUT) == []
    measures = lab.page.get_by_role("group", name="Gradient per layer").get_by_role("menuitemradio")
    expect(measures.filter(has_text="norm(change of W) / norm(W): ")).to_be_visible()


@pytest.mark.parametrize("size", [(320, 700), PHONE, (1121, 800)])
def test_the_table_names_runs_at_other_steps_in_full(open_lab: OpenLab, size: tuple[int, int]) -> None:
    lab = open_lab(size)
    lab.make_steps(8000)
    lab.ask("POST", "/reset", {"run": "sgd"})
    for name, step in (("f1", 4000), ("f2", 1234)):
        lab.ask("POST", "/runs", {"name": name, "fork_of": "gd", "at_step": step})
    moment = lab.page.locator("race-table th.moment")
    expect(moment).to_have_text("At step 8,000 (SGD at 0, F1 at 4,000, F2 at 1,234)")
    room = lab.page.evaluate("""() => {
        const { scrollWidth, clientWidth, scrollHeight, clientHeight } = document.querySelector("race-table th.moment");
        return [scrollWidth - clientWidth, scrollHeight - clientHeight];
    }""")
    assert max(room) <= 0


def test_the_measure_finds_cut_words(open_lab: OpenLab) -> None:
    lab = open_lab()
    name = "A name that is longer than its room in the card and in the table"
    lab.ask("PATCH", "/runs/gd", {"label": name})
    expect(lab.card("gd")).to_contain_text(name)
    assert lab.page.evaluate(CUT) == []
    lab.page.evaluate("""() => {
        const { style } = document.querySelector("run-card .name");
        style.cssText = "overflow: hidden; text-overflow: ellipsis; white-space: nowrap";
    }""")
    assert lab.page.evaluate(CUT) == [name]


# Words in the page's language, 40 % longer, as in a translation. Names such as "GD", numbers, code and charts stay: a
# chart measures its words when it draws them.
LONGER = """() => {
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walk.nextNode()) texts.push(walk.currentNode);
    const longer = (word) => word + "\u00e4".repeat(Math.ceil(0.4 * word.length));
    let count = 0;
    for (const text of texts) {
        const { parentElement: at } = text;
        if (at.closest("script, style, svg, kbd, .brand, plotly-chart, .fall-labels")) continue;
        if (getComputedStyle(at).fontFamily.includes("monospace")) continue;
        const data = text.data.replace(/\\p{L}\\p{Ll}+/gu, (word) => (word.includes("\u00e4") ? word : longer(word)));
        if (data !== text.data) count++;
        text.data = data;
    }
    return count;
}"""
# Words outside the window, outside their control, or over other words.
BROKEN = """(within) => {
    const seen = [];
    const isClipped = (each) => each && (getComputedStyle(each).clipPath !== "none" || isClipped(each.parentElement));
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const text = walk.currentNode;
        const element = text.parentElement;
        if (!element.closest(within) || !text.data.trim()) continue;
        if (element.closest("script, style, option, svg, .fitting, plotly-chart")) continue;
        if (!element.checkVisibility({ visibilityProperty: true }) || isClipped(element)) continue;
        const range = document.createRange();
        range.selectNodeContents(text);
        for (const box of range.getClientRects()) if (box.width > 1) seen.push({ text, element, box });
    }
    const faults = [];
    const wide = document.documentElement.clientWidth;
    for (const { text, element, box } of seen) {
        if (box.right > wide + 1 || box.left < -1) faults.push(`outside the window: ${text.data}`);
        const control = element.closest("button, .switch, th, td, h1, h2")?.getBoundingClientRect();
        if (control && (box.right > control.right + 1 || box.left < control.left - 1))
            faults.push(`outside its control: ${text.data}`);
    }
    for (const [k, one] of seen.entries())
        for (const other of seen.slice(k + 1)) {
            const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
            const down = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
            if (one.text === other.text) continue;
            const isBar = [one, other].some(({ element }) => element.closest("transport-bar, top-bar"));
            if (across > 1 && down > 4 && !isBar) faults.push(`over each other: ${one.text.data} | ${other.text.data}`);
        }
    return faults;
}"""


@pytest.mark.parametrize("size", SIZES)
def test_words_40_percent_longer_break_nothing(open_lab: OpenLab, size: tuple[int, int]) -> None:
    lab = open_lab(size, drawn=True)
    for steps, least in ((0, 15), (300, 3)):
        if steps:
            lab.make_steps(steps)
        assert lab.page.evaluate(BROKEN, "body") == []
        assert lab.page.evaluate(LONGER) > least
        lab.page.wait_for_timeout(100)
        faults = lab.page.evaluate(BROKEN, "body")
        assert not faults, "\n".join(faults)
        places = lab.page.evaluate(PLACES)
        assert places["wide"] <= size[0]
        assert places["stage"] <= 0
        assert places["transport"]["height"] <= size[1] / 6
        assert places["loss"] >= 0.75 * HEIGHTS[size], "a long question may take room, the chart stays"


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_panels_and_dialogs_hold_words_40_percent_longer(open_lab: OpenLab, size: tuple[int, int]) -> None:
    lab = open_lab(size)
    lab.make_steps(250)
    press = lab.page.keyboard.press

    def look(within: str) -> None:
        assert lab.page.evaluate(LONGER) > 0
        faults = lab.page.evaluate(BROKEN, within)
        assert not faults, "\n".join(faults)

    for key in ("s", "?", "a"):
        press(key)
        dialog = lab.page.get_by_role("dialog").first
        expect(dialog).to_be_visible()
        look("dialog")
        press("Escape")
        expect(dialog).to_have_count(0)
    press("i")
    lab.page.wait_for_selector(".equation")
    look(".drawer > .head, .line-view > .say")
    press("i")
    if size == PHONE:
        lab.button("Recipe (B)").click()
    for of in ("data", "network", "run sgd"):
        lab.settings(of)
        look(".rail.recipe")
