"""The fall line: the picture shows the instrument's measurements, at rest, during play and in the past."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import httpx
import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from browser.conftest import OpenLab
from browser.dashboard import DESKTOP, PHONE, Dashboard
from browser.test_accessibility import SMALL_TARGETS, faults, faults_in_both_themes
from browser.test_exhibits import expect_exhibit, options, picker
from browser.test_exports import SVG, content, open_panel, take
from browser.test_travel import look_back_to
from fallline.vocabulary.exhibits import EXHIBITS
from support.aliases import Json

# The middle of each run's marker, and of the start, in px of the picture.
PLACES = """() => {
    const ground = document.querySelector(".fall-ground").getBoundingClientRect();
    const middle = (element) => {
        const { x, y, width, height } = element.getBoundingClientRect();
        return [x + width / 2 - ground.x, y + height / 2 - ground.y];
    };
    const marks = [...document.querySelectorAll(".fall-ground .mark")];
    const start = middle(document.querySelector(".fall-ground .fall-start"));
    return { width: ground.width, height: ground.height, start,
        ...Object.fromEntries(marks.map((mark) => [mark.dataset.run, middle(mark)])) };
}"""

# The lightness of the terrain at shares of its width and height.
LIGHTNESS = """(shares) => {
    const canvas = document.querySelector(".fall-ground .terrain.front");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return shares.map(([x, y]) => {
        const at = 4 * (Math.round(y * (canvas.height - 1)) * canvas.width + Math.round(x * (canvas.width - 1)));
        return data[at] + data[at + 1] + data[at + 2];
    });
}"""

MOMENTS = """() => {
    const ground = document.querySelector("fall-line");
    window.__moves = [];
    new MutationObserver(() => {
        const step = document.querySelector(".fall-ground").dataset.step;
        if (step !== window.__moves.at(-1)?.[0]) window.__moves.push([step, performance.now()]);
    }).observe(ground, { attributes: true, subtree: true, attributeFilter: ["data-step"] });
}"""


# The losses in the table and beside the points, in every frame for so many ms.
LOSSES_EVERY_FRAME = """(ms) => new Promise((done) => {
    const all = (selector) => [...document.querySelectorAll(selector)].map(({ textContent }) => textContent);
    const seen = [];
    const until = performance.now() + ms;
    const look = () => {
        seen.push([all("race-table td.loss .readout"), all(".fall-ground .fall-label b")]);
        if (performance.now() < until) return requestAnimationFrame(look);
        done(seen);
    };
    look();
})"""

# From then on answers about the fall line wait for `letGo()`.
HOLD = """() => {
    const { fetch } = window;
    const free = new Promise((go) => { window.letGo = go; });
    window.fetch = async (...request) => {
        if (String(request[0]).includes("/fall_line")) await free;
        return fetch(...request);
    };
}"""


def ground(lab: Dashboard) -> Locator:
    return lab.page.locator(".fall-ground")


def shown(lab: Dashboard, step: int) -> Dashboard:
    """Show the fall line, and wait until it is of that step."""
    lab.page.keyboard.press("v")
    expect(ground(lab)).to_have_attribute("data-step", str(step))
    expect(ground(lab)).to_have_attribute("data-plane-steps", f"{step} {step}")
    return lab


def measured(lab: Dashboard, **query: Any) -> Json:
    """Return the measurement of the picture's shape."""
    width, height = lab.page.evaluate(PLACES)["width"], lab.page.evaluate(PLACES)["height"]
    answer: Json = lab.ask("GET", "/instruments/fall_line", aspect=f"{width / height:.2f}", **query)
    return answer


