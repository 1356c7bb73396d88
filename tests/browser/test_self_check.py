"""The self-check of the run on screen."""

from __future__ import annotations

from playwright.sync_api import expect

from browser.conftest import OpenLab
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
