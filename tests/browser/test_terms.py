"""Words that explain themselves: their cards on hover, Enter and tap, at every size."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from browser.conftest import OpenLab
from browser.dashboard import PHONE, Dashboard
from browser.test_accessibility import FAINT_TEXTS, THEMES, Theme, axe, settled
from browser.test_stage import SIZES

PLACE = """([key, row]) => {
    const box = (each) => each.getBoundingClientRect().toJSON();
    const words = [...document.querySelectorAll(`[data-term="${key}"]`)];
    const word = words.find((each) => each.getAttribute("aria-expanded") === "true") ?? words[0];
    return { card: box(document.querySelector(".popover.word")), row: box(row ? word.closest(row) : word) };
}"""
MIDDLE = """(word) => {
    const seen = [...document.querySelectorAll(word)].find((each) => each.checkVisibility());
    const box = seen?.getBoundingClientRect();
    return box && [box.left + box.width / 2, box.top + box.height / 2];
}"""
TERMS = """() => [...document.querySelectorAll(".term[role=button]")]
    .filter((each) => each.checkVisibility({ visibilityProperty: true }))
    .map((each) => each.dataset.term)"""


def card(lab: Dashboard, name: str | None = None) -> Locator:
    cards = lab.page.locator(".popover.word")
    return cards if name is None else cards.and_(lab.page.get_by_role("dialog", name=name, exact=True))


def head(lab: Dashboard, key: str) -> Locator:
    return lab.page.locator(f'race-table thead tr:not(.again) [data-term="{key}"]')


def rest_on_moving(lab: Dashboard, word: str, opens: Locator) -> None:
    """Rest the pointer on a word of a picture, as often as the word moves away from below it."""

    def rest() -> bool:
        if place := lab.page.evaluate(MIDDLE, word):
            # a hand is never quite still: without a way, the browser reports no second move
            lab.page.mouse.move(place[0] + 2, place[1])
            lab.page.mouse.move(*place)
            lab.page.wait_for_timeout(600)
        return opens.is_visible()

    lab.until(rest, bool)


def is_apart(a: dict[str, float], b: dict[str, float]) -> bool:
    return (
        a["bottom"] <= b["top"]
        or a["top"] >= b["bottom"]
        or a["right"] <= b["left"]
        or a["left"] >= b["right"]
    )


def test_a_word_explains_itself_on_hover_and_the_keys_stay_the_pages(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(500)
    head(lab, "r2").hover()
    r2 = card(lab, "R²")
    expect(r2).to_contain_text("1 - np.mean((y - y_pred)**2) / np.var(y)")
    scores = [lab.row(run).locator("td.score").inner_text() for run in ("gd", "sgd")]
    for label, score in zip(("GD", "SGD"), scores, strict=True):
        expect(r2.get_by_text(f"{label} {score}", exact=True)).to_be_visible()
    places = lab.page.evaluate(PLACE, ["r2", "table"])
    assert places["card"]["top"] >= places["row"]["bottom"]
    lab.page.keyboard.press("ArrowRight")
    lab.until_is(lambda: lab.step, 501)
    expect(r2).to_be_visible()
    # the pointer may go onto the card, and away
    r2.hover()
    lab.page.wait_for_timeout(400)
    expect(r2).to_be_visible()
    lab.page.mouse.move(700, 500)
    lab.page.mouse.move(720, 700)
    expect(card(lab)).to_have_count(0)


def test_a_pointer_that_passes_opens_nothing_and_esc_closes_what_it_opened(open_lab: OpenLab) -> None:
    lab = open_lab()
    word = lab.page.locator("loss-head .term")
    word.hover()
    lab.page.wait_for_timeout(100)
    lab.page.mouse.move(700, 700)
    lab.page.wait_for_timeout(500)
    expect(card(lab)).to_have_count(0)
    word.hover()
    expect(card(lab, "Mean squared error")).to_contain_text("Predicting the mean: ")
    lab.page.keyboard.press("Escape")
    expect(card(lab)).to_have_count(0)


PUT = (
    """(word) => Object.assign(word.style, { position: "fixed", left: "690px", top: "490px", zIndex: 99 })"""
)


def test_a_word_that_comes_under_a_resting_pointer_opens_once_the_pointer_moves(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(20)
    lab.page.mouse.move(695, 495)
    head(lab, "r2").evaluate(PUT)
    lab.page.wait_for_timeout(1_000)
    expect(card(lab)).to_have_count(0)
    lab.page.mouse.move(697, 495)
    expect(card(lab, "R²")).to_be_visible()


def test_enter_opens_a_word_with_the_focus_in_it_and_esc_returns_it(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.settings("run gd")
    word = lab.page.locator("run-settings .term").first
    word.focus()
    lab.page.keyboard.press("Enter")
    rate = card(lab, "Learning rate")
    expect(rate.get_by_text("0.1").first).to_be_visible()
    expect(word).to_have_attribute("aria-expanded", "true")
    expect(rate.get_by_role("button", name="See it in NumPy")).to_be_focused()
    lab.page.keyboard.press("y")  # a key in a card is not the page's
    expect(lab.button("Axes")).to_have_attribute("title", "steps, log loss (Y)")
    rate.get_by_text("Steepest bend").click()
    expect(card(lab, "Steepest bend")).to_contain_text("Above 2 / rate, steps overshoot.")
    lab.page.keyboard.press("Escape")
    expect(card(lab)).to_have_count(0)
    expect(word).to_be_focused()
    expect(lab.page.locator("run-settings")).to_be_visible()
    lab.page.keyboard.press("Space")
    expect(card(lab, "Learning rate")).to_be_visible()
    lab.page.mouse.click(700, 700)
    expect(card(lab)).to_have_count(0)
    expect(lab.counter).to_have_text("0")


@pytest.mark.parametrize("size", SIZES)
def test_every_word_opens_beside_its_row_and_inside_the_window(
    open_lab: OpenLab, size: tuple[int, int]
) -> None:
    lab = open_lab(size)
    lab.make_steps(250)
    for run in ("gd", "sgd"):
        lab.ask("GET", f"/runs/{run}/findings", wait=20)
    # the Doctor's words stand once it has looked at every step
    lab.page.wait_for_selector("doctor-list .finding[data-rule=dead_layer]", state="attached")
    expect(lab.page.locator("doctor-list .looked")).to_be_empty()
    keys = lab.page.evaluate(TERMS)
    if size[1] > 568:
        assert {"r2", "mse", "state", "grad_l1", "step"} <= set(keys)
    for key in dict.fromkeys(keys):
        word = lab.page.locator(f'.term[role=button][data-term="{key}"]:visible').first
        word.scroll_into_view_if_needed()
        word.focus()
        lab.page.keyboard.press("Enter")
        expect(card(lab)).to_be_visible()
        places: dict[str, Any] = lab.page.evaluate(PLACE, [key, None])
        box = places["card"]
        assert is_apart(box, places["row"]), f"{key}: {places}"
        assert 0 <= box["left"] < box["right"] <= size[0], f"{key}: {places}"
        assert 0 <= box["top"] < box["bottom"] <= size[1], f"{key}: {places}"
        assert min(320, size[0] - 16) - 1 <= box["right"] - box["left"] <= 376
        lab.page.keyboard.press("Escape")
        expect(card(lab)).to_have_count(0)


def test_words_in_a_picture_open_on_hover_while_it_plays_and_by_key(open_lab: OpenLab) -> None:
    lab = open_lab(plotted=True)
    lab.make_own()
    lab.make_steps(200)
    lab.play.click()
    expect(lab.page.locator(".chart-label.zero").first).to_be_visible()
    rest_on_moving(lab, ".chart-label.zero", card(lab, "Exactly 0"))
    expect(card(lab, "Exactly 0")).to_contain_text("in no layer")
    before = lab.step
    lab.until(lambda: lab.step, lambda step: step > before + 20)
    expect(card(lab, "Exactly 0")).to_be_visible()
    lab.rest()
    lab.below("Edge, step, noise")
    expect(lab.chart("edge")).to_have_attribute("data-state", "drawn")
    word = lab.page.locator("gradient-head .term").filter(has_text="Noise scale")
    word.focus()
    expect(word).to_be_in_viewport(ratio=1)
    lab.page.keyboard.press("Enter")
    expect(card(lab, "Noise scale").locator("dd")).to_contain_text(", batch ")


def test_a_tap_opens_a_word_and_a_second_closes_it(open_lab: OpenLab) -> None:
    lab = open_lab(PHONE)
    lab.make_steps(250)
    lab.row("sgd").locator(".verdict .term").tap()
    dead = card(lab, "layer 2 dead")
    expect(dead).to_contain_text("A hidden layer outputs 0 for every training sample.")
    dead.get_by_text("Dead", exact=True).tap()
    expect(card(lab, "Dead")).to_contain_text("layer 2: 4 of 4")
    lab.row("sgd").locator(".verdict .term").tap()
    expect(card(lab)).to_have_count(0)


def test_a_card_goes_along_with_the_step(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.page.locator("transport-bar .term").click()
    values = card(lab, "Step").locator("dd")
    expect(values).to_have_text(["0", "0"])
    lab.ask("POST", "/step", {"steps": 7})
    expect(values).to_have_text(["7", "7"])
    expect(card(lab, "Step")).to_be_visible()


def test_a_word_leads_to_its_line_of_numpy_which_says_why_there_is_no_factor_2(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(250)
    lab.page.locator("network-drawing").get_by_role("radio", name="SGD").click()
    lab.page.locator("gradient-head .term").click()
    size = card(lab, "Size of the gradient")
    expect(size).to_contain_text("W2 0")
    size.get_by_role("button", name="See it in NumPy").click()
    expect(lab.page.locator(".equation")).to_have_attribute("data-line", "dW2")
    lab.page.get_by_role("option").filter(has_text="dy_pred =").first.click()
    lab.page.get_by_role("button", name="Why no factor 2?").click()
    half = card(lab, "Why no factor 2?")
    expect(half).to_contain_text("dy_pred = (y_pred - y) / m")
    expect(half).to_contain_text("With the 2, the same rate would take steps twice as long.")


def test_all_words_lists_them_from_the_one_asked_for(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.page.locator("loss-head .term").click()
    card(lab).get_by_role("button", name="All words").click()
    words = lab.page.get_by_role("dialog", name="Words and keys")
    expect(words.locator('[data-word="mse"]')).to_be_focused()
    expect(words.locator('[data-word="mse"]')).to_be_in_viewport()
    links = words.locator("dt a").evaluate_all("(links) => links.map(({ href }) => href)")
    assert len(links) > 20
    for link in sorted({link.split("#")[0] for link in links}):
        assert lab.page.request.get(link).ok, link
    words.get_by_role("radio", name="Keys").click()
    expect(words.locator("kbd").first).to_be_visible()


@pytest.mark.parametrize("theme", THEMES)
def test_a_card_and_all_words_pass_axe_and_can_be_read(open_lab: OpenLab, theme: Theme) -> None:
    lab = open_lab(theme=theme)
    lab.make_steps(250)
    for word in (head(lab, "r2"), lab.page.locator("gradient-head .term")):
        word.click()
        settled(lab)
        assert axe(lab, "body") == []
        assert lab.page.evaluate(FAINT_TEXTS) == []
    card(lab).get_by_role("button", name="All words").click()
    settled(lab)
    assert axe(lab, "help-dialog") == []
