"""Elements render again only when what they show changes, and keep what a person is doing in them."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from browser.conftest import OpenLab
from browser.dashboard import Dashboard

# Counts changes below an element, and marks its parts: a part that is replaced loses its mark.
WATCH = """(selector) => {
    const root = document.querySelector(selector);
    window.changes = 0;
    new MutationObserver((records) => { window.changes += records.length; })
        .observe(root, { subtree: true, childList: true, attributes: true, characterData: true });
    for (const part of root.querySelectorAll("*")) part.isOld = true;
}"""
NEW_PARTS = "(selector) => [...document.querySelectorAll(selector)].filter((part) => !part.isOld).length"

STATE_OF_TYPING = """() => {
    const { activeElement: box } = document;
    return [box.getAttribute("aria-label"), box.value, box.selectionStart, box.selectionEnd];
}"""


def await_frames(lab: Dashboard, count: int = 20) -> None:
    """Wait until so many more steps have been shown."""
    start = lab.step
    lab.until(lambda: lab.step, lambda step: step >= start + count)


def test_frames_change_nothing_in_a_card_and_replace_nothing_in_the_table(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_own()
    lab.play.click()
    await_frames(lab)
    lab.page.evaluate(WATCH, "run-card")
    await_frames(lab)
    assert lab.page.evaluate("window.changes") == 0
    lab.page.evaluate(WATCH, "race-table")
    await_frames(lab)
    assert lab.page.evaluate("window.changes") > 0
    assert lab.page.evaluate(NEW_PARTS, "race-table :is(tr, th, td)") == 0


def test_typing_focus_and_selection_survive_frames_and_edits(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_own()
    lab.play.click()
    await_frames(lab)
    lab.rate("SGD").click()
    lab.page.keyboard.press("Control+a")
    lab.page.keyboard.type("0.0123")
    for key in ("ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowLeft"):
        lab.page.keyboard.press(key)
    typing = ["Learning rate of SGD", "0.0123", 3, 5]
    assert lab.page.evaluate(STATE_OF_TYPING) == typing
    # somebody edits the same run
    lab.ask("PATCH", "/runs/sgd", {"l2": 0.001})
    expect(lab.rule("sgd")).to_have_attribute("title", re.compile("L2 0.001"))
    await_frames(lab)
    assert lab.page.evaluate(STATE_OF_TYPING) == typing
    lab.page.keyboard.press("Enter")
    lab.until(lambda: lab.ask("GET", "/recipe")["runs"][1]["edits"], lambda edits: len(edits) == 2)
    assert lab.focused == "Learning rate of SGD"


def test_a_refused_text_stays_with_its_message_until_the_value_changes(open_lab: OpenLab) -> None:
    lab = open_lab()
    box = lab.rate("GD")
    box.fill("-1")
    box.press("Enter")
    message = lab.card("gd").get_by_role("alert")
    expect(message).to_have_text("A rate is a number above 0.")
    lab.ask("PATCH", "/runs/gd", {"l2": 0.001})
    expect(lab.rule("gd")).to_have_attribute("title", re.compile("L2 0.001"))
    expect(message).to_be_visible()
    expect(box).to_have_value("-1")
    lab.ask("PATCH", "/runs/gd", {"learning_rate": 0.2})
    expect(box).to_have_value("0.2")
    expect(message).to_have_count(0)
    expect(box).not_to_have_attribute("aria-invalid", "true")


def test_choosing_in_a_list_keeps_the_focus_on_its_select(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.settings("run gd").locator("summary").click()
    schedule = lab.page.get_by_role("combobox", name="Schedule of GD")
    schedule.focus()
    for key in ("Enter", "ArrowDown", "Enter"):
        lab.page.keyboard.press(key)
    expect(lab.card("gd").locator("details")).to_have_attribute("open", "")
    expect(lab.card("gd").locator("summary")).not_to_contain_text("constant")
    assert lab.focused == "Schedule of GD"


def test_frames_leave_a_notice_alone_and_the_same_words_again_are_a_new_notice(open_lab: OpenLab) -> None:
    """Screen readers read the new parts of a live region."""
    lab = open_lab()
    lab.make_own()
    lab.settings("data")
    noise = lab.page.get_by_label("Noise", exact=True)
    for value in ("0.1", "0.2"):
        noise.fill(value)
        noise.press("Enter")
        lab.until(lambda: int(lab.page.evaluate(NEW_PARTS, "notice-toast .notice")), bool)
        expect(lab.notice).to_contain_text("New data: both runs start again at step 0.")
        lab.page.evaluate(WATCH, "notice-toast")
    lab.play.click()
    await_frames(lab, 5)
    assert lab.page.evaluate(NEW_PARTS, "notice-toast .notice") == 0
