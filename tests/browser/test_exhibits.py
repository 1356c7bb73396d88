"""Exhibits: chosen in the top bar, each with a question, until something else is on the page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from browser.conftest import OpenLab
from browser.dashboard import PHONE, Dashboard
from browser.test_accessibility import SMALL_TARGETS, faults
from browser.test_travel import look_back_to
from fallline.vocabulary.exhibits import EXHIBITS

OWN = "Your own experiment"
NOTEBOOK = EXHIBITS["notebook"]


def picker(lab: Dashboard) -> Locator:
    return lab.page.locator("exhibit-picker button")


def name(lab: Dashboard) -> Locator:
    return lab.page.locator(".exhibit .name")


def question(lab: Dashboard) -> Locator:
    return lab.page.locator("exhibit-question h2")


def options(lab: Dashboard) -> Locator:
    return lab.page.get_by_role("listbox", name="Exhibits").get_by_role("option")


def expect_exhibit(lab: Dashboard, which: str) -> None:
    expect(name(lab)).to_have_text(EXHIBITS[which].title)


def test_runs_with_other_batches_have_their_samples_seen_in_the_table(open_lab: OpenLab) -> None:
    lab = open_lab()
    picker(lab).click()
    options(lab).filter(has_text="Batch sizes").click()
    expect_exhibit(lab, "batch-sizes")
    lab.ask("POST", "/play", {"speed": "max", "until": {"samples": 2048}})
    cell = lab.row("batch-64").locator("td.samples")
    expect(cell).to_be_visible()
    expect(cell).to_have_text("2,048")
    table = lab.page.locator("race-table")
    expect(table.locator("th.samples").first).to_have_text("Samples")
    expect(table.locator("th.moment")).to_have_text("Steps 4–2,048")
    apart = """(row) => { const [head, samples] = [".moment", ".samples"].map((each) => {
        const range = document.createRange();
        range.selectNodeContents(row.querySelector(each));
        return range.getBoundingClientRect();
    }); return samples.left - head.right; }"""
    assert table.locator("thead tr").first.evaluate(apart) > 0
    # where the words have no room over the names, a line above has them
    lab.ask("POST", "/play", {"speed": "max", "until": {"samples": 10240}})
    expect(cell).to_have_text("10,240")
    note = table.locator("p.bet")
    expect(note).to_have_text("At steps 20–10,240")
    look_back_to(lab, 3)
    expect(note).to_have_count(0)
    expect(table.locator("th.moment")).to_have_text("As of step 3")
    lab.page.locator("what-happened button.clause").nth(1).click()
    expect(note).to_have_text("As of steps 20–512")
    wide = note.evaluate("(line) => [line.scrollWidth - line.clientWidth, line.offsetHeight]")
    assert wide[0] <= 0
    assert wide[1] < 24, "one line"
    chart = lab.page.locator(".plot.loss").bounding_box()
    lab.page.keyboard.press("l")
    expect(note).to_have_text("At steps 20–10,240")
    assert lab.page.locator(".plot.loss").bounding_box() == chart


def test_an_exhibit_is_chosen_by_keyboard_and_stays_itself_over_steps_reset_and_reload(
    open_lab: OpenLab,
) -> None:
    lab = open_lab()
    expect_exhibit(lab, "notebook")
    picker(lab).focus()
    lab.page.keyboard.press("ArrowDown")
    expect(options(lab)).to_have_count(len(EXHIBITS))
    # curves would give the ending away
    expect(options(lab).locator("svg polyline")).to_have_count(0)
    expect(options(lab).first).to_be_focused()
    expect(options(lab).first).to_have_attribute("aria-selected", "true")
    lab.page.keyboard.type("mom")
    expect(options(lab).filter(has_text="Momentum").first).to_be_focused()
    assert lab.page.locator("exhibit-picker button").get_attribute("aria-expanded") == "true"
    expect(name(lab)).to_have_text(NOTEBOOK.title)
    lab.page.keyboard.press("Enter")
    expect_exhibit(lab, "momentum")
    expect(lab.play).to_be_focused()
    expect(question(lab)).to_have_text(EXHIBITS["momentum"].question.prompt)
    expect(lab.notice).to_contain_text("Momentum: both runs start at step 0.")
    expect(lab.rule("momentum")).to_have_attribute("title", re.compile("rate 0.05"))
    lab.page.keyboard.press("Space")
    lab.until(lambda: lab.step, lambda step: step > 3)
    lab.page.keyboard.press("Space")
    lab.button("Back to step 0 (R)").click()
    expect(lab.counter).to_have_text("0")
    expect_exhibit(lab, "momentum")
    lab.page.reload()
    lab.wait()
    expect_exhibit(lab, "momentum")
    expect(question(lab)).to_be_visible()


def test_an_exhibit_opens_in_its_best_view_and_undo_restores_the_one_before(open_lab: OpenLab) -> None:
    lab = open_lab()
    picker(lab).click()
    options(lab).filter(has_text="Batch sizes").click()
    expect_exhibit(lab, "batch-sizes")
    expect(lab.button("Axes")).to_have_attribute("title", re.compile("^samples seen, "))
    lab.page.reload()
    lab.wait()
    expect_exhibit(lab, "batch-sizes")
    lab.button("Axes").click()
    pace = lab.page.get_by_role("group", name="Compare at equal")
    expect(pace.get_by_role("menuitemradio", name="samples seen")).to_be_checked()
    lab.page.keyboard.press("Escape")
    lab.play.click()
    lab.until(lambda: lab.samples_seen("full"), lambda samples: samples >= 512)
    lab.rest()
    counts = [lab.samples_seen(run) for run in ("batch-1", "batch-8", "batch-64", "full")]
    assert max(counts) - min(counts) <= 512
    picker(lab).click()
    options(lab).filter(has_text="Adam").click()
    expect_exhibit(lab, "adam")
    expect(lab.button("Axes")).to_have_attribute("title", re.compile("^steps, "))
    lab.notice.get_by_role("button", name="Undo").click()
    expect_exhibit(lab, "batch-sizes")
    expect(lab.button("Axes")).to_have_attribute("title", re.compile("^samples seen, "))


HEADS = """() => [...document.querySelectorAll("race-table thead tr")].map((row) => {
  const text = document.createRange();
  text.selectNodeContents(row.querySelector(".who"));
  const samples = document.createRange();
  samples.selectNodeContents(row.querySelector(".samples"));
  const isUnseen = row.querySelector(".who .unseen") !== null;
  return [isUnseen ? 0 : text.getBoundingClientRect().right, samples.getBoundingClientRect().left];
})"""


def test_the_steps_of_many_runs_end_before_the_next_head(open_lab: OpenLab) -> None:
    """One run of single samples is at step 10,240 where the full batch is at step 20."""
    lab = open_lab()
    picker(lab).click()
    options(lab).filter(has_text="Batch sizes").click()
    expect_exhibit(lab, "batch-sizes")
    lab.ask("POST", "/step", {"steps": 20})
    lab.ask("POST", "/step", {"run": "batch-1", "steps": 10_220})
    expect(lab.page.locator("race-table p.bet")).to_contain_text("At steps 20–10,240")
    moment = lab.page.locator("race-table th.moment")
    for width in (1440, 1280, 1600):
        lab.page.set_viewport_size({"width": width, "height": 900})
        for text, samples in lab.page.evaluate(HEADS):
            assert text <= samples, (width, moment.inner_text())


def test_the_list_leads_back_when_the_notice_is_gone(open_lab: OpenLab) -> None:
    """A wrong choice must not cost what one has built."""
    lab = open_lab()
    before = options(lab).filter(has_text="The experiment before")
    picker(lab).click()
    expect(options(lab).first).to_be_visible()
    expect(before).to_have_count(0)
    lab.page.keyboard.press("Escape")
    lab.make_steps(30)
    picker(lab).click()
    options(lab).filter(has_text="Adam").click()
    expect_exhibit(lab, "adam")
    expect(lab.notice).to_have_count(0, timeout=15_000)
    picker(lab).click()
    before.click()
    expect(lab.row("sgd")).to_be_visible()
    expect(lab.page.locator("race-table th.moment")).to_contain_text("30")


def test_other_data_end_the_exhibit_and_the_picker_restores_it(
    open_lab: OpenLab,
) -> None:
    lab = open_lab()
    expect(question(lab)).to_have_text(NOTEBOOK.question.prompt)
    lab.settings("data")
    seed = lab.page.get_by_label("Data seed")
    seed.fill("18")
    seed.press("Enter")
    expect(name(lab)).to_have_text(OWN)
    expect(picker(lab)).to_have_accessible_name(f"{OWN}; choose an exhibit")
    expect(question(lab)).to_have_count(0)
    lab.page.reload()
    lab.wait()
    expect(name(lab)).to_have_text(OWN)
    picker(lab).click()
    expect(options(lab).and_(lab.page.locator("[aria-selected=true]"))).to_have_count(0)
    lab.page.keyboard.press("Enter")
    expect_exhibit(lab, "notebook")
    lab.settings("data")
    expect(lab.page.get_by_label("Data seed")).to_have_value("17")


def test_an_edit_makes_an_exhibit_ones_own(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(5)
    expect_exhibit(lab, "notebook")
    lab.card("gd").get_by_role("radio", name="SGD").click()
    expect(name(lab)).to_have_text(OWN)


@pytest.mark.long
def test_every_exhibit_can_be_opened_and_is_recognized(open_lab: OpenLab) -> None:
    lab = open_lab()
    for which, exhibit in [*EXHIBITS.items()][::-1]:
        picker(lab).click()
        options(lab).filter(has_text=re.compile(f"^{re.escape(exhibit.title)}")).click()
        expect_exhibit(lab, which)
        lab.make_steps(2)
        expect_exhibit(lab, which)


def test_a_finger_chooses_an_exhibit_on_a_phone(open_lab: OpenLab) -> None:
    lab = open_lab(PHONE)
    expect(question(lab)).to_be_visible()
    picker(lab).tap()
    assert lab.page.evaluate(SMALL_TARGETS) == []
    options(lab).filter(has_text="Zero initialisation").tap()
    expect_exhibit(lab, "zeros")
    assert lab.page.evaluate(SMALL_TARGETS) == []
    for width in (320, PHONE[0], 800):
        lab.resize(width, 700)
        box = picker(lab).bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44


# Names of runs beside their lines, and of panels, that end in an ellipsis.
CUT_LABELS = """() => [...document.querySelectorAll(".chart-label:is(.end, .title) > *")]
    .filter((part) => part.checkVisibility() && part.scrollWidth > part.clientWidth + 1)
    .map((part) => part.textContent)"""
# Middle and right end of each part of the switch of layers.
LAYER_SWITCH = """() => [...document.querySelectorAll("gradient-head .layer > *")]
    .map((part) => part.getBoundingClientRect())
    .map(({ top, height, right }) => [top + height / 2, right])"""


@pytest.mark.parametrize("size", [PHONE, (320, 568), (844, 390)])
def test_charts_of_a_deep_network_have_whole_words_on_a_phone(
    open_lab: OpenLab, size: tuple[int, int]
) -> None:
    lab = open_lab(size)
    picker(lab).click()
    options(lab).filter(has_text="Adam").first.click()
    expect_exhibit(lab, "adam")
    lab.make_steps(300)
    ends = lab.page.locator("plotly-chart[kind=loss] .chart-label.end b")
    expect(ends).to_have_text(["GD", "Adam"])
    titles = lab.page.locator("plotly-chart[kind=gradients] .chart-label.title")
    expect(titles.locator("> b")).to_have_text(["By layer", "W1"])
    expect(titles.first).to_contain_text("dashed: ")
    assert lab.page.evaluate(CUT_LABELS) == []
    middles, rights = zip(*lab.page.evaluate(LAYER_SWITCH), strict=True)
    assert max(middles) - min(middles) < 2
    assert max(rights) <= size[0]
    assert sorted(rights) == list(rights)


def test_axe_finds_nothing_in_the_list_of_exhibits_and_their_questions(open_lab: OpenLab) -> None:
    lab = open_lab()
    expect(question(lab)).to_be_visible()
    picker(lab).click()
    assert faults(lab) == []
    options(lab).filter(has_text="Two spirals").click()
    expect_exhibit(lab, "spirals")
    assert faults(lab) == []


def test_the_spirals_compare_adam_with_a_mini_batch_in_its_own_colour(open_lab: OpenLab) -> None:
    lab = open_lab()
    expect(lab.card("sgd")).to_have_attribute("data-lane", "b")
    picker(lab).click()
    options(lab).filter(has_text="Two spirals").click()
    expect_exhibit(lab, "spirals")
    expect(lab.card("sgd").locator(".name")).to_have_text("Mini-batch")
    lanes = {run: lab.card(run).get_attribute("data-lane") for run in ("adam", "sgd")}
    assert lanes == {"adam": "e", "sgd": "c"}
    expect(lab.page.locator("exhibit-question")).to_contain_text("Mini-batch")
    of_map = lab.page.get_by_role("radiogroup", name="Run of the map")
    expect(of_map.get_by_role("radio")).to_have_text(["Adam", "Mini-batch"])
    picker(lab).click()
    options(lab).filter(has_text="The notebook: log").click()
    expect_exhibit(lab, "notebook")
    expect(lab.card("sgd")).to_have_attribute("data-lane", "b")


def test_a_batch_of_every_sample_is_gd_on_the_switch(open_lab: OpenLab) -> None:
    lab = open_lab()
    picker(lab).click()
    options(lab).filter(has_text="Vanishing").click()
    expect_exhibit(lab, "vanishing")
    card = lab.card("gd")
    lab.ask("PATCH", "/runs/gd", {"batch_size": 299})
    expect(card.get_by_role("radio", name="Mini-batch")).to_be_checked()
    lab.ask("PATCH", "/runs/gd", {"batch_size": 300})
    expect(card.get_by_role("radio", name="GD", exact=True)).to_be_checked()
    expect(card.locator(".why")).to_have_text("all 300 samples")
