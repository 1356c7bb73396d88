"""Classes: accuracy instead of R2, the majority as baseline, the decision map, the confusion table."""

from __future__ import annotations

import json
import re
import struct
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from playwright.sync_api import expect

from browser.conftest import Visits
from browser.dashboard import PHONE, Dashboard
from browser.test_accessibility import SMALL_TARGETS, faults
from browser.test_exports import SVG, content, open_panel, take

MOONS: dict[str, Any] = {
    "data": {"name": "moons", "samples": 400, "noise": 0.1, "test_fraction": 0.25},
    "network": {"layers": [{"units": 6, "activation": "tanh"}], "weights": "xavier"},
    "runs": [
        {"name": "gd", "learning_rate": 0.5},
        {"name": "adam", "optimizer": "adam", "learning_rate": 0.05, "batch_size": 32},
    ],
}


def opened(visits: Visits, address: str, recipe: dict[str, Any], **profile: Any) -> Dashboard:
    """Open the page of somebody who has stored this experiment."""
    created = httpx.post(f"{address}/api/v1/experiments", json=recipe).json()
    stored = json.dumps({"id": created["id"], "token": created["token"], "recipe": recipe})
    lab = visits.tab(**profile)
    lab.page.evaluate("(kept) => localStorage.setItem('fallline.experiment', kept)", stored)
    lab.open(drawn=True)
    unfold(lab)
    return lab


def unfold(lab: Dashboard) -> None:
    """Open the predictions of all runs, which are folded where the stage has a larger picture."""
    fold = lab.page.locator("predicted-true .fold[aria-expanded=false]")
    if fold.count():
        fold.dispatch_event("click")
        expect(fold).to_have_count(0)


def shown_as(lab: Dashboard, face: str) -> None:
    lab.page.get_by_role("radiogroup", name="Predictions of classes").get_by_role("radio", name=face).click()


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "softmax_cross_entropy"])
def test_a_table_counts_predicted_by_true_class(visits: Visits, address: str, loss: str) -> None:
    lab = opened(visits, address, {**MOONS, "loss": loss})
    shown_as(lab, "Table")
    lab.make_steps(400)
    table = lab.page.locator('.confusion[data-run="adam"]')
    lab.until_is(lambda: table.get_attribute("data-step"), "400")
    answer = lab.ask("GET", "/runs/adam/instruments/predictions")
    pairs = list(zip(answer["y"], answer["y_pred"], strict=True))
    cells = table.locator("tbody td").all_inner_texts()
    assert cells == [str(pairs.count((truth, guess))) for truth in (0, 1) for guess in (0, 1)]
    right = sum(truth == guess for truth, guess in pairs)
    words = table.locator("caption").inner_text()
    assert words.startswith(f"Adam: {right} of 100 test samples correct")
    assert lab.page.locator("plotly-chart[kind=scatter]").count() == 0


def test_the_page_shows_accuracy_and_the_majority(visits: Visits, address: str) -> None:
    lab = opened(visits, address, {**MOONS, "loss": "softmax_cross_entropy"})
    lab.make_steps(100)
    head = lab.page.locator("race-table thead")
    expect(head.locator(".score")).to_have_text("Accuracy")
    head.locator(".score .term").click()
    expect(lab.page.get_by_role("dialog", name="Accuracy")).to_contain_text("Of 100 test samples.")
    lab.page.keyboard.press("Escape")
    accuracy = lab.ask("GET")["runs"][0]["latest"]["test_accuracy"]["value"]
    assert f"{accuracy:.2f}" in lab.row("gd").inner_text()
    assert "softmax cross-entropy over 300" in lab.page.locator("loss-head").inner_text()
    assert lab.page.locator(".chart-label.baseline").inner_text() == "predicting the majority: 0.693"
    assert "logits" in str(lab.page.locator("svg.network").text_content())
    assert lab.page.locator("network-drawing .output-unit").count() == 2


