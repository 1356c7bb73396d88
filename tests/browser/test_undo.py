"""Undo of a reset, and where messages stand."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from browser.conftest import OpenLab
from browser.dashboard import DESKTOP, PHONE, Dashboard
from browser.test_exhibits import options, picker

BOXES = """(selectors) => selectors.map((each) => {
    const { left, top, right, bottom } = document.querySelector(each).getBoundingClientRect();
    return { left, top, right, bottom };
})"""


def boxes(lab: Dashboard, *selectors: str) -> list[dict[str, float]]:
    places: list[dict[str, float]] = lab.page.evaluate(BOXES, list(selectors))
    return places


def meets(one: dict[str, float], other: dict[str, float]) -> bool:
    across = one["left"] < other["right"] and other["left"] < one["right"]
    return across and one["top"] < other["bottom"] and other["top"] < one["bottom"]


def parameters(lab: Dashboard) -> Any:
    return lab.ask("GET", "/runs/sgd/snapshot")["parameters"]


@pytest.mark.parametrize("size", [(1920, 1080), (1440, 900), (1366, 650), (960, 540)])
def test_a_reset_says_in_the_transport_what_is_kept_and_undo_brings_it_back(
    open_lab: OpenLab, size: tuple[int, int]
) -> None:
    lab = open_lab(size, drawn=True)
    lab.make_steps(50)
    before = parameters(lab)
    lab.page.keyboard.press("r")
    expect(lab.notice).to_contain_text("Back at step 0. The 50 steps are kept.")
    lab.until_is(lambda: lab.step, 0)
    notice, transport, counter, doctor, chart = boxes(
        lab, ".notice", "transport-bar", "transport-bar .counter", "doctor-list", "plotly-chart[kind=loss]"
    )
    assert transport["left"] <= notice["left"] < notice["right"] <= transport["right"]
    assert transport["top"] <= notice["top"] < notice["bottom"] <= transport["bottom"] + 0.5
    play = boxes(lab, "button.play")[0]
    assert not any(meets(notice, other) for other in (counter, doctor, chart, play)), (notice, play)
    lab.notice.get_by_role("button", name="Undo").click()
    lab.until_is(lambda: lab.step, 50)
    expect(lab.notice).to_have_count(0)
    expect(lab.page.locator("race-table th.moment")).to_contain_text("At step 50")
    lab.until(lambda: lab.traces("loss", "train")["gd/train_loss"][0], lambda steps: steps[-1:] == [50])
    assert parameters(lab) == before


# The parts of the transport that a message covers, and how far the message stands out of the transport.
COVERED = """() => {
    const box = (element) => element.getBoundingClientRect();
    const notice = box(document.querySelector(".notice"));
    const transport = box(document.querySelector("transport-bar"));
    const parts = [...document.querySelectorAll("transport-bar :is(button, input, output, .track, .counter dd)")];
    const meets = ({ left, right, top, bottom }) =>
        left < notice.right && notice.left < right && top < notice.bottom && notice.top < bottom;
    const covered = parts.filter((each) => each.checkVisibility() && meets(box(each)));
    return { covered: covered.map((each) => each.outerHTML.slice(0, 80)),
        out: Math.max(transport.top - notice.top, notice.bottom - transport.bottom) };
}"""


@pytest.mark.parametrize(
    "size", [(1920, 1080), DESKTOP, (1280, 800), (1366, 650), (960, 540), (768, 1024), (844, 390)]
)
def test_a_message_covers_nothing_in_the_transport(open_lab: OpenLab, size: tuple[int, int]) -> None:
    lab = open_lab(size)
    lab.make_steps(50)
    lab.page.keyboard.press("r")
    expect(lab.notice).to_contain_text("Back at step 0. The 50 steps are kept.")
    lab.until_is(lambda: lab.step, 0)
    lab.until_is(lambda: lab.page.evaluate(COVERED)["covered"], [])
    assert lab.page.evaluate(COVERED)["out"] <= 0.5
    speed = lab.page.locator("transport-bar .brief-speed")
    expect(speed).to_be_visible()
    speed.click()
    expect(lab.page.get_by_role("dialog", name="Speed").get_by_role("slider")).to_be_visible()
    lab.page.keyboard.press("Escape")
    picker(lab).click()
    options(lab).filter(has_text="Two spirals").click()
    expect(lab.notice).to_contain_text("both runs start at step 0")
    lab.until_is(lambda: lab.page.evaluate(COVERED)["covered"], [])
    assert lab.page.evaluate(COVERED)["out"] <= 0.5


def test_on_a_phone_the_message_stands_above_the_controls_of_the_transport(open_lab: OpenLab) -> None:
    lab = open_lab(PHONE, drawn=True)
    lab.make_steps(20)
    lab.button("Back to step 0 (R)").tap()
    expect(lab.notice).to_contain_text("Back at step 0. The 20 steps are kept.")

    def places() -> list[dict[str, float]]:
        return boxes(lab, ".notice", "transport-bar", "transport-bar .scrub")

    # the transport grows in the frame after the message appears: then it covers nothing of the page
    notice, _, timeline = lab.until(places, lambda now: now[1]["top"] <= now[0]["top"])
    assert 0 < timeline["top"] - notice["bottom"] < 20
    lab.notice.get_by_role("button", name="Undo").tap()
    lab.until_is(lambda: lab.step, 20)


def test_a_removed_run_returns_with_its_steps_and_its_colour(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(30)
    before, lane = parameters(lab), lab.row("sgd").get_attribute("data-lane")
    lab.settings("run sgd").get_by_role("button", name="Remove").click()
    expect(lab.notice).to_contain_text("SGD is removed. Its 30 steps are kept.")
    lab.notice.get_by_role("button", name="Undo").click()
    expect(lab.row("sgd")).to_have_attribute("data-lane", str(lane))
    lab.until(lambda: lab.ask("GET")["runs"][-1]["step"], lambda step: step == 30)
    assert parameters(lab) == before


@pytest.mark.parametrize("size", [(1920, 1080), DESKTOP, (960, 540), PHONE])
def test_while_presenting_undo_stands_below_the_picture_and_the_keyboard_reaches_it(
    open_lab: OpenLab, size: tuple[int, int]
) -> None:
    lab = open_lab(size, drawn=True)
    lab.make_steps(50)
    press = lab.page.keyboard.press
    press("p")
    caption = lab.page.locator(".present-caption")
    expect(caption).to_be_visible()
    press("r")
    expect(lab.notice).to_contain_text("Back at step 0. The 50 steps are kept.")
    lab.until_is(lambda: lab.step, 0)
    notice, *others = boxes(lab, ".notice", ".present-controls", ".present-caption", ".stage")
    assert not any(meets(notice, other) for other in others), (notice, others)
    assert notice["left"] >= 0
    assert notice["right"] <= size[0]
    assert notice["bottom"] <= size[1]
    for _ in range(20):
        press("Tab")
        if lab.focused == "Undo":
            break
    press("Enter")
    lab.until_is(lambda: lab.step, 50)
    expect(lab.notice).to_have_count(0)
    expect(caption).to_be_visible()
    press("r")
    lab.until_is(lambda: lab.step, 0)
    lab.notice.get_by_role("button", name="Undo").click()
    lab.until_is(lambda: lab.step, 50)


def test_ctrl_z_takes_back_what_the_message_offers_and_nothing_else(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(50)
    press = lab.page.keyboard.press
    press("Control+z")  # there is nothing to undo
    press("r")
    expect(lab.notice).to_contain_text("Back at step 0. The 50 steps are kept.")
    lab.until_is(lambda: lab.step, 0)
    lab.page.get_by_label("Learning rate of GD", exact=True).focus()
    press("Control+z")  # the field's own
    press("z")
    expect(lab.notice).to_contain_text("Back at step 0.")
    lab.page.evaluate("document.activeElement.blur()")
    press("z")
    expect(lab.notice).to_contain_text("Back at step 0.")
    press("Control+z")
    lab.until_is(lambda: lab.step, 50)
    expect(lab.notice).to_have_count(0)
    press("Control+g")  # the browser's
    expect(lab.rule("gd")).to_have_attribute("title", re.compile("full batch"))
