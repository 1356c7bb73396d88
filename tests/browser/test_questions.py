"""Questions of exhibits: a bet before play, and the outcome after the last step."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from browser.conftest import OpenLab
from browser.dashboard import DESKTOP, PHONE, Dashboard
from browser.test_accessibility import SMALL_TARGETS, faults
from browser.test_exhibits import expect_exhibit, options, picker
from browser.test_stage import COVERED
from fallline.vocabulary.exhibits import EXHIBITS

NOTEBOOK = EXHIBITS["notebook"].question
HAPPENED = 30_000
"""Milliseconds for 500 steps and the answer, beside other tests."""


def question(lab: Dashboard) -> Locator:
    return lab.page.locator("exhibit-question")


def answers(lab: Dashboard) -> Locator:
    return lab.page.get_by_role("group", name="Your bet").get_by_role("button")


def happened(lab: Dashboard) -> Locator:
    return lab.page.locator("what-happened")


def clauses(lab: Dashboard) -> Locator:
    return happened(lab).locator("button.clause")


def flags(lab: Dashboard) -> Locator:
    return lab.page.locator("plotly-chart[kind=loss] .clause-flag")


def under_the_transport(lab: Dashboard) -> float:
    """How many pixels of the outcome are below the top of the transport."""
    outcome = happened(lab).locator(".outcome").bounding_box()
    transport = lab.page.locator("transport-bar").bounding_box()
    assert outcome
    assert transport
    return outcome["y"] + outcome["height"] - transport["y"]


def play_to_the_end(lab: Dashboard) -> None:
    for _ in range(20):
        lab.page.keyboard.press("]")
    lab.play.click()
    expect(happened(lab)).to_have_attribute("data-open", "", timeout=HAPPENED)


def test_a_change_while_it_plays_takes_away_the_question_and_its_end(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.play.click()
    lab.until(lambda: lab.step, lambda step: step > 30)
    lab.card("gd").get_by_role("radio", name="SGD").click()
    expect(picker(lab)).to_have_text(re.compile("Your own experiment"))
    for _ in range(20):
        lab.page.keyboard.press("]")
    lab.until(lambda: lab.step, lambda step: step > 600)
    expect(lab.pause).to_be_visible()
    assert happened(lab).get_attribute("data-open") is None
    lab.rest()


@pytest.mark.parametrize("size", [(1920, 1080), DESKTOP, (1280, 720), (960, 800), PHONE])
def test_the_bet_has_room_above_the_numbers_of_four_runs(open_lab: OpenLab, size: tuple[int, int]) -> None:
    lab = open_lab(size)
    picker(lab).click()
    options(lab).filter(has_text="Batch sizes").click()
    expect_exhibit(lab, "batch-sizes")
    answers(lab).filter(has_text="1 sample").click()
    expect(answers(lab).and_(lab.page.locator("[aria-pressed=true]"))).to_have_text(["1 sample"])
    lab.make_steps(1_200)
    lab.ask("POST", "/reset", {"run": "full"})
    moment = lab.page.locator("race-table th.moment")
    expect(moment).to_contain_text(re.compile(r"At step 1,200 \((least|GD.at).0\)|(At s|S)teps 0–1,200"))
    expect(lab.page.locator("race-table .bet")).to_have_text("Your bet: 1 sample")
    expect(lab.page.locator("race-table .bet")).to_be_in_viewport(ratio=1)
    assert lab.page.evaluate(COVERED) == []


def test_a_bet_is_kept_over_play_and_reload_and_what_happened_leads_to_its_steps(open_lab: OpenLab) -> None:
    lab = open_lab()
    expect(question(lab).locator("h2")).to_have_text(NOTEBOOK.prompt)
    expect(answers(lab)).to_have_text(["GD", "SGD", "Neither"])
    expect(lab.page.locator("race-table")).to_be_hidden()
    expect(question(lab)).to_contain_text("Bet, then press play.")
    answers(lab).filter(has_text="Neither").click()
    expect(answers(lab).filter(has_text="Neither")).to_have_attribute("aria-pressed", "true")
    answers(lab).nth(1).click()
    expect(answers(lab).and_(lab.page.locator("[aria-pressed=true]"))).to_have_text(["SGD"])
    lab.page.reload()
    lab.wait()
    expect(answers(lab).and_(lab.page.locator("[aria-pressed=true]"))).to_have_text(["SGD"])
    play_to_the_end(lab)
    expect(question(lab)).to_be_hidden()
    expect(lab.page.locator("race-table .bet")).to_have_text("Your bet: SGD")
    expect(lab.counter).to_have_text("500")
    expect(lab.play).to_be_visible()
    expect(happened(lab).locator(".outcome")).to_have_text("You bet on SGD. It got stuck.")
    expect(lab.page.locator("doctor-list")).to_be_hidden()
    expect(clauses(lab)).to_have_count(len(NOTEBOOK.explain))
    for place, clause in enumerate(NOTEBOOK.explain, start=1):
        expect(clauses(lab).nth(place - 1)).to_have_text(f"{place}Step {clause.step}. {clause.text}")
    # the same numbers on the chart and on the timeline
    marked = [str(place) for place, clause in enumerate(NOTEBOOK.explain, start=1) if clause.step]
    lab.until_is(flags(lab).all_text_contents, marked)
    places = "(places) => places.map(({ dataset }) => dataset.place)"
    assert lab.page.locator("time-scrubber .place").evaluate_all(places) == marked
    # a problem begins at one of them, as the Doctor finds
    tones = "(places) => places.map(({ dataset }) => dataset.tone)"
    assert happened(lab).locator(".place").evaluate_all(tones) == ["muted", "muted", "muted", "bad", "muted"]
    clauses(lab).filter(has_text="Step 196").click()
    expect(lab.page.locator("race-table .moment")).to_contain_text("As of step 196")
    expect(clauses(lab).filter(has_text="Step 196")).to_have_attribute("aria-current", "step")
    expect(lab.row("sgd")).to_have_attribute("data-state", "layer 2 dead")
    lab.until_is(flags(lab).all_text_contents, marked)
    lab.page.keyboard.press("l")
    expect(lab.page.locator("race-table .moment")).to_contain_text("At step 500")
    lab.page.reload()
    lab.wait()
    expect(happened(lab).locator(".outcome")).to_have_text("You bet on SGD. It got stuck.")


def test_without_a_bet_only_what_happened_is_told_and_the_next_exhibit_asks(open_lab: OpenLab) -> None:
    lab = open_lab()
    play_to_the_end(lab)
    expect(happened(lab).locator(".outcome")).to_have_count(0)
    expect(clauses(lab)).to_have_count(len(NOTEBOOK.explain))
    expect(lab.page.locator("race-table .bet")).to_have_count(0)
    assert faults(lab) == []
    happened(lab).get_by_role("button", name="Doctor").click()
    expect(lab.page.locator("doctor-list")).to_be_visible()
    happened(lab).get_by_role("button", name="What happened").click()
    expect(lab.page.locator("doctor-list")).to_be_hidden()
    happened(lab).get_by_role("button", name="Next exhibit").click()
    expect(question(lab).locator("h2")).to_have_text(EXHIBITS["as-printed"].question.prompt)
    expect(happened(lab)).to_be_hidden()
    expect(lab.play).to_be_focused()


def test_the_focus_stays_on_the_button_that_shows_the_doctor_or_what_happened(open_lab: OpenLab) -> None:
    lab = open_lab()
    play_to_the_end(lab)
    for name in ("Doctor", "What happened"):
        happened(lab).get_by_role("button", name=name).focus()
        lab.page.keyboard.press("Enter")
        expect(happened(lab).get_by_role("button").first).to_be_focused()
        expect(happened(lab).get_by_role("button").first).not_to_have_text(name)


def test_beyond_the_end_the_doctor_is_back_and_what_happened_is_one_press_away(open_lab: OpenLab) -> None:
    lab = open_lab()
    play_to_the_end(lab)
    lab.play.click()
    expect(happened(lab)).to_be_hidden()
    lab.until(lambda: lab.step, lambda step: step > 520)
    lab.rest()
    expect(lab.page.locator("doctor-list")).to_be_visible()
    happened(lab).get_by_role("button", name="What happened").click()
    expect(clauses(lab)).to_have_count(len(NOTEBOOK.explain))
    expect(lab.page.locator("doctor-list")).to_be_hidden()
    clauses(lab).filter(has_text="Step 196").click()
    expect(lab.page.locator("race-table .moment")).to_contain_text("As of step 196")
    lab.page.keyboard.press("l")
    happened(lab).get_by_role("button", name="Doctor").click()
    expect(lab.page.locator("doctor-list")).to_be_visible()
    expect(clauses(lab)).to_have_count(0)


def test_keys_bet_before_play_and_select_runs_afterwards(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.page.keyboard.press("1")
    expect(answers(lab).nth(0)).to_have_attribute("aria-pressed", "true")
    lab.page.keyboard.press("3")
    expect(answers(lab).nth(2)).to_have_attribute("aria-pressed", "true")
    expect(answers(lab).nth(0)).to_have_attribute("aria-pressed", "false")
    lab.make_steps(1)
    expect(question(lab)).to_be_hidden()
    expect(lab.page.locator("race-table .bet")).to_have_text("Your bet: Neither")
    lab.page.keyboard.press("2")
    expect(lab.page.locator("race-table .bet")).to_have_text("Your bet: Neither")


def test_the_end_is_one_polite_message(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.page.keyboard.press("1")
    lab.page.evaluate("""() => {
        window.said = [];
        const place = document.querySelector("page-announcer");
        const parts = { childList: true, characterData: true, subtree: true };
        new MutationObserver(() => said.push(place.textContent)).observe(place, parts);
    }""")
    play_to_the_end(lab)
    lab.until(
        lambda: lab.page.evaluate("said.at(-1)"),
        lambda words: words == "You bet on GD. It was SGD. What happened: 5 steps.",
    )


def test_a_number_is_bet_in_a_field(open_lab: OpenLab) -> None:
    lab = open_lab()
    picker(lab).click()
    options(lab).filter(has_text=re.compile("^Momentum")).click()
    field = lab.page.get_by_role("group", name="Your bet").get_by_label("Your number")
    field.fill("300")
    field.press("Enter")
    expect(lab.play).to_be_focused()
    assert faults(lab) == []
    play_to_the_end(lab)
    expect(happened(lab).locator(".outcome")).to_have_text("You bet on 300 steps. It was 206.")
    expect(lab.page.locator("race-table .bet")).to_have_text("Your bet: 300 steps")


def test_a_recipe_changed_on_the_way_is_answered_by_its_own_runs(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.page.keyboard.press("2")
    lab.make_steps(3)
    lab.card("sgd").get_by_role("radio", name="GD", exact=True).click()
    play_to_the_end(lab)
    expect(happened(lab).locator(".outcome")).to_have_text("You bet on SGD. It was neither.")
    expect(happened(lab)).to_contain_text("You changed the recipe")
    expect(clauses(lab)).to_have_count(0)


def test_an_own_experiment_has_no_question(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.settings("data")
    seed = lab.page.get_by_label("Data seed")
    seed.fill("18")
    seed.press("Enter")
    expect(question(lab)).to_be_hidden()
    expect(lab.page.locator("race-table")).to_be_visible()


NUMBER = re.compile(r"\d[\d,]*\.\d{2,}")
"""Measured numbers of a story, such as 0.0121."""

ON_THE_AXIS = {"0.1", "0.01", "0.001"}
BEFORE_PLAY = {"0.0118", "1.00"}
"""The losses of predicting the mean."""


@pytest.mark.long
def test_nothing_on_the_page_tells_an_ending_before_play(open_lab: OpenLab) -> None:
    lab = open_lab()
    for which, exhibit in EXHIBITS.items():
        if which != "notebook":
            picker(lab).click()
            options(lab).filter(has_text=re.compile(f"^{re.escape(exhibit.title)}")).click()
        expect(question(lab).locator("h2")).to_have_text(exhibit.question.prompt)
        picker(lab).click()
        text = lab.page.evaluate("document.documentElement.outerHTML")
        lab.page.keyboard.press("Escape")
        visible_text = lab.page.evaluate("document.body.innerText")
        starts = [clause.text for clause in exhibit.question.explain if clause.step == 0]
        at_start = {*NUMBER.findall(" ".join(starts))}
        for clause in exhibit.question.explain:
            assert clause.text not in text, which
            # the start and the loss of predicting the mean are on the chart before play
            numbers = {*NUMBER.findall(clause.text)} - at_start - BEFORE_PLAY - ON_THE_AXIS
            assert {number for number in numbers if number in visible_text} == set(), which


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_has_the_question_and_its_targets(open_lab: OpenLab, theme: str) -> None:
    lab = open_lab(PHONE)
    lab.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    expect(question(lab).locator("h2")).to_be_visible()
    for button in answers(lab).all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    assert lab.page.evaluate(SMALL_TARGETS) == []
    assert lab.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    assert faults(lab) == []
    answers(lab).nth(1).tap()
    expect(answers(lab).nth(1)).to_have_attribute("aria-pressed", "true")
    play_to_the_end(lab)
    story, network = happened(lab).bounding_box(), lab.page.locator("network-drawing").bounding_box()
    assert story
    assert network
    assert story["y"] < network["y"]
    assert lab.page.evaluate(SMALL_TARGETS) == []
    # axe takes a control that is half below the top bar for a small one
    lab.until(lambda: under_the_transport(lab), lambda pixels: pixels <= 0)
    lab.page.evaluate("scrollTo(0, 0)")
    assert faults(lab) == []


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_on_a_phone_the_outcome_comes_into_view_and_the_focus_stays(open_lab: OpenLab, motion: str) -> None:
    lab = open_lab(PHONE)
    lab.page.emulate_media(reduced_motion="reduce" if motion == "reduce" else "no-preference")
    answers(lab).nth(1).tap()
    play_to_the_end(lab)
    lab.until(lambda: under_the_transport(lab), lambda pixels: pixels <= 0)
    expect(happened(lab).locator(".outcome")).to_be_in_viewport(ratio=1)
    expect(lab.play).to_be_focused()


def test_on_a_phone_a_reader_who_scrolls_elsewhere_stays_there(open_lab: OpenLab) -> None:
    lab = open_lab((390, 640))
    answers(lab).nth(1).tap()
    lab.play.click()
    lab.until(lambda: lab.step, lambda step: step > 20)
    lab.page.mouse.wheel(0, 2_000)
    expect(happened(lab)).to_have_attribute("data-open", "", timeout=HAPPENED)
    lab.page.wait_for_timeout(500)
    expect(happened(lab).locator(".outcome")).not_to_be_in_viewport()
