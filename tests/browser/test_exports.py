"""Exports: files as links, charts as pictures of what the page shows."""

from __future__ import annotations

import io
import json
import re
import struct
from xml.etree import ElementTree

import numpy as np
import pytest
from playwright.sync_api import Download, FilePayload, Locator, expect

from browser.conftest import OpenLab
from browser.dashboard import DESKTOP, PHONE, Dashboard
from browser.test_accessibility import SMALL_TARGETS, faults

SVG = "{http://www.w3.org/2000/svg}"


def panel(lab: Dashboard) -> Locator:
    return lab.page.get_by_role("dialog", name="Files")


def open_panel(lab: Dashboard) -> Locator:
    lab.choose("More: files, theme, keys", "Files")
    expect(panel(lab)).to_be_visible()
    return panel(lab)


def content(download: Download) -> bytes:
    assert download.failure() is None
    return download.path().read_bytes()


def take(lab: Dashboard, press: Locator) -> Download:
    with lab.page.expect_download() as coming:
        press.click()
    return coming.value


def test_every_file_of_the_catalog_can_be_exported_for_all_runs_or_one(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(30)
    menu = open_panel(lab)
    names = [row["name"] for row in lab.page.request.get(f"{lab.address}/api/v1/catalog").json()["exports"]]
    expect(menu.get_by_role("link")).to_have_text(names)
    files = {name: take(lab, menu.get_by_role("link", name=name, exact=True)) for name in names}
    assert {download.suggested_filename for download in files.values()} == set(names)
    assert json.loads(content(files["recipe.json"])) == lab.ask("GET", "/recipe")
    assert set(np.load(io.BytesIO(content(files["parameters.npz"])))) >= {"gd/W1", "sgd/b3"}
    menu.get_by_role("combobox", name="Runs to export").select_option(label="SGD")
    script = take(lab, menu.get_by_role("link", name="script.py"))
    assert script.suggested_filename == "sgd-script.py"
    assert b"The run sgd of a fallline experiment" in content(script)


SEEN = """(kind) => {
    const chart = document.querySelector(`plotly-chart[kind=${kind}]`);
    const ours = ".chart-ground path, .chart-marks path, .chart-label svg path";
    const drawn = [...chart.querySelectorAll(`${ours}, .chart-plot path.js-line`)];
    const walk = document.createTreeWalker(chart.querySelector(".chart-labels"), NodeFilter.SHOW_TEXT);
    const words = [...chart.querySelectorAll(".chart-ground text")].map((each) => each.textContent);
    while (walk.nextNode()) words.push(walk.currentNode.data.trim());
    return { paths: drawn.map((each) => each.getAttribute("d")), words };
}"""


def take_as_seen(lab: Dashboard, name: str, kind: str) -> tuple[Download, dict[str, list[str]]]:
    """Export a chart as SVG; return it with the chart's paths and words, once they are settled."""
    expect(lab.chart(kind)).to_have_attribute("data-last-step", str(lab.step))
    press = panel(lab).get_by_role("button", name=f"{name} as SVG")
    before, download, _ = lab.until(
        lambda: (lab.page.evaluate(SEEN, kind), take(lab, press), lab.page.evaluate(SEEN, kind)),
        lambda value: value[0] == value[2],
    )
    return download, before


@pytest.mark.parametrize("theme", [pytest.param("light", marks=pytest.mark.long), "dark"])
def test_an_svg_shows_the_chart_as_on_the_page_without_a_style_sheet(open_lab: OpenLab, theme: str) -> None:
    lab = open_lab(theme=theme, plotted=True)
    lab.make_steps(300)
    lab.card("gd").get_by_role("radio", name="Mini-batch").click()
    expect(lab.flags).to_have_count(1)
    lab.make_steps(300)
    open_panel(lab)
    download, original = take_as_seen(lab, "Loss", "loss")
    assert download.suggested_filename == "fallline-loss-step-600.svg"
    text = content(download).decode()
    root = ElementTree.fromstring(text)
    assert len(original["paths"]) > 12
    assert set(original["paths"]) <= {each.get("d") for each in root.iter(f"{SVG}path")}
    written = ["".join(each.itertext()).strip() for each in root.iter(f"{SVG}text")]
    assert {"GD → mini-batch 32", "Mini-batch", "SGD", "steps", "100"} <= set(original["words"])
    assert set(original["words"]) <= set(written)
    assert {"Loss", "mean squared error", "over 900 samples"} <= set(written)
    # nothing that only this page or a browser understands
    assert not re.search(r"var\(|color\(|color-mix|foreignObject|https?://(?!www\.w3\.org)", text)
    paper = root.find(f"{SVG}rect")
    assert paper is not None
    assert paper.get("fill") == {"light": "rgb(255,255,255)", "dark": "rgb(21,24,27)"}[theme]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param("Loss", "loss", marks=pytest.mark.long),
        pytest.param("Gradient", "gradients", marks=pytest.mark.long),
        ("Predicted and true", "scatter"),
    ],
)
def test_every_chart_exports_whole_and_its_png_is_three_times_as_dense(
    open_lab: OpenLab, name: str, kind: str
) -> None:
    lab = open_lab(plotted=True)
    lab.make_steps(60)
    menu = open_panel(lab)
    download, original = take_as_seen(lab, name, kind)
    svg = ElementTree.fromstring(content(download))
    assert len(original["paths"]) > 4
    assert set(original["paths"]) <= {each.get("d") for each in svg.iter(f"{SVG}path")}
    assert set(original["words"]) <= {"".join(each.itertext()) for each in svg.iter(f"{SVG}text")}
    download = take(lab, menu.get_by_role("button", name=f"{name} as PNG"))
    assert download.suggested_filename == f"fallline-{kind}-step-60.png"
    png = content(download)
    assert png.startswith(b"\x89PNG")
    size = struct.unpack(">II", png[16:24])
    assert size == tuple(round(3 * float(svg.attrib[side])) for side in ("width", "height"))


