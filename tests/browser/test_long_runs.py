"""Long runs: the overview with its brush, log steps, and events close up."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, expect

from browser.conftest import OpenLab
from browser.dashboard import PHONE, Dashboard
from browser.test_accessibility import faults, faults_in_both_themes
from browser.test_exhibits import expect_exhibit, options, picker
from browser.test_travel import pill

AXIS = "document.querySelector('plotly-chart[kind=loss] .js-plotly-plot').layout.xaxis"
LONG = 3_000


def axis(lab: Dashboard) -> dict[str, Any]:
    layout: dict[str, Any] = lab.page.evaluate(f"(({{ type, range }}) => ({{ type, range }}))({AXIS})")
    return layout


def overview(lab: Dashboard) -> Locator:
    return lab.page.locator("run-overview .overview")


def edge(lab: Dashboard, which: str) -> Locator:
    return lab.page.get_by_role("slider", name=f"{which} step in the charts")


def shown(lab: Dashboard) -> tuple[int, int]:
    """Return the steps of the brush."""
    return int(edge(lab, "First").get_attribute("aria-valuenow") or -1), int(
        edge(lab, "Last").get_attribute("aria-valuenow") or -1
    )


def dead_since(lab: Dashboard) -> int:
    """Return the step since which a layer is dead, once the Doctor has seen every step."""
    runs = lab.ask("GET", wait=20)["runs"]
    return int(
        next(each["since_step"] for run in runs for each in run["findings"] if each["rule"] == "dead_layer")
    )


def drag(lab: Dashboard, one: float, other: float, *, down: float = 0.75) -> None:
    """Drag in the overview from one share of its width to another."""
    box = overview(lab).bounding_box()
    assert box
    mouse, middle = lab.page.mouse, box["y"] + down * box["height"]
    mouse.move(box["x"] + one * box["width"], middle)
    mouse.down()
    mouse.move(box["x"] + other * box["width"], middle, steps=5)
    mouse.up()


def test_above_2000_steps_the_timeline_is_an_overview_whose_brush_chooses_the_steps(
    open_lab: OpenLab,
) -> None:
    lab = open_lab(plotted=True)
    lab.make_steps(2_000)
    expect(overview(lab)).to_have_count(0)
    lab.make_steps(LONG - 2_000)
    expect(overview(lab)).to_have_accessible_name("Overview of 3,000 steps")
    box = overview(lab).bounding_box()
    assert box
    assert box["height"] == 52
    expect(overview(lab).locator(".bands path")).to_have_count(2)
    assert shown(lab) == (0, LONG)
    drag(lab, 0.2, 0.4)
    lab.until(lambda: axis(lab)["range"], lambda ends: abs(ends[0] - 600) < 20 and abs(ends[1] - 1_200) < 20)
    assert shown(lab) == tuple(axis(lab)["range"])
    expect(pill(lab)).to_be_hidden()
    # the brush moves as a whole, then by its edge
    drag(lab, 0.3, 0.5)
    lab.until(lambda: shown(lab), lambda steps: abs(steps[0] - 1_200) < 25 and abs(steps[1] - 1_800) < 25)
    drag(lab, 0.6, 0.9)
    lab.until(lambda: shown(lab), lambda steps: abs(steps[0] - 1_200) < 25 and abs(steps[1] - 2_700) < 25)
    # the same range in the gradients
    gradients = "document.querySelector('plotly-chart[kind=gradients] .js-plotly-plot').layout.xaxis.range"
    lab.until(lambda: lab.page.evaluate(gradients), lambda ends: ends == list(shown(lab)))
    overview(lab).dblclick(position={"x": box["width"] * 0.7, "y": 40})
    lab.until(lambda: shown(lab), lambda steps: steps == (0, LONG))
    lab.until_is(lambda: axis(lab)["range"], [0, LONG])
    expect(pill(lab)).to_be_hidden()


def test_a_press_in_the_overview_looks_at_its_step_and_a_drag_of_the_line_goes_on(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(LONG)
    box = overview(lab).bounding_box()
    assert box
    overview(lab).click(position={"x": box["width"] * 0.5, "y": 40})
    moment = lab.page.locator("race-table th.moment")
    expect(moment).to_have_text(re.compile(r"As of step 1,(49|50)\d"))
    drag(lab, 0.5, 0.6)
    expect(moment).to_have_text(re.compile(r"As of step 1,(79|80)\d"))
    assert shown(lab) == (0, LONG)
    lab.page.keyboard.press("l")
    expect(pill(lab)).to_be_hidden()


def test_the_brush_works_by_keys_and_is_read_aloud(open_lab: OpenLab) -> None:
    lab = open_lab(plotted=True)
    lab.make_steps(LONG)
    first, last = edge(lab, "First"), edge(lab, "Last")
    first.focus()
    first.press("ArrowRight")
    expect(first).to_have_attribute("aria-valuetext", "step 30")
    first.press("PageUp")
    expect(first).to_have_attribute("aria-valuetext", "step 330")
    last.focus()
    last.press("PageDown")
    last.press("ArrowLeft")
    expect(last).to_have_attribute("aria-valuetext", "step 2,670")
    lab.until(lambda: axis(lab)["range"], lambda ends: ends == [330, 2_670])
    last.press("Shift+ArrowRight")
    lab.until(lambda: shown(lab), lambda steps: steps == (360, 2_700))
    assert lab.step == LONG, "no key of the brush makes a step"
    first.press("Home")
    last.press("End")
    assert shown(lab) == (0, LONG)
    handle = lab.page.get_by_label("Time travel")
    handle.focus()
    handle.press("ArrowLeft")
    expect(handle).to_have_attribute("aria-valuetext", re.compile(r"^step 2,999 of 3,000"))
    handle.press("l")


def test_next_event_frames_each_mark_with_100_steps_on_either_side(open_lab: OpenLab) -> None:
    lab = open_lab(plotted=True)
    lab.make_steps(1_000)
    lab.ask("PATCH", "/runs/gd", {"learning_rate": 0.05})
    lab.make_steps(LONG - 1_000)
    onset = dead_since(lab)
    flags = lab.page.locator("run-overview .flag")
    # the first units died before the layer was dead
    expect(flags.first).to_have_attribute("data-step", re.compile("^[1-9]$"))
    expect(flags.nth(1)).to_have_attribute("data-step", str(onset))
    moment = lab.page.locator("race-table th.moment")
    button = lab.button("Next event (.)")
    button.click()
    expect(moment).to_have_text(re.compile("^As of step [1-9]$"))
    button.click()
    expect(moment).to_have_text(f"As of step {onset:,}")
    lab.until_is(lambda: shown(lab), (max(0, onset - 100), onset + 100))
    while moment.inner_text() != "As of step 1,000":
        before = moment.inner_text()
        button.click()
        expect(moment).not_to_have_text(before)
    lab.until(lambda: axis(lab)["range"], lambda ends: ends == [900, 1_100])
    lab.page.keyboard.press(",")
    expect(moment).not_to_have_text("As of step 1,000")
    lab.page.keyboard.press(".")
    expect(moment).to_have_text("As of step 1,000")
    # beyond the last is the present, with all steps
    for _ in range(20):
        if pill(lab).is_hidden():
            break
        lab.page.keyboard.press(".")
    expect(pill(lab)).to_be_hidden()
    assert shown(lab) == (0, LONG)


def test_looking_back_in_a_long_run_the_counter_is_one_line_and_the_deck_is_not_cut(
    open_lab: OpenLab,
) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(12_000)
    lab.page.get_by_label("Time travel").fill("9876")
    expect(lab.page.locator("race-table th.moment")).to_have_text("As of step 9,876")
    for width in (1381, 1440, 1500, 1561):
        lab.resize(width, 900)
        high, beyond = lab.page.evaluate("""() => {
            const total = document.querySelector("transport-bar .counter dt");
            const deck = document.querySelector("transport-bar .deck");
            const high = total.getBoundingClientRect().height / parseFloat(getComputedStyle(total).lineHeight);
            return [high, deck.scrollWidth - deck.clientWidth];
        }""")
        assert high < 1.5, width
        assert beyond <= 0, width


def test_marks_in_chart_and_overview_lead_to_their_step(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(1_000)
    lab.ask("PATCH", "/runs/gd", {"learning_rate": 0.05})
    lab.make_steps(LONG - 1_000)
    moment = lab.page.locator("race-table th.moment")
    lab.flags.filter(has_text="rate").click()
    expect(moment).to_have_text("As of step 1,000")
    lab.page.keyboard.press("l")
    expect(pill(lab)).to_be_hidden()
    lab.page.locator("run-overview .flag[data-step='1000']").click(position={"x": 12, "y": 6})
    expect(moment).to_have_text("As of step 1,000")


def test_from_20000_steps_on_the_axis_is_logarithmic_until_somebody_chooses(open_lab: OpenLab) -> None:
    lab = open_lab(plotted=True)
    lab.make_steps(LONG)
    choice = lab.page.get_by_role("radiogroup", name="Horizontal axis (X)")
    expect(choice.get_by_role("radio", name="steps", exact=True)).to_be_checked()
    assert axis(lab)["type"] == "linear"
    lab.make_steps(20_000 - LONG)
    expect(choice.get_by_role("radio", name="log steps", exact=True)).to_be_checked()
    lab.until(lambda: axis(lab)["type"], lambda kind: kind == "log")
    expect(lab.chart("loss").locator(".chart-label.axis")).to_have_text("steps, log")

    def early() -> list[float]:
        return [x for x in lab.traces("loss", "train")["sgd/train_loss"][0] if x <= 100]

    # the early steps have points of their own, once their values have come one by one
    lab.until_is(early, list(range(1, 101)))
    lab.page.keyboard.press("x")
    expect(choice.get_by_role("radio", name="steps", exact=True)).to_be_checked()
    lab.until(lambda: axis(lab)["type"], lambda kind: kind == "linear")
    choice.get_by_role("radio", name="log steps", exact=True).click()
    lab.until(lambda: axis(lab)["type"], lambda kind: kind == "log")
    assert axis(lab)["range"][1] > 4.3


# The numbers of what happened on the overview, each with the px by which it reaches into a handle at an end: handles
# reach 5 px into it.
NUMBERS = """() => {
    const box = (each) => each.getBoundingClientRect();
    const strip = document.querySelector(".overview");
    const { left, right } = box(strip);
    return [...strip.querySelectorAll(".place")].map((place) => ({
        text: getComputedStyle(place, "::before").content,
        out: Math.max(0, left + 5 - box(place).left, box(place).right - right + 5),
    }));
}"""


# For both handles of the brush, the pixels across its middle at which a finger meets it.
REACH = """() => [...document.querySelectorAll(".overview .handle")].map((handle) => {
    const { left, width, top, height } = handle.getBoundingClientRect();
    return [...Array(Math.round(width)).keys()]
        .filter((x) => document.elementFromPoint(left + x + 0.5, top + height / 2) === handle).length;
})"""


def test_a_finger_finds_both_handles_of_the_brush_on_a_phone(open_lab: OpenLab) -> None:
    lab = open_lab(PHONE)
    lab.make_steps(LONG)
    edge(lab, "First").focus()
    for _ in range(2):
        lab.page.keyboard.press("PageUp")
    edge(lab, "Last").focus()
    lab.page.keyboard.press("PageDown")
    assert 0 < shown(lab)[0] < shown(lab)[1] < LONG
    assert lab.page.evaluate(REACH) == [44, 44]


def test_the_overview_has_the_numbers_of_what_happened_clear_of_its_ends(open_lab: OpenLab) -> None:
    lab = open_lab()
    picker(lab).click()
    options(lab).filter(has_text="GD and SGD from the same start").click()
    expect_exhibit(lab, "same-start")
    lab.ask("POST", "/play", {"speed": "max", "until": {"samples": 9_000}})
    lab.page.locator("what-happened[data-open]").wait_for()
    lab.until(
        lambda: lab.page.evaluate(NUMBERS),
        lambda numbers: [each["text"] for each in numbers] == ['"2"', '"3"', '"4"'],
    )
    assert [each["out"] for each in lab.page.evaluate(NUMBERS)] == [0, 0, 0]
    # the charts stand at equal samples; the overview's own switch says how its steps stand
    choice = lab.page.get_by_role("radiogroup", name="Axis of the timeline")
    expect(choice.get_by_role("radio", name="log steps", exact=True)).to_be_checked()
    choice.get_by_role("radio", name="steps", exact=True).click()
    expect(choice.get_by_role("radio", name="steps", exact=True)).to_be_checked()
    expect(lab.chart("loss").locator(".chart-label.axis")).to_have_text("samples seen")


def test_one_press_shows_where_the_losses_fall_and_one_shows_all(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(LONG)
    per_sample = lab.page.locator("loss-head .per-sample")
    expect(per_sample).to_contain_text("After 3,000 samples each: GD ")
    lab.button("Where losses fall").click()
    lab.until(lambda: shown(lab), lambda steps: steps[0] == 0 and 200 <= steps[1] < LONG)
    expect(per_sample).to_have_text("")
    for head in ("loss-head", "gradient-head"):  # the numbers beside both charts are those of its end
        expect(lab.page.locator(f"{head} .sub").first).to_contain_text(f", at step {shown(lab)[1]:,}")
    lab.button("All steps").click()
    lab.until(lambda: shown(lab), lambda steps: steps == (0, LONG))
    expect(lab.page.locator("gradient-head .sub")).to_have_text("per layer")


def test_a_long_run_is_accessible_in_both_themes_and_in_a_zoom(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(LONG)
    assert faults_in_both_themes(lab) == []
    lab.button("Next event (.)").click()
    assert faults(lab) == []


# The drawn lines of a chart: run, series, and places and values of both ends.
LINES = """(kind) => [...document.querySelectorAll(`plotly-chart[kind=${kind}] .js-plotly-plot`)]
    .flatMap(({ data }) => data)
    .filter(({ meta, x }) => ["train", "line"].includes(meta?.role) && x.length)
    .map(({ meta, x, y }) => [meta.run, meta.y, [x[0], y[0]], x.at(-1)])"""


def test_after_a_reload_gradients_reach_the_last_of_15000_steps_and_a_fork_begins_at_its_own_loss(
    open_lab: OpenLab,
) -> None:
    lab = open_lab(plotted=True)
    lab.make_steps(LONG)
    forked = 1_510
    lab.ask("POST", "/runs", {"name": "fork", "fork_of": "gd", "at_step": forked, "learning_rate": 0.02})
    lab.ask("POST", "/step", {"steps": 15_000 - LONG})
    record = lab.ask("GET", "/runs/fork/history", since=forked, until=forked)
    assert (record["first"], record["last"]) == ([forked], [forked])
    lab.page.reload()
    lab.until_is(lambda: lab.step, 15_000)
    ends = {"gd": 15_000, "sgd": 15_000, "fork": forked + 15_000 - LONG}

    def reached() -> set[tuple[str, str, int]]:
        return {(run, series, last) for run, series, _, last in lab.page.evaluate(LINES, "gradients")}

    layers = [f"grad_l1/{name}" for name in ("W1", "W2", "W3")]
    lab.until_is(reached, {(run, layer, end) for run, end in ends.items() for layer in layers})
    lab.until_is(
        lambda: [start for run, _, start, _ in lab.page.evaluate(LINES, "loss") if run == "fork"],
        [[forked, record["series"]["train_loss"]["last"][0]]],
    )
