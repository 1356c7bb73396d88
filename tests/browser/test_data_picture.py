"""The data's own picture beside the loss: the fit of one input, the map of two."""

from __future__ import annotations

import base64
import json
import re
import struct
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import httpx
import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from browser.conftest import Visits
from browser.dashboard import DESKTOP, PHONE, Dashboard
from browser.test_accessibility import SMALL_TARGETS, faults, faults_in_both_themes
from browser.test_exports import SVG, content, open_panel, take
from browser.test_travel import look_back_to

ONE_INPUT: dict[str, Any] = {
    "data": {"name": "sine", "samples": 120, "features": 1, "noise": 0.1, "test_fraction": 0.25},
    "network": {"layers": [{"units": 8, "activation": "tanh"}], "weights": "xavier"},
    "runs": [
        {"name": "gd", "learning_rate": 0.1},
        {"name": "sgd", "learning_rate": 0.02, "batch_size": 1},
    ],
}
TWO_CLASSES: dict[str, Any] = {
    "data": {"name": "moons", "samples": 400, "noise": 0.1, "test_fraction": 0.25},
    "network": {"layers": [{"units": 6, "activation": "tanh"}], "weights": "xavier"},
    "runs": [
        {"name": "gd", "learning_rate": 0.5},
        {"name": "adam", "optimizer": "adam", "learning_rate": 0.05, "batch_size": 32},
    ],
}
SURFACE: dict[str, Any] = {**ONE_INPUT, "data": {**ONE_INPUT["data"], "features": 2}}

WIDTHS = [(1920, 1080), (1440, 900), (1366, 650), (960, 540)]
NARROW = [(768, 1024), PHONE, (320, 568)]

BOXES = """() => Object.fromEntries([["loss", ".plot.loss"], ["data", "data-picture"], ["map", "stage-map .map"],
    ["fit", ".fit-plot"]].map(([name, selector]) => [name,
        document.querySelector(selector)?.getBoundingClientRect().toJSON() ?? null]))"""

CURVE = """(path) => {
    return path.getAttribute("d").match(/[-\\d.]+,[-\\d.]+/g).map((pair) => pair.split(",").map(Number));
}"""


def opened(visits: Visits, address: str, recipe: dict[str, Any], **profile: Any) -> Dashboard:
    """Open the page of somebody who has stored this experiment."""
    created = httpx.post(f"{address}/api/v1/experiments", json=recipe).json()
    stored = json.dumps({"id": created["id"], "token": created["token"], "recipe": recipe})
    lab = visits.page(visits.profile(**profile)) if "forced_colors" in profile else visits.tab(**profile)
    lab.page.goto(f"{address}/healthz")
    lab.page.evaluate("(kept) => localStorage.setItem('fallline.experiment', kept)", stored)
    return lab.open(drawn=True)


def fit(lab: Dashboard) -> Locator:
    return lab.page.locator("data-picture .fit")


def stage_map(lab: Dashboard) -> Locator:
    return lab.page.locator("stage-map")


def test_the_fit_shows_every_runs_curve_as_measured_and_the_samples_of_both_splits(
    visits: Visits, address: str
) -> None:
    lab = opened(visits, address, ONE_INPUT)
    lab.make_steps(200)
    expect(fit(lab)).to_have_attribute("data-step", "200")
    for name in ("gd", "sgd"):
        drawn = np.array(fit(lab).locator(f'.curve[data-run="{name}"]').evaluate(CURVE))
        heights = np.array(lab.ask("GET", f"/runs/{name}/instruments/fit")["y_pred"])
        assert len(drawn) == len(heights)
        # px down over values: one line for both runs
        slope, _ = np.polyfit(heights, drawn[:, 1], 1)
        assert slope < 0
        assert np.corrcoef(heights, drawn[:, 1])[0, 1] < -0.9999
    circles = [
        len(re.findall("Z", str(fit(lab).locator(f"path.sample.{each}").get_attribute("d"))))
        for each in ("train", "test")
    ]
    assert circles == [90, 30]
    expect(fit(lab).locator(".legend")).to_have_text(re.compile("train.*test"))
    dashes = (
        fit(lab)
        .locator(".curve")
        .evaluate_all("(all) => all.map((one) => getComputedStyle(one).strokeDasharray)")
    )
    assert len(set(dashes)) == 2
    label = str(fit(lab).get_attribute("aria-label"))
    assert re.fullmatch(
        r"Fit at step 200, 90 training and 30 test samples\. GD: R² .* on test\. SGD: R² .* on test\.", label
    )
    look_back_to(lab, 20)
    expect(fit(lab)).to_have_attribute("data-step", "20")
    then = np.array(lab.ask("GET", "/runs/gd/instruments/fit", step=20)["y_pred"])
    drawn = np.array(fit(lab).locator('.curve[data-run="gd"]').evaluate(CURVE))
    assert np.corrcoef(then, drawn[:, 1])[0, 1] < -0.999
    assert "Fit at step 20," in str(fit(lab).get_attribute("aria-label"))


