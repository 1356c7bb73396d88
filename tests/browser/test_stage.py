"""The stage at every size: the chart keeps its height, the transport stays, each run's switch is in sight."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from browser.conftest import OpenLab
from browser.dashboard import DESKTOP, PHONE, Dashboard
from browser.test_exhibits import expect_exhibit, options, picker
from fallline.vocabulary.exhibits import EXHIBITS

# Least height of the loss chart, in px, at each size of the window.
HEIGHTS = {
    (1920, 1080): 623,
    (1440, 900): 467,
    (1366, 650): 298,
    (960, 540): 248,
    (768, 1024): 389,
    (844, 390): 184,
    (390, 844): 354,
    (320, 568): 240,
    (320, 256): 240,
}
"""The last one is 1280 x 1024 at 400 % zoom."""
TOLERANCE = 5
"""The chart may be so much higher, in px."""
ROUNDING = 0.5
SIZES = list(HEIGHTS)

PLACES = """() => {
    const box = (selector) => document.querySelector(selector).getBoundingClientRect();
    const { top, bottom, height } = box("transport-bar");
    return {
        loss: box(".plot.loss").height,
        chart: box("plotly-chart[kind=loss]").height,
        top: box("top-bar"),
        transport: { top, bottom, height },
        wide: document.documentElement.scrollWidth,
        stage: document.querySelector(".stage").scrollWidth - document.querySelector(".stage").clientWidth,
        below: document.querySelector(".stage").scrollHeight - document.querySelector(".stage").clientHeight,
    };
}"""

# Visible height of the chart between the bars above and below, after scrolling to it.
SEEN = """() => {
    const chart = document.querySelector(".plot.loss");
    chart.scrollIntoView({ block: "start" });
    const { top, bottom } = chart.getBoundingClientRect();
    const bar = document.querySelector("top-bar").getBoundingClientRect();
    const above = getComputedStyle(document.querySelector("top-bar")).position === "static" ? 0 : bar.bottom;
    const below = document.querySelector("transport-bar").getBoundingClientRect().top;
    return Math.min(bottom, below) - Math.max(top, above, 0);
}"""

# Words that are links inside a sentence may be as low as its line.
SMALL = """(least) => [...document.querySelectorAll("button, input, select, summary, a")]
    .filter((each) => each.checkVisibility() && !each.closest(".skip"))
    .filter((each) => getComputedStyle(each).pointerEvents !== "none" && !(least < 40 && each.matches("p .as-link")))
    .map((each) => [each.getAttribute("aria-label") ?? each.textContent, each.getBoundingClientRect()])
    .filter(([_, { width, height }]) => width && Math.min(width, height) < least - 0.5)
    .map(([name, box]) => `${name} ${box.width} x ${box.height}`)"""

CUT = """() => [...document.querySelectorAll("body *")].filter((each) => {
    const { textOverflow, overflowX, clipPath } = getComputedStyle(each);
    return each.checkVisibility() && clipPath === "none" && textOverflow === "ellipsis" && overflowX !== "visible"
        && each.scrollWidth > each.clientWidth;
}).map((each) => each.textContent)"""


def check_bars(lab: Dashboard, size: tuple[int, int]) -> None:
    """Check heights, widths, and the parts in sight without scrolling."""
    width, height = size
    places: dict[str, Any] = lab.page.evaluate(PLACES)
    assert HEIGHTS[size] - ROUNDING <= places["loss"] <= HEIGHTS[size] + TOLERANCE
    assert places["below"] <= 0, "the whole stage is in sight, or in the page that scrolls"
    assert places["chart"] == pytest.approx(places["loss"], abs=1)
    assert places["wide"] <= width
    assert places["stage"] <= 0
    assert places["transport"]["height"] <= height / 6
    assert places["transport"]["bottom"] <= height + 0.5
    expect(lab.page.locator("button.play")).to_be_in_viewport(ratio=1)


def check_switches(lab: Dashboard) -> None:
    """Each run has its switch in sight: in its card, in its row, or behind its name in the row."""
    for label, run in (("GD", "gd"), ("SGD", "sgd")):
        name = lab.row(run).locator("button.name")
        switch = lab.page.get_by_role("radiogroup", name=f"Samples per step of {label}", exact=True)
        if name.count():
            expect(name).to_be_in_viewport(ratio=1)
            before = lab.row(run).bounding_box()
            name.click()
            expect(switch).to_be_in_viewport(ratio=1)
            assert lab.row(run).bounding_box() == pytest.approx(before, abs=1), "it opens in the row"
            name.click()
        else:
            expect(switch.locator("visible=true")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("size", [(390, 844), (320, 568)])
def test_phones_say_too_where_the_runs_start(open_lab: OpenLab, size: tuple[int, int]) -> None:
    lab = open_lab(size, drawn=True)
    start, level = (lab.page.locator(f".chart-label.{name}") for name in ("start", "baseline"))
    expect(start).to_have_text("both runs start here: loss 6.98")
    right, bottom = lab.until(
        lambda: start.evaluate_all(
            "all => all.map((each) => each.getBoundingClientRect()).flatMap(({ right, bottom }) => [right, bottom])"
        ),
        lambda edges: len(edges) == 2,
    )
    assert right <= size[0] - 8
    expect(level).to_be_visible()
    assert bottom <= level.evaluate("(each) => each.getBoundingClientRect().top")
    lab.play.click()
    expect(start).to_have_count(0)


@pytest.mark.parametrize("size", SIZES)
def test_the_chart_keeps_its_height_and_every_switch_is_in_sight_before_and_during_play(
    open_lab: OpenLab, size: tuple[int, int]
) -> None:
    lab = open_lab(size)
    check_bars(lab, size)
    least = 24 if size[0] > 900 else 44 if size[1] > 300 else 40
    assert (small := lab.page.evaluate(SMALL, least)) == [], "\n".join(small)
    assert lab.page.evaluate(CUT) == []
    if size[1] > 300:
        check_switches(lab)
    lab.play.click()
    lab.until(lambda: lab.step, lambda step: step > 0)
    check_bars(lab, size)
    if size[1] > 300:
        check_switches(lab)
    lab.rest()
    lab.make_steps(300)
    check_bars(lab, size)
    assert (small := lab.page.evaluate(SMALL, least)) == [], "\n".join(small)
    assert lab.page.evaluate(CUT) == []
    room = size[1] - 44 - (0 if size[0] > 900 else size[1] / 6)
    assert lab.page.evaluate(SEEN) >= min(HEIGHTS[size] - ROUNDING, room)


@pytest.mark.parametrize("size", [(1920, 1080), DESKTOP])
def test_watchers_have_the_whole_chart_and_are_told_over_the_recipe(
    open_lab: OpenLab, size: tuple[int, int]
) -> None:
    owner, guest = open_lab(), open_lab(size)
    guest.page.goto(f"{guest.address}/#watch={owner.stored['id']}")
    line = guest.page.locator("watch-line")
    expect(line).to_contain_text("You are watching. Only the owner can change it.")
    assert guest.page.evaluate(PLACES)["loss"] >= HEIGHTS[size] - ROUNDING
    note, rail, data = (
        guest.page.locator(part).bounding_box() for part in ("watch-line .strip", ".rail.recipe", "data-line")
    )
    assert note
    assert rail
    assert data
    assert (note["x"], note["y"]) == (rail["x"], rail["y"])
    assert note["x"] + note["width"] <= rail["x"] + rail["width"]
    assert note["y"] + note["height"] <= data["y"]
    expect(line.get_by_role("button", name="Back to mine")).to_be_in_viewport(ratio=1)


# Words of names that do not stand in one line, and names that do not stand beside their numbers.
BROKEN = """() => [...document.querySelectorAll("race-table tbody tr")].flatMap((row) => {
    const name = row.querySelector(".who b");
    const text = document.createRange();
    const letters = [...name.childNodes].find(({ nodeType }) => nodeType === Node.TEXT_NODE);
    const wrong = [...name.textContent.matchAll(/[^ -]+/g)].filter(({ index, 0: word }) => {
        text.setStart(letters, index);
        text.setEnd(letters, index + word.length);
        return text.getClientRects().length > 1;
    });
    const middle = ({ top, bottom }) => (top + bottom) / 2;
    const [beside, loss] = [name, row.querySelector(".readout")].map((each) => middle(each.getBoundingClientRect()));
    if (Math.abs(beside - loss) > 4) return [`${name.textContent} at ${beside}, its loss at ${loss}`];
    return wrong.map(([word]) => word);
})"""


MORE = [
    {"name": "mini", "label": "Mini-batch", "batch_size": 32},
    {"name": "fork", "label": "SGD, rate 0.05, He", "fork_of": "sgd", "at_step": 0, "learning_rate": 0.05},
    {"name": "gd-2", "label": "GD 2", "learning_rate": 0.05},
    {"name": "momentum", "label": "Momentum", "optimizer": "momentum", "learning_rate": 0.01},
    {"name": "adam", "label": "Adam, rate 0.003", "optimizer": "adam", "learning_rate": 0.003},
    {"name": "mini-2", "label": "Mini-batch 2", "batch_size": 64, "learning_rate": 0.05},
]
"""Runs beside GD and SGD, with the names that the page gives."""


def make_many(lab: Dashboard, count: int) -> None:
    lab.make_own()
    for run in MORE[: count - 2]:
        lab.ask("POST", "/runs", {"learning_rate": 0.1, **run})
    expect(lab.page.locator("race-table tbody tr")).to_have_count(count)
    lab.make_steps(40)


@pytest.mark.parametrize("size", [(1920, 1080), DESKTOP])
def test_the_bars_give_way_to_the_rows_of_eight_runs(open_lab: OpenLab, size: tuple[int, int]) -> None:
    lab = open_lab(size)
    make_many(lab, 8)
    places: dict[str, Any] = lab.page.evaluate(PLACES)
    assert HEIGHTS[size] - ROUNDING <= places["loss"] <= HEIGHTS[size] + TOLERANCE
    assert places["below"] <= 0
    assert (small := lab.page.evaluate(SMALL, 24)) == [], "\n".join(small)


def test_on_a_phone_on_its_side_rows_of_eight_runs_scroll_above_the_chart(open_lab: OpenLab) -> None:
    lab = open_lab((844, 390))
    make_many(lab, 8)
    chart, transport, last = (
        lab.page.locator(part).bounding_box()
        for part in (".plot.loss", "transport-bar", "race-table tbody tr:last-child")
    )
    assert chart
    assert transport
    assert last
    assert transport["y"] - chart["y"] >= 120, "most of the chart is in sight without scrolling"
    rows = lab.page.locator("race-table tbody tr")
    for row in rows.all()[:4]:
        expect(row).to_be_in_viewport(ratio=1)
    assert last["y"] >= chart["y"] - 50
    rows.last.scroll_into_view_if_needed()
    expect(rows.last).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("size", [(1366, 650), (844, 390), (768, 1024), (390, 844)])
def test_a_shade_shows_that_the_table_has_more_rows(open_lab: OpenLab, size: tuple[int, int]) -> None:
    lab = open_lab(size)
    make_many(lab, 8)
    table = lab.page.locator("race-table")

    def end() -> int:
        """Return the level of the lowest pixel at the left edge of the table, where no row has anything."""
        box = table.bounding_box()
        assert box
        pixel = lab.page.screenshot(
            clip={"x": box["x"], "y": box["y"] + box["height"] - 2, "width": 1, "height": 1}
        )
        return Image.open(BytesIO(pixel)).convert("L").tobytes()[0]

    assert end() < 245
    table.evaluate("(box) => (box.scrollTop = box.scrollHeight)")
    lab.until(end, lambda level: level >= 254)


# Words, numbers and buttons of the table that lie over each other, or are covered by something else.
COVERED = """() => {
    const box = (node) => {
        const range = document.createRange();
        range.selectNodeContents(node.querySelector("[aria-hidden]") ?? node);
        return range.getBoundingClientRect();
    };
    const seen = (each) => each.checkVisibility({ visibilityProperty: true })
        && [each, each.closest("thead") ?? each].every((part) => getComputedStyle(part).clipPath === "none");
    const texts = [...document.querySelectorAll(`race-table :is(.bet, th.moment, thead th > *, thead .again th, tbody b,
        tbody [role=radio], tbody .readout, tbody td.score, tbody td.samples, tbody .verdict)`)]
        .filter((each) => seen(each) && !each.querySelector(".bet"))
        .map((each) => [each.textContent.trim(), each, box(each)])
        .filter(([text, _, { width }]) => text && width);
    const over = texts.flatMap(([text, element, a], k) => texts.slice(k + 1)
        .filter(([_, other]) => !element.contains(other) && !other.contains(element))
        .filter(([_, _other, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5
            && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3)
        .map(([other]) => `${text} over ${other}`));
    const table = document.querySelector("race-table");
    const covered = texts.filter(([_, element, { left, right, top, bottom }]) => {
        if (!element.closest("tbody")) return false;
        element.scrollIntoView({ block: "nearest" });
        const now = box(element);
        const middle = (now.top + now.bottom) / 2;
        return [now.left + 1, (now.left + now.right) / 2, now.right - 1].some((x) => {
            const hit = document.elementFromPoint(x, middle);
            return !hit || !(element.contains(hit) || hit.contains(element));
        });
    });
    table.scrollTop = 0;
    return [...over, ...covered.map(([text]) => `${text} is covered`)];
}"""


@pytest.mark.parametrize("count", [4, 8])
@pytest.mark.parametrize(
    "size", [(1920, 1080), DESKTOP, (1381, 720), (1280, 720), (1000, 900), (960, 540), (390, 844)]
)
def test_names_and_switches_of_many_runs_are_whole_before_and_while_settings_cover_the_cards(
    open_lab: OpenLab, size: tuple[int, int], count: int
) -> None:
    lab = open_lab(size)
    make_many(lab, count)
    labels = ["GD", "SGD", *(str(run["label"]) for run in MORE[: count - 2])]
    assert lab.page.evaluate(COVERED) == []
    if size[0] > 1380:
        lab.settings("run gd")
        expect(lab.row("gd").get_by_role("radiogroup")).to_be_visible()
        assert lab.page.evaluate(COVERED) == []
    for label in labels if size[0] > 900 else []:
        switch = lab.page.locator("race-table").get_by_role(
            "radiogroup", name=f"Samples per step of {label}", exact=True
        )
        if count > 4 and size[1] < 800:
            switch.scroll_into_view_if_needed()
        for button in switch.get_by_role("radio").all():
            expect(button).to_be_in_viewport(ratio=1)
    chart = lab.page.locator(".plot.loss").bounding_box()
    assert chart
    assert chart["height"] >= 240


def test_a_name_that_does_not_fit_into_half_a_table_is_whole_in_one_column(open_lab: OpenLab) -> None:
    lab = open_lab()
    make_many(lab, 4)
    rows = lab.page.locator("race-table tbody tr")
    beside = "(rows) => new Set(rows.map((row) => row.getBoundingClientRect().left)).size"
    assert rows.evaluate_all(beside) == 2
    name = "A name that is longer than half of the table"
    lab.ask("PATCH", "/runs/fork", {"label": name})
    expect(lab.row("fork").locator("b")).to_have_text(name)
    lab.until_is(lambda: rows.evaluate_all(beside), 1)
    assert lab.page.evaluate(COVERED) == []
    lab.resize(1920, 1080)
    lab.until_is(lambda: rows.evaluate_all(beside), 2)
    assert lab.page.evaluate(COVERED) == []


# The baselines of a row's words and numbers, as distances from its name's, in px.
BASELINES = """() => [...document.querySelectorAll("race-table tbody tr")].map((row) => {
    const canvas = document.createElement("canvas").getContext("2d");
    const baseline = (element) => {
        const range = document.createRange();
        range.selectNodeContents(element);
        const { top, height } = range.getBoundingClientRect();
        const { fontWeight, fontSize, fontFamily } = getComputedStyle(element);
        canvas.font = `${fontWeight} ${fontSize} ${fontFamily}`;
        const { fontBoundingBoxAscent: above, fontBoundingBoxDescent: below } = canvas.measureText("x");
        return top + height * above / (above + below);
    };
    const name = baseline(row.querySelector("b"));
    return [...row.querySelectorAll(".readout, td.score, .verdict .term")]
        .filter((each) => each.checkVisibility())
        .map((each) => baseline(each) - name);
})"""


@pytest.mark.parametrize("size", [(1920, 1080), DESKTOP])
@pytest.mark.parametrize("count", [4, 8])
def test_the_words_of_the_state_stand_on_the_baseline_of_their_row(
    open_lab: OpenLab, size: tuple[int, int], count: int
) -> None:
    lab = open_lab(size)
    make_many(lab, count)
    expect(lab.page.locator("race-table .verdict .term").first).to_be_visible()
    distances = lab.page.evaluate(BASELINES)
    assert len(distances) == count
    assert [row for row in distances if max(map(abs, row)) > 1] == []


# Parts of a row of the table, from its name to its state, that do not stand beside each other or leave the page.
TOUCHING = """() => [...document.querySelectorAll("race-table tbody tr")].flatMap((row) => {
    const parts = ["b", ".name .icon", ".readout:not(.second)", "td.score", ".verdict .glyph", ".verdict .term"]
        .map((part) => row.querySelector(part))
        .filter((each) => each?.checkVisibility());
    const box = (element) => {
        if (element instanceof SVGElement) return element.getBoundingClientRect();
        const range = document.createRange();
        range.selectNodeContents(element.querySelector("[aria-hidden]") ?? element);
        return range.getBoundingClientRect();
    };
    const boxes = parts.map(box);
    const name = parts[0].textContent;
    const over = boxes.slice(1).filter(({ left }, k) => left < boxes[k].right)
        .map(({ left }) => `row of ${name}: a part begins at ${left}, in the one before it`);
    const end = boxes.at(-1).right;
    return end > row.getBoundingClientRect().right + 0.5 ? [...over, `row of ${name} ends at ${end}`] : over;
})"""

LOW = [(720, 450), (667, 375), (640, 360), (683, 325)]
"""Low and narrow windows: two phones on their side, and 1440 x 900 and 1366 x 650 at 200 % zoom."""


@pytest.mark.parametrize("size", [*LOW, (720, 540), (568, 320), (512, 384), (480, 320), (427, 341)])
def test_in_a_low_window_the_transport_is_one_row_and_all_of_it_is_whole(
    open_lab: OpenLab, size: tuple[int, int]
) -> None:
    lab = open_lab(size)

    def check() -> None:
        places: dict[str, Any] = lab.page.evaluate(PLACES)
        assert places["transport"]["height"] <= size[1] / 6
        assert places["transport"]["bottom"] <= size[1] + 0.5
        assert places["wide"] <= size[0]
        assert lab.page.evaluate(OVERLAPS) == []
        assert (small := lab.page.evaluate(SMALL, 44)) == [], "\n".join(small)
        assert lab.page.evaluate(CUT) == []
        assert lab.page.evaluate(TOUCHING) == []
        track = lab.page.locator("transport-bar .track").bounding_box()
        assert track
        assert track["width"] >= 64

    check()
    lab.make_steps(300)
    expect(lab.page.locator("race-table .verdict .term")).to_have_count(2)
    check()
    lab.page.get_by_label("Time travel").press("PageDown")
    expect(lab.page.locator("transport-bar .live.button")).to_be_in_viewport(ratio=1)
    check()
    lab.ask("POST", "/play", {"speed": 1 / 60})
    expect(lab.pause).to_be_visible()
    check()
    # looking back, the narrowest has no room for the way to step 0; it returns with the present
    if size[0] <= 460:
        lab.page.locator("transport-bar .live.button").click()
    for control in ("Pause (Space)", "Recipe (B)", "1 step (right arrow)", "Back to step 0 (R)"):
        expect(lab.button(control)).to_be_in_viewport(ratio=1)


def check_transport(lab: Dashboard, size: tuple[int, int], least: int) -> None:
    """Check its height, its targets, and the room of its timeline."""
    places: dict[str, Any] = lab.page.evaluate(PLACES)
    assert places["transport"]["height"] <= size[1] / 6
    assert places["transport"]["bottom"] <= size[1] + 0.5
    assert places["wide"] <= size[0]
    assert lab.page.evaluate(OVERLAPS) == []
    small = lab.page.locator("transport-bar").evaluate(
        """(bar, least) => [...bar.querySelectorAll("button, input")]
            .filter((each) => each.checkVisibility() && !each.matches(".flag, .overview input"))
            .map((each) => [each.ariaLabel ?? each.textContent, each.getBoundingClientRect()])
            .filter(([_, { width, height }]) => Math.min(width, height) < least - 0.5)
            .map(([name, { width, height }]) => `${name} ${width} x ${height}`)""",
        least,
    )
    assert small == []


@pytest.mark.parametrize(
    ("size", "least"),
    [
        *(((width, height), 24) for width, height in [(320, 180), (341, 192), (360, 225), (320, 256)]),
        *(
            ((width, height), 44)
            for width, height in [(320, 454), (375, 480), (375, 553), (320, 568), (390, 640)]
        ),
    ],
)
def test_on_a_low_phone_and_at_400_percent_the_transport_is_a_sixth_high_in_every_state(
    open_lab: OpenLab, size: tuple[int, int], least: int
) -> None:
    lab = open_lab(size)
    check_transport(lab, size, least)
    lab.make_steps(300)
    check_transport(lab, size, least)
    lab.page.get_by_label("Time travel").press("PageDown")
    expect(lab.page.locator("transport-bar .live.button")).to_be_in_viewport(ratio=1)
    check_transport(lab, size, least)
    for control in ("Play (Space)", "Recipe (B)", "1 step (right arrow)"):
        expect(lab.button(control)).to_be_in_viewport(ratio=1)
    lab.page.locator("transport-bar .live.button").click()
    lab.make_steps(1_800)
    expect(lab.page.locator("run-overview .overview")).to_be_visible()
    check_transport(lab, size, least)
    lab.page.keyboard.press(",")
    expect(lab.page.locator("transport-bar .live.button")).to_be_in_viewport(ratio=1)
    check_transport(lab, size, least)


@pytest.mark.parametrize("size", [(480, 320), (427, 341), (568, 320)])
def test_in_a_low_and_narrow_window_the_whole_loss_fits_between_the_bars(
    open_lab: OpenLab, size: tuple[int, int]
) -> None:
    lab = open_lab(size)
    lab.make_steps(5)
    height = lab.page.evaluate(PLACES)["loss"]
    assert height >= 200
    assert lab.page.evaluate(SEEN) >= height - 1


# The ends of the timeline and of the plot of the loss, in px.
ENDS = """() => {
    const ends = ({ left, right }) => [left, right];
    const [from, to] = ends(document.querySelector("transport-bar .track").getBoundingClientRect());
    const axis = [...document.querySelectorAll("plotly-chart[kind=loss] .chart-marks .axis")]
        .map((each) => each.getBoundingClientRect());
    const plot = [Math.min(...axis.map(({ left }) => left)), Math.max(...axis.map(({ right }) => right))];
    return [[from + 7, to - 7], plot];
}"""


@pytest.mark.parametrize("size", [(1280, 720), DESKTOP, (768, 1024)])
def test_the_timeline_has_the_ends_of_the_plot_also_beside_names_of_many_runs(
    open_lab: OpenLab, size: tuple[int, int]
) -> None:
    lab = open_lab(size, drawn=True)
    make_many(lab, 2)

    def check() -> float:
        def apart(ends: list[list[float]]) -> float:
            return float(max(abs(a - b) for a, b in zip(*ends, strict=True)))

        ends = lab.until(lambda: lab.page.evaluate(ENDS), lambda ends: apart(ends) <= 1)
        return float(ends[0][1])

    before = check()
    for run in MORE:
        lab.ask("POST", "/runs", {"learning_rate": 0.1, **run})
    lab.make_steps(40)
    expect(lab.chart("loss").locator(".chart-label.end")).to_have_count(8)
    after = check()
    if size == (1280, 720):
        assert after < before - 20, "the names need more room there"
    if size != (768, 1024):
        lab.page.keyboard.press("i")
        expect(lab.page.locator("step-inspector .drawer")).to_be_visible()
        check()


@pytest.mark.parametrize("size", [(640, 360), (568, 320)])
def test_in_a_low_window_a_message_stands_above_the_controls_of_the_transport(
    open_lab: OpenLab, size: tuple[int, int]
) -> None:
    lab = open_lab(size)
    lab.make_steps(50)
    lab.page.keyboard.press("r")
    expect(lab.notice).to_contain_text("Back at step 0. The 50 steps are kept.")
    lowest = "() => document.querySelector('.notice').getBoundingClientRect().bottom"
    highest = """() => Math.min(...[...document.querySelectorAll("transport-bar button")]
        .filter((each) => each.checkVisibility())
        .map((each) => each.getBoundingClientRect().top))"""
    lab.until(lambda: lab.page.evaluate(highest) - lab.page.evaluate(lowest), lambda apart: 0 <= apart < 20)


@pytest.mark.parametrize("size", [(390, 844), (844, 390), *LOW])
def test_the_names_of_eight_runs_are_whole_on_a_phone(open_lab: OpenLab, size: tuple[int, int]) -> None:
    lab = open_lab(size)
    lab.make_own()
    for optimizer in ("momentum", "nesterov", "adam", "rmsprop", "adagrad", "adadelta"):
        lab.ask("POST", "/runs", {"name": optimizer, "optimizer": optimizer, "learning_rate": 0.01})
    expect(lab.page.locator("race-table tbody tr")).to_have_count(8)
    lab.make_steps(40)
    ends = lab.chart("loss").locator(".chart-label.end")
    expect(ends).to_have_count(8)
    assert [text for text in ends.all_inner_texts() if "…" in text] == []
    assert lab.page.evaluate(BROKEN) == []
    assert lab.page.evaluate(TOUCHING) == []


LONG: list[dict[str, Any]] = [
    {"name": "gradient-descent-all-900-samples"},
    {"name": "stochastic-descent-of-one-sample", "batch_size": 1},
    {"name": "mini-batch-32-samples-shuffled", "batch_size": 32},
    {"name": "momentum-heavy-ball-polyak-1964", "optimizer": "momentum"},
    {"name": "adam-kingma-and-ba-2015-rate-001", "optimizer": "adam"},
    {"name": "rmsprop-of-hinton-rate-001-b-32", "optimizer": "rmsprop"},
]
"""Runs beside GD and SGD, with the longest names."""


def make_long(lab: Dashboard) -> None:
    """Make eight runs with long names, and some steps of them."""
    lab.make_own()
    for run in LONG:
        lab.ask("POST", "/runs", {"learning_rate": 0.01, **run})
    lab.ask("PATCH", "/runs/gd", {"label": "Gradient descent with lower rate"})
    lab.ask("PATCH", "/runs/sgd", {"label": "Stochastic descent lower rate 02"})
    expect(lab.page.locator("race-table tbody tr")).to_have_count(8)
    lab.make_steps(40)


# Lines of each name in the table, as seen.
LINES = """() => [...document.querySelectorAll("race-table tbody .who b")].map((name) => {
    const text = document.createRange();
    text.selectNodeContents(name.querySelector("[aria-hidden]") ?? name);
    return new Set([...text.getClientRects()].map(({ top }) => Math.round(top))).size;
})"""

# Words of names, and choices of switches, that break onto another line.
TORN = """() => {
    const text = document.createRange();
    const isTorn = () => new Set([...text.getClientRects()].map(({ top }) => Math.round(top))).size > 1;
    const words = [...document.querySelectorAll("race-table tbody .who b")].flatMap((name) => {
        const letters = (name.querySelector("[aria-hidden]") ?? name).firstChild;
        const node = letters.nodeType === Node.TEXT_NODE ? letters : letters.nextSibling;
        return [...node.data.matchAll(/[^ ]+/g)].filter(({ index, 0: word }) => {
            text.setStart(node, index);
            text.setEnd(node, index + word.length);
            return isTorn();
        }).map(([word]) => word);
    });
    const choices = [...document.querySelectorAll("race-table [role=radio]")].filter((choice) => {
        text.selectNodeContents(choice);
        return text.getBoundingClientRect().height > 22;
    });
    return [...words, ...choices.map(({ textContent }) => textContent)];
}"""


@pytest.mark.parametrize("size", [(960, 540), (1366, 650), (390, 844), (320, 568), (844, 390)])
def test_long_names_are_whole_words_on_two_lines_at_most_and_said_in_full(
    open_lab: OpenLab, size: tuple[int, int]
) -> None:
    lab = open_lab(size)
    make_long(lab)
    name = "Stochastic descent of one sample"
    head = lab.row("stochastic-descent-of-one-sample").locator("th.who")
    lab.until(lambda: lab.page.evaluate(LINES), lambda lines: max(lines) <= (1 if size[0] > 900 else 2))
    assert lab.page.evaluate(TORN) == []
    assert lab.page.evaluate(TOUCHING) == []
    if size[1] > 400:
        assert lab.page.evaluate(COVERED) == []
    expect(head.locator("b")).to_contain_text(name)
    if size[0] <= 900:
        expect(head.get_by_role("button", name=f"{name}, method", exact=True)).to_be_visible()
    if size == (960, 540):
        expect(head).to_have_attribute("title", re.compile(f"^{name}: batch of 1"))
        expect(head.locator("b [aria-hidden]")).to_have_text("Stochastic one sample")


# How far the box of the rows ends from the end of a row, in px; how many rows are whole in it.
BOX = """() => {
    const table = document.querySelector("race-table");
    const { top, bottom } = table.getBoundingClientRect();
    const ends = [...table.querySelectorAll("tbody tr")].map((row) => row.getBoundingClientRect().bottom);
    return [Math.min(...ends.map((end) => Math.abs(end - bottom))), ends.filter((end) => end <= bottom + 1).length];
}"""


@pytest.mark.parametrize(
    "size", [(960, 540), (1024, 640), (1180, 800), (768, 1024), (390, 844), (320, 568), (620, 400)]
)
@pytest.mark.parametrize("make", [lambda lab: make_many(lab, 8), make_long], ids=["usual", "long"])
def test_the_box_of_many_rows_ends_between_two_rows(
    open_lab: OpenLab, size: tuple[int, int], make: Callable[[Dashboard], None]
) -> None:
    lab = open_lab(size)
    make(lab)
    lab.until(lambda: lab.page.evaluate(BOX), lambda box: box[0] <= 1 and box[1] >= 4)
    if size == (960, 540):
        assert lab.page.evaluate(BOX)[1] == 4


@pytest.mark.parametrize("size", [(768, 1024), (820, 1180)])
def test_on_a_tablet_the_doctor_stands_beside_the_network(open_lab: OpenLab, size: tuple[int, int]) -> None:
    lab = open_lab(size)
    lab.make_own()
    lab.make_steps(60)
    network, doctor = (lab.page.locator(part).bounding_box() for part in ("network-drawing", "doctor-list"))
    assert network
    assert doctor
    assert doctor["y"] == pytest.approx(network["y"], abs=2)
    assert doctor["x"] >= network["x"] + network["width"] - 2


# Labels of the loss chart that lie on each other.
LABELS_ON_LABELS = """() => {
    const all = [...document.querySelectorAll("plotly-chart[kind=loss] .chart-label")]
        .filter((label) => label.checkVisibility() && label.textContent.trim());
    const boxes = all.map((label) => label.getBoundingClientRect());
    const lies = (a, b) =>
        a.left < b.right - 1 && a.right > b.left + 1 && a.top < b.bottom - 1 && a.bottom > b.top + 1;
    return all.flatMap((label, k) => all.slice(k + 1).filter((_, j) => lies(boxes[k], boxes[k + 1 + j]))
        .map((other) => `${label.textContent.trim()} on ${other.textContent.trim()}`));
}"""


@pytest.mark.parametrize("size", [PHONE, (844, 390), DESKTOP])
@pytest.mark.parametrize("exhibit", EXHIBITS)
def test_before_play_no_words_in_the_loss_chart_lie_on_others(
    open_lab: OpenLab, exhibit: str, size: tuple[int, int]
) -> None:
    lab = open_lab(size, drawn=True)
    if exhibit != "notebook":
        picker(lab).click()
        options(lab).filter(has_text=EXHIBITS[exhibit].title).click()
        expect_exhibit(lab, exhibit)
        # else the labels may still be those of the exhibit before
        lab.page.reload()
        lab.wait(drawn=True)
    expect(lab.chart("loss").locator(".chart-label.start")).to_be_visible()
    lab.until_is(lambda: lab.page.evaluate(LABELS_ON_LABELS), [])


@pytest.mark.parametrize("size", [(900, 800), (768, 1024), (760, 640), (740, 560)])
@pytest.mark.parametrize("count", [2, 4, 8])
def test_above_the_inspector_the_box_of_rows_ends_between_two_rows(
    open_lab: OpenLab, size: tuple[int, int], count: int
) -> None:
    lab = open_lab(size)
    make_many(lab, count)
    lab.page.keyboard.press("i")
    expect(lab.page.locator("step-inspector .drawer")).to_be_visible()
    lab.until(lambda: lab.page.evaluate(BOX), lambda box: box[0] <= 1 and box[1] == 2)


def test_a_phone_has_the_steps_of_forks_on_two_lines_and_all_four_runs_in_sight(open_lab: OpenLab) -> None:
    lab = open_lab((390, 844))
    lab.make_own()
    lab.make_steps(40)
    for run, step in (("gd", 30), ("sgd", 10)):
        changed = {"fork_of": run, "at_step": step, "learning_rate": 0.02}
        lab.ask("POST", "/runs", {"name": f"{run}-fork", "label": f"{run.upper()}, rate 0.02, He", **changed})
    rows = lab.page.locator("race-table tbody tr")
    expect(rows).to_have_count(4)
    moment = lab.page.locator("race-table th.moment")
    expect(moment).to_have_text("At steps 10–40")
    assert moment.evaluate("(head) => head.offsetHeight") < 40
    full = re.compile(r"At step 40 \(GD, rate 0.02, He.at.30, SGD, rate 0.02, He.at.10\)")
    expect(moment).to_have_attribute("title", full)
    expect(lab.page.locator("race-table caption")).to_have_text(full)
    for row in rows.all():
        expect(row).to_be_in_viewport(ratio=0.95)


@pytest.mark.parametrize("size", [(960, 540), (1366, 650), (844, 390)])
def test_end_labels_of_long_names_have_their_values_beside_a_low_plot(
    open_lab: OpenLab, size: tuple[int, int]
) -> None:
    lab = open_lab(size, drawn=True, plotted=True)
    make_long(lab)
    ends = lab.chart("loss").locator(".chart-label.end")
    expect(ends).to_have_count(8)
    expect(ends.filter(has_text=re.compile(r" \d[\d.,]*(e.\d+)?$"))).to_have_count(8)
    wide = "(all) => all.filter((each) => each.scrollWidth > each.clientWidth + 1).map((each) => each.textContent)"
    assert ends.evaluate_all(wide) == []


def test_the_measure_of_small_targets_and_cut_words_finds_planted_ones(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.page.evaluate("""() => {
        const small = Object.assign(document.createElement("button"), { textContent: "words that are cut here" });
        small.style.cssText = "width: 20px; padding: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap";
        document.querySelector(".scene").append(small);
    }""")
    assert len(lab.page.evaluate(SMALL, 24)) == 1
    assert lab.page.evaluate(CUT) == ["words that are cut here"]


WORDS = """() => {
    const seen = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = walk.nextNode(); text; text = walk.nextNode()) {
        const element = text.parentElement;
        if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
        if (element.closest(".unseen, .skip, script, style, noscript, option, title")) continue;
        const range = document.createRange();
        range.selectNodeContents(text);
        const { width, top, bottom } = range.getBoundingClientRect();
        if (!width || bottom <= 0 || top >= innerHeight) continue;
        seen.push(...text.data.split(/\\s+/).filter((word) => /[\\p{L}]/u.test(word)));
    }
    return seen;
}"""

CONTROLS = """() => [...document.querySelectorAll("button, a[href], input, select, summary")]
    .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.closest(".skip"))
    .map((each) => each.getAttribute("aria-label") ?? each.textContent)"""


def test_the_first_screen_has_few_words_and_controls(open_lab: OpenLab) -> None:
    lab = open_lab(DESKTOP, drawn=True, plotted=True)
    words, controls = lab.page.evaluate(WORDS), lab.page.evaluate(CONTROLS)
    assert len(words) <= 110, " ".join(words)
    assert 20 <= len(controls) <= 35, controls
    assert {"Share (S)", "Axes", "Play (Space)"} <= set(controls), "the measure counts"


def test_all_that_left_the_first_screen_is_one_action_away(open_lab: OpenLab) -> None:
    lab = open_lab(DESKTOP)
    page = lab.page
    menus: tuple[tuple[str, Any, list[str]], ...] = (
        (
            "More: files, theme, keys",
            "menuitem",
            ["Files", "Switch to the dark theme (T)", "Words and keys (?)"],
        ),
        ("Axes", "menuitemradio", ["steps", "epochs", "seconds", "log loss", "linear loss"]),
        ("Axes", "menuitemcheckbox", ["test, dashed", "band, min to max"]),
    )
    for opener, role, inside in menus:
        lab.button(opener).click()
        for name in inside:
            expect(page.get_by_role(role, name=name, exact=True).first).to_be_visible()
        page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("choose what is below the loss")).click()
    for name in ("L2 norm", "update ÷ weight", "Edge, step, noise"):
        expect(page.get_by_role("menuitemradio", name=re.compile(name)).first).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("^Data ")).click()
    expect(page.get_by_role("textbox", name="Data seed")).to_be_visible()
    expect(lab.button("Back to the recipe (Esc)")).to_be_focused()
    expect(
        page.get_by_role("radiogroup", name="Samples per step of GD").locator("visible=true")
    ).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name=re.compile("^Data "))).to_be_focused()
    page.get_by_role("button", name=re.compile("^Network ")).click()
    expect(page.get_by_role("textbox", name="Weight seed")).to_be_visible()
    page.keyboard.press("Escape")
    lab.button("Settings of SGD").click()
    for name in ("Rename", "Fork here", "1 epoch", "Hide SGD in the charts", "Remove"):
        expect(lab.button(name)).to_be_visible()
    expect(page.get_by_role("radiogroup", name="Update rule")).to_be_visible()


# Parts of the transport that lie over each other or beyond it. Marks and handles belong to the overview.
OVERLAPS = """() => {
    const bar = document.querySelector("transport-bar").getBoundingClientRect();
    const all = "transport-bar :is(.overview, .ends button, .deck button, .speed, .counter)";
    const parts = [...document.querySelectorAll(all)]
        .filter((each) => each.checkVisibility() && each.getBoundingClientRect().width)
        .map((each) => [each.getAttribute("aria-label") ?? each.textContent, each.getBoundingClientRect()]);
    const beyond = parts.filter(([_, box]) => box.left < bar.left || box.right > bar.right + 0.5
        || box.top < bar.top || box.bottom > bar.bottom + 0.5);
    const over = parts.flatMap(([name, a], k) => parts.slice(k + 1)
        .filter(([_, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5
            && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 0.5)
        .map(([other]) => `${name} and ${other}`));
    return [...beyond.map(([name]) => name), ...over];
}"""


@pytest.mark.parametrize("size", [*SIZES, (1381, 900), (1180, 800), (1000, 800)])
def test_the_overview_of_a_long_run_leaves_the_chart_its_height_and_the_transport_its_bound(
    open_lab: OpenLab, size: tuple[int, int]
) -> None:
    lab = open_lab(size)
    lab.make_steps(1_000)
    lab.ask("PATCH", "/runs/gd", {"learning_rate": 0.05})
    lab.make_steps(1_500)
    overview = lab.page.locator("run-overview .overview")
    box = overview.bounding_box()
    assert box
    assert box["height"] >= 32
    assert box["width"] >= 80
    if size == DESKTOP:
        assert box["height"] == 52
    places: dict[str, Any] = lab.page.evaluate(PLACES)
    assert places["transport"]["height"] <= size[1] / 6
    assert places["transport"]["bottom"] <= size[1] + 0.5
    assert places["wide"] <= size[0]
    assert places["stage"] <= 0
    # the transport grew by the overview at most
    if size in HEIGHTS:
        assert places["loss"] >= min(HEIGHTS[size] - 28, 240) - ROUNDING
        assert places["loss"] >= (160 if size[1] < 600 and size[0] > 480 else 240)
    assert lab.page.evaluate(OVERLAPS) == []
    least = 24 if size[0] > 900 else 44 if size[1] > 300 else 40
    assert (small := lab.page.evaluate(SMALL, least)) == [], "\n".join(small)
    assert lab.page.evaluate(CUT) == []
    lab.page.keyboard.press(".")
    expect(lab.page.locator("transport-bar :is(.way-back, .live.button):visible")).to_have_count(1)
    assert lab.page.evaluate(PLACES)["transport"]["height"] <= size[1] / 6
    assert lab.page.evaluate(OVERLAPS) == []


RANGES = """[...document.querySelectorAll(":is(plotly-chart[kind=loss], plotly-chart[kind=gradients]) .js-plotly-plot")]
    .flatMap(({ layout }) => [...layout.xaxis.range, ...layout.yaxis.range])"""


@pytest.mark.parametrize("kind", ["loss", "gradients"])
def test_a_finger_that_swipes_over_a_chart_scrolls_the_page_and_moves_no_axis(
    open_lab: OpenLab, kind: str
) -> None:
    lab = open_lab(PHONE, plotted=True)
    lab.make_steps(100)
    lab.page.wait_for_selector("plotly-chart[kind=loss][data-last-step='100']")
    lab.page.evaluate("scrollTo(0, 0)")
    lab.chart(kind).scroll_into_view_if_needed()
    before, scrolled = lab.page.evaluate(RANGES), lab.page.evaluate("scrollY")
    box = lab.chart(kind).bounding_box()
    assert box is not None
    swipe(lab, box["x"] + box["width"] / 2, box["y"] + 0.6 * box["height"], -150)
    lab.until(lambda: lab.page.evaluate("scrollY"), lambda now: now > scrolled + 80)
    swipe(lab, box["x"] + 100, box["y"] + 20, 0, across=120)
    # a late history may still widen a range by the next pixel; a swipe moved it by decades
    assert lab.page.evaluate(RANGES) == pytest.approx(before, abs=0.1)


def swipe(lab: Dashboard, x: float, y: float, down: float, *, across: float = 0, parts: int = 10) -> None:
    """Move one finger over the page."""
    session = lab.page.context.new_cdp_session(lab.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        where = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": where})

    touch("touchStart", (x, y))
    for k in range(1, parts + 1):
        touch("touchMove", (x + across * k / parts, y + down * k / parts))
    touch("touchEnd")
    session.detach()


# The edges of the transport and of the marks of exact zeros and the numbers of steps under the gradients, in px.
UNDER_GRADIENTS = """() => {
    const top = document.querySelector("transport-bar").getBoundingClientRect().top;
    const texts = [...document.querySelectorAll("plotly-chart[kind=gradients] .tick")]
        .filter((each) => each.checkVisibility());
    const marks = [...document.querySelectorAll("plotly-chart[kind=gradients] .now")];
    return { top, zeros: texts.filter(({ textContent }) => textContent === "0").length,
        lowest: Math.max(...[...texts, ...marks].map((each) => each.getBoundingClientRect().bottom)) };
}"""


@pytest.mark.parametrize("size", [(768, 1024), (820, 1180), (1024, 768)])
def test_on_a_tablet_exact_zeros_of_the_gradients_stand_above_the_transport(
    open_lab: OpenLab, size: tuple[int, int]
) -> None:
    lab = open_lab(size, drawn=True)
    lab.make_steps(300)
    edges = lab.until(lambda: lab.page.evaluate(UNDER_GRADIENTS), lambda edges: edges["zeros"] >= 2)
    assert edges["lowest"] <= edges["top"]
