"""The past view during training, and edits there."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from browser.conftest import OpenLab
from browser.dashboard import DESKTOP, PHONE, Dashboard


def pill(lab: Dashboard) -> Locator:
    """Return the way back: in the transport's row, or beside the timeline."""
    return lab.page.locator("transport-bar :is(.way-back, .live.button):visible")


def ahead(lab: Dashboard) -> int:
    """Return the steps that training is ahead, which the top bar and the way back say."""
    match = re.search(r"^([\d,]+) steps back", pill(lab).inner_text())
    return int(match[1].replace(",", "")) if match else 0


def look_back_to(lab: Dashboard, step: int) -> None:
    """Move the handle to a step by keyboard; training may go on."""
    handle = lab.page.get_by_label("Time travel")
    handle.focus()
    handle.press("Home")
    for _ in range(step):
        handle.press("ArrowRight")
    expect(handle).to_have_attribute("aria-valuetext", re.compile(rf"step {step} of "))


def test_the_past_view_keeps_every_view_at_a_step_during_training(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_own()
    lab.play.click()
    lab.until(lambda: lab.step, lambda step: step > 40)
    look_back_to(lab, 7)
    expect(lab.page.locator("race-table th.moment")).to_have_text("As of step 7")
    then = lab.ask("GET", "/runs/gd/instruments/moment", step=7)
    expect(lab.row("gd").locator("td.samples")).to_have_attribute("title", "6,300 samples seen, epoch 7")
    before = lab.row("gd").inner_text()
    assert f"{then['latest']['train_loss']['value']:.3g}" in before
    expect(lab.page.locator("network-drawing")).to_have_attribute("data-step", "7")
    expect(lab.chart("loss").locator(".chart-marks .moment")).to_have_count(1)
    expect(lab.chart("loss").locator(".chart-label.end").first).to_contain_text("GD")
    lead = ahead(lab)
    lab.until(lambda: ahead(lab), lambda now: now > lead + 20)
    assert lab.row("gd").inner_text() == before
    expect(lab.page.locator("connection-line")).to_have_text(re.compile(r"^Live\s*[\d,]+ ahead"))
    expect(lab.page.locator("transport-bar .counter dt")).to_have_text(re.compile(r"^of [\d,]+$"))
    lab.page.keyboard.press("l")
    expect(pill(lab)).to_have_count(0)
    lab.rest()
    assert lab.step > 40


def test_an_edit_in_the_past_becomes_a_fork_beside_its_parent(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(60)
    before = lab.ask("GET", "/recipe")["runs"][0]
    look_back_to(lab, 12)
    expect(lab.page.locator("race-table th.moment")).to_have_text("As of step 12")
    lab.rate("GD").fill("0.03")
    lab.rate("GD").press("Enter")
    question = lab.page.get_by_role("dialog", name="Continue from step 12?")
    expect(question).to_contain_text(
        "Starts a new run from GD at step 12, with rate 0.1 → 0.03. The original stays."
    )
    question.get_by_role("button", name="Continue here").click()
    expect(lab.rule("gd-12")).to_have_attribute("title", "full batch, rate 0.03, fork of GD at step 12")
    expect(lab.row("gd-12").locator("b")).to_have_text("GD, rate 0.03")
    expect(lab.settings("run gd-12")).to_contain_text("fork of GD at step 12")
    expect(pill(lab)).to_be_hidden()
    expect(lab.page.locator("time-scrubber .flag [data-kind]:not([data-kind=finding])")).to_have_attribute(
        "data-kind", "fork"
    )
    lab.make_steps(5)
    lab.until(
        lambda: lab.traces("loss", "train").get("gd-12/train_loss", ([], []))[0], lambda x: x[:1] == [12]
    )
    assert lab.ask("GET", "/recipe")["runs"][0] == before


def test_a_finger_on_the_timeline_snaps_to_a_mark(open_lab: OpenLab) -> None:
    lab = open_lab((390, 844))
    lab.make_steps(100)
    lab.ask("PATCH", "/runs/gd", {"learning_rate": 0.05})
    lab.make_steps(100)
    expect(lab.page.locator("time-scrubber .flag [data-kind]:not([data-kind=finding])")).to_have_count(1)
    handle = lab.page.get_by_label("Time travel")
    box = handle.bounding_box()
    assert box
    assert box["height"] >= 44
    lab.page.touchscreen.tap(box["x"] + box["width"] / 2 + 6, box["y"] + box["height"] / 2)
    expect(handle).to_have_attribute("aria-valuetext", "step 100 of 200, marker: GD: rate 0.1 → 0.05")
    expect(lab.page.locator("race-table th.moment")).to_have_text("As of step 100")
    assert lab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_flag_of_several_marks_names_each_and_leads_to_each_in_turn(
    open_lab: OpenLab,
) -> None:
    lab = open_lab()
    for change in ({"learning_rate": 0.05}, {"batch_size": 32}):
        lab.make_steps(1)
        lab.ask("PATCH", "/runs/gd", change)
    lab.make_steps(150)
    flag = lab.page.get_by_role("button", name=re.compile("^Go to step 1: "))
    words = ["step 1: GD: rate 0.1 → 0.05", "step 2: GD: GD → mini-batch 32"]
    expect(flag).to_have_accessible_name(f"Go to {'; '.join(words)}")
    expect(flag).to_have_attribute("title", "\n".join(words))
    handle = lab.page.get_by_label("Time travel")
    for step in (1, 2, 1):
        flag.click()
        expect(handle).to_have_attribute("aria-valuetext", re.compile(f"^step {step} of 152, marker: GD: "))
    # and by keys
    lab.page.keyboard.press(".")
    expect(handle).to_have_attribute("aria-valuetext", re.compile("^step 2 of 152, marker: "))


def test_a_flag_can_be_pressed_while_the_training_goes_on(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(5)
    lab.ask("PATCH", "/runs/gd", {"learning_rate": 0.05})
    lab.make_steps(300)
    # near the start a flag keeps its place as the track grows
    box = lab.page.locator("time-scrubber .flag[data-step='5']").bounding_box()
    assert box
    lab.play.click()
    lab.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 9)
    lab.page.mouse.down()
    began = lab.step
    lab.until(lambda: lab.step, lambda step: step > began)
    lab.page.mouse.up()
    expect(lab.page.locator("race-table th.moment")).to_have_text("As of step 5")


# px between the last number on the timeline and its handle, which is 15 px wide, at the end.
FREE = """() => {
    const last = [...document.querySelectorAll(".track .place")].at(-1).getBoundingClientRect();
    return document.querySelector(".track input").getBoundingClientRect().right - 15 - last.right;
}"""


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_the_last_number_of_what_happened_leaves_the_handle_free(
    open_lab: OpenLab, size: tuple[int, int]
) -> None:
    lab = open_lab(size)
    lab.make_steps(500)
    number = lab.page.locator("time-scrubber .flag[data-step='500'] [data-place='5']")
    expect(number).to_be_visible()
    lab.until(lambda: lab.page.evaluate(FREE), lambda free: 0 <= free < 4)


def test_marks_close_together_on_a_narrow_page_share_a_flag(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(300)
    for change in ({"learning_rate": 0.05}, {"batch_size": 32}):
        lab.ask("PATCH", "/runs/gd", change)
        lab.make_steps(10)
    first = lab.page.locator("time-scrubber .flag[data-step='300']")
    expect(first).to_have_accessible_name("Go to step 300: GD: rate 0.1 → 0.05")
    lab.page.set_viewport_size({"width": 390, "height": 844})
    expect(first).to_have_accessible_name(re.compile("; step 310: GD: GD → mini-batch 32$"))


def zoom(lab: Dashboard, left: int, right: int) -> None:
    """Drag a box over the loss chart, from one pixel to another."""
    box = lab.chart("loss").bounding_box()
    assert box
    mouse, middle = lab.page.mouse, box["y"] + box["height"] / 2
    mouse.move(box["x"] + left, middle - 60)
    mouse.down()
    mouse.move(box["x"] + right, middle + 60, steps=6)
    mouse.up()


def test_a_zoom_into_an_old_range_of_a_long_run_shows_every_step(open_lab: OpenLab) -> None:
    lab = open_lab(plotted=True)
    lab.ask("POST", "/step", {"steps": 8_000, "run": "gd"})
    reach = "document.querySelector('plotly-chart[kind=loss] .js-plotly-plot').layout.xaxis.range"
    whole = lab.until(lambda: lab.page.evaluate(reach), lambda value: value[1] == 8_000)

    def steps() -> list[float]:
        """Return the places of points in the range on view."""
        low, high = lab.page.evaluate(reach)
        return [x for x in lab.traces("loss", "train")["gd/train_loss"][0] if low <= x <= high]

    zoom(lab, 300, 340)
    low, high = lab.until(lambda: lab.page.evaluate(reach), lambda value: value[1] < 0.9 * whole[1])
    assert 300 < high - low < 900
    lab.until(steps, lambda value: bool(value) and value == list(range(int(value[0]), int(high) + 1)))
    assert len(steps()) >= 300
    exact = lab.ask("GET", "/runs/gd/history", series="train_loss", since=int(low) + 5, until=int(low) + 25)
    at = dict(zip(*lab.traces("loss", "train")["gd/train_loss"], strict=True))
    assert [at[step] for step in exact["first"]] == exact["series"]["train_loss"]["mean"]
    # the gradient panels share the range; their traces keep the specified names
    lab.until(
        lambda: max(
            len([x for x in xs if low <= x <= high]) for xs, _ in lab.traces("gradients", "line").values()
        ),
        lambda points: points >= 100,
    )
    box = lab.chart("loss").bounding_box()
    assert box
    lab.page.mouse.dblclick(box["x"] + 400, box["y"] + box["height"] / 2)
    lab.until_is(lambda: lab.page.evaluate(reach), whole)
    assert len(steps()) < 900


# The marks of the timeline that the way back covers, and how far it stands out of the transport.
COVERED = """() => {
    const box = (element) => element.getBoundingClientRect();
    const pills = [...document.querySelectorAll("transport-bar :is(.way-back, .live.button)")];
    const way = pills.find((each) => each.checkVisibility());
    const pill = box(way);
    const transport = box(document.querySelector("transport-bar"));
    const marks = [...document.querySelectorAll("transport-bar .flag .shape svg")].map(box);
    const meets = ({ left, right, top, bottom }) =>
        left < pill.right && pill.left < right && top < pill.bottom && pill.top < bottom;
    return { marks: marks.length, covered: marks.filter(meets).length,
        out: Math.max(transport.top - pill.top, pill.bottom - transport.bottom),
        cut: way.scrollWidth - Math.ceil(pill.width),
        lines: [...way.querySelectorAll('span, b')].map((text) =>
            Math.round(box(text).height / parseFloat(getComputedStyle(text).lineHeight))) };
}"""


@pytest.mark.parametrize(
    "size", [DESKTOP, (1280, 800), (1366, 650), (960, 540), (844, 390), PHONE, (320, 568)]
)
def test_the_way_back_covers_neither_the_last_mark_nor_a_chart(
    open_lab: OpenLab, size: tuple[int, int]
) -> None:
    lab = open_lab(size, drawn=True)
    lab.make_steps(1234)
    lab.ask("PATCH", "/runs/gd", {"learning_rate": 0.05})
    lab.make_steps(1)
    expect(lab.flags.last).to_be_attached()
    look_back_to(lab, 1)
    # while nothing trains, nothing is live
    expect(pill(lab)).to_have_text(re.compile("Newest step"))
    expect(pill(lab)).to_have_attribute("title", "Back to step 1,235 (L)")
    expect(lab.page.locator("connection-line [role=status]")).to_have_text("Paused")
    for text in ("Newest step", "Back to live"):
        if text == "Back to live":
            lab.ask("POST", "/play", {"speed": 1 / 60})
        expect(pill(lab)).to_have_text(re.compile(text))
        if size[0] > 900 and size[1] > 700:
            expect(pill(lab)).to_have_text(re.compile(r"^1,23\d steps back"))
        overlap = lab.page.evaluate(COVERED)
        assert overlap["marks"] > 0
        assert overlap["covered"] == 0
        assert overlap["out"] <= 0.5
        assert overlap["cut"] <= 0
        assert max(overlap["lines"]) == 1
    lab.pause.click()