def test_hidden_runs_have_no_curve_and_eight_are_told_apart(visits: Visits, address: str) -> None:
    runs = [{"name": f"run-{k}", "learning_rate": 0.02 * (k + 1)} for k in range(8)]
    lab = opened(visits, address, {**ONE_INPUT, "runs": runs})
    lab.make_steps(40)
    curves = fit(lab).locator(".curve")
    expect(curves).to_have_count(8)
    looks = curves.evaluate_all(
        "(all) => all.map((one) => getComputedStyle(one)).map((style) => style.stroke + style.strokeDasharray)"
    )
    assert len(set(looks)) == 8
    marks = (
        fit(lab)
        .locator("g .mark")
        .evaluate_all("(all) => all.map((one) => one.getBoundingClientRect().toJSON())")
    )
    tops = sorted(mark["top"] for mark in marks)
    assert all(b - a > 10 for a, b in pairwise(tops)), "names touch"
    lab.settings("run run-3").get_by_role("button", name=re.compile("^Hide ")).click()
    expect(curves).to_have_count(7)
    assert fit(lab).locator('.curve[data-run="run-3"]').count() == 0


def test_a_run_off_the_axis_is_named(visits: Visits, address: str) -> None:
    runs = [ONE_INPUT["runs"][0], {"name": "wild", "learning_rate": 100.0}]
    lab = opened(visits, address, {**ONE_INPUT, "runs": runs})
    lab.make_steps(60)
    expect(fit(lab).locator(".legend .bad")).to_contain_text("off the axis")
    expect(fit(lab).locator(".curve")).to_have_count(1)
    assert "off the axis" in str(fit(lab).get_attribute("aria-label"))


# The samples of a map by class, right and wrong ones.
DOTS = """(map) => [...map.querySelectorAll(".map path.sample")].map((path) => ({
    kind: Number(path.dataset.class), wrong: "wrong" in path.dataset,
    many: path.getAttribute("d").match(/Z/g).length }))"""


def test_the_map_shows_the_run_that_is_looked_at_with_its_training_samples(
    visits: Visits, address: str
) -> None:
    lab = opened(visits, address, TWO_CLASSES)
    lab.make_steps(60)
    for run, name in (("gd", "GD"), ("adam", "Adam")):
        lab.page.get_by_role("radiogroup", name="Run of the map").get_by_role("radio", name=name).click()
        expect(stage_map(lab)).to_have_attribute("data-run", run)
        expect(stage_map(lab)).to_have_attribute("data-step", "60")
        data = lab.ask("GET", "/data")
        drawn = lab.ask("GET", f"/runs/{run}/instruments/map")
        right = drawn["right"]
        expect(stage_map(lab).locator(".result")).to_contain_text(f"{round(100 * right)} % of test right")
        label = str(stage_map(lab).locator(".map").get_attribute("aria-label"))
        assert label.startswith(f"Map at step 60, {name}: {round(100 * right)} % of test right.")
        dots = stage_map(lab).evaluate(DOTS)
        truth = [data["y"][row][0] for row in data["train"]]
        for kind in (0, 1):
            assert sum(dot["many"] for dot in dots if dot["kind"] == kind) == truth.count(kind)
        # the network's switch shows the same run
        network = lab.page.locator("network-drawing").get_by_role("radio", name=name)
        expect(network).to_have_attribute("aria-checked", "true")
    look_back_to(lab, 3)
    expect(stage_map(lab)).to_have_attribute("data-step", "3")
    assert "Map at step 3, Adam" in str(stage_map(lab).locator(".map").get_attribute("aria-label"))


