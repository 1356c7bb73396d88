"""Controls come from the catalog: every row of every table can be chosen and its parameters set."""

from __future__ import annotations

import re
from functools import partial
from operator import ne
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Route, expect

from browser.conftest import OpenLab
from browser.dashboard import PHONE, Dashboard
from browser.test_accessibility import SMALL_TARGETS, faults
from browser.test_controls import put

SETTINGS = {"the data": "data", "the network": "network", "GD": "run gd", "SGD": "run sgd"}


def open_more(lab: Dashboard, whose: str) -> None:
    """Open these settings and their "More"."""
    summary = lab.page.locator("summary", has_text=f"settings of {whose}")
    if not summary.count():
        lab.settings(SETTINGS[whose])
    if summary.locator("..").get_attribute("open") is None:
        summary.click()


def name_by_person(lab: Dashboard, run: str, name: str) -> None:
    """Name the run as a person does: this name does not follow its rule."""
    lab.ask("PATCH", f"/runs/{run}", {"label": name})
    expect(lab.row(run).locator("b")).to_have_text(name)


def select(lab: Dashboard, name: str) -> Locator:
    return lab.page.get_by_role("combobox", name=name, exact=True)


def box(lab: Dashboard, name: str) -> Locator:
    return lab.page.get_by_role("textbox", name=name, exact=True)


@pytest.fixture(scope="session")
def catalog(address: str) -> dict[str, Any]:
    body: dict[str, Any] = httpx.get(f"{address}/api/v1/catalog").json()
    return body


def in_force(lab: Dashboard) -> dict[str, Any]:
    """Return the first run's settings with its edits."""
    run = lab.ask("GET", "/recipe")["runs"][0]
    for edit in run["edits"]:
        run.update(edit)
    return dict(run)


def name_in_force(lab: Dashboard, setting: str) -> str:
    """Return the method that was chosen; a recipe names nothing else."""
    return name_of(in_force(lab).get(setting, ""))


def name_of(method: Any) -> str:
    return str(method if isinstance(method, str) else method["name"])


# All rows use the same code. `make test` tries one of each kind, and a new one.
EVERY = pytest.mark.parametrize(
    "every", [False, pytest.param(True, marks=pytest.mark.long)], ids=["one of each kind", "every one"]
)


# --- edits of a run -----------------------------------------------------------------------------------------------


@EVERY
def test_every_optimizer_and_schedule_can_be_chosen_with_its_parameters(
    open_lab: OpenLab, catalog: dict[str, Any], every: bool
) -> None:
    lab = open_lab()
    name_by_person(lab, "gd", "GD of mine")
    open_more(lab, "GD")
    for table, control in (("optimizers", "Rule of GD of mine"), ("schedules", "Schedule of GD of mine")):
        chosen = {"optimizers": "optimizer", "schedules": "schedule"}[table]
        rows = catalog[table]
        assert len(rows) > 5
        for row in [*rows[1:], rows[0]] if every else [rows[-1], rows[0]]:
            select(lab, control).select_option(row["name"])
            lab.until_is(partial(name_in_force, lab, chosen), row["name"])
            assert row["help"].rstrip(".").lower() in str(select(lab, control).get_attribute("title")).lower()
            for parameter in row["parameters"]:
                label = re.sub(r"(\D)(\d)$", r"\1 \2", parameter["name"].replace("_", " ")).capitalize()
                expect(box(lab, f"{label} of GD of mine")).to_be_visible()
    # a rule outside the switch is named, and the switch has no choice
    select(lab, "Rule of GD of mine").select_option("nesterov")
    expect(lab.card("gd").get_by_text("Nesterov", exact=True).first).to_be_visible()
    expect(
        lab.card("gd").get_by_role("radiogroup", name="Update rule").get_by_role("radio", checked=True)
    ).to_have_count(0)


