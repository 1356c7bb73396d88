"""The rail beside the charts: each section keeps its place for any number of runs and classes."""

from __future__ import annotations

import re
from functools import partial
from itertools import combinations
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from browser.conftest import OpenLab, Visits
from browser.dashboard import DESKTOP, PHONE, Dashboard
from browser.looks import RECIPES
from browser.test_accessibility import SMALL_TARGETS, faults_in_both_themes
from browser.test_classes import MOONS, opened, shown_as
from browser.test_exhibits import expect_exhibit, options, picker
from browser.test_exports import content, open_panel, take
from browser.test_stage import MORE
from browser.test_travel import look_back_to

FORK = next(run for run in MORE if "fork_of" in run)
SECTIONS = ["network-drawing", "predicted-true", "doctor-list"]
LONG = 1500
"""Steps after which SGD's second layer has been dead for long: there is something to be seen of the Doctor."""

TOPS = """(names) => names.map((name) => document.querySelector(name).getBoundingClientRect().top)"""

# Each square's name and score as shown, and whether it is fully visible, clear of the next.
SQUARES = """() => {
    const all = [...document.querySelectorAll("predicted-true .chart-label.title")];
    const rail = document.querySelector(".rail.inspection").getBoundingClientRect();
    return all.map((title) => {
        const run = title.dataset.run;
        const told = title.querySelector(".values") ?? title.parentElement.querySelector(`.score[data-run="${run}"]`);
        const name = title.querySelector("b");
        const box = told.getBoundingClientRect();
        const right = Math.max(box.right, name.getBoundingClientRect().right);
        const next = all.map((each) => each.getBoundingClientRect().left).filter((left) => left > box.left);
        const isWhole = [name, told].every((each) => each.scrollWidth <= each.clientWidth + 1);
        return {
            run, name: name.textContent, score: told.textContent, full: title.title,
            whole: isWhole && right <= Math.min(rail.right, ...next),
        };
    });
}"""


def tops(lab: Dashboard) -> list[float]:
    places: list[float] = lab.page.evaluate(TOPS, SECTIONS)
    return places


def expect_places(lab: Dashboard, before: list[float]) -> None:
    """Check the sections: in order, in place, with the first finding visible."""
    assert tops(lab) == pytest.approx(before, abs=2)
    assert before == sorted(before)
    heading = lab.page.locator("doctor-list .finding h3").first
    expect(heading).to_be_in_viewport(ratio=1)
    rail = lab.page.locator(".rail.inspection").bounding_box()
    box = lab.until(heading.bounding_box, bool)  # a new first finding takes the place of the one before
    assert rail
    assert box
    assert box["y"] + box["height"] <= rail["y"] + rail["height"]


def fork(lab: Dashboard, count: int) -> None:
    """Fork until there are so many runs."""
    for place in range(len(lab.ask("GET")["runs"]), count):
        forks = {
            "name": f"fork-{place}",
            "fork_of": "gd",
            "at_step": place,
            "label": f"GD from {place}",
        }
        lab.ask("POST", "/runs", {**forks, "learning_rate": 0.01})
    expect(lab.page.locator("race-table tbody tr")).to_have_count(count)


def test_a_fork_made_by_a_program_has_a_name_and_the_lane_of_its_method(open_lab: OpenLab) -> None:
    """It was called "Run 3", with the star of a second GD."""
    lab = open_lab(DESKTOP)
    lab.make_steps(20)
    change = {"optimizer": "adam", "batch_size": 8, "learning_rate": 0.005}
    name = lab.ask("POST", "/runs", {"fork_of": "gd", "at_step": 10, **change})["name"]
    expect(lab.row(name)).to_contain_text("GD, Adam, batch 8")
    expect(lab.row(name).locator("[data-lane]").first).to_have_attribute("data-lane", "e")


def are_scored(count: int, squares: list[dict[str, Any]]) -> bool:
    return [each["score"] != "R² –" for each in squares] == [True] * count