def test_only_the_map_in_sight_is_requested_and_a_hidden_run_is_not_drawn(
    visits: Visits, address: str
) -> None:
    lab = opened(visits, address, TWO_CLASSES)
    lab.make_steps(10)
    expect(stage_map(lab)).to_have_attribute("data-step", "10")
    urls = [url for url in lab.requests if "/moment?" in url and "map=true" in url]
    assert urls
    assert "mapped=gd" in urls[-1]
    assert "mapped=adam" not in urls[-1]
    lab.settings("run gd").get_by_role("button", name="Hide GD in the charts").click()
    expect(stage_map(lab)).to_have_attribute("data-run", "adam")
    assert lab.page.get_by_role("radiogroup", name="Run of the map").count() == 0


def test_a_map_on_a_low_page_has_its_legend_and_its_score_below(visits: Visits, address: str) -> None:
    lab = opened(visits, address, TWO_CLASSES, size=(960, 540))
    lab.make_steps(60)
    expect(stage_map(lab)).to_have_attribute("data-step", "60")
    legend = stage_map(lab).locator(".legend")
    expect(legend).to_be_visible()
    expect(legend).to_have_text(re.compile(r"upper.*lower.*wrong.*\d+ % of test right", re.S))
    inside = """(legend) => {
        const [own, picture] = [legend, legend.closest("data-picture")].map((each) => each.getBoundingClientRect());
        const map = legend.parentElement.querySelector(".map").getBoundingClientRect();
        return [own.top - map.bottom, picture.bottom - own.bottom, picture.right - own.right];
    }"""
    assert min(legend.evaluate(inside)) >= -0.5
    # the legend takes nothing from the loss: 45.5 % of the height
    assert lab.page.evaluate(BOXES)["loss"]["height"] >= 0.455 * 540 - 0.5


@pytest.mark.parametrize(
    ("recipe", "rate"), [(TWO_CLASSES, 1e6), (SURFACE, 100.0)], ids=["classes", "values"]
)
def test_a_diverged_run_shows_its_training_samples_and_why_there_is_no_map(
    visits: Visits, address: str, recipe: dict[str, Any], rate: float
) -> None:
    wild = {"name": "wild", "learning_rate": rate}
    network = {"layers": [{"units": 6, "activation": "relu"}]}
    lab = opened(visits, address, {**recipe, "network": network, "runs": [wild]})
    lab.ask("POST", "/step", {"steps": 300})
    expect(lab.row("wild")).to_have_attribute("data-state", "diverged")
    at = re.compile(r"^No map: diverged at step (\d+)$")
    reason = stage_map(lab).locator(".off")
    expect(reason).to_have_text(at)
    data = lab.ask("GET", "/data")
    expect(stage_map(lab).locator(".map path.sample").first).to_be_visible()
    dots = stage_map(lab).evaluate(DOTS)
    assert sum(dot["many"] for dot in dots) == len(data["train"])
    assert not any(dot["wrong"] for dot in dots)
    below = """(map) => Math.min(...[...map.querySelectorAll("path.sample")]
        .map((each) => each.getBoundingClientRect().top)) - map.querySelector(".off").getBoundingClientRect().bottom"""
    assert stage_map(lab).locator(".map").evaluate(below) > -1, "the words cover no sample"
    label = str(stage_map(lab).locator(".map").get_attribute("aria-label"))
    assert re.fullmatch(
        rf"No map of Wild: it diverged at step \d+\. On view: {len(data['train'])} training samples\.",
        label,
        re.I,
    )
    assert faults_in_both_themes(lab) == []