def test_schedules_penalties_and_bounds_act_live_and_drop_a_marker_with_words(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    open_more(lab, "GD")
    lab.make_steps(10)
    for steps, change, words in (
        (1, lambda: select(lab, "Schedule of GD").select_option("cosine"), "schedule cosine"),
        (1, lambda: put(box(lab, "Steps of GD"), "500"), "schedule cosine, steps 500"),
        (
            1,
            lambda: select(lab, "Next schedule of GD").select_option("warmup"),
            "schedule cosine, then warm-up",
        ),
        (
            1,
            lambda: put(box(lab, "Steps of warm-up of GD"), "7"),
            "schedule cosine, then warm-up, steps 7",
        ),
        (1, lambda: select(lab, "Next schedule of GD").select_option(""), "schedule cosine"),
        (1, lambda: put(box(lab, "L2 of GD"), "1e-3"), "L2 0.001"),
        (1, lambda: put(box(lab, "Clip norm of GD"), "1"), "clip norm 1"),
        (1, lambda: put(box(lab, "Clip norm of GD"), ""), "clip norm off"),
        (1, lambda: put(box(lab, "Clip value of GD"), "0.5"), "clip value 0.5"),
        (1, lambda: put(box(lab, "Rate of layer 2 of GD"), "0.1"), "layer rates 1, 0.1, 1"),
        (1, lambda: put(box(lab, "Rate of layer 2 of GD"), "1"), "layer rates off"),
    ):
        change()
        expect(lab.flags.last).to_have_attribute("title", words)
        lab.make_steps(steps)
    now = in_force(lab)
    assert (now["l2"], now["clip_norm"], now["clip_value"]) == (1e-3, None, 0.5)
    assert now["schedule"] == {"name": "cosine", "steps": 500, "least": 0.01}
    expect(lab.rule("gd")).to_have_attribute(
        "title", "full batch, rate 0.1, cosine, L2 0.001, clip value 0.5"
    )
    expect(box(lab, "Clip norm of GD")).to_have_value("")
    # the minimized value stands beside the loss of the run with a penalty
    expect(lab.row("gd").locator(".descended")).to_have_text(re.compile(r"^minimized: [\d.e−]+$"))
    expect(lab.row("sgd").locator(".descended")).to_have_text("")
    open_more(lab, "SGD")
    select(lab, "Order of SGD").select_option("sequential")
    expect(lab.flags.and_(lab.page.get_by_title("in order", exact=True))).to_have_count(1)
    # active settings are named while hidden
    lab.settings("run gd")
    expect(box(lab, "L2 of GD")).to_be_hidden()
    expect(lab.card("gd").locator("summary")).to_contain_text("cosine, L2 0.001, clip value 0.5")


def test_a_value_outside_its_range_is_refused_in_place_with_the_range(open_lab: OpenLab) -> None:
    lab = open_lab()
    open_more(lab, "SGD")
    for name, typed, why in (
        ("L1 of SGD", "-1", "L1 is 0 or more."),
        ("Clip norm of SGD", "0", "Clip norm is a number above 0."),
        ("Clip value of SGD", "much", "This is not a number."),
        ("Seed of SGD", "1.5", "A seed is a whole number, 0 or more."),
    ):
        put(box(lab, name), typed)
        expect(box(lab, name)).to_have_attribute("aria-invalid", "true")
        expect(box(lab, name)).to_have_value(typed)
        expect(lab.page.get_by_role("alert").filter(has_text=why)).to_be_visible()
        box(lab, name).press("Escape")
        expect(box(lab, name)).not_to_have_attribute("aria-invalid", "true")
    assert lab.ask("GET", "/recipe")["runs"][1]["edits"] == []


# --- another experiment -------------------------------------------------------------------------------------------


def choose(lab: Dashboard, name: str, value: str) -> dict[str, Any]:
    """Choose a row; return the recipe of the new experiment."""
    before = lab.stored["id"]
    if select(lab, name).input_value() != value:
        select(lab, name).select_option(value)
        lab.until(lambda: lab.stored["id"], lambda id: id != before)
        expect(select(lab, name)).to_have_value(value)
    expect(lab.strip).to_have_count(0)
    recipe: dict[str, Any] = lab.ask("GET", "/recipe")
    return recipe


def set_box(lab: Dashboard, name: str, value: str) -> dict[str, Any]:
    before = lab.stored["id"]
    put(box(lab, name), value)
    lab.until(lambda: lab.stored["id"], lambda id: id != before)
    expect(box(lab, name)).to_have_value(value)
    recipe: dict[str, Any] = lab.ask("GET", "/recipe")
    return recipe


@EVERY
def test_every_data_set_can_be_chosen_with_its_losses(
    open_lab: OpenLab, catalog: dict[str, Any], every: bool
) -> None:
    lab = open_lab()
    values = set()
    for row in [*catalog["datasets"][1:], catalog["datasets"][0]]:
        classes = len(row["classes"])
        if row["name"] == "csv" or row["missing"] or not (every or classes not in values):
            continue
        open_more(lab, "the data")
        data = choose(lab, "Data set", row["name"])["data"]
        assert data["name"] == row["name"]
        assert row["samples"] in (None, data["samples"])
        for parameter in row["parameters"]:
            changed = set_box(
                lab, parameter["name"].capitalize(), str(parameter["range"][1]).removesuffix(".0")
            )
            assert changed["data"][parameter["name"]] == parameter["range"][1]
        is_class = row["task"] == "classification"
        expect(box(lab, "Label noise")).to_have_count(int(is_class))
        expect(box(lab, "Inputs")).to_have_count(int(row["features"] is None))
        open_more(lab, "the network")
        offered = [str(each.get_attribute("value")) for each in select(lab, "Loss").locator("option").all()]
        assert offered == [
            loss["name"]
            for loss in catalog["losses"]
            if (loss["task"] == "regression" if not classes else (loss["most_classes"] or classes) >= classes)
        ]
        if classes not in values:
            values.add(classes)
            for loss in [*offered[1:], offered[0]] if every else offered[1:2]:
                assert name_of(choose(lab, "Loss", loss)["loss"]) == loss
    assert values == {0, 2, 3, 10}
    open_more(lab, "the data")
    choose(lab, "Data set", "log_linear")
    open_more(lab, "the network")
    choose(lab, "Loss", "huber")
    assert set_box(lab, "Delta", "0.5")["loss"] == {"name": "huber", "delta": 0.5}
    open_more(lab, "the data")
    assert set_box(lab, "Inputs", "3")["data"]["features"] == 3
    for standard in ("inputs", "targets", "both", "none") if every else ("targets",):
        assert choose(lab, "Standardize", standard)["data"]["standardize"] == standard
    choose(lab, "Data set", "moons")
    assert set_box(lab, "Label noise", "0.1")["data"]["label_noise"] == 0.1
    expect(lab.page.locator("data-fields summary")).to_contain_text("label noise 0.1")


@EVERY
def test_every_initializer_and_every_activation_can_be_chosen(
    open_lab: OpenLab, catalog: dict[str, Any], every: bool
) -> None:
    lab = open_lab()
    open_more(lab, "the network")
    for what, control, scale in (
        ("weights", "Initial weights", "Weight scale"),
        ("biases", "Initial biases", "Bias scale"),
    ):
        rows = [row for row in catalog["initializers"] if what in row["draws"] and not row["same_as"]]
        assert len(rows) >= 3
        for row in [*rows[1:], rows[0]] if every else [rows[-1], rows[0]]:
            assert name_of(choose(lab, control, row["name"])["network"][what]) == row["name"]
            names = [parameter["name"] for parameter in row["parameters"]]
            expect(box(lab, scale)).to_have_count(names.count("scale"))
            expect(box(lab, "Bias value")).to_have_count(names.count("value"))
        assert set_box(lab, scale, "0.1")["network"][what] == {"name": "normal", "scale": 0.1}
    choose(lab, "Initial biases", "constant")
    assert set_box(lab, "Bias value", "0.5")["network"]["biases"] == {"name": "constant", "value": 0.5}
    expect(lab.page.locator("network-fields summary")).to_contain_text("biases constant, bias value 0.5")
    expect(select(lab, "Initial weights").locator("option:checked")).to_have_text("Normal N(0, 0.1²)")
    rows = catalog["activations"]
    assert len(rows) >= 8
    names = [
        each.get_attribute("value")
        for each in select(lab, "Activation of the output").locator("option").all()
    ]
    assert names == [row["name"] for row in rows]
    assert choose(lab, "Activation of the output", "tanh")["network"]["output"] == "tanh"
    for row in [*rows[1:], rows[0]] if every else [rows[-1]]:
        before = lab.stored["id"]
        lab.page.locator("[data-layer='1']").click()
        select(lab, "Activation").select_option(row["name"])
        expect(lab.page.get_by_role("dialog", name="Hidden layer 1")).to_contain_text(row["source"])
        lab.page.keyboard.press("Escape")
        lab.until(lambda: lab.stored["id"], partial(ne, before))
        assert lab.ask("GET", "/recipe")["network"]["layers"][0]["activation"] == row["name"]


def test_a_run_has_a_seed_of_its_own(open_lab: OpenLab) -> None:
    lab = open_lab()
    open_more(lab, "SGD")
    recipe = set_box(lab, "Seed of SGD", "7")
    assert [run["seed"] for run in recipe["runs"]] == [0, 7]
    expect(lab.notice).to_contain_text("Another order of the samples: both runs start again at step 0.")
    lab.button("Undo").click()
    expect(box(lab, "Seed of SGD")).to_have_value("0")


# --- a row without code of its own ----------------------------------------------------------------------------------


def with_new_rows(route: Route) -> None:
    catalog = route.fetch().json()
    number = {
        "default": 0.5,
        "range": [0, 1],
        "unit": "",
        "help": "what nobody knows yet",
        "source": "Nobody 2030",
    }
    number["schema"] = {"type": "number", "minimum": 0, "maximum": 1}
    row = {"name": "brand_new", "help": "a new way", "source": "Nobody 2030"}
    for table in ("optimizers", "schedules", "activations"):
        catalog[table].append({**row, "parameters": [{**number, "name": f"of_{table}"}]})
    catalog["datasets"].append(
        {**catalog["datasets"][0], **row, "parameters": [{**number, "name": "of_data"}]}
    )
    catalog["run_settings"].append({**number, "name": "dropout"})
    catalog["data_settings"].append({**number, "name": "outliers"})
    route.fulfill(json=catalog)


def test_a_new_catalog_row_appears_without_changes_to_the_page(visits: Any) -> None:
    lab = visits.tab()
    lab.page.route("**/api/v1/catalog", with_new_rows)
    lab.open()
    open_more(lab, "the data")
    expect(select(lab, "Data set").locator("option[value=brand_new]")).to_have_text("Brand new")
    expect(box(lab, "Outliers")).to_have_value("0.5")
    open_more(lab, "GD")
    for name in ("Rule of GD", "Schedule of GD"):
        expect(select(lab, name).locator("option[value=brand_new]")).to_have_text("Brand new")
    expect(box(lab, "Dropout of GD")).to_have_value("0.5")
    put(box(lab, "Dropout of GD"), "2")
    expect(lab.page.get_by_role("alert").filter(has_text="From 0 to 1.")).to_be_visible()


# --- keyboard, explanations, accessibility ----------------------------------------------------------------------------


def test_all_settings_can_be_set_with_the_keyboard_alone(open_lab: OpenLab) -> None:
    lab = open_lab()
    press = lab.page.keyboard.press

    def tab_to(name: str) -> None:
        """Press Tab until this control is focused: words that explain themselves stand between."""
        for _ in range(3):
            press("Tab")
            if name in lab.focused:
                return
        assert lab.focused == name

    lab.button("Settings of GD").focus()
    press("Enter")
    lab.card("gd").get_by_role("slider").focus()
    tab_to("settings of GD")
    press("Space")
    tab_to("Rule of GD")
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "Enter"):
        press(key)
    expect(lab.page.get_by_role("slider", name="Momentum of Nesterov")).to_be_visible()
    expect(lab.rule("gd")).to_have_attribute("title", "full batch, Nesterov 0.9, rate 0.1")
    tab_to("Schedule of Nesterov")
    for key in ("c", "o", "s", "Enter"):
        press(key)
    expect(lab.rule("gd")).to_have_attribute("title", "full batch, Nesterov 0.9, rate 0.1, cosine")
    # its own parameters follow
    for name in ("Steps of Nesterov", "Least of Nesterov", "Next schedule of Nesterov", "L1 of Nesterov"):
        tab_to(name)
    lab.page.keyboard.type("1e-4")
    tab_to("L2 of Nesterov")
    expect(lab.rule("gd")).to_have_attribute("title", re.compile("cosine, L1 0.0001"))


