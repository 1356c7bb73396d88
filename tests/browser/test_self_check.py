"""The self-check of the run on screen."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from browser.conftest import OpenLab
from browser.dashboard import DESKTOP, PHONE
from browser.test_accessibility import faults


def test_a_run_is_checked_at_its_present_step(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(300)
    lab.page.locator("network-drawing").get_by_role("radio", name="SGD").click()
    lab.button("Is this gradient right?").click()
    panel = lab.page.locator("self-check")
    expect(panel.get_by_role("status")).to_contain_text("SGD at step 300")
    expect(panel.get_by_role("status")).to_contain_text("4 of 4 checks passed.")
    expect(panel.get_by_role("listitem")).to_have_count(4)
    expect(panel.get_by_role("img", name="passed")).to_have_count(4)
    assert faults(lab) == []
    lab.page.locator("network-drawing").get_by_role("radio", name="GD", exact=True).click()
    expect(panel.get_by_role("listitem")).to_have_count(0)


@pytest.mark.parametrize("size", [DESKTOP, (1366, 650), PHONE])
def test_its_results_come_into_sight(open_lab: OpenLab, size: tuple[int, int]) -> None:
    lab = open_lab(size)
    lab.make_steps(300)
    # the list above does not grow any more
    lab.ask("GET", "/runs/gd/findings", wait=20)
    lab.ask("GET", "/runs/sgd/findings", wait=20)
    expect(lab.page.locator("doctor-list .looked")).to_be_empty()
    lab.button("Is this gradient right?").click()
    results = lab.page.locator("self-check").get_by_role("listitem")
    expect(results).to_have_count(4)
    result = results.last
    if size[1] < 700:  # the Doctor has a low room of its own, which shows where they begin
        expect(lab.page.locator("self-check").get_by_role("status")).to_be_in_viewport(ratio=1)
        result = results.first
    expect(result).to_be_in_viewport(ratio=0.95)
    box, transport = result.bounding_box(), lab.page.locator("transport-bar").bounding_box()
    assert box
    assert transport
    is_beside = box["x"] >= transport["x"] + transport["width"]
    assert is_beside or box["y"] + box["height"] <= transport["y"] + 2