def test_a_surface_has_the_values_of_a_regression(visits: Visits, address: str) -> None:
    lab = opened(visits, address, SURFACE)
    lab.make_steps(100)
    expect(stage_map(lab)).to_have_attribute("data-step", "100")
    expect(stage_map(lab).locator(".legend")).to_contain_text("a line every")
    assert str(stage_map(lab).locator(".contours").get_attribute("d")).startswith("M")
    assert sum(dot["many"] for dot in stage_map(lab).evaluate(DOTS)) == 90
    label = str(stage_map(lab).locator(".map").get_attribute("aria-label"))
    assert re.fullmatch(r"Map at step 100, GD: R² .* on test\. Plane of x1 and x2: .* to .*\.", label)
    drawn = lab.ask("GET", "/runs/gd/instruments/surface")
    picture = stage_map(lab).locator(".map")
    picture.focus()
    lab.page.keyboard.press("ArrowRight")
    expect(picture).to_have_attribute("data-cursor", "24 24")
    value = drawn["predicted"][24][24]
    expect(lab.page.locator("page-announcer")).to_contain_text(f"{abs(value):.3g}"[:4])
    assert lab.step == 100


@pytest.mark.parametrize("size", WIDTHS)
def test_wide_screens_have_it_beside_the_loss_at_the_size_of_the_design(
    visits: Visits, address: str, size: tuple[int, int]
) -> None:
    lab = opened(visits, address, TWO_CLASSES, size=size)
    lab.make_steps(5)
    expect(stage_map(lab).first).to_have_attribute("data-step", "5")
    boxes = lab.page.evaluate(BOXES)
    side = boxes["map"]["width"]
    assert side == pytest.approx(boxes["map"]["height"], abs=0.5)
    assert boxes["loss"]["right"] <= boxes["data"]["left"] + 0.5
    assert side >= (360 if size[1] >= 600 else 200)
    assert stage_map(lab).count() == (2 if size[0] >= 1681 else 1)
    assert boxes["loss"]["width"] >= 320
    assert lab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert lab.page.get_by_role("radiogroup", name="Picture").get_by_role("radio", name="Map").count() == 0


@pytest.mark.parametrize("size", NARROW)
@pytest.mark.parametrize(("recipe", "name"), [(TWO_CLASSES, "Map"), (ONE_INPUT, "Fit")])
def test_narrow_screens_have_it_as_a_third_choice(
    visits: Visits, address: str, size: tuple[int, int], recipe: dict[str, Any], name: str
) -> None:
    lab = opened(visits, address, recipe, size=size)
    lab.make_steps(5)
    expect(lab.page.locator("data-picture")).to_be_hidden()
    lab.page.get_by_role("radiogroup", name="Picture").get_by_role("radio", name=name).click()
    expect(lab.page.locator(".plot.loss")).to_be_hidden()
    picture = fit(lab) if name == "Fit" else stage_map(lab)
    expect(picture).to_have_attribute("data-step", "5")
    box = lab.page.evaluate(BOXES)["fit" if name == "Fit" else "map"]
    assert box["height"] >= (360 if size[0] == 768 and name == "Map" else 200)
    assert lab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if size != (768, 1024):
        assert lab.page.evaluate(SMALL_TARGETS) == []
    lab.page.evaluate("() => document.activeElement.blur()")
    lab.page.keyboard.press("v")
    expect(lab.page.locator("fall-line")).to_be_visible()


def test_the_rail_has_the_maps_of_all_runs_one_press_away(visits: Visits, address: str) -> None:
    lab = opened(visits, address, TWO_CLASSES)
    lab.make_steps(10)
    expect(stage_map(lab)).to_have_attribute("data-step", "10")
    maps, fold = lab.page.locator("predicted-true decision-map"), lab.button("Predicted and true")
    doctor = lab.page.locator("doctor-list").bounding_box()
    expect(maps.first).to_be_hidden()
    expect(fold).to_have_attribute("aria-expanded", "false")
    fold.focus()
    lab.page.keyboard.press("Enter")
    expect(lab.page.locator("predicted-true decision-map[data-step='10']")).to_have_count(2)
    expect(maps.first).to_be_visible()
    assert faults_in_both_themes(lab) == []
    fold.click()
    expect(maps.first).to_be_hidden()
    assert lab.page.locator("doctor-list").bounding_box() == doctor