def test_explained_settings_show_meaning_and_source(open_lab: OpenLab, catalog: dict[str, Any]) -> None:
    lab = open_lab()
    open_more(lab, "GD")
    momentum = next(row for row in catalog["optimizers"] if row["name"] == "momentum")
    lab.card("gd").get_by_role("radio", name="Momentum").click()
    slider = lab.page.get_by_role("slider", name="Momentum of Momentum")
    described = lab.page.locator(f"#{slider.get_attribute('aria-describedby')}")
    expect(described).to_be_hidden()
    toggle = lab.button("Explain every setting")
    toggle.focus()
    lab.page.keyboard.press("Space")
    expect(toggle).to_have_attribute("aria-pressed", "true")
    expect(described).to_have_text(
        "Share of the velocity that each step keeps. From 0 to just below 1.", use_inner_text=True
    )
    expect(lab.card("gd").get_by_text(momentum["source"]).first).to_be_visible()
    unsaid = lab.page.evaluate("""() => [...document.querySelectorAll("recipe-rail :is(input, select)")]
        .filter((control) => !document.getElementById(control.getAttribute("aria-describedby"))?.textContent.trim())
        .map((control) => control.getAttribute("aria-label"))""")
    assert unsaid == []
    toggle.click()
    expect(described).to_be_hidden()