def test_switching_between_numbers_and_classes_changes_the_views(visits: Visits, address: str) -> None:
    lab = opened(visits, address, MOONS)
    assert lab.page.locator(".decision").count() == 2
    lab.settings("data")
    lab.page.get_by_label("Data set").select_option("linear")
    expect(lab.chart("scatter")).to_have_count(1)
    assert lab.page.locator(".decision").count() == 0
    assert lab.page.get_by_role("radiogroup", name="Predictions of classes").count() == 0
    assert "R²" in lab.page.locator("race-table thead").inner_text()
    lab.page.get_by_label("Data set").select_option("xor")
    lab.page.locator(".decision").first.wait_for()
    assert lab.page.locator("plotly-chart[kind=scatter]").count() == 0
    lab.settings("run gd").get_by_role("button", name="Hide GD in the charts").click()
    lab.until_is(lambda: lab.page.locator(".decision").count(), 1)


PIXELS = """(canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, 48, 48);
    return Array.from({ length: 48 * 48 }, (_, k) => `rgb(${data.slice(4 * k, 4 * k + 3).join(",")})`);
}"""

# The class with the nearest colour at each cell of a map as shown, rows from below.
SEEN = """(canvas) => {
    const style = getComputedStyle(canvas);
    const token = (name) => style.getPropertyValue(name).trim().slice(1).match(/../g).map((part) => parseInt(part, 16));
    const [paper, ...classes] = ["--paper", "--side-1", "--side-2"].map(token);
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const nearest = (cell) => {
        const tint = [0, 1, 2].map((part) => pixels[4 * cell + part] - paper[part]);
        const along = classes.map((colour) => {
            const way = colour.map((part, k) => part - paper[k]);
            const of = (one, other) => one.reduce((sum, part, k) => sum + part * other[k], 0);
            return of(tint, way) / Math.sqrt(of(way, way));
        });
        return along[0] > along[1] ? 0 : 1;
    };
    return Array.from({ length: canvas.height }, (_, row) => Array.from({ length: canvas.width }, (_, column) =>
        nearest((canvas.height - 1 - row) * canvas.width + column)));
}"""


def map_agrees(lab: Dashboard, step: int) -> None:
    """GD's map agrees with REST at the step: cells, places of samples, wrong ones, and words."""
    decision = lab.page.locator('.decision[data-run="gd"]')
    lab.until_is(lambda: decision.get_attribute("data-step"), str(step))
    answer = lab.ask("GET", "/runs/gd/instruments/predictions", step=step)
    drawn = lab.ask("GET", "/runs/gd/instruments/decision", step=step)
    colours = decision.locator("canvas").evaluate(SEEN)
    assert colours == drawn["predicted"]
    X = lab.ask("GET", "/data")["X"]

    def cell(row: int, k: int, side: list[float]) -> int:
        where: float = (X[row][k] - side[0]) / (side[1] - side[0])
        return round(where)

    places = [(cell(row, 1, drawn["y"]), cell(row, 0, drawn["x"])) for row in answer["rows"]]
    # a border may run through a sample's own cell
    around = [{colours[up + r][across + c] for r in (-1, 0, 1) for c in (-1, 0, 1)} for up, across in places]
    clear = [
        (classes, guess) for classes, guess in zip(around, answer["y_pred"], strict=True) if len(classes) == 1
    ]
    assert len(clear) > 70
    assert all(classes == {guess} for classes, guess in clear)
    wrong = sum(truth != guess for truth, guess in zip(answer["y"], answer["y_pred"], strict=True))
    outlined = decision.locator("path[data-wrong]").evaluate_all(
        "(paths) => paths.reduce((sum, path) => sum + path.getAttribute('d').match(/Z/g).length, 0)"
    )
    assert outlined == wrong
    expect(decision.locator(".title")).to_contain_text(f"{(100 - wrong) / 100:.2f}")
    says = str(decision.locator(".map").get_attribute("aria-label"))
    assert says.startswith(f"GD at step {step}: {100 - wrong} of 100 test samples correct.")


