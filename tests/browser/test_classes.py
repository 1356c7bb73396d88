"""Classes on the page: accuracy in place of R2, the majority as baseline, a table of which was taken for which."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from browser.conftest import Visits
from browser.dashboard import PHONE, Dashboard
from browser.test_accessibility import faults

MOONS: dict[str, Any] = {
    "data": {"name": "moons", "samples": 400, "noise": 0.1, "test_fraction": 0.25},
    "network": {"layers": [{"units": 6, "activation": "tanh"}], "weights": "xavier"},
    "runs": [
        {"name": "gd", "learning_rate": 0.5},
        {"name": "adam", "optimizer": "adam", "learning_rate": 0.05, "batch_size": 32},
    ],
}


def opened(visits: Visits, address: str, recipe: dict[str, Any], **profile: Any) -> Dashboard:
    """The page of somebody who was at this experiment before."""
    made = httpx.post(f"{address}/api/v1/experiments", json=recipe).json()
    kept = json.dumps({"id": made["id"], "token": made["token"], "recipe": recipe})
    lab = visits.tab(**profile)
    lab.page.evaluate("(kept) => localStorage.setItem('fallline.experiment', kept)", kept)
    return lab.open(drawn=True)


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "softmax_cross_entropy"])
def test_which_class_was_taken_for_which_is_counted_in_a_table(
    visits: Visits, address: str, loss: str
) -> None:
    lab = opened(visits, address, {**MOONS, "loss": loss})
    lab.make_steps(400)
    table = lab.page.locator('.confusion[data-run="adam"]')
    lab.until(lambda: table.get_attribute("data-step"), lambda step: step == "400")
    shown = lab.ask("GET", "/runs/adam/instruments/predictions")
    pairs = list(zip(shown["y"], shown["y_pred"], strict=True))
    cells = table.locator("tbody td").all_inner_texts()
    assert cells == [str(pairs.count((truth, guess))) for truth in (0, 1) for guess in (0, 1)]
    right = sum(truth == guess for truth, guess in pairs)
    words = table.locator("caption").inner_text()
    assert words.startswith(f"Adam: {right} of 100 test samples in their class")
    assert lab.page.locator("plotly-chart[kind=scatter]").count() == 0


def test_the_page_speaks_of_accuracy_and_the_majority(visits: Visits, address: str) -> None:
    lab = opened(visits, address, {**MOONS, "loss": "softmax_cross_entropy"})
    lab.make_steps(100)
    head = lab.page.locator("race-table thead")
    assert "Accuracy test" in head.inner_text()
    shown = lab.ask("GET")["runs"][0]["latest"]["test_accuracy"]["value"]
    assert f"{shown:.2f}" in lab.row("gd").inner_text()
    assert "softmax cross-entropy over all 300" in lab.page.locator("loss-head").inner_text()
    assert lab.page.locator(".chart-label.baseline").inner_text() == "predicting the majority: 0.693"
    assert "logits" in str(lab.page.locator("svg.network").text_content())
    assert lab.page.locator("network-drawing .output-unit").count() == 2


def test_going_from_numbers_to_classes_and_back_changes_what_is_drawn(visits: Visits, address: str) -> None:
    lab = opened(visits, address, MOONS)
    assert lab.page.locator(".confusion").count() == 2
    lab.page.get_by_label("Data set").select_option("linear")
    lab.chart("scatter").wait_for()
    assert lab.page.locator(".confusion").count() == 0
    assert "R²" in lab.page.locator("race-table thead").inner_text()
    lab.page.get_by_label("Data set").select_option("xor")
    lab.page.locator(".confusion").first.wait_for()
    assert lab.page.locator("plotly-chart[kind=scatter]").count() == 0
    lab.page.locator('run-card[data-run="gd"]').get_by_role("button", name="Hide GD in the charts").click()
    lab.until(lambda: lab.page.locator(".confusion").count(), lambda count: count == 1)


def test_axe_finds_nothing_in_tables_of_four_runs(visits: Visits, address: str) -> None:
    runs = [
        {"name": f"run-{place}", "learning_rate": rate} for place, rate in enumerate((0.5, 0.1, 1e-3, 1e-6))
    ]
    lab = opened(visits, address, {**MOONS, "runs": runs})
    lab.make_steps(200)
    expect(lab.page.locator(".confusion[data-step='200']")).to_have_count(4)
    assert faults(lab) == []


def test_tables_fit_on_a_phone(visits: Visits, address: str) -> None:
    lab = opened(visits, address, MOONS, size=PHONE)
    lab.page.get_by_role("tab", name="Network").click()
    lab.page.locator(".confusion").first.wait_for()
    assert lab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