def test_the_doctors_own_fork_moves_nothing_in_the_rail_nor_do_any_more(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(LONG)
    expect(lab.page.locator(".finding[data-rule=dead_layer]")).to_be_visible()
    # until the Doctor has caught up its evidence changes, and may need a line less
    lab.ask("GET", "/runs/sgd/findings", wait=20)
    expect(lab.page.locator("doctor-list .looked")).to_be_empty()
    before = tops(lab)
    expect_places(lab, before)
    lab.page.locator(".finding[data-rule=dead_layer] .acts button").first.click()
    expect(lab.page.locator("race-table tbody tr")).to_have_count(3)
    for count in (3, 4, 5, 8):
        fork(lab, count)
        lab.ask("POST", "/step", {"steps": 1})
        squares = lab.until(
            lambda: lab.page.evaluate(SQUARES),
            partial(are_scored, count),
        )
        names = {run["name"]: run["label"] or run["name"].upper() for run in lab.ask("GET")["runs"]}
        heading = lab.page.locator("race-table th.moment")
        expect(heading).to_be_in_viewport(ratio=1)
        expect(heading).to_contain_text("step")
        assert heading.evaluate("(cell) => cell.scrollWidth <= cell.clientWidth")
        assert [each["run"] for each in squares] == list(names)
        assert [each for each in squares if not each["whole"] or not each["score"].startswith("R² ")] == []
        assert len({each["name"] for each in squares}) == count
        assert [each["full"] for each in squares] == [
            f"{names[each['run']]}: {each['score']}" for each in squares
        ]
        lab.until_is(lambda: lab.chart("scatter").get_attribute("data-traces"), str(count))
        expect_places(lab, before)
    assert faults_in_both_themes(lab) == []


# Counts the draws of Plotly in the squares.
WATCH_DRAWS = """() => {
    const { react } = Plotly;
    window.__draws = 0;
    Plotly.react = (plot, ...rest) => {
        window.__draws += plot.closest("plotly-chart").getAttribute("kind") === "scatter";
        return react.call(Plotly, plot, ...rest);
    };
}"""
# The middle of the first point of the first square, on the screen.
FIRST_POINT = """() => {
    const dots = document.querySelector("plotly-chart[kind=scatter] .chart-marks .dots");
    const [first] = dots.getAttribute("d").split("Z");
    const path = Object.assign(dots.cloneNode(), {});
    path.setAttribute("d", first);
    dots.after(path);
    const { left, top, width, height } = path.getBoundingClientRect();
    path.remove();
    return [left + width / 2, top + height / 2];
}"""


def test_plotly_draws_predictions_for_the_pointer_only_and_then_the_present_ones(
    open_lab: OpenLab,
) -> None:
    """The points move with each beat. Plotly answers the pointer; drawing for nobody made the page slow."""
    lab = open_lab(plotted=True)
    lab.make_own()
    scatter = lab.chart("scatter")
    lab.make_steps(3)
    lab.until(lambda: scatter.get_attribute("data-last-step"), lambda step: step == "3")
    lab.page.evaluate(WATCH_DRAWS)
    lab.play.click()
    lab.until(lambda: int(scatter.get_attribute("data-last-step") or 0), lambda step: step > 60)
    assert lab.page.evaluate("window.__draws") == 0
    lab.pause.click()
    lab.until(lambda: scatter.get_attribute("data-last-step"), lambda step: step == str(lab.step))
    # what the Doctor finds is drawn too, and a draw takes the words from under the pointer
    lab.ask("GET", "/runs/sgd/findings", wait=20)
    expect(lab.page.locator("doctor-list .looked")).to_be_empty()

    def requests_in_half_a_second() -> int:
        before = len(lab.requests)
        lab.page.wait_for_timeout(500)
        return len(lab.requests) - before

    # the last moment at rest is here: its predictions are drawn too
    lab.until_is(requests_in_half_a_second, 0)
    assert lab.page.evaluate("window.__draws") == 0
    lab.page.mouse.move(*lab.page.evaluate(FIRST_POINT))
    words = scatter.locator(".hovertext").first
    expect(words).to_be_visible()
    assert lab.page.evaluate("window.__draws") == 1
    shown = [float(each.replace("−", "-")) for each in re.findall(r"[−\d.]+", words.text_content() or "")]
    runs = lab.ask("GET", "/moment", predictions="all")["runs"]
    present = [
        [round(value, 2) for value in pair]
        for pair in zip(*(runs["gd"]["predictions"][name] for name in ("y", "y_pred")), strict=True)
    ]
    assert shown in present


# Names of runs in the loss chart, the squares and the network's switch, and which of their words are cut.
CUT_NAMES = """() => {
    const named = (selector, nameOf) => [...document.querySelectorAll(selector)]
        .filter((each) => each.checkVisibility())
        .map((each) => [each, nameOf(each)]);
    const words = (text) => text.split(/[ …-]+|,(?= |$)/).filter(Boolean);
    const all = [
        ...named(".plot.loss .chart-label.end", ({ title }) => title),
        ...named("predicted-true .chart-label.title", ({ title }) => title.split(": ")[0]),
        ...named("network-drawing .switch [role=radio]", ({ title }) => title),
    ];
    return all.map(([element, name]) => {
        const label = [...element.querySelectorAll("b, .clip")].map((each) => each.textContent).join(" ");
        return { label, name, cut: words(label).filter((word) => !words(name).includes(word)) };
    });
}"""


@pytest.mark.parametrize("count", [3, 4, 8])
@pytest.mark.parametrize("size", [DESKTOP, (1280, 720), (960, 540), PHONE])
def test_no_name_of_a_run_is_cut_in_a_word(open_lab: OpenLab, size: tuple[int, int], count: int) -> None:
    lab = open_lab(size)
    lab.make_own()
    for run in (FORK, *(each for each in MORE if each is not FORK))[: count - 2]:
        lab.ask("POST", "/runs", {"learning_rate": 0.1, **run})
    expect(lab.page.locator("race-table tbody tr")).to_have_count(count)
    lab.make_steps(40)
    lab.page.locator("predicted-true").scroll_into_view_if_needed()
    names = lab.until(
        lambda: lab.page.evaluate(CUT_NAMES), lambda names: len(names) == 3 * count, patience=40
    )
    assert [each for each in names if each["cut"]] == []
    places = [names[count * k : count * (k + 1)] for k in range(3)]
    for place in places:
        labels = [each["label"] for each in place if each["label"]]
        assert len({*labels}) == len(labels), labels
    assert [each for each in names if each["name"].startswith("SGD,") and "He" not in each["label"]] == []


def test_squares_of_eight_methods_have_whole_names(visits: Visits, address: str) -> None:
    lab = opened(visits, address, RECIPES["eight"])
    lab.make_steps(20)
    squares = lab.until(lambda: lab.page.evaluate(SQUARES), partial(are_scored, 8))
    names = [each["full"].partition(":")[0] for each in squares]
    assert {each["whole"] for each in squares} == {True}
    assert [each["name"] for each in squares][:-1] == names[:-1]  # the last one is "GD, rate 0.01"
    expect(lab.page.locator("predicted-true .lane-mark")).to_have_count(8)


def test_maps_of_eight_runs_fit_in_the_room_of_two_and_stay_readable(visits: Visits, address: str) -> None:
    lab = opened(visits, address, MOONS)
    lab.make_steps(60)
    expect(lab.page.locator(".decision[data-step='60']")).to_have_count(2)
    before = tops(lab)
    for count in (3, 4, 8):
        fork(lab, count)
        lab.page.locator(f".decision[data-run='fork-{count - 1}'][data-step]").wait_for()
        expect_places(lab, before)
    sizes = {
        (round(box["width"]), round(box["height"]))
        for each in lab.page.locator(".decision .map").all()
        if (box := each.bounding_box())
    }
    [(width, height)] = sizes
    assert width == height > 50
    title = lab.page.locator(".decision[data-run='fork-7'] .title")
    expect(title.locator(".values")).to_contain_text(".")
    assert str(title.get_attribute("title")).startswith("GD from 7: accuracy ")
    # in an exported picture its score is above the map too
    text = content(
        take(lab, open_panel(lab).get_by_role("button", name="Predicted and true as SVG"))
    ).decode()
    assert text.rfind(f">{title.locator('b').inner_text()}<") > text.rfind('viewBox="0 0 48 48"') > 0
    lab.page.keyboard.press("Escape")
    picture = lab.page.locator(".decision[data-run='fork-7'] .map")
    hint = lab.page.locator("predicted-true .hint")
    picture.hover(position={"x": width / 2, "y": height / 2})
    expect(hint).to_contain_text("%")
    lab.page.mouse.move(0, 0)
    expect(hint).to_contain_text("Across")
    picture.focus()
    lab.page.keyboard.press("ArrowRight")
    expect(picture).to_have_attribute("data-cursor", "24 24")
    expect(hint).to_contain_text("%")
    expect_places(lab, before)
    assert faults_in_both_themes(lab) == []


def of_classes(
    address: str, classes: int = 10, samples: int = 200, names: list[str] | None = None
) -> dict[str, Any]:
    """Return a recipe with three inputs, so that there is no map."""
    kinds = names or [f"a kind {place}" for place in range(classes)]
    rows = "".join(
        f"{k % classes + k / samples},{k % 7},{k % 3},{kinds[k % classes]}\n" for k in range(samples)
    )
    table = httpx.post(
        f"{address}/api/v1/datasets", content=f"a,b,c,kind\n{rows}", headers={"Content-Type": "text/csv"}
    ).json()
    return {
        **MOONS,
        "data": {"name": "csv", "dataset": table["id"], "target": "kind", "standardize": "inputs"},
    }


# Cells whose number is wider than they are, so that it runs into the next: "153" and "0" looked like "1530".
OVERFULL = """() => [...document.querySelectorAll(".confusion tbody td")].filter((cell) => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    return range.getBoundingClientRect().width > cell.getBoundingClientRect().width;
}).map((cell) => cell.textContent)"""


def test_counts_of_three_digits_fit_into_the_cells_of_ten_classes(visits: Visits, address: str) -> None:
    recipe = of_classes(address, samples=4_000)
    lab = opened(visits, address, {**recipe, "data": {**recipe["data"], "samples": 4_000}})
    lab.make_steps(5)
    expect(lab.page.locator(".confusion[data-step='5']")).to_have_count(2)
    counts = [len(text.strip()) for text in lab.page.locator(".confusion tbody td").all_inner_texts()]
    assert max(counts) == 3
    assert lab.page.evaluate(OVERFULL) == []


WINES = ["cabernet", "chardonnay", "gewuerztraminer", "merlot", "pinot noir", "riesling", "sauvignon blanc"]
# Heads whose words are wider than they are, or take two lines.
CUT_HEADS = """() => [...document.querySelectorAll(".confusion th")].filter((head) => {
    const range = document.createRange();
    range.selectNode([...head.querySelectorAll("span:not(.unseen)")].at(-1) ?? head.firstChild);
    const { width, height } = range.getBoundingClientRect();
    return width > head.getBoundingClientRect().width || height > 16;
}).map((head) => head.textContent)"""


@pytest.mark.parametrize("size", [DESKTOP, (960, 540), PHONE])
def test_names_of_classes_are_whole_in_tables(visits: Visits, address: str, size: tuple[int, int]) -> None:
    lab = opened(visits, address, of_classes(address, 7, names=WINES), size=size)
    lab.make_steps(5)
    table = lab.page.locator(".confusion[data-step='5']").first
    rows = table.locator("tbody th > span:last-child")
    expect(rows).to_have_text(WINES)
    columns = table.locator("thead th")
    expect(columns.locator("[aria-hidden]")).to_have_text([str(place) for place in range(1, 8)])
    expect(columns.locator(".unseen")).to_have_text(WINES)
    assert lab.page.evaluate(CUT_HEADS) == []
    assert lab.page.evaluate(OVERFULL) == []


# Headings and rows that the end of the box cuts.
CUT_ROWS = """() => {
    const box = document.querySelector(".confusions").getBoundingClientRect();
    return [...document.querySelectorAll(".confusions :is(.title, tr)")].filter((each) => {
        const { top, bottom } = each.getBoundingClientRect();
        return top < box.bottom - 1 && bottom > box.bottom + 1;
    }).map((each) => each.textContent);
}"""


@pytest.mark.parametrize("classes", [3, 4, 5, 10])
def test_the_box_of_tables_ends_between_two_rows(visits: Visits, address: str, classes: int) -> None:
    lab = opened(visits, address, of_classes(address, classes))
    lab.make_steps(5)
    expect(lab.page.locator(".confusion[data-step='5']")).to_have_count(2)
    assert lab.page.evaluate(CUT_ROWS) == []


def test_both_tables_of_three_classes_are_whole(visits: Visits, address: str) -> None:
    lab = opened(visits, address, of_classes(address, 3))
    lab.make_steps(5)
    expect(lab.page.locator(".confusion[data-step='5']")).to_have_count(2)
    body = lab.page.locator(".confusions")
    assert body.evaluate("(box) => box.scrollHeight <= box.clientHeight")
    assert body.get_attribute("tabindex") is None


def test_tables_of_many_classes_scroll_above_the_doctor(visits: Visits, address: str) -> None:
    lab = opened(visits, address, of_classes(address))
    lab.make_steps(60)
    body = lab.page.locator(".confusions")
    expect(lab.page.locator(".confusion[data-step='60']")).to_have_count(2)
    before = tops(lab)
    expect_places(lab, before)
    rail = lab.page.locator(".rail.inspection").bounding_box()
    assert rail
    assert rail["y"] + rail["height"] - before[2] >= 282
    fork(lab, 3)
    expect(lab.page.locator(".confusion")).to_have_count(3)
    expect_places(lab, before)
    # by keyboard to the last row of the last run, under its name and the names of the classes
    body.focus()
    lab.page.keyboard.press("End")
    last = lab.page.locator(".confusion").last
    expect(last.locator("tbody tr").last).to_be_in_viewport(ratio=1)
    expect(last.locator(".title")).to_be_in_viewport(ratio=1)
    expect(last.locator("thead th").last).to_be_in_viewport(ratio=1)
    assert lab.page.evaluate("document.querySelector('.rail.inspection').scrollTop") == 0
    assert faults_in_both_themes(lab) == []


def test_tables_that_fit_take_no_tab_stop_and_a_fork_moves_nothing_below(
    visits: Visits, address: str
) -> None:
    lab = opened(visits, address, MOONS)
    lab.make_steps(60)
    shown_as(lab, "Table")
    body = lab.page.locator(".confusions")
    expect(lab.page.locator(".confusion[data-step='60']")).to_have_count(2)
    assert body.get_attribute("tabindex") is None
    before = tops(lab)
    fork(lab, 3)
    expect(body).to_have_attribute("tabindex", "0")
    expect_places(lab, before)
    shown_as(lab, "Map")
    expect(lab.page.locator(".decisions")).to_be_visible()
    assert lab.page.locator(".decisions").get_attribute("tabindex") is None


@pytest.mark.parametrize("size", [(1366, 768), (960, 540)])
def test_the_step_over_the_network_wraps_no_switch(open_lab: OpenLab, size: tuple[int, int]) -> None:
    lab = open_lab(size)
    lab.make_steps(20)
    places = """() => [".network", ".head h2", ".head .end"].map((each) =>
        document.querySelector(`network-drawing ${each}`).getBoundingClientRect().toJSON())"""
    before = lab.page.evaluate(places)
    when = lab.page.locator("network-drawing .when")
    expect(when).to_be_empty()
    when.evaluate("(element) => element.append('step 12,345')")
    expect(when).to_be_visible()
    assert lab.page.evaluate(places) == before
    room = when.evaluate("(element) => element.clientWidth - element.scrollWidth")
    assert room >= 0


# Each text of the network: its words, the height of its letters in px of the screen, and its place.
LETTERS = """() => [...document.querySelectorAll("network-drawing svg text")].map((text) => {
    const { left, right, top, bottom, height } = text.getBoundingClientRect();
    const size = parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a;
    return { words: text.textContent, size, left, right, middle: (top + bottom) / 2, height };
}).filter(({ height }) => height > 0)"""


@pytest.mark.parametrize("size", [PHONE, (1280, 720), (960, 540)])
def test_words_in_the_network_are_readable_and_clear_of_each_other(
    open_lab: OpenLab, size: tuple[int, int]
) -> None:
    lab = open_lab(size)
    lab.make_steps(LONG)
    lab.page.get_by_role("radiogroup", name="Run shown").get_by_role("radio", name="SGD").click()
    expect(lab.page.locator("network-drawing").get_by_text("4 of 4 dead")).to_have_count(1)
    letters = lab.page.evaluate(LETTERS)
    assert len(letters) > 12
    assert all(each["size"] >= 10.8 for each in letters), letters
    for one, other in combinations(letters, 2):
        if abs(one["middle"] - other["middle"]) < 3:
            assert one["right"] < other["left"] or other["right"] < one["left"], (one, other)


@pytest.mark.parametrize("size", [DESKTOP, (960, 540)])
def test_names_over_two_squares_are_whole(open_lab: OpenLab, size: tuple[int, int]) -> None:
    lab = open_lab(size, drawn=True)
    picker(lab).click()
    options(lab).filter(has_text="Momentum").first.click()
    expect_exhibit(lab, "momentum")
    lab.make_steps(20)
    squares = lab.until(lambda: lab.page.evaluate(SQUARES), partial(are_scored, 2))
    assert [each["name"] for each in squares] == ["Plain", "Momentum"]
    assert all(each["whole"] for each in squares), squares
    if size == DESKTOP:  # their scores stand beside them and cover no point
        expect(lab.chart("scatter").locator(".chart-label.title .values")).to_have_count(2)


def test_a_phone_keeps_two_large_squares_in_a_row(open_lab: OpenLab) -> None:
    lab = open_lab(PHONE, drawn=True)
    lab.make_steps(20)
    fork(lab, 4)
    squares = lab.until(lambda: lab.page.evaluate(SQUARES), lambda result: len(result) == 4)
    assert [each["name"] for each in squares] == ["GD", "SGD", "GD from 2", "GD from 3"]
    chart = lab.chart("scatter").bounding_box()
    assert chart
    assert chart["height"] == 320
    assert lab.page.evaluate(SMALL_TARGETS) == []
    assert lab.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_lower_pages_have_the_doctor_first_at_any_number_of_runs(open_lab: OpenLab) -> None:
    lab = open_lab((1366, 768), drawn=True)
    lab.make_steps(20)
    before = tops(lab)
    assert before[2] < before[1]
    fork(lab, 4)
    assert tops(lab) == pytest.approx(before, abs=2)
    lab.page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    assert tops(lab) == sorted(tops(lab))


# How often rings of units close: `animationstart` bubbles to the drawing.
DEATHS = """() => {
    window.__closed = [];
    document.querySelector("network-drawing").addEventListener("animationstart", ({ animationName, target }) =>
        __closed.push([animationName, target.closest("[data-place]").dataset.place]));
}"""


def test_the_rings_of_a_layer_close_once_when_it_dies(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_own()
    lab.page.get_by_role("radiogroup", name="Run shown").get_by_role("radio", name="SGD").click()
    drawing = lab.page.locator("network-drawing")
    lab.make_steps(150)
    expect(drawing).to_have_attribute("data-step", "150")
    lab.page.evaluate(DEATHS)
    lab.make_steps(70)
    expect(drawing).to_have_attribute("data-step", "220")
    expect(drawing).to_have_attribute("data-dead", "4")
    lab.until_is(lambda: lab.page.evaluate("__closed"), [["ring-closes", "2"]] * 4)
    expect(drawing.locator(".dies")).to_have_count(0)
    # who only comes back to the dead layer sees no motion
    look_back_to(lab, 100)
    expect(drawing).to_have_attribute("data-step", "100")
    lab.page.keyboard.press("l")
    expect(drawing).to_have_attribute("data-step", "220")
    lab.make_steps(5)
    expect(drawing).to_have_attribute("data-step", "225")
    assert len(lab.page.evaluate("__closed")) == 4
