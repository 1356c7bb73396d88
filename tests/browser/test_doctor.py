"""The Doctor on the page: findings of the exhibit whose second layer dies, and remedies."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from browser.conftest import OpenLab
from browser.dashboard import DESKTOP, PHONE, Dashboard
from browser.test_accessibility import SMALL_TARGETS, faults, faults_in_both_themes
from browser.test_cut import opened
from browser.test_exhibits import expect_exhibit, options, picker
from fallline.vocabulary.exhibits import EXHIBITS

LONG = 1500
"""Steps of the exhibit after which SGD's second layer has been dead for long."""


def doctor(lab: Dashboard) -> Locator:
    return lab.page.locator("doctor-list")


def dead_layer(lab: Dashboard) -> Locator:
    return doctor(lab).locator(".finding[data-rule=dead_layer]")


def undo(lab: Dashboard) -> Locator:
    return lab.notice.get_by_role("button", name="Undo")


@pytest.fixture
def lab(open_lab: OpenLab) -> Dashboard:
    return open_lab(drawn=True)


def test_findings_of_a_first_step_have_the_room_of_the_predictions(open_lab: OpenLab) -> None:
    lab = open_lab((1024, 768))
    for run in ("gd", "sgd"):
        lab.ask("PATCH", f"/runs/{run}", {"learning_rate": 100.0})
    lab.ask("POST", "/step", {"steps": 1}, wait=20)
    expect(doctor(lab).locator(".finding[data-rule=diverged]")).to_have_count(2)
    expect(lab.page.locator("predicted-true")).to_be_hidden()
    hidden = doctor(lab).evaluate("(list) => list.scrollHeight - list.clientHeight")
    assert hidden <= 1


def test_before_the_first_step_it_has_nothing_to_say(lab: Dashboard) -> None:
    expect(doctor(lab)).to_contain_text("Watches every step. Nothing to say yet.")
    lab.page.keyboard.press("d")
    expect(lab.page.get_by_role("dialog")).to_contain_text("no remedy now")


def test_a_dead_layer_appears_with_its_step_in_every_view(lab: Dashboard) -> None:
    lab.make_steps(1)
    places = "network-drawing, predicted-true, plotly-chart[kind=loss], plotly-chart[kind=gradients]"
    before = [each.bounding_box() for each in lab.page.locator(places).all()]
    lab.make_steps(LONG)
    finding = dead_layer(lab)
    expect(finding.get_by_role("heading")).to_have_text("SGD: layer 2 is dead.")
    expect(finding).to_contain_text("4 of 4 units output 0 for all 900 samples since step")
    since = str(finding.get_attribute("data-since"))
    expect(doctor(lab).locator(".head .end")).to_have_text(re.compile("^1 problem, "))
    expect(doctor(lab).locator(".finding").first).to_have_attribute("data-rule", "dead_layer")
    assert [each.bounding_box() for each in lab.page.locator(places).all()] == before
    # hollow units of a run that nobody chose, the table's word, flags on chart and timeline, the spoken sentence
    expect(lab.page.locator("network-drawing g.dead[data-place='2']")).to_have_count(4)
    expect(lab.row("sgd")).to_have_attribute("data-state", "layer 2 dead")
    flag = lab.chart("loss").locator(f".chart-label.flag.finding[data-step='{since}']")
    expect(flag).to_have_attribute("data-run", "sgd")
    expect(lab.chart("loss").locator(".chart-ground .finding.bad")).to_have_count(1)
    mark = lab.page.locator(f"time-scrubber .flag[data-step='{since}']")
    expect(mark).to_have_attribute("aria-label", f"Go to step {int(since):,}: SGD: layer 2 dead")
    expect(mark.locator("[data-kind=finding]")).to_have_count(1)
    expect(lab.page.locator("page-announcer")).to_contain_text("layer 2 dead")
    expect(lab.chart("loss")).to_have_attribute(
        "aria-label", re.compile(rf"layer 2 dead since step {int(since):,}\.")
    )
    finding.get_by_role("button", name="Why?").click()
    expect(finding.locator(".why")).not_to_be_empty()
    twin = f"4 relu (4 dead since step {int(since):,}), 1 linear output"
    expect(lab.page.get_by_role("img", name=twin)).to_be_visible()
    lab.page.keyboard.press("a")
    summary = lab.page.get_by_role("dialog", name="Loss by step")
    expect(summary.get_by_role("row", name=f"{int(since):,} SGD: layer 2 dead")).to_have_count(1)
    expect(summary).to_contain_text(f"layer 2 dead since step {int(since):,}.")
    lab.page.keyboard.press("Escape")
    # not at an earlier step
    mark.click()
    expect(lab.page.locator("race-table th.moment")).to_contain_text(f"As of step {int(since):,}")
    expect(finding).to_have_count(1)
    lab.page.keyboard.press("ArrowLeft")
    expect(finding).to_have_count(0)
    lab.page.keyboard.press(".")
    expect(finding).to_have_count(1)