def test_a_map_over_two_inputs_shows_predicted_classes_and_errors(visits: Visits, address: str) -> None:
    lab = opened(visits, address, MOONS)
    lab.make_steps(60)
    map_agrees(lab, 60)
    lab.page.keyboard.press("ArrowLeft")
    map_agrees(lab, 59)
    lab.page.keyboard.press("l")
    map_agrees(lab, 60)
    # the prediction under the pointer stands below the maps
    picture = lab.page.locator('.decision[data-run="gd"] .map')
    box = picture.bounding_box()
    assert box
    picture.hover(position={"x": box["width"] / 2, "y": 2})
    drawn = lab.ask("GET", "/runs/gd/instruments/decision")
    hint = lab.page.locator("predicted-true .hint")
    expect(hint).to_have_text(
        re.compile(rf"^x1 .*, x2 .*: {drawn['classes'][drawn['predicted'][-1][24]]}, \d+ %$")
    )
    lab.page.mouse.move(0, 0)
    expect(hint).to_have_text(re.compile(r"^Across: x1, .* to .*\. Up: x2, .* to .*\.$"))
    # the table is one key away
    faces = lab.page.get_by_role("radiogroup", name="Predictions of classes")
    faces.get_by_role("radio", name="Map").focus()
    lab.page.keyboard.press("ArrowRight")
    expect(faces.get_by_role("radio", name="Table")).to_be_focused()
    expect(lab.page.locator(".confusion")).to_have_count(2)
    assert lab.page.locator(".decision").count() == 0
    lab.page.keyboard.press("ArrowLeft")
    map_agrees(lab, 60)


def test_a_map_is_read_by_keyboard_cell_by_cell_without_stepping_the_training(
    visits: Visits, address: str
) -> None:
    lab = opened(visits, address, MOONS)
    lab.make_steps(60)
    picture = lab.page.locator('.decision[data-run="gd"] .map')
    expect(lab.page.locator('.decision[data-run="gd"]')).to_have_attribute("data-step", "60")
    drawn = lab.ask("GET", "/runs/gd/instruments/decision")
    hint, spoken = lab.page.locator("predicted-true .hint"), lab.page.locator("page-announcer")

    def reads(key: str, column: int, row: int) -> None:
        lab.page.keyboard.press(key)
        expect(picture).to_have_attribute("data-cursor", f"{column} {row}")
        text = str(hint.text_content())
        assert re.fullmatch(
            rf"x1 .*, x2 .*: {drawn['classes'][drawn['predicted'][row][column]]}, \d+ %", text
        )
        expect(spoken).to_have_text(f"{text}.")

    faces = lab.page.get_by_role("radiogroup", name="Predictions of classes")
    faces.get_by_role("radio", name="Map").focus()
    lab.page.keyboard.press("Tab")
    expect(picture).to_be_focused()
    reads("ArrowRight", 24, 24)
    reads("ArrowRight", 25, 24)
    reads("ArrowUp", 25, 25)
    reads("Home", 0, 25)
    reads("PageDown", 0, 0)
    expect(picture.locator(".cursor")).to_have_attribute("d", re.compile("^M"))
    assert faults(lab, "predicted-true") == []
    lab.page.keyboard.press("Escape")
    expect(picture.locator(".cursor")).to_have_attribute("d", "")
    expect(hint).to_have_text(re.compile("^Across: "))
    # the words leave with the focus
    reads("ArrowLeft", 24, 24)
    lab.page.keyboard.press("Tab")
    expect(lab.page.locator('.decision[data-run="adam"] .map')).to_be_focused()
    expect(hint).to_have_text(re.compile("^Across: "))
    assert lab.step == 60


