"""Nothing is cut: the longest names, many classes and many inputs are whole words at every size of the page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from playwright.sync_api import expect

from browser.conftest import OpenLab, Visits
from browser.dashboard import DESKTOP, PHONE, Dashboard
from browser.test_classes import unfold
from browser.test_exports import SVG, content, open_panel, take
from browser.test_stage import SIZES
from support.longer_words import ENGLISH

# Visible texts that are cut, end in an ellipsis or lie beyond the window. Parts that a line leaves out as a whole do
# not count, and what scrolls in a box of its own. An ellipsis of the page's own words says that something goes on.
CUT = """([within, goesOn]) => {
    const cut = new Set();
    const isAside = (each) => each && (getComputedStyle(each).clipPath !== "none" || isAside(each.parentElement));
    const isSeen = (each) =>
        each.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !isAside(each);
    /** What hides a part of a box. */
    const hiderOf = (element, { left, right, top, bottom }) => {
        let { position } = getComputedStyle(element);
        let [across, down] = [true, true];
        for (let at = element; at && at !== document.body; at = at.parentElement) {
            const look = getComputedStyle(at);
            const isOut = at !== element
                && (position === "fixed" || (position === "absolute" && look.position === "static"));
            if (isOut || look.display === "contents" || look.display === "inline") continue;
            position = look.position === "static" ? position : look.position;
            const box = at.getBoundingClientRect();
            if (at.matches(".fitting, .title .values") && top >= box.bottom - 4) return null;
            across &&= !/auto|scroll/.test(look.overflowX);
            down &&= !/auto|scroll/.test(look.overflowY);
            if (across && look.overflowX !== "visible" && (right > box.right + 1 || left < box.left - 1)) return at;
            if (down && look.overflowY !== "visible" && (bottom > box.bottom + 4 || top < box.top - 4)) return at;
        }
        return null;
    };
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const { data, parentElement: element } = walk.currentNode;
        if (!data.trim() || !element.closest(within) || !isSeen(element)) continue;
        if (element.closest("script, style, option, noscript, title")) continue;
        if (/(…|\\.{3})$/.test(data.trim()) && !goesOn.includes(data.trim())) cut.add(`ends in an ellipsis: ${data}`);
        const range = document.createRange();
        range.selectNodeContents(walk.currentNode);
        const scrolls = element.closest("pre, .equation, .preview, .line-view, .line-list, .grid, .readings-box");
        for (const box of range.getClientRects()) {
            if (box.width <= 1) continue;
            const hider = hiderOf(element, box);
            const name = hider && `${hider.localName}.${hider.className.baseVal ?? hider.className}`;
            if (hider) cut.add(`cut by ${name}: ${data}`);
            if (!scrolls && (box.left < -1 || box.right > innerWidth + 1)) cut.add(`beyond the window: ${data}`);
        }
    }
    // a list of choices cannot have two lines: beside it the choice is whole
    const pen = document.createElement("canvas").getContext("2d");
    for (const each of [...document.querySelectorAll(`:is(${within}) select`)].filter(isSeen)) {
        const look = getComputedStyle(each);
        pen.font = `${look.fontWeight} ${look.fontSize} ${look.fontFamily}`;
        const words = each.selectedOptions[0]?.text ?? "";
        const room = each.clientWidth - parseFloat(look.paddingLeft) - parseFloat(look.paddingRight);
        const isBeside = [...document.querySelectorAll("p, th, span, li")].some((one) =>
            isSeen(one) && !one.contains(each) && one.textContent.includes(words));
        if (pen.measureText(words).width > room + 1 && !isBeside) cut.add(`cut in a list: ${words}`);
    }
    if (document.documentElement.scrollWidth > innerWidth) cut.add("the page scrolls sideways");
    return [...cut];
}"""

GOES_ON = re.findall(r'^export const \w+ = "(.*(?:…|\.{3}))";$', ENGLISH.read_text(), re.MULTILINE)

LABELS = [
    "Gradient descent over all nine hundred samples, momentum of 0.9",
    "Stochastic descent, one sample at a time, decaying learning rate",
    "Mini-batches of 32 samples, shuffled before each and every epoch",
    "Momentum of Polyak (heavy ball), as published in the year 1964",
    "Adam of Kingma and Ba, rate 0.001, with bias correction, batch 3",
    "RMSProp of Hinton's lecture 6e, rate 0.001 and decay rate of 0.9",
    "adaptive_gradients_of_duchi_hazan_singer_2011_with_rate_0.05_b_8",
    "Gradient descent with a tenth of the rate and weights of He, 201",
]
# Words of a name, up to their underscores, that lie on several lines.
BROKEN = """(name) => {
    const words = document.createTreeWalker(name, NodeFilter.SHOW_TEXT);
    const broken = [];
    while (words.nextNode()) {
        const range = document.createRange();
        range.selectNodeContents(words.currentNode);
        const lines = new Set([...range.getClientRects()].map(({ top }) => top));
        if (lines.size > 1) broken.push(range.toString());
    }
    return broken;
}"""

CLASSES = [
    *("Iris setosa of the northern shores", "Iris versicolor", "Iris virginica", "Lodgepole pine", "Aspen"),
    "Norwegian spruce, planted before the year 1950 in mixed forests",
    "concavity_of_points_above_threshold_in_the_second_image_series",
    *(
        "Cottonwood and willow along rivers",
        "Douglas fir of the western slopes",
        "Krummholz near the tree line",
    ),
]
COLUMNS = [
    "Mean radius of the cell nuclei in the first of three images (um)",
    "average_number_of_transactions_per_customer_and_month_2019_2024",
    *("age", "sepal_length", "Worst fractal dimension"),
    "Distance to the nearest roadway in metres, measured horizontally",
]
TARGET = "Median value of owner-occupied homes in thousands of US dollars"
"""As long as the server permits: 64 letters."""

SETTINGS: list[dict[str, Any]] = [
    *({}, {"batch_size": 1}, {"batch_size": 32}, {"optimizer": "momentum"}, {"optimizer": "adam"}),
    *({"optimizer": "rmsprop"}, {"optimizer": "adagrad"}, {"learning_rate": 0.001}),
]
RUNS = [
    {"name": f"run-{k}", "label": label, "learning_rate": 0.01, **SETTINGS[k]}
    for k, label in enumerate(LABELS)
]
NETWORK = {"layers": [{"units": 6}, {"units": 4}], "weights": "he_normal", "seed": 1}


def own_data(address: str, columns: list[str], classes: list[str]) -> dict[str, Any]:
    """Upload a table of 120 rows, of classes or of numbers."""
    rows = [[f"{(k * (7 + 3 * j)) % 97 / 10:.2f}" for j in range(len(columns))] for k in range(120)]
    targets = [classes[k % len(classes)] if classes else f"{k * 13 % 71}" for k in range(120)]
    lines = [[*columns, TARGET], *([*row, target] for row, target in zip(rows, targets, strict=True))]
    uploaded = httpx.post(
        f"{address}/api/v1/datasets",
        content="\n".join(",".join(f'"{cell}"' for cell in line) for line in lines),
        headers={"Content-Type": "text/csv"},
    ).json()
    task = "classification" if classes else "regression"
    return {"name": "csv", "dataset": uploaded["id"], "target": TARGET, "task": task, "samples": 120}


def eight_runs(address: str) -> dict[str, Any]:
    return {"network": NETWORK, "runs": RUNS}


def ten_classes(address: str, inputs: int = 2, runs: int = 8) -> dict[str, Any]:
    data = {**own_data(address, COLUMNS[:inputs], CLASSES), "standardize": "inputs"}
    return {"data": data, "network": NETWORK, "loss": "softmax_cross_entropy", "runs": RUNS[:runs]}


def one_input(address: str) -> dict[str, Any]:
    data = {**own_data(address, COLUMNS[1:2], []), "standardize": "both"}
    return {"data": data, "network": NETWORK, "runs": RUNS[:3]}


def many_inputs(address: str) -> dict[str, Any]:
    data = {"name": "linear", "samples": 200, "features": 64, "test_fraction": 0.25}
    return {"data": data, "network": NETWORK, "runs": RUNS[:2]}


Recipe = Callable[[str], dict[str, Any]]
EXTREMES: dict[str, Recipe] = {
    "eight runs": eight_runs,
    "ten classes": ten_classes,
    "six inputs": partial(ten_classes, inputs=6, runs=2),
    "one input": one_input,
    "64 inputs": many_inputs,
}


def opened(lab: Dashboard, recipe: dict[str, Any], steps: int = 40) -> Dashboard:
    """Open an experiment that has made its steps, with predictions unfolded."""
    created = httpx.post(f"{lab.address}/api/v1/experiments", json=recipe, timeout=60)
    assert created.is_success, created.text
    stored = {"id": created.json()["id"], "token": created.json()["token"], "recipe": recipe}
    lab.page.evaluate("(kept) => localStorage.setItem('fallline.experiment', kept)", json.dumps(stored))
    lab.ask("POST", "/step", {"steps": steps})
    lab.open(drawn=True)
    unfold(lab)
    lab.until_is(lambda: lab.step, steps)
    return lab


def nothing_is_cut(lab: Dashboard, state: str, within: str = "body") -> None:
    """Wait until nothing is cut, as a page needs a moment to lay out what came."""
    read = partial(lab.page.evaluate, CUT, [within, GOES_ON])
    try:
        lab.until(read, lambda cut: not cut, patience=5)
    except AssertionError:
        cut = read()
        assert not cut, "\n".join([f"{state}:", *cut])


def pictures(lab: Dashboard) -> Iterator[str]:
    """Choose each picture of the stage."""
    switch = lab.page.get_by_role("radiogroup", name="Picture", exact=True).get_by_role("radio")
    for name in switch.all_inner_texts():
        switch.filter(has_text=name).click()
        yield name


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("extreme", EXTREMES)
def test_no_picture_of_an_extreme_experiment_cuts_a_word(
    visits: Visits, address: str, size: tuple[int, int], extreme: str
) -> None:
    lab = opened(visits.tab(size), EXTREMES[extreme](address))
    for picture in pictures(lab):
        nothing_is_cut(lab, picture)


@pytest.mark.parametrize("size", [DESKTOP, (960, 540), PHONE])
@pytest.mark.parametrize("extreme", ["eight runs", "six inputs"])
def test_no_panel_and_no_dialog_cuts_a_long_name(
    visits: Visits, address: str, size: tuple[int, int], extreme: str
) -> None:
    lab = opened(visits.tab(size), EXTREMES[extreme](address))
    press = lab.page.keyboard.press
    for key, dialog in (("s", "share-dialog dialog"), ("a", "summary-dialog dialog"), ("y", "[role=menu]")):
        press(key)
        expect(lab.page.locator(dialog).first).to_be_visible()
        nothing_is_cut(lab, dialog, dialog)
        press("Escape")
        expect(lab.page.locator(dialog)).to_have_count(0)
    for key, part in (("i", "step-inspector .drawer"), ("p", ".present-controls")):
        press(key)
        expect(lab.page.locator(part)).to_be_visible()
        nothing_is_cut(lab, part)
        press(key)
        expect(lab.page.locator(part)).not_to_be_visible()
    press("ArrowLeft")
    nothing_is_cut(lab, "looking back")
    press("l")
    opener = lab.page.locator("transport-bar .on-sheet")
    for of in ("data", "network", "run run-1"):
        if opener.is_visible() and not lab.page.locator(f'[data-opens="{of}"]').is_visible():
            opener.click()
        lab.page.locator(f'[data-opens="{of}"]').click()
        expect(lab.page.locator("recipe-rail .settings")).to_be_visible()
        nothing_is_cut(lab, f"settings of {of}", "recipe-rail")
        press("Escape")


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_a_table_of_each_run_has_its_whole_name_and_the_names_of_ten_classes(
    visits: Visits, address: str, size: tuple[int, int]
) -> None:
    lab = opened(visits.tab(size), ten_classes(address))
    faces = lab.page.get_by_role("radiogroup", name="Predictions of classes")
    faces.get_by_role("radio", name="Table").click()
    titles = lab.page.locator(".confusion .title b")
    expect(titles).to_have_text(LABELS)
    expect(lab.page.locator(".confusion").first.get_by_role("rowheader")).to_have_text(
        [re.compile(f"^\\d+{re.escape(name)}$") for name in sorted(CLASSES, key=str.casefold)]
    )
    nothing_is_cut(lab, "tables")


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_inputs_without_room_have_numbers_and_a_key(
    visits: Visits, address: str, size: tuple[int, int]
) -> None:
    lab = opened(visits.tab(size), ten_classes(address, inputs=6, runs=2))
    numbers = [f"x{k + 1}" for k in range(6)]
    expect(lab.page.locator(".network .input-name")).to_have_text(numbers)
    key = lab.page.locator("network-drawing .input-key li")
    expect(key).to_have_text([f"{number}{name}" for number, name in zip(numbers, COLUMNS, strict=True)])
    expect(key.last).to_be_visible()
    joined = key.filter(has_text="average_number")
    assert joined.evaluate(BROKEN) == [], "it breaks after underscores only"


def test_a_tap_on_a_short_name_shows_the_whole_one(visits: Visits, address: str) -> None:
    lab = opened(visits.tab((844, 390)), eight_runs(address))
    name = lab.row("run-4").get_by_role("button", name=f"{LABELS[4]}, method", exact=True)
    expect(name.locator("[aria-hidden]").first).not_to_have_text(LABELS[4])
    name.click()
    expect(name.locator("b")).to_have_text(LABELS[4])
    nothing_is_cut(lab, "an open row", "race-table")


def test_an_exported_picture_has_every_word_of_the_page_whole(visits: Visits, address: str) -> None:
    lab = opened(visits.tab((844, 390)), ten_classes(address))
    button = open_panel(lab).get_by_role("button", name="Predicted and true as SVG")
    texts = [
        each.text or ""
        for each in ElementTree.fromstring(content(take(lab, button.first))).iter(f"{SVG}text")
    ]
    words = "".join("".join(texts).split())
    assert "…" not in words
    assert [name for name in CLASSES if "".join(name.split()) not in words] == []


def test_the_measure_finds_planted_faults(open_lab: OpenLab) -> None:
    lab = open_lab()
    nothing_is_cut(lab, "the question")
    plant = """([style, content]) => {
        const made = Object.assign(document.createElement("div"), { id: "planted", innerHTML: content });
        made.style.cssText = style;
        document.querySelector(".rail.recipe").append(made);
    }"""
    line = "width: 60px; overflow: hidden; white-space: nowrap"
    words = "words that have no room here"
    for style, text, expected in (
        (f"{line}; text-overflow: ellipsis", words, "cut by div."),
        (line, words, "cut by div."),
        ("width: 60px; height: 15px; overflow: clip", words, "cut by div."),
        ("", "words that somebody cut…", "ends in an ellipsis"),
        ("", f"<select style='width: 60px'><option>{words}</select>", "cut in a list"),
        ("position: fixed; left: 1420px; top: 200px; white-space: nowrap", words, "beyond the window"),
    ):
        lab.page.evaluate(plant, [style, text])
        cut = lab.page.evaluate(CUT, ["body", GOES_ON])
        assert [each for each in cut if expected in each], (expected, cut)
        lab.page.evaluate("document.querySelector('#planted').remove()")
    assert lab.page.evaluate(CUT, ["body", GOES_ON]) == []
