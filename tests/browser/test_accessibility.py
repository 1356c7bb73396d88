"""The page for those who do not see it as drawn: the rules of axe, sizes for fingers, narrow pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import DESKTOP, PHONE, OpenLab

AXE = Path(__file__).parents[1] / "frontend/node_modules/axe-core/axe.min.js"

SMALL_TARGETS = """() => [...document.querySelectorAll("button, input, select, a, [role=tab]")]
    .filter((each) => each.checkVisibility() && !each.closest(".skip"))
    .map((each) => [each.getAttribute("aria-label") ?? each.textContent, each.getBoundingClientRect()])
    .filter(([_, box]) => box.width < 43.5 || box.height < 43.5)
    .map(([name, box]) => `${name} ${box.width} x ${box.height}`)"""


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    return [f"{each['id']}: {[node['target'] for node in each['nodes']]}" for each in found]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE, (1000, 800)])
def test_axe_finds_nothing_before_and_during_the_race(
    open_lab: OpenLab, size: tuple[int, int], theme: str
) -> None:
    page = open_lab(size, theme)
    assert violations(page) == []
    page.get_by_role("button", name="Start the race").click()
    expect(page.locator("race-table tr[data-run=gd]")).not_to_have_attribute("data-state", "waiting")
    assert violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_what_opens_over_the_page(open_lab: OpenLab, theme: str) -> None:
    page = open_lab(PHONE, theme)
    for name in ("Help and keyboard shortcuts (?)", "Recipe (B)"):
        page.get_by_role("button", name=name).click()
        # colours are measured when the sheet has arrived
        page.evaluate("Promise.all(document.getAnimations().map(({ finished }) => finished))")
        assert violations(page) == []
        page.keyboard.press("Escape")
    page.get_by_role("tab", name="Network").click()
    assert violations(page) == []


def test_a_finger_finds_every_target_on_a_phone(open_lab: OpenLab) -> None:
    page = open_lab(PHONE)
    assert page.evaluate(SMALL_TARGETS) == []
    page.get_by_role("button", name="Recipe (B)").click()
    assert page.evaluate(SMALL_TARGETS) == []


@pytest.mark.parametrize("width", [320, 360, 390, 720])
def test_nothing_scrolls_sideways_on_a_narrow_page(open_lab: OpenLab, width: int) -> None:
    page = open_lab((width, 700))
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_network_has_a_twin_in_words(open_lab: OpenLab) -> None:
    page = open_lab()
    expect(page.get_by_role("img", name="Network of run GD: 5 inputs, 4 relu")).to_be_visible()
    expect(page.get_by_role("table", name="Layers of run GD").get_by_role("row")).to_have_count(4)


def test_the_race_is_told_once_it_is_paused(open_lab: OpenLab) -> None:
    page = open_lab()
    page.keyboard.press("ArrowRight")
    expect(page.locator("story-teller")).to_contain_text("Step 1. GD")