OVERFITTING: dict[str, Any] = {
    "data": {
        "name": "sine",
        "samples": 40,
        "features": 3,
        "noise": 0.3,
        "test_fraction": 0.5,
        "seed": 3,
    },
    "network": {"layers": [{"units": 32, "activation": "tanh"}], "weights": "xavier_normal", "seed": 1},
    "runs": [
        {"name": "gd", "learning_rate": 0.1},
        {"name": "adam", "optimizer": "adam", "learning_rate": 0.01, "batch_size": 8},
    ],
}

# Recipe and steps; then words of the first finding: run and trouble, since when, line, remedies; then the table:
# samples seen and state of each run; then the losses after as many samples. Where all saw about as many, the table
# has them.
ANSWERS: dict[str, tuple[dict[str, Any], int, list[str | re.Pattern[str]], list[list[str]], str]] = {
    "a dead layer": (
        EXHIBITS["notebook"].recipe.as_json(),
        300,
        ["SGD: layer 2 is dead.", "since step 196", "dz2 = da2 * (z2 > 0)", "Rewind to step 0, rate 0.02"],
        [["270,000", "learning"], ["300", "layer 2 dead"]],
        "After 300 samples each: GD 6.98, SGD 0.0119",
    ),
    "deep sigmoids": (
        EXHIBITS["adam"].recipe.as_json(),
        200,
        [
            "GD: gradients vanish.",
            "Show step 0",
            "dz1 = da1 * a1 * (1 - a1)",
            "Switch to Adam",
            re.compile("A lower rate from step .* does not help"),
        ],
        [["60,000", "flat"], ["60,000", "learning"]],
        "",
    ),
    "divergence": (
        EXHIBITS["too-high"].recipe.as_json(),
        88,
        ["Rate 1.9 diverged at step 85.", "W1 -= lr * dW1", "Rewind to step 4, rate 0.19"],
        [["17,600", "learning"], ["17,600", "learning"], ["17,000", "diverged"]],
        "",
    ),
    "overfitting": (
        OVERFITTING,
        400,
        [
            "GD: overfitting.",
            "Show step 25",
            "dy_pred = (y_pred - y) / m",
            "Rewind to the best test loss",
            re.compile("A lower rate from step .* does not help"),
        ],
        [["8,000", "overfitting"], ["2,668", "overfitting"]],
        "After 2,668 samples each: GD 0.0532, Adam 0.0212",
    ),
}


@pytest.mark.parametrize("trouble", ANSWERS)
def test_without_a_click_the_page_says_which_run_since_when_which_line_what_helps_and_who_learned_more(
    open_lab: OpenLab, trouble: str
) -> None:
    recipe, steps, words, rows, per_sample = ANSWERS[trouble]
    lab = opened(open_lab(), recipe, steps)
    finding = doctor(lab).locator(".finding").first
    expect(finding.get_by_role("heading")).to_have_text(words[0])
    for part in words:
        expect(finding.get_by_text(part).locator("visible=true").first).to_be_in_viewport(ratio=1)
    table = lab.page.locator("race-table tbody tr")
    expect(table.locator("td.samples")).to_have_text([samples for samples, _ in rows])
    expect(table.locator("td.state")).to_have_text([state for _, state in rows])
    for number in table.locator("td.loss, td.samples").all():
        expect(number).to_be_in_viewport(ratio=1)
    line = lab.page.locator("loss-head .per-sample")
    expect(line).to_have_text(per_sample)
    if per_sample:
        expect(line).to_be_in_viewport(ratio=1)


def test_the_change_that_did_it_opens_the_inspector_at_its_step(lab: Dashboard) -> None:
    lab.make_steps(LONG)
    findings = lab.ask("GET", "/runs/sgd/findings", wait=20)
    [did] = [each["did"] for each in findings if each["rule"] == "dead_layer"]
    culprit = dead_layer(lab).locator(".did")
    expect(culprit).to_contain_text(f"What did it {did['text']}")
    culprit.get_by_role("button", name=f"Show step {did['step']:,}: SGD: layer 2 is dead.").click()
    inspector = lab.page.locator("step-inspector")
    expect(inspector).to_have_attribute("data-line", f"update {did['parameter']}")
    expect(inspector).to_have_attribute("data-step", str(did["step"]))
    expect(lab.page.locator("race-table th.moment")).to_contain_text(f"As of step {did['step']:,}")
    # the layer was not dead yet, and the row shows the verdict of that step
    expect(lab.row("sgd")).to_have_attribute("data-state", "flat")
    expect(dead_layer(lab)).to_have_count(0)