def test_one_instrument_of_three_exports_alone_under_its_runs_name(open_lab: OpenLab) -> None:
    """It used to stand at the right end of an empty picture as wide as the page."""
    lab = open_lab(plotted=True)
    lab.make_steps(20)
    lab.below("Edge, step, noise")
    expect(lab.chart("noise").locator(".title .values i")).to_have_count(1, timeout=20_000)
    open_panel(lab)
    download, _ = take_as_seen(lab, "Noise scale", "noise")
    svg = ElementTree.fromstring(content(download))
    box = lab.chart("noise").bounding_box()
    assert box
    assert float(svg.attrib["width"]) == pytest.approx(box["width"] + 20, abs=1)
    assert {"GD", "Noise scale"} <= {"".join(each.itertext()) for each in svg.iter(f"{SVG}text")}


def test_the_panel_works_by_keys_and_on_a_phone_and_axe_finds_nothing_in_it(open_lab: OpenLab) -> None:
    lab = open_lab()
    assert lab.page.get_by_role("dialog").count() == 0
    lab.button("More: files, theme, keys").press("Enter")
    lab.page.keyboard.press("Enter")
    expect(panel(lab).get_by_role("combobox")).to_be_focused()
    assert faults(lab) == []
    for name in ("recipe.json", "history.csv"):
        lab.page.keyboard.press("Tab")
        assert lab.focused == name
    with lab.page.expect_download() as coming:
        lab.page.keyboard.press("Enter")
    assert coming.value.suggested_filename == "history.csv"
    lab.page.keyboard.press("Escape")
    expect(panel(lab)).to_have_count(0)
    assert lab.focused == "More: files, theme, keys"


@pytest.mark.parametrize("width", [320, PHONE[0]])
def test_the_panel_fits_on_a_phone(open_lab: OpenLab, width: int) -> None:
    phone = open_lab((width, PHONE[1]))
    open_panel(phone)
    assert phone.page.evaluate(SMALL_TARGETS) == []
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= width
    assert phone.page.evaluate(
        "(box => [box.scrollWidth - box.clientWidth, box.getBoundingClientRect().right <= innerWidth])"
        "(document.querySelector('.exports'))"
    ) == [0, True]