def test_axe_finds_nothing_with_all_settings_open_and_explained(open_lab: OpenLab) -> None:
    lab = open_lab()
    name_by_person(lab, "sgd", "SGD of mine")
    open_more(lab, "SGD")
    select(lab, "Rule of SGD of mine").select_option("adamw")
    select(lab, "Schedule of SGD of mine").select_option("step")
    expect(box(lab, "Factor of SGD of mine")).to_be_visible()
    put(box(lab, "Factor of SGD of mine"), "2")
    assert faults(lab) == []
    lab.button("Explain every setting").click()
    for whose in SETTINGS:
        open_more(lab, whose)
        assert faults(lab, "recipe-rail", axe_in=("light",)) == []


def test_on_a_phone_all_settings_are_in_the_sheet_and_large_enough(open_lab: OpenLab) -> None:
    lab = open_lab(PHONE)
    name_by_person(lab, "gd", "GD of mine")
    lab.button("Recipe (B)").tap()
    for whose in ("the data", "the network", "GD"):
        open_more(lab, whose)
        assert lab.page.evaluate(SMALL_TARGETS) == []
    select(lab, "Rule of GD of mine").select_option("adamw")
    expect(lab.page.get_by_role("slider", name="Weight decay of GD of mine")).to_be_visible()
    assert lab.page.evaluate(SMALL_TARGETS) == []
    lab.button("Explain every setting").tap()
    expect(lab.page.locator("recipe-rail.explained")).to_have_count(1)
    assert faults(lab) == []
    assert lab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