def test_maps_export_as_a_picture_with_their_legend_even_out_of_sight(visits: Visits, address: str) -> None:
    lab = opened(visits, address, MOONS, size=(1280, 600))
    lab.make_steps(60)
    # only the large map is requested
    expect(lab.page.locator('.decision[data-run="adam"][data-step]')).to_have_count(0)
    menu = open_panel(lab)
    download = take(lab, menu.get_by_role("button", name="Predicted and true as SVG"))
    assert download.suggested_filename == "fallline-map-step-60.svg"
    text = content(download).decode()
    root = ElementTree.fromstring(text)
    written = ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]
    expected = {"Predicted and true", "100 test samples", "GD", "Adam", "upper", "lower", "wrong"}
    assert expected <= set(written), written
    assert re.search(r"Across: x1, .* to .*\. Up: x2, .* to .*\.", " ".join(written))
    assert not {"Map", "Table"} & set(written)
    title = root.find(f"{SVG}title")
    assert title is not None
    assert re.fullmatch(r"GD at step 60: .*\. Adam at step 60: .*\.", str(title.text))
    # every cell has its colour of the page, below the samples
    maps = [each for each in root.iter(f"{SVG}svg") if each.get("viewBox") == "0 0 48 48"]
    assert len(maps) == 2
    for run, cells in zip(("gd", "adam"), maps, strict=True):
        pixels = lab.page.locator(f'.decision[data-run="{run}"] canvas').evaluate(PIXELS)
        drawn: dict[tuple[int, int], str | None] = {}
        for path in cells:
            for left, top, wide in re.findall(r"M(\d+),(\d+)h(\d+)v1", str(path.get("d"))):
                drawn |= {(int(left) + k, int(top)): path.get("fill") for k in range(int(wide))}
        assert [drawn[k % 48, k // 48] for k in range(48 * 48)] == pixels
    dots = lab.page.locator(".decision svg path").evaluate_all(
        "(all) => all.map((each) => each.getAttribute('d'))"
    )
    assert set(filter(None, dots)) <= {each.get("d") for each in root.iter(f"{SVG}path")}
    assert not re.search(r"var\(|color\(|color-mix|foreignObject|https?://(?!www\.w3\.org)", text)
    # and as PNG, while the map is on view
    png = content(take(lab, menu.get_by_role("button", name="Predicted and true as PNG")))
    size = [float(root.attrib[side]) for side in ("width", "height")]
    assert struct.unpack(">II", png[16:24]) == pytest.approx([3 * side for side in size], abs=1)
    lab.page.keyboard.press("Escape")
    shown_as(lab, "Table")
    expect(open_panel(lab).get_by_role("button", name="Loss as SVG")).to_be_visible()
    expect(menu.get_by_role("button", name="Predicted and true as SVG")).to_have_count(0)


def test_maps_export_on_a_phone_while_out_of_sight(visits: Visits, address: str) -> None:
    lab = opened(visits, address, MOONS, size=PHONE)
    lab.make_steps(60)
    menu = open_panel(lab)
    download = take(lab, menu.get_by_role("button", name="Predicted and true as SVG"))
    root = ElementTree.fromstring(content(download))
    assert len([each for each in root.iter(f"{SVG}svg") if each.get("viewBox") == "0 0 48 48"]) == 2
    assert re.fullmatch(r"GD at step 60: .*\. Adam at step 60: .*\.", str(root.findtext(f"{SVG}title")))


PLACES = """() => [".face", "doctor-list"]
    .map((one) => document.querySelector(`.rail.inspection ${one}`).getBoundingClientRect().top)"""


def test_pointing_at_a_map_or_opening_the_table_moves_nothing(visits: Visits, address: str) -> None:
    """With three classes the longer table used to push the switch out of sight."""
    rows = "".join(f"{k % 3 + k / 100},{k % 5},{'abc'[k % 3]}\n" for k in range(60))
    table = httpx.post(
        f"{address}/api/v1/datasets", content=f"size,age,kind\n{rows}", headers={"Content-Type": "text/csv"}
    ).json()
    data = {"name": "csv", "dataset": table["id"], "target": "kind", "standardize": "inputs"}
    lab = opened(visits, address, {**MOONS, "data": data})
    expect(lab.page.locator(".decision[data-step]")).to_have_count(2)
    before = lab.page.evaluate(PLACES)
    lab.page.locator(".decision .map").first.hover()
    expect(lab.page.locator("predicted-true .hint")).to_contain_text("%")
    assert lab.page.evaluate(PLACES) == before
    shown_as(lab, "Table")
    expect(lab.page.locator(".confusion")).to_have_count(2)
    assert lab.page.evaluate(PLACES) == before


@pytest.mark.parametrize("size", [(1440, 900), (1280, 700), (800, 900), PHONE])
def test_tables_have_the_room_of_maps_and_move_nothing_below(
    visits: Visits, address: str, size: tuple[int, int]
) -> None:
    lab = opened(visits, address, MOONS, size=size)
    lab.page.locator(".decisions").scroll_into_view_if_needed()
    expect(lab.page.locator(".decision[data-step]")).to_have_count(2)
    height = "() => document.querySelector('predicted-true').getBoundingClientRect().height"
    before = lab.page.evaluate(height)
    shown_as(lab, "Table")
    expect(lab.page.locator(".confusion")).to_have_count(2)
    assert lab.page.evaluate(height) == pytest.approx(before, abs=0.1)


def test_axe_finds_nothing_in_maps_and_tables_of_four_runs(visits: Visits, address: str) -> None:
    runs = [
        {"name": f"run-{place}", "learning_rate": rate} for place, rate in enumerate((0.5, 0.1, 1e-6, 1e6))
    ]
    lab = opened(visits, address, {**MOONS, "runs": runs})
    lab.make_steps(200)
    expect(lab.page.locator(".decision[data-step='200']")).to_have_count(3)
    expect(lab.page.locator('.decision[data-run="run-3"]')).to_contain_text("off the axis")
    assert faults(lab) == []
    shown_as(lab, "Table")
    expect(lab.page.locator(".confusion")).to_have_count(4)
    assert faults(lab, "predicted-true") == []


def test_maps_and_tables_fit_on_a_phone(visits: Visits, address: str) -> None:
    lab = opened(visits, address, MOONS, size=PHONE)
    lab.page.locator("predicted-true").scroll_into_view_if_needed()
    expect(lab.page.locator(".decision[data-step]")).to_have_count(2)
    assert lab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert faults(lab, "predicted-true", axe_in=("dark",)) == []
    assert lab.page.evaluate(SMALL_TARGETS) == []
    shown_as(lab, "Table")
    lab.page.locator(".confusion").first.wait_for()
    assert lab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_map_over_two_of_four_inputs_can_be_chosen(visits: Visits, address: str) -> None:
    rows = [(a % 7, a % 5, a % 11, a % 3) for a in range(60)]
    table = "\n".join(f"{','.join(map(str, row))},{'no' if row[0] < row[1] else 'yes'}" for row in rows)
    uploaded = httpx.post(
        f"{address}/api/v1/datasets",
        content=f"width,height,depth,age,kind\n{table}\n",
        headers={"Content-Type": "text/csv"},
    ).json()
    data = {"name": "csv", "dataset": uploaded["id"], "target": "kind", "samples": 60}
    lab = opened(visits, address, {**MOONS, "data": data, "loss": "binary_cross_entropy"})
    assert lab.page.locator(".confusion").count() == 2
    shown_as(lab, "Map")
    hint = lab.page.locator("predicted-true .hint").last
    expect(hint).to_contain_text(re.compile(r"Across: width, .* Up: height, .* Others: at their mean\."))
    lab.page.get_by_role("combobox", name="Input across").select_option(label="age")
    expect(hint).to_contain_text(re.compile(r"Across: age, .* Up: height, "))
    lab.page.get_by_role("combobox", name="Input up").select_option(label="age")
    expect(hint).to_contain_text(re.compile(r"Across: height, .* Up: age, "))
    drawn = lab.ask("GET", "/runs/gd/instruments/map", x="height", y="age")
    words = str(lab.page.locator('.decision[data-run="gd"] .map').get_attribute("aria-label"))
    assert "Plane of height and age, the others at their mean" in words
    assert f"{round(60 * drawn['right'])} of 60 training samples correct" in words
    assert faults(lab) == []
    shown_as(lab, "Table")
    expect(lab.page.get_by_role("combobox", name="Input across")).to_have_count(0)