@pytest.mark.parametrize("width", [DESKTOP[0], 900])
def test_the_row_that_yields_its_place_to_the_step_inspector_is_a_picture_all_the_same(
    open_lab: OpenLab, width: int
) -> None:
    lab = open_lab((width, 900), plotted=True)
    lab.make_steps(60)
    gradient_of = "Gradient as SVG"

    def words() -> list[str]:
        root = ElementTree.fromstring(
            content(take(lab, open_panel(lab).get_by_role("button", name=gradient_of)))
        )
        lab.page.keyboard.press("Escape")
        return ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]

    visible = words()
    lab.button("Line by line (I)").click()
    expect(lab.chart("gradients")).to_be_hidden()
    hidden = words()
    for word in ("Gradient", "W1", "W2", "W3"):
        assert any(word in text for text in visible), word
        assert any(word in text for text in hidden), word
    assert lab.page.locator("[data-aside], [inert]").count() == 0
    assert lab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_on_a_phone_a_chart_exports_the_same_picture_while_the_inspector_hides_it(open_lab: OpenLab) -> None:
    lab = open_lab(PHONE, plotted=True)
    lab.make_steps(60)

    def pictures() -> dict[str, tuple[list[str], list[str]]]:
        menu = open_panel(lab)
        sizes = {}
        for name in ("Loss", "Gradient", "Predicted and true"):
            download = take(lab, menu.get_by_role("button", name=f"{name} as SVG"))
            root = ElementTree.fromstring(content(download))
            words = ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]
            sizes[name] = (sorted(words), sorted(each.get("d", "") for each in root.iter(f"{SVG}path")))
        lab.page.keyboard.press("Escape")
        assert lab.page.locator("[data-aside], [inert]").count() == 0
        return sizes

    # a chart follows the counter a little later
    first, _ = lab.until(lambda: (pictures(), pictures()), lambda two: two[0] == two[1])
    assert max(map(len, first["Predicted and true"][1])) > 2000
    lab.button("Line by line (I)").tap()
    expect(lab.chart("loss")).to_be_hidden()
    assert pictures() == first


def dropped(lab: Dashboard, name: str, body: bytes) -> None:
    """Drop a file on the page, outside all places that accept files."""
    transfer = lab.page.evaluate_handle(
        """([name, numbers]) => {
            const dragged = new DataTransfer();
            dragged.items.add(new File([new Uint8Array(numbers)], name));
            return dragged;
        }""",
        [name, list(body)],
    )
    lab.page.locator("main").dispatch_event("drop", {"dataTransfer": transfer})


def test_an_exported_recipe_opens_with_its_edits_and_gives_the_same_numbers(
    open_lab: OpenLab,
) -> None:
    lab = open_lab()
    lab.make_steps(20)
    lab.card("gd").get_by_role("radio", name="Mini-batch").click()
    lab.until(lambda: lab.ask("GET", "/recipe")["runs"][0]["edits"], bool)
    lab.make_steps(30)
    history = lab.ask("GET", "/runs/gd/history", series="batch_loss")["series"]
    recipe = content(take(lab, open_panel(lab).get_by_role("link", name="recipe.json")))
    before = lab.stored["id"]
    other = open_lab()
    open_panel(other)
    with other.page.expect_file_chooser() as opened:
        other.button("Open a file…").click()
    opened.value.set_files([FilePayload(name="recipe.json", mimeType="application/json", buffer=recipe)])
    expect(other.notice).to_contain_text("Opened from recipe.json")
    expect(panel(other)).to_have_count(0)
    other.make_steps(50)
    assert other.stored["id"] != before
    assert other.ask("GET", "/runs/gd/history", series="batch_loss")["series"] == history


def test_exported_parameters_can_be_dropped_as_a_start(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(40)
    learnt = lab.ask("GET", "/runs/gd/snapshot")["parameters"]
    menu = open_panel(lab)
    menu.get_by_role("combobox", name="Runs to export").select_option(label="GD")
    body = content(take(lab, menu.get_by_role("link", name="parameters.npz")))
    lab.page.keyboard.press("Escape")
    dropped(lab, "gd-parameters.npz", body)
    expect(lab.notice).to_contain_text("Weights from a file: both runs start again at step 0.")
    lab.settings("network")
    weights = lab.page.get_by_role("combobox", name="Initial weights")
    expect(weights.locator("option:checked")).to_have_text("From a file")
    assert lab.ask("GET", "/runs/sgd/snapshot", step=0)["parameters"] == learnt
    assert faults(lab) == []
    # another shape gets new weights
    weights.select_option(label="Zeros")
    expect(weights.locator("option", has_text="From a file")).to_have_count(0)
    assert lab.ask("GET", "/runs/gd/snapshot", step=0)["parameters"]["W1"][0][0] == 0


def test_a_file_of_another_kind_gives_a_notice_and_nothing_is_lost(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.allow("Failed to load resource")
    before = lab.stored["id"]
    dropped(lab, "notes.txt", b"hello")
    expect(lab.strip).to_contain_text("notes.txt is neither a recipe nor parameters.")
    dropped(lab, "w.npz", b"hello")
    expect(lab.strip).to_contain_text("The parameters cannot be used")
    dropped(lab, "recipe.json", json.dumps({"data": {"name": "nope"}}).encode())
    expect(lab.strip).to_contain_text("the name of a known data set")
    assert lab.stored["id"] == before
