"""Keyboard only: the listed keys, the order of Tab, keys that controls use themselves."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from operator import ne
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from browser.conftest import OpenLab
from browser.dashboard import PHONE, Dashboard

# Everything that can be pressed, typed into or moved, by unique name.
NAME = """((each) => [
    each.closest("[aria-label]:not(button, input, select, a)")?.getAttribute("aria-label") ?? "",
    each.getAttribute("aria-label") ?? each.closest("label")?.textContent ?? each.textContent,
].join(" > "))"""
CONTROLS = f"""() => [...document.querySelectorAll("a[href], button, input, select, [role=tab], [tabindex='0']")]
    .filter((each) => each.checkVisibility({{ visibilityProperty: true }}))
    .filter((each) => !each.matches(":disabled") && !each.closest("[inert]"))
    .filter((each) => each.getAttribute("role") !== "radio" || each.getAttribute("aria-checked") === "true")
    .map({NAME})"""
HERE = f"() => {NAME}(document.activeElement)"

# The focused control in a list if a bar lies over its centre.
BEHIND = """() => {
    const at = document.activeElement;
    const bars = [...document.querySelectorAll("top-bar, transport-bar")].filter((bar) => !bar.contains(at));
    const { x, y, width, height } = at.getBoundingClientRect();
    const over = document.elementFromPoint(x + width / 2, y + height / 2);
    return bars.some((bar) => bar.contains(over)) ? [at.getAttribute("aria-label") ?? at.textContent.trim()] : [];
}"""


def axes(lab: Dashboard) -> str:
    return str(lab.button("Axes").get_attribute("title"))


def test_space_plays_and_pauses_arrow_steps_and_r_resets(open_lab: OpenLab) -> None:
    lab = open_lab()
    press = lab.page.keyboard.press
    press("ArrowRight")
    expect(lab.counter).to_have_text("1")
    press("Shift+ArrowRight")
    lab.until_is(lambda: lab.samples_seen("sgd"), 900)
    press("Space")
    expect(lab.pause).to_be_visible()
    expect(lab.page.locator(".connection")).to_have_attribute("data-status", "live")
    press("Space")
    expect(lab.play).to_be_visible()
    press("r")
    expect(lab.counter).to_have_text("0")


def test_space_waits_while_the_page_connects(open_lab: OpenLab) -> None:
    lab = open_lab()
    routes: list[Route] = []
    its_own = f"**/api/v1/experiments/{lab.stored['id']}"
    lab.page.route(its_own, lambda route: routes.append(route))
    lab.page.reload()
    lab.until_is(lambda: len(routes), 1)
    expect(lab.play).to_have_count(0)
    lab.page.keyboard.press("Space")
    routes[0].continue_()
    lab.page.unroute(its_own)
    expect(lab.pause).to_be_visible()
    lab.until(lambda: lab.step, lambda step: step > 0)


def test_space_plays_even_from_an_applied_remedy(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(250)
    fork = lab.page.locator("doctor-list .finding[data-rule=dead_layer] .acts button").first
    fork.click()
    expect(lab.notice).to_contain_text("Press play")
    expect(fork).to_have_attribute("aria-disabled", "true")
    expect(fork).to_be_focused()
    lab.page.keyboard.press("Space")
    expect(lab.pause).to_be_visible()
    assert len(lab.ask("GET")["runs"]) == 3


def test_space_plays_and_pauses_after_a_click_on_a_bet_or_a_switch(open_lab: OpenLab) -> None:
    lab = open_lab()
    press = lab.page.keyboard.press
    lab.page.get_by_role("group", name="Your bet").get_by_role("button", name="SGD").click()
    press("Space")
    expect(lab.pause).to_be_visible()
    lab.card("gd").get_by_role("radio", name="Mini-batch").click()
    press("Space")
    expect(lab.play).to_be_visible()
    lab.page.locator("picture-switch").get_by_role("radio", name="Fall line").click()
    press("t")  # another key changes nothing about it
    press("Space")
    expect(lab.pause).to_be_visible()


def test_space_presses_a_button_that_the_keyboard_reached(open_lab: OpenLab) -> None:
    lab = open_lab()
    press = lab.page.keyboard.press
    bets = lab.page.get_by_role("group", name="Your bet")
    gd, sgd = (bets.get_by_role("button", name=name, exact=True) for name in ("GD", "SGD"))
    gd.click()
    press("Tab")
    expect(sgd).to_be_focused()
    press("Space")
    expect(sgd).to_have_attribute("aria-pressed", "true")
    press("Shift+Tab")
    press("Space")
    expect(gd).to_have_attribute("aria-pressed", "true")
    expect(lab.play).to_be_visible()


def test_space_presses_a_radio_that_is_not_chosen_and_else_plays(open_lab: OpenLab) -> None:
    lab = open_lab()
    method = lab.card("gd").get_by_role("radio")
    method.first.focus()
    lab.page.keyboard.press("ArrowRight")
    expect(method.nth(1)).to_be_checked()
    method.first.focus()
    lab.page.keyboard.press("Space")
    expect(method.first).to_be_checked()
    lab.page.keyboard.press("Space")
    expect(lab.pause).to_be_visible()


def test_the_focus_of_a_control_that_goes_away_moves_to_play(open_lab: OpenLab) -> None:
    lab = open_lab()
    press = lab.page.keyboard.press
    lab.page.get_by_role("group", name="Your bet").get_by_role("button", name="SGD").focus()
    press("Space")
    press("ArrowRight")
    expect(lab.counter).to_have_text("1")
    expect(lab.play).to_be_focused()
    lab.button("Back to step 0 (R)").focus()
    press("Enter")
    expect(lab.counter).to_have_text("0")
    expect(lab.play).to_be_focused()
    lab.notice.get_by_role("button", name="Undo").focus()
    press("Enter")
    expect(lab.counter).to_have_text("1")
    expect(lab.play).to_be_focused()
    lab.page.get_by_role("slider", name="Time travel").focus()
    press("Home")
    lab.page.locator("transport-bar .way-back").focus()
    press("Enter")
    expect(lab.play).to_be_focused()


def test_the_focus_of_a_removed_run_moves_to_the_next_one(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.button("Add a run").click()
    expect(lab.page.locator("run-card")).to_have_count(3)
    for removed, next_one in (("gd", "SGD"), ("run-3", "SGD")):
        lab.settings(f"run {removed}").get_by_role("button", name="Remove").focus()
        lab.page.keyboard.press("Enter")
        expect(lab.row(removed)).to_have_count(0)
        expect(lab.button(f"Settings of {next_one}")).to_be_focused()


def test_keys_belong_to_an_open_panel_even_without_focus_in_it(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.settings("network")
    lab.page.get_by_role("button", name="Hidden layer 1: 4 relu. Edit").click()
    panel = lab.page.get_by_role("dialog", name="Hidden layer 1")
    panel.locator(".help").first.click()
    assert lab.page.evaluate("document.activeElement === document.body")
    lab.page.keyboard.press("x")
    lab.page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    lab.page.keyboard.press("x")
    lab.page.keyboard.press("ArrowRight")
    expect(lab.counter).to_have_text("1")
    assert axes(lab) == "log steps, log loss (Y)"
    # a key pressed before the browser reports the closed panel is not lost
    lab.page.get_by_role("button", name="Hidden layer 1: 4 relu. Edit").click()
    panel.locator(".help").first.click()
    lab.page.evaluate(
        """() => {
            document.querySelector("[popover]").hidePopover();
            document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "x", bubbles: true, cancelable: true }));
        }"""
    )
    expect(lab.button("Axes")).to_have_attribute("title", "steps, log loss (Y)")


def test_a_press_selects_its_run_even_if_buttons_get_no_focus(open_lab: OpenLab) -> None:
    """As in Safari."""
    lab = open_lab()
    lab.card("sgd").get_by_role("radio", name="Mini-batch").evaluate("(button) => button.click()")
    assert lab.page.evaluate("document.activeElement === document.body")
    lab.page.keyboard.press("o")
    expect(lab.rule("sgd")).to_have_attribute("title", "batch of 32, momentum 0.9, rate 0.1")


def test_single_keys_choose_runs_rules_axes_and_speed(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_own()  # an exhibit takes numbers as bets
    press = lab.page.keyboard.press
    press("2")
    for chosen_next in ("GD", "Mini-batch", "SGD", "GD"):
        press("g")
        expect(lab.card("sgd").get_by_role("radio", name=chosen_next, exact=True)).to_be_checked()
    for words in ("full batch, momentum 0.9, rate 0.1", "full batch, Adam, rate", "full batch, rate"):
        press("o")
        expect(lab.rule("sgd")).to_have_attribute("title", re.compile(words))
    expect(lab.rule("gd")).to_have_attribute("title", "full batch, rate 0.1")
    for x in ("log steps", "steps"):
        press("x")
        assert axes(lab) == f"{x}, log loss (Y)"
    for axis in ("epochs", "linear loss"):
        press("y")
        lab.page.get_by_role("menuitemradio", name=axis, exact=True).click()
    assert axes(lab) == "epochs, linear loss (Y)"
    press("x")
    assert axes(lab) == "steps, linear loss (Y)"
    for measure in ("L2 norm", "mean |dW|", "update ÷ weight", "whole, rate", "Size of the gradient"):
        press("m")
        expect(lab.page.locator("gradient-head .choice")).to_have_text(measure)
    speed = lab.page.get_by_role("slider", name="Speed")
    for key, spoken in (("]", "100"), ("[", "60"), ("[", "30")):
        press(key)
        expect(speed).to_have_attribute("aria-valuetext", f"{spoken} steps per second")


def test_keys_open_the_recipe_the_summary_and_the_help_and_esc_closes(open_lab: OpenLab) -> None:
    lab = open_lab()
    press = lab.page.keyboard.press
    press("b")
    assert lab.focused.startswith("Data y = log")
    press("Enter")
    assert lab.focused == "Back to the recipe (Esc)"
    lab.page.get_by_role("combobox", name="Data set").focus()

    # moving through the list chooses nothing; only Enter does
    experiment, data = lab.stored["id"], lab.page.get_by_role("combobox", name="Data set")
    listed = lab.page.get_by_role("listbox", name="Data set")
    for keys in (("c",), ("ArrowDown", "ArrowDown"), ("End",)):
        for key in keys:
            press(key)
        expect(listed).to_be_visible()
        press("Escape")
        expect(listed).to_have_count(0)
        assert lab.focused == "Data set"
    expect(data).to_have_value("log_linear")
    assert lab.stored["id"] == experiment
    for key in ("c", "h", "Enter"):
        press(key)
    expect(data).to_have_value("chebyshev")
    expect(lab.notice).to_contain_text("New data")
    assert lab.stored["id"] != experiment
    lab.page.locator("gradient-head h2").click()
    for key, name in (("a", "Loss by step"), ("?", "Words and keys")):
        press(key)
        dialog = lab.page.get_by_role("dialog", name=name)
        expect(dialog).to_be_visible()
        assert dialog.evaluate("dialog => dialog.contains(document.activeElement)")
        press("Escape")
        expect(dialog).to_have_count(0)
    # a key pressed before the browser reports the closed dialog is not lost
    for _ in range(3):
        lab.page.evaluate(
            """() => {
                const press = (target, key) =>
                    target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
                press(document.body, "?");
                press(document.activeElement, "Escape");
                press(document.body, "?");
            }"""
        )
        expect(dialog).to_be_visible()
        press("Escape")
        expect(dialog).to_have_count(0)
    # the list has every key, and the kernel
    press("?")
    expect(lab.page.get_by_text("Steps are made by compiled kernels.")).to_be_visible()
    key_caps = lab.page.get_by_role("dialog", name="Words and keys").locator("kbd")
    expect(key_caps.first).to_be_visible()
    texts = key_caps.all_inner_texts()
    assert {
        "Space",
        "→",
        "Shift",
        "R",
        "[",
        "]",
        "1",
        "8",
        "G",
        "O",
        "X",
        "Y",
        "M",
        "0",
        "B",
        "T",
        "A",
        "?",
        "Esc",
    } <= set(texts)


def test_0_fits_the_axes_again_after_a_zoom(open_lab: OpenLab) -> None:
    lab = open_lab(plotted=True)
    lab.make_steps(300)
    reach = "document.querySelector('plotly-chart[kind=loss] .js-plotly-plot').layout.xaxis.range[1]"
    whole = lab.until(lambda: lab.page.evaluate(reach), lambda end: end >= 300)
    box = lab.chart("loss").bounding_box()
    assert box is not None
    mouse, middle = lab.page.mouse, box["y"] + box["height"] / 2
    mouse.move(box["x"] + 200, middle - 60)
    mouse.down()
    mouse.move(box["x"] + 400, middle + 60, steps=6)
    mouse.up()
    lab.until(lambda: lab.page.evaluate(reach), lambda end: end < 0.8 * whole)
    lab.page.keyboard.press("0")
    lab.until_is(lambda: lab.page.evaluate(reach), whole)


def test_a_key_that_is_typed_into_a_field_is_the_fields_own(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.rate("GD").focus()
    for key in ("x", "g", "Space", "?"):
        lab.page.keyboard.press(key)
    assert axes(lab).startswith("steps, ")
    expect(lab.counter).to_have_text("0")
    expect(lab.page.get_by_role("dialog")).to_have_count(0)


def test_letters_after_a_press_beside_a_field_are_no_shortcuts(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(30)
    press, rate = lab.page.keyboard.press, lab.rate("GD")

    def press_below_the_rate() -> None:
        box = rate.bounding_box()
        assert box
        lab.page.mouse.click(box["x"] + 20, box["y"] + box["height"] + 6)

    press_below_the_rate()
    assert lab.page.evaluate("document.activeElement === document.body")
    for key in "2rx":
        press(key)
    assert lab.step == 30
    assert axes(lab).startswith("steps, ")
    press("ArrowLeft")  # these are not typed into a field
    expect(lab.page.locator("race-table th.moment")).to_have_text("As of step 29")
    leave: dict[str, Callable[[], Any]] = {
        "press Escape": partial(press, "Escape"),
        "press elsewhere": lab.page.locator("gradient-head h2").click,
        "move the focus": lab.button("Axes").focus,
    }
    before = axes(lab)
    for way, act in leave.items():
        press_below_the_rate()
        press("x")
        assert axes(lab) == before, way
        act()
        press("x")
        before = lab.until(partial(axes, lab), partial(ne, before))
    lab.settings("run sgd").locator(".settings-head").click()
    press("r")
    assert lab.step == 29


def test_a_number_typed_on_a_slider_is_no_shortcut(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(30)
    for name in ("Learning rate of GD", "Speed"):
        lab.page.get_by_role("slider", name=name).focus()
        for key in ("0", ".", "0", "5", ",", "-", "e"):
            lab.page.keyboard.press(key)
        expect(lab.page.locator("race-table th.moment")).to_have_text("At step 30")
    lab.page.keyboard.press("x")  # one does not type it for a number
    assert axes(lab) == "log steps, log loss (Y)"


@pytest.mark.parametrize("key", ["s", "?", "a"])
def test_a_dialog_opens_with_the_focus_in_its_content(open_lab: OpenLab, key: str) -> None:
    lab = open_lab()
    lab.make_steps(20)
    lab.page.keyboard.press(key)
    dialog = lab.page.locator("dialog[open]")
    expect(dialog).to_be_visible()
    lab.until_is(
        lambda: dialog.evaluate(
            "(dialog) => dialog.contains(document.activeElement) && !document.activeElement.closest('.head')"
        ),
        True,
    )
    lab.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_single_keys_can_be_switched_off_and_space_stays(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.page.keyboard.press("?")
    lab.page.get_by_role("dialog", name="Words and keys").get_by_role("radio", name="off").click()
    lab.page.keyboard.press("Escape")
    expect(lab.page.get_by_role("dialog")).to_have_count(0)
    lab.page.reload()
    lab.wait()
    lab.page.keyboard.press("x")
    assert axes(lab).startswith("steps, ")
    lab.page.keyboard.press("Space")
    expect(lab.pause).to_be_visible()


def test_tab_reaches_every_control_in_the_order_of_the_page(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    controls = lab.page.evaluate(CONTROLS)
    reached: list[str] = []
    for _ in range(len(controls) + 10):
        lab.page.keyboard.press("Tab")
        here = lab.page.evaluate(HERE)
        if lab.page.evaluate("document.activeElement === document.body") or here in reached[:1]:
            break
        reached.append(here)
    assert sorted(set(controls) - set(reached)) == []
    names = [name.split(" > ")[1] for name in reached]
    assert names[:2] == ["Skip to transport", "fallline, home"]
    in_order = (
        "More: files, theme, keys",
        "Play (Space)",
        "1 step (right arrow)",
        "Line by line (I)",
        "Speed",
        "Settings of GD",
        "Learning rate of GD",
        "Learning rate of SGD",
        "Add a run",
    )
    places = [names.index(name) for name in in_order]
    assert places == sorted(places)


@pytest.mark.parametrize("size", [PHONE, (640, 512), (320, 256)])
def test_the_focused_control_is_never_behind_a_bar(open_lab: OpenLab, size: tuple[int, int]) -> None:
    lab = open_lab(size=size)
    lab.make_steps(300)
    expect(lab.page.locator("doctor-list .acts").first).to_be_visible()
    behind: list[str] = []
    for key in ("Tab", "Shift+Tab"):
        for _ in range(80):
            lab.page.keyboard.press(key)
            if lab.page.evaluate("document.activeElement === document.body"):
                break
            behind += lab.page.evaluate(BEHIND)
        else:
            pytest.fail(f"{key} reaches no end of the page")
    assert behind == []


def test_the_skip_link_leads_to_the_transport(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.page.keyboard.press("Tab")
    expect(lab.page.locator(".skip")).to_be_in_viewport(ratio=1)
    lab.page.keyboard.press("Enter")
    lab.page.keyboard.press("Tab")
    assert lab.page.evaluate("document.activeElement.closest('transport-bar') !== null")


def test_a_switch_a_menu_and_a_layer_are_worked_by_arrows_and_enter(open_lab: OpenLab) -> None:
    lab = open_lab()
    press = lab.page.keyboard.press
    lab.card("gd").get_by_role("radio", name="GD", exact=True).focus()
    press("ArrowRight")
    expect(lab.card("gd").get_by_role("radio", name="Mini-batch")).to_be_checked()
    expect(lab.card("gd").get_by_role("radio", name="Mini-batch")).to_be_focused()
    press("End")
    expect(lab.rule("gd")).to_have_attribute("title", "batch of 1, rate 0.1")
    expect(lab.counter).to_have_text("0")  # the switch used the arrow itself

    lab.button("Settings of SGD 2").focus()
    press("Enter")
    assert lab.focused == "Back to the recipe (Esc)"
    lab.button("Rename").focus()
    press("Enter")
    lab.page.keyboard.type("Slow and steady")
    press("Enter")
    expect(lab.row("gd").locator("b")).to_have_text("Slow and steady")
    assert lab.focused == "Rename"
    press("Escape")
    assert lab.focused == "Settings of Slow and steady"

    lab.settings("network")
    lab.page.get_by_role("button", name=re.compile("Hidden layer 2")).focus()
    press("Enter")
    panel = lab.page.get_by_role("dialog", name="Hidden layer 2")
    expect(panel).to_be_visible()
    panel.get_by_role("button", name="One unit more").focus()
    press("Space")
    press("Escape")
    expect(lab.page.locator("[data-layer='2']")).to_have_text("5 relu")
    assert lab.focused.startswith("Hidden layer 2: 5 relu")


def test_on_a_phone_the_recipe_is_a_sheet_that_holds_and_returns_focus(open_lab: OpenLab) -> None:
    lab = open_lab(PHONE)
    lab.button("Recipe (B)").click()
    sheet = lab.page.get_by_role("dialog", name="Recipe")
    expect(sheet).to_be_visible()
    assert lab.focused == "Close the recipe"
    box = sheet.bounding_box()
    assert box is not None
    assert box["height"] <= 0.83 * PHONE[1]
    lab.page.keyboard.press("Shift+Tab")
    assert sheet.evaluate("sheet => sheet.contains(document.activeElement)")
    lab.page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    assert lab.focused == "Recipe (B)"


def test_a_chart_is_read_by_keyboard_without_stepping_the_training(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(50)
    chart = lab.page.locator("plotly-chart[kind=loss]")
    expect(chart).to_have_attribute("data-last-step", "50")
    chart.focus()
    for key in ("End", "ArrowLeft"):
        lab.page.keyboard.press(key)
    expect(chart).to_have_attribute("data-cursor", re.compile(r"\d+"))
    expect(lab.page.locator("page-announcer")).to_contain_text("GD")
    assert lab.step == 50
    lab.page.keyboard.press("Escape")
    expect(chart).not_to_have_attribute("data-cursor", re.compile(r"\d+"))