@pytest.mark.parametrize("recipe", [ONE_INPUT, TWO_CLASSES, SURFACE])
def test_axe_finds_nothing_beside_the_loss(visits: Visits, address: str, recipe: dict[str, Any]) -> None:
    lab = opened(visits, address, recipe, size=DESKTOP)
    lab.make_steps(50)
    expect(lab.page.locator("data-picture [data-step='50']")).to_have_count(1)
    assert faults_in_both_themes(lab) == []


def test_axe_finds_nothing_in_forced_colours(visits: Visits, address: str) -> None:
    lab = opened(visits, address, TWO_CLASSES, forced_colors="active")
    lab.make_steps(50)
    expect(stage_map(lab)).to_have_attribute("data-step", "50")
    assert faults(lab, "main") == []


@pytest.mark.parametrize(("recipe", "name"), [(TWO_CLASSES, "Map"), (ONE_INPUT, "Fit")])
def test_presenting_shows_it_as_large_as_the_window_and_says_whose_it_is(
    visits: Visits, address: str, recipe: dict[str, Any], name: str
) -> None:
    lab = opened(visits, address, recipe, size=(1920, 1080))
    lab.make_steps(50)
    lab.page.keyboard.press("p")
    lab.page.keyboard.press("v")
    expect(lab.page.get_by_role("radio", name=name)).to_have_attribute("aria-checked", "true")
    picture = fit(lab) if name == "Fit" else stage_map(lab).first
    expect(picture).to_have_attribute("data-step", "50")
    expect(lab.page.locator(".plot.loss")).to_be_hidden()
    box = lab.page.evaluate(BOXES)["fit" if name == "Fit" else "map"]
    assert box["height"] > 600
    if name == "Map":
        expect(picture.locator(".whose")).to_be_visible()
    lab.page.keyboard.press("p")
    expect(lab.page.locator(".plot.loss")).to_be_visible()


@pytest.mark.parametrize(
    ("recipe", "name", "file"),
    [(ONE_INPUT, "Fit", "fit"), (TWO_CLASSES, "Map", "decision"), (SURFACE, "Map", "surface")],
)
def test_it_can_be_saved_as_a_picture_of_what_the_page_shows(
    visits: Visits, address: str, recipe: dict[str, Any], name: str, file: str
) -> None:
    lab = opened(visits, address, recipe)
    lab.make_steps(60)
    expect(lab.page.locator("data-picture [data-step='60']")).to_have_count(1)
    menu = open_panel(lab)
    download = take(lab, menu.get_by_role("button", name=f"{name} as SVG"))
    assert download.suggested_filename == f"fallline-{file}-step-60.svg"
    text = content(download).decode()
    root = ElementTree.fromstring(text)
    drawn = lab.page.locator("data-picture svg path").evaluate_all(
        "(all) => all.map((each) => each.getAttribute('d'))"
    )
    assert len(set(filter(None, drawn))) > 3
    assert set(filter(None, drawn)) <= {each.get("d") for each in root.iter(f"{SVG}path")}
    written = ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]
    expected = {"GD", "SGD", "train", "test"} if name == "Fit" else {"GD"}
    assert expected <= set(written), written
    assert str(root.findtext(f"{SVG}title")).startswith(f"{name} at step 60")
    images = [str(each.get("href")) for each in root.iter(f"{SVG}image")]
    assert len(images) == (name == "Map")
    for image in images:
        pixels = base64.b64decode(image.removeprefix("data:image/png;base64,"))
        side = lab.page.locator("stage-map canvas").evaluate("(canvas) => canvas.width")
        assert struct.unpack(">II", pixels[16:24]) == (side, side)
    assert not re.search(r"var\(|color\(|color-mix|foreignObject|https?://(?!www\.w3\.org)", text)
    png = content(take(lab, menu.get_by_role("button", name=f"{name} as PNG")))
    size = [float(root.attrib[side]) for side in ("width", "height")]
    assert struct.unpack(">II", png[16:24]) == pytest.approx([3 * side for side in size], abs=1)
