"""All words can be read, on a desktop and above the table on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from browser.conftest import OpenLab
from browser.dashboard import BELOW, DESKTOP, PHONE

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
def test_the_table_names_runs_at_other_steps_in_full_or_their_range(
    open_lab: OpenLab, size: tuple[int, int]
) -> None:
    lab = open_lab(size)
    lab.make_steps(8000)
    lab.ask("POST", "/reset", {"run": "sgd"})
    for name, step in (("f1", 4000), ("f2", 1234)):
        lab.ask("POST", "/runs", {"name": name, "fork_of": "gd", "at_step": step})
    moment = lab.page.locator("race-table th.moment")
    in_full = "At step 8,000 (SGD at 0, F1 at 4,000, F2 at 1,234)"
    expect(moment).to_have_text("At steps 0–8,000" if size[0] < 720 else in_full)
    expect(moment).to_have_attribute("title", in_full)
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
