"""Stop conditions: a run stops, says why, and continues on request."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from browser.conftest import OpenLab


def test_a_run_stops_when_a_layer_dies_and_continues_on_request(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.settings("run sgd").locator("summary").click()
    lab.page.get_by_role("combobox", name="Stop SGD when").select_option("layer_dies")
    expect(lab.card("sgd").locator("summary")).to_contain_text("stops when a layer dies")
    # the page shows it at once, the server after the command
    lab.until(lambda: lab.ask("GET")["recipe"]["runs"][1]["edits"], bool)
    lab.make_steps(300)
    expect(lab.strip).to_contain_text(re.compile(r"SGD stopped at step 1\d\d, when a layer dies\."))
    stopped = lab.ask("GET")["runs"][1]
    assert (stopped["status"], stopped["finished_by"]) == ("finished", {"when": "layer_dies"})
    lab.strip.get_by_role("button", name="Continue SGD").click()
    expect(lab.strip).to_be_hidden()
    lab.make_steps(10)
    assert lab.ask("GET")["runs"][1]["step"] == stopped["step"] + 10


def test_a_condition_has_its_number_and_a_mark_on_the_timeline(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.settings("run gd").locator("summary").click()
    choice = lab.page.get_by_role("combobox", name="Stop GD when")
    choice.select_option("train_loss")
    box = lab.page.get_by_role("textbox", name="Below of the stop of GD")
    expect(box).to_have_value("0.01")
    box.fill("0.1")
    box.press("Enter")
    lab.until(
        lambda: lab.ask("GET")["recipe"]["runs"][0]["edits"],
        lambda edits: edits == [{"at_step": 0, "stop": [{"when": "train_loss", "below": 0.1}]}],
    )
    lab.make_steps(400)
    expect(lab.strip).to_contain_text("when train loss is below 0.1")
    assert lab.ask("GET")["runs"][0]["latest"]["train_loss"]["value"] < 0.1
    choice.select_option("never")
    expect(lab.strip).to_be_hidden()