def test_a_run_has_one_finding_in_front_and_the_others_are_folded(lab: Dashboard) -> None:
    picker(lab).click()
    options(lab).get_by_text(EXHIBITS["edge"].title).click()
    expect_exhibit(lab, "edge")
    lab.make_steps(400)
    rules = [
        {each["rule"] for each in lab.ask("GET", f"/runs/{run}/findings", wait=20) if not each["until_step"]}
        for run in ("fast", "slow")
    ]
    assert rules == [{"spike", "worse_than_before"}, {"healthy"}]
    front = doctor(lab).locator(".findings > .finding")
    expect(front.get_by_role("heading")).to_have_text(["Rate 0.4: the loss jumped.", "Rate 0.2 is learning."])
    further = doctor(lab).locator(".further .finding")
    expect(further.get_by_role("heading", include_hidden=True)).to_have_text(["Rate 0.4 was better before."])
    expect(further).to_be_hidden()
    doctor(lab).get_by_text("1 more").click()
    expect(further).to_be_visible()


def test_a_finding_that_no_single_step_did_opens_the_inspector_where_it_begins(lab: Dashboard) -> None:
    picker(lab).click()
    options(lab).get_by_text(EXHIBITS["edge"].title).click()
    expect_exhibit(lab, "edge")
    lab.make_steps(400)
    [worse] = [
        each
        for each in lab.ask("GET", "/runs/fast/findings", wait=20)
        if each["rule"] == "worse_than_before" and not each["until_step"]
    ]
    assert worse["did"] is None
    since = worse["since_step"]
    doctor(lab).get_by_text("1 more").click()
    doctor(lab).get_by_role("button", name=f"Show step {since:,}: {worse['title']}").click()
    expect(lab.page.locator("step-inspector")).to_have_attribute("data-step", str(since))
    expect(lab.page.locator("race-table th.moment")).to_contain_text(f"As of step {since:,}")
    # being well has no step to look at
    lab.page.keyboard.press("Escape")
    expect(doctor(lab).locator(".finding[data-rule=healthy] .onset")).to_have_count(0)


def test_a_run_that_was_better_says_since_when_and_its_long_remedy_is_read_whole(lab: Dashboard) -> None:
    lab.make_steps(320)
    lab.ask("PATCH", "/runs/gd", {"batch_size": 1})
    lab.make_steps(160)
    lab.ask("GET", wait=20)
    expect(doctor(lab).get_by_role("heading", name="GD was better before.")).to_be_visible()
    expect(doctor(lab)).not_to_contain_text("has learned nothing")
    remedy = doctor(lab).get_by_role("button", name=re.compile("^Rewind to the best step, "))
    words = remedy.evaluate("(button) => button.scrollWidth <= button.clientWidth")
    inside = remedy.evaluate("(button) => button.getBoundingClientRect().right <= innerWidth - 8")
    assert (words, inside) == (True, True), remedy.inner_text()


def test_a_run_above_the_baseline_is_on_its_way_and_not_healthy(lab: Dashboard) -> None:
    lab.make_steps(120)
    assert lab.ask("GET", "/runs/gd/findings", wait=20) == []
    expect(lab.row("gd")).to_have_attribute("data-state", "on its way")
    lab.row("gd").locator(".verdict .term").click()
    expect(lab.page.get_by_role("dialog", name="on its way")).to_contain_text("its loss falls")
    lab.page.keyboard.press("Escape")
    expect(doctor(lab)).not_to_contain_text("GD is learning.")


def test_the_first_remedy_makes_a_fork_and_undo_removes_it(lab: Dashboard) -> None:
    lab.make_steps(LONG)
    dead_layer(lab).locator(".acts button").first.click()
    expect(lab.notice).to_contain_text(": new run ")
    [fork] = [run["name"] for run in lab.ask("GET")["runs"] if run["name"] not in {"gd", "sgd"}]
    expect(lab.rule(fork)).to_have_attribute("title", re.compile("fork of SGD at step"))
    expect(lab.page.locator("time-scrubber .flag [data-kind=fork]")).to_have_count(1)
    expect(lab.notice).to_contain_text("Press play to continue.")
    lab.play.click()
    expect(lab.notice).not_to_contain_text("Press play")
    lab.allow_to_ask_of(fork)
    undo(lab).click()
    expect(lab.row(fork)).to_have_count(0)