def test_the_places_and_losses_drawn_are_those_of_the_instrument(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(120)
    shown(lab, 120)
    answer, places = measured(lab), lab.page.evaluate(PLACES)
    west, east, south, north = answer["region"]
    unit = max((east - west) / places["width"], (north - south) / places["height"])

    def at(s: float, t: float) -> list[float]:
        across, up = (s - (west + east) / 2) / unit, (t - (south + north) / 2) / unit
        return [places["width"] / 2 + across, places["height"] / 2 - up]

    assert places["start"] == pytest.approx(at(0.0, 0.0), abs=1.5)
    state = lab.ask("GET")
    for run, point in zip(state["runs"], answer["points"], strict=True):
        assert places[run["name"]] == pytest.approx(at(point["s"], point["t"]), abs=1.5)
        assert point["loss"] == run["latest"]["train_loss"]["value"]
        label = ground(lab).locator(f'.fall-label[data-run="{run["name"]}"] b').inner_text()
        assert label == lab.row(run["name"]).locator(".readout").first.inner_text()
        assert float(label.replace("e−", "e-")) == pytest.approx(point["loss"], rel=0.006)
    assert answer["start_loss"] == state["initial_loss"]
    # the terrain: the higher the loss, the darker, apart from the light
    heights = np.array(answer["heights"])
    rng = np.random.default_rng(0)
    shares = rng.uniform(0.05, 0.95, (300, 2))
    rows = np.rint((1.0 - shares[:, 1]) * (len(heights) - 1)).astype(int)
    columns = np.rint(shares[:, 0] * (len(heights[0]) - 1)).astype(int)
    lightness = lab.page.evaluate(LIGHTNESS, shares.tolist())
    high, light = (np.argsort(np.argsort(values)) for values in (heights[rows, columns], np.array(lightness)))
    assert np.corrcoef(high, light)[0, 1] < -0.6


def test_the_picture_says_how_much_of_the_paths_lies_outside(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(60)
    shown(lab, 60)
    words = []
    for point in measured(lab)["points"]:
        share = 100 * point["outside"]
        words.append(f"{share:.1g} %" if share < 9.5 else f"{share:.0f} %")
    expect(lab.page.locator(".fall-outside")).to_have_text(re.compile("^Outside this plane:"))
    assert lab.page.locator(".fall-outside .share").all_inner_texts() == [
        f"{run}\n{each}" for run, each in zip(("GD", "SGD"), words, strict=True)
    ]
    expect(lab.page.get_by_role("img", name=re.compile("^Fall line at step 60[.] GD went"))).to_be_visible()
    label = str(ground(lab).get_attribute("aria-label"))
    assert label.endswith(f"{words[0]} and {words[1]} of the paths lie outside.")


def test_before_the_first_step_there_is_the_start_alone(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    shown(lab, 0)
    expect(ground(lab)).to_have_attribute("data-plane", "gradient")
    expect(ground(lab).locator(".mark")).to_have_count(0)
    expect(ground(lab).locator(".fall-label")).to_have_text(["start"])
    expect(lab.page.locator("picture-switch .sub")).to_contain_text("along the gradient")


def test_during_play_the_points_move_and_the_terrain_follows(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    shown(lab, 0)
    lab.page.evaluate(MOMENTS)
    # slowly: the exhibit pauses at step 500, and a busy server measures the terrain late
    lab.ask("POST", "/play", {"speed": 10})
    lab.until(lambda: lab.step, lambda step: step > 40)
    moves = lab.page.evaluate("window.__moves")
    # how often they come depends on the machine; fall-line.test.ts measures the time by its own clock
    steps = [int(step) for step, _ in moves]
    assert len(steps) >= 4
    assert steps == sorted(set(steps))

    def plane() -> int:
        return int(str(ground(lab).get_attribute("data-plane-steps")).split()[0])

    lab.until(plane, lambda step: step >= 16, 40.0)
    assert plane() <= lab.step
    lab.rest()
    step = lab.step
    expect(ground(lab)).to_have_attribute("data-plane-steps", f"{step} {step}")
    expect(ground(lab)).to_have_attribute("data-columns", "180")
    # the path has the steps in which SGD left the first valley
    path = measured(lab)["points"][1]["path"]["steps"]
    assert path[:20] == [*range(20)]


def test_during_play_the_losses_beside_the_points_are_those_of_the_table(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(120)
    shown(lab, 120).make_own()
    lab.play.click()
    lab.until(lambda: lab.step, lambda step: step > 150)
    frames = lab.page.evaluate(LOSSES_EVERY_FRAME, 4000)
    lab.pause.click()
    assert len({tuple(table) for table, _ in frames}) > 5
    others = "".join("." if table == labels else "x" for table, labels in frames)
    assert "xxx" not in others, "for more than two frames"


def test_points_that_are_far_behind_say_their_step(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(120)
    shown(lab, 120)
    note = lab.page.locator(".fall-outside .note")
    expect(note).to_have_count(0)
    lab.page.evaluate(HOLD)
    lab.make_steps(180)
    expect(note).to_have_text("points of step 120")
    lab.page.evaluate("window.letGo()")
    expect(note).to_have_count(0)


def test_looking_back_shows_the_runs_where_they_were_on_the_same_terrain(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(90)
    shown(lab, 90)
    now = lab.page.evaluate(PLACES)
    look_back_to(lab, 4)
    expect(ground(lab)).to_have_attribute("data-step", "4")
    expect(ground(lab)).to_have_attribute("data-plane-steps", "90 90")
    answer = measured(lab)
    unit = (answer["region"][1] - answer["region"][0]) / now["width"]
    then = lab.page.evaluate(PLACES)
    for point in answer["points"]:
        place = point["path"]["steps"].index(4)
        s, t = point["path"]["s"][place], point["path"]["t"][place]
        expected = [now["start"][0] + s / unit, now["start"][1] - t / unit]
        assert then[point["run"]] == pytest.approx(expected, abs=2.5)
    expect(ground(lab).locator("path.later")).to_have_count(2)
    lab.page.keyboard.press("l")
    expect(ground(lab)).to_have_attribute("data-step", "90")
    assert lab.page.evaluate(PLACES) == now


def test_the_switch_and_its_key_show_one_picture_or_on_wide_screens_both(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    loss, fall = lab.chart("loss"), lab.page.locator("fall-line")
    expect(fall).to_be_hidden()
    lab.page.get_by_role("radio", name="Fall line").click()
    expect(fall).to_be_visible()
    expect(loss).to_be_hidden()
    assert lab.page.get_by_role("radio", name="Both").count() == 0
    lab.page.evaluate("() => document.activeElement.blur()")
    lab.page.keyboard.press("v")
    expect(loss).to_be_visible()
    lab.resize(1920, 1080)
    lab.page.get_by_role("radio", name="Both").click()
    expect(loss).to_be_visible()
    expect(fall).to_be_visible()
    boxes = [one.bounding_box() for one in (loss, fall)]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
    assert boxes[1]["width"] > boxes[0]["width"] * 0.9


def test_a_picture_that_was_out_of_sight_has_its_terrain_again(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(120)
    shown(lab, 120)
    pictures = """() => [".fall-ground .terrain.front", ".fall-lens .terrain"].map(
        (one) => document.querySelector(one)?.toDataURL() ?? "")"""
    before = lab.until(
        lambda: lab.page.evaluate(pictures), lambda both: all(len(one) > 5_000 for one in both)
    )
    lab.page.keyboard.press("v")
    expect(ground(lab)).to_have_count(0)
    shown(lab, 120)
    lab.until(lambda: lab.page.evaluate(pictures), lambda both: both == before)


def test_eight_runs_and_one_have_a_picture_without_faults(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    for number in range(6):
        lab.ask("POST", "/runs", {"name": f"more-{number}", "learning_rate": 0.02 * (number + 1)})
    lab.make_steps(30)
    lab.page.keyboard.press("v")
    expect(ground(lab).locator(".mark")).to_have_count(8)
    expect(ground(lab)).to_have_attribute("data-plane", "paths")
    labels = ground(lab).locator(".fall-label")
    expect(labels).to_have_count(9)
    assert faults(lab) == []
    stored = lab.stored
    lab.allow(f"status of 404 (Not Found) {lab.address}/api/v1/experiments/{stored['id']}/instruments")
    for name in ("sgd", *(f"more-{number}" for number in range(6))):
        lab.allow_to_ask_of(name)
        address = f"{lab.address}/api/v1/experiments/{stored['id']}/runs/{name}"
        assert httpx.delete(address, headers={"Authorization": f"Bearer {stored['token']}"}).is_success
    expect(ground(lab).locator(".mark")).to_have_count(1)
    expect(ground(lab)).to_have_attribute("data-plane", "path")


def test_axe_finds_nothing_in_the_fall_line(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(300)
    shown(lab, 300)
    expect(lab.page.locator(".fall-lens figcaption")).to_have_text(
        re.compile("^around GD, [0-9]+ times closer$")
    )
    assert faults_in_both_themes(lab) == []


def test_the_closer_view_of_a_run_whose_name_has_no_room_says_how_close_it_is(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.ask("PATCH", "/runs/gd", {"label": "Donaudampfschifffahrtsgesellschaft"})
    lab.make_steps(300)
    shown(lab, 300)
    expect(lab.page.locator(".fall-lens figcaption")).to_have_text(re.compile("^[0-9]+ times closer$"))


def test_looking_back_there_is_no_closer_view_of_where_the_run_is_not(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(500)
    shown(lab, 500)
    lens = lab.page.locator(".fall-lens")
    expect(lens.locator("figcaption")).to_have_text(re.compile("^around GD"))
    lab.page.get_by_label("Time travel").fill("6")
    expect(ground(lab)).to_have_attribute("data-step", "6")
    expect(lens).to_have_count(0)
    lab.page.keyboard.press("l")
    expect(lens).to_be_visible()


def test_a_phone_has_room_for_the_fall_line(open_lab: OpenLab) -> None:
    lab = open_lab(PHONE, drawn=True)
    lab.make_steps(50)
    lab.page.get_by_role("radio", name="Fall line").tap()
    expect(ground(lab)).to_have_attribute("data-step", "50")
    box = lab.page.locator("fall-line").bounding_box()
    assert box is not None
    assert box["height"] >= 240
    assert lab.page.locator(".fall-lens").count() == 0
    assert lab.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    assert [one for one in lab.page.evaluate(SMALL_TARGETS) if "Fall" in one or "Loss" in one] == []


def test_a_new_terrain_fades_in_unless_less_motion_is_wanted(open_lab: OpenLab) -> None:
    for motion, milliseconds in (("no-preference", 240), ("reduce", 0)):
        lab = open_lab(reduced_motion=motion, drawn=True)
        shown(lab, 0)
        lab.make_steps(16)
        expect(ground(lab)).to_have_attribute("data-plane-steps", "16 16")
        fading = lab.page.locator(".fall-ground .terrain.fades")
        expect(fading).to_have_count(1)
        lasts = fading.evaluate("(canvas) => parseFloat(getComputedStyle(canvas).animationDuration) * 1000")
        assert lasts == milliseconds


def test_the_fall_line_can_be_saved_as_a_picture(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(120)
    shown(lab, 120)
    menu = open_panel(lab)
    expect(menu.get_by_role("button", name="Loss as SVG")).to_have_count(0)
    download = take(lab, menu.get_by_role("button", name="Fall line as SVG"))
    assert download.suggested_filename == "fallline-fall-line-step-120.svg"
    text = content(download).decode()
    root = ElementTree.fromstring(text)
    paths = lab.page.locator("fall-line .fall-paths path").evaluate_all(
        "(all) => all.map((each) => each.getAttribute('d'))"
    )
    assert len(paths) > 8
    assert set(paths) <= {each.get("d") for each in root.iter(f"{SVG}path")}
    written = {"".join(each.itertext()) for each in root.iter(f"{SVG}text")}
    assert {"GD", "SGD", "start"} <= written
    assert any(words.startswith("Outside this plane") for words in written)
    images = [str(each.get("href")) for each in root.iter(f"{SVG}image")]
    assert len(images) == lab.page.locator("fall-line canvas.front").count()
    assert all(image.startswith("data:image/png;base64,") for image in images)
    assert not re.search(r"var\(|color\(|color-mix|foreignObject|https?://(?!www\.w3\.org)", text)
    assert content(take(lab, menu.get_by_role("button", name="Fall line as PNG"))).startswith(b"\x89PNG")


# Numbers of contours, and names of runs, that lie under the line about the plane.
HIDDEN = """() => {
    const note = document.querySelector(".fall-outside").getBoundingClientRect();
    return [...document.querySelectorAll(".fall-ground :is(.fall-number, .fall-label)")].filter((each) => {
        const box = each.getBoundingClientRect();
        return box.left < note.right && box.right > note.left && box.top < note.bottom && box.bottom > note.top;
    }).map(({ textContent }) => textContent);
}"""


@pytest.mark.parametrize("size", [DESKTOP, (960, 540)], ids=["desktop", "low"])
@pytest.mark.parametrize("exhibit", ["notebook", "too-high", "batch-sizes"])
def test_no_number_lies_under_the_line_about_the_plane(
    open_lab: OpenLab, exhibit: str, size: tuple[int, int]
) -> None:
    lab = open_lab(size, drawn=True)
    picker(lab).click()
    options(lab).filter(has_text=EXHIBITS[exhibit].title).click()
    expect_exhibit(lab, exhibit)
    lab.page.keyboard.press("v")
    for steps in (30, 60):
        lab.make_steps(steps)
        expect(ground(lab)).to_have_attribute("data-step", str(lab.step))
        expect(ground(lab).locator(".fall-number").first).to_be_visible()
        lab.until_is(lambda: lab.page.evaluate(HIDDEN), [])
