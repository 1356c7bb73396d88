"""What each control does, by pointer and by key, read back from the page itself."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from browser.conftest import PHONE, OpenLab


def counter(page: Page) -> Locator:
    return page.locator("[data-counter=step]")


def card(page: Page, run: str) -> Locator:
    return page.locator(f'run-card[data-run="{run}"]')


def focused(page: Page) -> str:
    """The name of what has the focus, as a screen reader would say it."""
    return str(
        page.evaluate("""() => {
            const at = document.activeElement;
            return at.getAttribute('aria-label') ?? at.textContent.trim().slice(0, 40);
        }""")
    )


def test_space_plays_and_pauses_and_the_right_arrow_makes_one_step(open_lab: OpenLab) -> None:
    page = open_lab()
    page.keyboard.press("ArrowRight")
    expect(counter(page)).to_have_text("1")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause (Space)")).to_be_visible()
    expect(page.locator(".connection")).to_have_attribute("data-status", "live")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play (Space)")).to_be_visible()


def test_keys_switch_the_selected_run_and_the_axes(open_lab: OpenLab) -> None:
    page = open_lab()
    page.keyboard.press("2")
    page.keyboard.press("g")
    expect(card(page, "sgd").get_by_role("radio", name="GD", exact=True)).to_be_checked()
    page.keyboard.press("o")
    expect(card(page, "sgd").get_by_role("radio", name="Momentum")).to_be_checked()
    expect(card(page, "gd").get_by_role("radio", name="Plain")).to_be_checked()
    for key, chosen in (("x", "epochs"), ("y", "linear"), ("m", "L2 norm")):
        page.keyboard.press(key)
        expect(page.get_by_role("radio", name=chosen)).to_be_checked()


def test_a_key_that_is_typed_into_a_field_is_the_fields_own(open_lab: OpenLab) -> None:
    page = open_lab()
    page.get_by_label("Learning rate of GD", exact=True).focus()
    for key in ("x", "g", "Space", "?"):
        page.keyboard.press(key)
    expect(page.get_by_role("radio", name="steps", exact=True)).to_be_checked()
    expect(counter(page)).to_have_text("0")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_single_keys_can_be_switched_off_and_space_stays(open_lab: OpenLab) -> None:
    page = open_lab()
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keyboard").get_by_role("radio", name="off").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("x")
    expect(page.get_by_role("radio", name="steps", exact=True)).to_be_checked()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause (Space)")).to_be_visible()


def test_tab_goes_through_top_bar_and_transport_before_the_recipe(open_lab: OpenLab) -> None:
    page = open_lab()
    stops = []
    for _ in range(12):
        page.keyboard.press("Tab")
        stops.append(focused(page))
    assert stops[0] == "Skip to transport"
    assert stops[1] == "fallline, home"
    reached = [stops.index(name) for name in ("Back to step 0 (R)", "Play (Space)", "Speed", "Data set")]
    assert reached == sorted(reached)


def test_a_stepper_pressed_twice_makes_one_new_network_and_undo_takes_it_back(open_lab: OpenLab) -> None:
    page = open_lab()
    page.get_by_role("button", name=re.compile("Hidden layer 1")).click()
    panel = page.get_by_role("dialog", name="Hidden layer 1")
    for _ in range(2):
        panel.get_by_role("button", name="One unit more").click()
    page.keyboard.press("Escape")
    expect(page.locator("[data-layer='1'] b")).to_have_text("6")
    expect(page.locator("network-fields .end")).to_have_text("69 parameters")
    assert focused(page).startswith("Hidden layer 1")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-layer='1'] b")).to_have_text("4")


def test_a_rate_that_cannot_be_is_refused_where_it_was_typed(open_lab: OpenLab) -> None:
    page = open_lab()
    box = page.get_by_label("Learning rate of GD", exact=True)
    box.fill("-1")
    box.press("Enter")
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(box).to_have_value("-1")
    expect(page.get_by_role("alert").filter(has_text="A rate is a number above 0.")).to_be_visible()
    box.fill("3e-2")
    box.press("Enter")
    expect(box).to_have_value("0.03")
    expect(page.locator('race-table tr[data-run="gd"] .rule')).to_have_text("full batch, rate 0.03")


def test_a_slider_that_is_dragged_makes_one_edit_when_it_is_let_go(open_lab: OpenLab) -> None:
    page = open_lab()
    page.keyboard.press("ArrowRight")
    expect(counter(page)).to_have_text("1")
    rule = page.locator('race-table tr[data-run="gd"] .rule')
    slider = page.get_by_role("slider", name="Learning rate of GD")
    box = slider.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.7, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, y, steps=5)
    expect(rule).to_have_text("full batch, rate 0.1")
    assert float(page.get_by_label("Learning rate of GD", exact=True).input_value()) < 0.01
    page.mouse.up()
    expect(rule).not_to_have_text("full batch, rate 0.1")
    page.keyboard.press("a")
    expect(page.get_by_role("dialog", name="Loss by step").locator(".note")).to_have_count(1)


def test_a_run_is_added_renamed_hidden_and_removed(open_lab: OpenLab) -> None:
    page = open_lab()
    page.get_by_role("button", name="Add a run").click()
    rows = page.locator("race-table tbody tr")
    expect(rows).to_have_count(3)
    third = page.locator("run-card").nth(2)
    expect(third.get_by_role("radiogroup", name="Update rule")).to_be_visible()
    expect(card(page, "gd").get_by_role("radiogroup", name="Update rule")).to_be_hidden()

    third.get_by_role("button", name=re.compile("^More for")).click()
    page.get_by_role("menuitem", name="Rename").click()
    page.keyboard.type("The careful one")
    page.keyboard.press("Enter")
    expect(rows.nth(2).locator("b")).to_have_text("The careful one")

    third.get_by_role("button", name=re.compile("^Hide")).click()
    expect(third.get_by_role("button", name=re.compile("^Hide"))).to_have_attribute("aria-pressed", "true")
    third.get_by_role("button", name=re.compile("^More for")).click()
    page.get_by_role("menuitem", name="Remove").click()
    expect(rows).to_have_count(2)


def test_the_theme_goes_to_the_other_one_back_and_to_the_systems_and_a_reload_keeps_it(
    open_lab: OpenLab,
) -> None:
    page = open_lab()
    root = page.locator("html")
    page.keyboard.press("t")
    expect(root).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(root).to_have_attribute("data-theme", "dark")
    page.wait_for_selector("race-table table")
    for theme in ("light", "light", "dark"):
        page.keyboard.press("t")
        expect(root).to_have_attribute("data-theme", theme)


def test_on_a_phone_the_recipe_is_a_sheet_that_keeps_the_focus_and_gives_it_back(open_lab: OpenLab) -> None:
    page = open_lab(PHONE)
    page.get_by_role("button", name="Recipe (B)").click()
    sheet = page.get_by_role("dialog", name="Recipe")
    expect(sheet).to_be_visible()
    assert focused(page) == "Close the recipe"
    page.keyboard.press("Shift+Tab")
    assert sheet.evaluate("sheet => sheet.contains(document.activeElement)")
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    assert focused(page) == "Recipe (B)"


def test_on_a_phone_charts_and_network_are_shown_one_at_a_time(open_lab: OpenLab) -> None:
    page = open_lab(PHONE)
    expect(page.locator("network-drawing")).to_be_hidden()
    page.get_by_role("tab", name="Network").click()
    expect(page.locator("network-drawing")).to_be_visible()
    expect(page.locator("race-table")).to_be_hidden()
    page.get_by_role("tab", name="Charts").click()
    page.get_by_role("button", name="Axes of the charts").click()
    page.get_by_role("menuitemradio", name="by epochs").click()
    page.get_by_role("button", name="Axes of the charts").click()
    expect(page.get_by_role("menuitemradio", name="by epochs")).to_be_checked()