def test_the_first_remedy_is_applied_and_undone_by_keyboard(lab: Dashboard) -> None:
    lab.make_steps(LONG)
    dead_layer(lab).wait_for()
    lab.page.keyboard.press("d")
    question = lab.page.get_by_role("dialog")
    expect(question).to_contain_text("SGD: layer 2 is dead.")
    lab.page.keyboard.press("Escape")
    expect(lab.page.locator("race-table tbody tr")).to_have_count(2)
    lab.page.keyboard.press("d")
    lab.page.keyboard.press("Enter")
    expect(lab.page.locator("race-table tbody tr")).to_have_count(3)
    lab.allow_to_ask_of("sgd-")
    undo(lab).focus()
    lab.page.keyboard.press("Enter")
    expect(lab.page.locator("race-table tbody tr")).to_have_count(2)
    # in the list by Tab: why, a word that explains itself, the link to its line, the step that did it, then each remedy
    why = dead_layer(lab).get_by_role("button", name="Why?")
    why.focus()
    lab.page.keyboard.press("Enter")
    expect(why).to_have_attribute("aria-expanded", "true")
    lab.page.keyboard.press("Tab")
    expect(dead_layer(lab).locator(".why .term")).to_be_focused()
    lab.page.keyboard.press("Tab")
    expect(dead_layer(lab).locator(".line button")).to_be_focused()
    lab.page.keyboard.press("Tab")
    expect(dead_layer(lab).locator(".did button")).to_be_focused()
    lab.page.keyboard.press("Tab")
    expect(dead_layer(lab).locator(".acts button").first).to_be_focused()


def test_a_divergence_has_a_finding_and_a_strip_that_leads_back(lab: Dashboard) -> None:
    lab.make_steps(60)
    lab.ask("PATCH", "/runs/gd", {"learning_rate": 50})
    lab.ask("POST", "/step", {"steps": 200})
    expect(lab.strip).to_have_attribute("data-strip", "diverged")
    finding = doctor(lab).locator(".finding[data-rule=diverged]")
    expect(finding.get_by_role("heading")).to_have_text(re.compile(r"^GD diverged at step [\d,]+\.$"))
    expect(lab.row("gd")).to_have_attribute("data-state", "diverged")
    way = lab.strip.get_by_role("button", name=re.compile(r"^Rewind GD to [\d,]+"))
    way.click()
    expect(lab.page.locator("race-table tbody tr")).to_have_count(3)
    lab.allow_to_ask_of("gd-")
    undo(lab).click()
    expect(lab.page.locator("race-table tbody tr")).to_have_count(2)


def test_the_doctor_says_when_there_is_no_room_for_a_fork(lab: Dashboard) -> None:
    lab.make_steps(LONG)
    for place in range(6):
        lab.ask("POST", "/runs", {"name": f"other-{place}"})
    expect(dead_layer(lab)).to_contain_text("There are already 8 runs. Remove one to fork.")
    expect(dead_layer(lab).locator(".acts button").first).to_be_disabled()


def test_a_visitor_who_watches_sees_findings_without_buttons(open_lab: OpenLab) -> None:
    lab = open_lab(PHONE)
    lab.make_steps(LONG)
    lab.page.goto(f"{lab.address}/#watch={lab.stored['id']}")
    expect(lab.page.locator("watch-line")).to_contain_text("You are watching.")
    expect(dead_layer(lab)).to_be_visible()
    expect(dead_layer(lab).locator(".acts")).to_be_hidden()
    expect(dead_layer(lab).get_by_role("button", name="Why?")).to_be_visible()


def test_marks_of_findings_stand_side_by_side_over_the_loss(lab: Dashboard) -> None:
    lab.make_steps(300)
    marks = lab.chart("loss").locator(".chart-label.flag.finding")
    expect(marks.filter(has_text="layer 2 dead")).to_be_visible()
    expect(marks).to_have_count(2)
    tops = marks.locator("svg").evaluate_all("all => all.map(each => each.getBoundingClientRect().top)")
    assert tops == pytest.approx([tops[0], tops[0]], abs=0.5)


def test_a_phone_has_the_doctor_below_the_charts_and_its_verdict_in_the_table(open_lab: OpenLab) -> None:
    lab = open_lab(PHONE, drawn=True)
    lab.make_steps(LONG)
    expect(lab.row("sgd").locator(".verdict")).to_have_text("layer 2 dead")
    dead_layer(lab).locator(".acts button").first.scroll_into_view_if_needed()
    expect(dead_layer(lab).locator(".acts button").first).to_be_in_viewport(ratio=1)
    dead_layer(lab).get_by_role("button", name="Why?").tap()
    assert lab.page.evaluate(SMALL_TARGETS) == []
    # all in sight: a button half under the bar, until one scrolls on, is no small target
    lab.page.set_viewport_size({"width": PHONE[0], "height": 4_000})
    assert faults(lab) == []
    for width in (320, 390):
        lab.resize(width, 640)


def test_axe_finds_nothing_in_the_findings(lab: Dashboard) -> None:
    lab.make_steps(LONG)
    dead_layer(lab).get_by_role("button", name="Why?").click()
    assert faults_in_both_themes(lab) == []
    lab.page.keyboard.press("d")
    expect(lab.page.get_by_role("dialog")).to_be_visible()
    assert faults(lab) == []


def test_on_a_short_page_the_doctor_stands_before_the_predictions_and_moves_nothing(
    open_lab: OpenLab,
) -> None:
    lab = open_lab((1366, 768), drawn=True)
    lab.make_steps(1)
    places = [lab.page.locator(name) for name in ("network-drawing", "doctor-list", "predicted-true")]
    tops = [(each.bounding_box() or {"y": 0})["y"] for each in places]
    assert tops == sorted(tops)
    lab.make_steps(LONG)
    dead_layer(lab).wait_for()
    assert [(each.bounding_box() or {"y": 0})["y"] for each in places] == tops
    lab.page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    tops = [(each.bounding_box() or {"y": 0})["y"] for each in places]
    assert tops[2] < tops[1]


def test_a_fork_by_the_first_remedy_learns_where_its_parent_is_dead(lab: Dashboard) -> None:
    lab.make_steps(LONG)
    mean = lab.ask("GET")["baseline"]["train"]
    dead_layer(lab).locator(".acts button").first.click()
    expect(lab.page.locator("race-table tbody tr")).to_have_count(3)
    fork = lab.ask("GET")["runs"][2]["name"]
    lab.ask("POST", "/step", {"steps": 3000, "run": fork})
    losses = [run["latest"]["train_loss"]["value"] for run in lab.ask("GET")["runs"]]
    assert losses[2] < 0.8 * mean < 0.95 * mean < losses[1]
    expect(lab.row(fork)).not_to_have_attribute("data-state", "layer 2 dead")


def test_a_remedy_that_edits_is_in_force_at_once_and_edited_back_by_undo(lab: Dashboard) -> None:
    picker(lab).click()
    options(lab).filter(has_text=EXHIBITS["vanishing"].title).first.click()
    expect_exhibit(lab, "vanishing")
    lab.make_steps(300)
    finding = doctor(lab).locator(".finding[data-rule=vanishing_gradients]")
    switch = finding.get_by_role("button", name="Switch to Adam")
    before = lab.rule("gd").get_attribute("title") or ""
    switch.click()
    expect(lab.rule("gd")).to_have_attribute("title", "full batch, Adam, rate 0.01")
    expect(switch).to_have_attribute("aria-disabled", "true")
    expect(switch).to_be_focused()
    expect(lab.flags).to_have_attribute("title", re.compile("^Adam, rate"))
    # until the answer the notice and its undo are the exhibit's
    expect(lab.notice).to_contain_text("Switch to Adam, rate 0.01: applied to GD.")
    undo(lab).click()
    expect(lab.rule("gd")).to_have_attribute("title", before)
    expect(switch).not_to_have_attribute("aria-disabled", "true")


def test_what_came_of_a_remedy_stands_beside_its_finding(lab: Dashboard) -> None:
    lab.make_steps(LONG)
    outcome = dead_layer(lab).locator(".outcome")
    expect(dead_layer(lab)).to_be_visible()
    expect(outcome).to_have_count(0)
    dead_layer(lab).locator(".acts button").first.click()
    expect(lab.page.locator("race-table tbody tr")).to_have_count(3)
    fork = lab.ask("GET")["runs"][2]["name"]
    lab.ask("POST", "/step", {"steps": 300}, wait=20)
    findings = lab.ask("GET", "/runs/sgd/findings", wait=20)
    [outcomes] = [each["outcomes"] for each in findings if each["rule"] == "dead_layer"]
    assert [each["run"] for each in outcomes] == [fork]
    expect(outcome).to_have_text(f"What came of it {outcomes[0]['text']}")
    # in the fork the problem is over
    doctor(lab).get_by_text(re.compile(r"^\d+ earlier$")).click()
    earlier = doctor(lab).locator(".earlier .outcome")
    expect(earlier.filter(has_text="The problem ended at step")).to_have_count(1)
    assert faults_in_both_themes(lab) == []
