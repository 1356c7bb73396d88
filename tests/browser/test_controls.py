"""Each control of the recipe and the transport, used by pointer and read back from the page."""

from __future__ import annotations

import re
from functools import partial
from operator import ne

import pytest
from playwright.sync_api import Locator, expect

from browser.conftest import OpenLab, Visits
from browser.dashboard import DESKTOP, PHONE, Dashboard
from browser.test_classes import MOONS, opened
from browser.test_travel import look_back_to


def put(box: Locator, value: str) -> None:
    box.fill(value)
    box.press("Enter")


def slider(lab: Dashboard, name: str) -> Locator:
    return lab.page.get_by_role("slider", name=name)


def choose(lab: Dashboard, run: str, word: str) -> None:
    lab.card(run).get_by_role("radio", name=word, exact=True).click()


# --- a run's card -------------------------------------------------------------------------------------------


def test_a_wrong_rate_is_refused_in_place(open_lab: OpenLab) -> None:
    lab = open_lab()
    box = lab.rate("GD")
    for typed, why in (
        ("-1", "A rate is a number above 0."),
        ("0", "A rate is a number above 0."),
        ("fast", "This is not a number."),
        ("1e7", "At most 1,000,000."),
    ):
        put(box, typed)
        expect(box).to_have_attribute("aria-invalid", "true")
        expect(box).to_have_value(typed)
        expect(lab.page.get_by_role("alert").filter(has_text=why)).to_be_visible()
        expect(lab.rule("gd")).to_have_attribute("title", "full batch, rate 0.1")
    box.press("Escape")
    expect(box).to_have_value("0.1")
    expect(box).not_to_have_attribute("aria-invalid", "true")
    for typed, expected in (("3e-2", "0.03"), ("0,05", "0.05")):
        put(box, typed)
        expect(box).to_have_value(expected)
        expect(lab.rule("gd")).to_have_attribute("title", f"full batch, rate {expected}")
    expect(slider(lab, "Learning rate of GD")).to_have_attribute("aria-valuetext", "learning rate 0.05")


# Numbers in boxes that are too narrow for them.
CUT_NUMBERS = """() => [...document.querySelectorAll(".knob .input.number")]
    .filter((box) => box.checkVisibility() && box.scrollWidth > box.clientWidth)
    .map((box) => `${box.ariaLabel}: ${box.value}`)"""
RATES = [0.0005, 0.000123456, 1.23457e-8, 1.5e-5, 0.00012]


@pytest.mark.parametrize("size", [DESKTOP, (1366, 650), PHONE, (320, 568)])
@pytest.mark.parametrize("count", [2, 5])
def test_every_rate_is_whole(visits: Visits, address: str, size: tuple[int, int], count: int) -> None:
    runs = [{"name": f"r{place}", "learning_rate": rate} for place, rate in enumerate(RATES[:count])]
    lab = opened(visits, address, {**MOONS, "runs": runs}, size=size)
    if size[0] < DESKTOP[0]:
        lab.button("Recipe (B)").click()
    expect(lab.page.locator(".knob .input.number:visible")).to_have_count(count)
    assert lab.page.evaluate(CUT_NUMBERS) == []
    overflow = "rail => rail.scrollWidth - rail.clientWidth"
    assert lab.page.locator(".rail.recipe").evaluate(overflow) == 0
    lab.settings("run r1")
    expect(lab.rate("R1")).to_be_visible()
    assert lab.page.evaluate(CUT_NUMBERS) == []
    assert lab.page.locator(".rail.recipe").evaluate(overflow) == 0


def test_a_dragged_slider_cuts_no_rate_and_stays_as_long(open_lab: OpenLab) -> None:
    lab = open_lab()
    rate = slider(lab, "Learning rate of GD")
    long = rate.bounding_box()
    rate.evaluate("(slider) => { slider.value = 79; slider.dispatchEvent(new Event('input')); }")
    expect(lab.rate("GD")).to_have_value("0.000207")
    assert lab.page.evaluate(CUT_NUMBERS) == []
    assert rate.bounding_box() == long


def test_the_rate_slider_moves_by_sixtieths_of_a_decade_and_by_decades(open_lab: OpenLab) -> None:
    lab = open_lab()
    rate = slider(lab, "Learning rate of GD")
    rate.focus()
    for key, expected in (
        ("PageDown", "0.01"),
        ("PageUp", "0.1"),
        ("ArrowRight", "0.104"),
        ("ArrowLeft", "0.1"),
        ("Home", "1e−5"),
        ("End", "4"),
    ):
        rate.press(key)
        expect(lab.rate("GD")).to_have_value(expected)
        expect(lab.rule("gd")).to_have_attribute("title", f"full batch, rate {expected}")
    lab.until(
        lambda: lab.stored["recipe"]["runs"][0]["edits"],
        lambda edits: edits == [{"at_step": 0, "learning_rate": 4}],
    )


def test_dragging_a_slider_makes_one_edit_on_release(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(1)
    box = slider(lab, "Learning rate of GD").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    mouse = lab.page.mouse
    mouse.move(box["x"] + box["width"] * 0.7, y)
    mouse.down()
    mouse.move(box["x"] + box["width"] * 0.4, y, steps=5)
    expect(lab.rule("gd")).to_have_attribute("title", "full batch, rate 0.1")
    assert float(lab.rate("GD").input_value()) < 0.01
    mouse.up()
    expect(lab.rule("gd")).not_to_have_attribute("title", "full batch, rate 0.1")
    lab.until(lambda: lab.ask("GET", "/recipe")["runs"][0]["edits"], lambda edits: len(edits) == 1)


def test_only_the_knobs_that_apply_are_shown(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(3)
    gd = lab.settings("run gd")
    names = gd.get_by_role("slider")
    expect(names).to_have_count(1)
    expect(gd).to_contain_text("900, every sample")

    choose(lab, "gd", "Momentum")
    expect(slider(lab, "Momentum of Momentum")).to_have_attribute("aria-valuetext", "momentum 0.9")
    expect(lab.rule("gd")).to_have_attribute("title", "full batch, momentum 0.9, rate 0.1")
    slider(lab, "Momentum of Momentum").press("ArrowLeft")
    expect(lab.rule("gd")).to_have_attribute("title", "full batch, momentum 0.89, rate 0.1")

    choose(lab, "gd", "Adam")
    expect(slider(lab, "Momentum of")).to_have_count(0)
    expect(slider(lab, "Beta 1 of Adam")).to_have_attribute("aria-valuetext", "beta 1 0.9")
    expect(slider(lab, "Beta 2 of Adam")).to_have_attribute("aria-valuetext", "beta 2 0.999")
    expect(lab.rule("gd")).to_have_attribute("title", re.compile("full batch, Adam, rate"))

    choose(lab, "gd", "Plain")
    choose(lab, "gd", "Mini-batch")
    expect(slider(lab, "Beta 1 of")).to_have_count(0)
    batch = slider(lab, "Batch size of Mini-batch")
    expect(batch).to_have_attribute("aria-valuetext", "32 samples")
    for key, size in (("ArrowRight", 64), ("PageDown", 16), ("Home", 2), ("End", 512)):
        batch.press(key)
        expect(batch).to_have_attribute("aria-valuetext", f"{size} samples")
        expect(lab.rule("gd")).to_have_attribute("title", re.compile(f"batch of {size}"))
    put(lab.page.get_by_label("Batch size of Mini-batch", exact=True), "513")
    expect(lab.page.get_by_role("alert").filter(has_text="A whole number from 1 to 512.")).to_be_visible()
    put(lab.page.get_by_label("Batch size of Mini-batch", exact=True), "100")
    expect(lab.rule("gd")).to_have_attribute("title", re.compile("batch of 100"))
    # all at one step: one edit, the later wins
    edits = lab.until(
        lambda: lab.ask("GET", "/recipe")["runs"][0]["edits"],
        lambda edits: [edit.get("batch_size") for edit in edits[-1:]] == [100],
    )
    assert [edit["at_step"] for edit in edits] == [3]


def test_a_run_is_added_renamed_hidden_and_removed(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(5)
    lab.button("Add a run").click()
    rows = lab.page.locator("race-table tbody tr")
    expect(rows).to_have_count(3)
    third = str(lab.page.locator("run-card").nth(2).get_attribute("data-run"))
    lab.settings(f"run {third}")
    expect(lab.page.locator("run-card")).to_have_count(0)
    lab.button("Rename").click()
    lab.page.keyboard.type("The careful one")
    lab.page.keyboard.press("Enter")
    expect(rows.nth(2).locator("b")).to_have_text("The careful one")
    lab.until_is(lambda: lab.ask("GET")["runs"][2]["label"], "The careful one")

    def lines() -> set[str]:
        return {name.split("/")[0] for name in lab.traces("loss", "train")}

    eye = lab.settings("run gd").get_by_role("button", name=re.compile("^Hide"))
    eye.click()
    expect(eye).to_have_attribute("aria-pressed", "true")
    lab.until(lines, lambda names: "gd" not in names and "sgd" in names)
    eye.click()
    lab.until(lines, lambda names: {"gd", "sgd"} <= names)

    lab.page.keyboard.press("Escape")
    for count in range(4, 9):
        lab.button("Add a run").click()
        expect(rows).to_have_count(count)
    expect(lab.button("Add a run")).to_be_hidden()
    lab.allow_to_ask_of("run-")
    for count in (7, 6):
        last = str(lab.page.locator("run-card").nth(count).get_attribute("data-run"))
        lab.settings(f"run {last}")
        lab.button("Remove").click()
        expect(rows).to_have_count(count)
        expect(lab.button("Add a run")).to_be_visible()


def test_a_name_by_the_page_follows_an_edit_and_one_by_a_person_stays(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(3)

    def is_named(run: str, name: str) -> None:
        expect(lab.card(run).locator(".name")).to_have_text(name)
        expect(lab.row(run).locator("b").first).to_have_text(name)
        runs = {"gd": 0, "sgd": 1}
        lab.until_is(lambda: lab.ask("GET")["runs"][runs[run]]["label"], name)

    choose(lab, "gd", "SGD")
    is_named("gd", "SGD 2")
    expect(lab.card("gd").get_by_role("radio", name="SGD", exact=True)).to_be_focused()
    choose(lab, "sgd", "Mini-batch")
    is_named("sgd", "Mini-batch")
    edits = [run["edits"] for run in lab.ask("GET", "/recipe")["runs"]]
    assert edits == [[{"at_step": 3, "batch_size": 1}], [{"at_step": 3, "batch_size": 32}]]

    lab.page.reload()
    lab.wait()
    choose(lab, "gd", "GD")
    is_named("gd", "GD")

    lab.ask("PATCH", "/runs/gd", {"label": "Rate 0.1"})
    is_named("gd", "Rate 0.1")
    rate = slider(lab, "Learning rate of Rate 0.1")
    rate.press("PageDown")
    is_named("gd", "Rate 0.01")
    assert lab.focused == "Learning rate of Rate 0.01, slider", "the slider keeps the focus"
    lab.page.keyboard.press("r")
    lab.until_is(lambda: lab.step, 0)
    lab.notice.get_by_role("button", name="Undo").click()
    lab.until_is(lambda: lab.step, 3)
    is_named("gd", "Rate 0.01")

    lab.settings("run sgd")
    lab.button("Rename").click()
    lab.page.keyboard.type("The careful one")
    lab.page.keyboard.press("Enter")
    lab.page.keyboard.press("Escape")
    is_named("sgd", "The careful one")
    choose(lab, "sgd", "GD")
    lab.until(
        lambda: lab.ask("GET", "/recipe")["runs"][1]["edits"],
        lambda edits: edits[-1]["batch_size"] is None,
    )
    is_named("sgd", "The careful one")


# --- data, network: another experiment ----------------------------------------------------------------------


QUICKLY = """(panel) => {
    const more = panel.querySelector("[aria-label='One unit more']");
    more.click();
    more.click();
    const activation = panel.querySelector("select");
    activation.value = "tanh";
    activation.dispatchEvent(new Event("change", { bubbles: true }));
}"""


def test_a_stepper_pressed_twice_makes_one_network_and_undo_reverts_it(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(40)
    before = lab.stored["id"]
    lab.settings("network")
    lab.page.get_by_role("button", name=re.compile("Hidden layer 1")).click()
    panel = lab.page.get_by_role("dialog", name="Hidden layer 1")
    # in one call: a slow machine would take longer than the panel waits for the next press
    panel.evaluate(QUICKLY)
    lab.page.keyboard.press("Escape")
    expect(lab.page.locator("[data-layer='1']")).to_have_text("6 tanh")
    expect(lab.page.locator("network-fields .end")).to_have_text("69 parameters")
    expect(lab.notice).to_contain_text("New shape, new weights: both runs start again at step 0.")
    expect(lab.counter).to_have_text("0")
    assert lab.focused.startswith("Hidden layer 1")
    assert lab.stored["id"] != before
    lab.button("Undo").click()
    expect(lab.page.locator("[data-layer='1']")).to_have_text("4 relu")
    expect(lab.counter).to_have_text("40")
    assert lab.stored["id"] == before


def test_layers_are_added_and_removed(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.settings("network")
    lab.button("Add a hidden layer").click()
    expect(lab.page.locator("[data-layer]")).to_have_count(3)
    expect(lab.page.locator("network-drawing svg.network")).to_have_attribute(
        "aria-label",
        re.compile(r"5 inputs, 4 relu \(0 dead\), 4 relu \(0 dead\), 4 relu \(0 dead\), 1 linear output$"),
    )
    lab.page.get_by_role("button", name=re.compile("Hidden layer 3")).click()
    put(lab.page.get_by_label("Units"), "99")
    expect(lab.page.get_by_role("alert").filter(has_text="1 to 64 units.")).to_be_visible()
    lab.button("Remove this layer").click()
    expect(lab.page.locator("[data-layer]")).to_have_count(2)
    expect(lab.chart("gradients").locator(".chart-label.title")).to_have_count(3)


# The words of blocks that are on more than one line, or wider than their block.
BROKEN = """() => [...document.querySelectorAll("layer-editor .block")].filter((block) => {
    const word = document.createRange();
    word.selectNodeContents(block.querySelector("span") ?? block);
    const outer = block.getBoundingClientRect();
    return [...word.getClientRects()].some(({ left, right, height }) =>
        left < outer.left || right > outer.right || height > 20) || word.getClientRects().length > 1;
}).map((block) => block.textContent.trim())"""


def test_the_words_of_layers_stay_whole(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.settings("network")
    assert lab.page.evaluate(BROKEN) == []
    for count in (3, 4, 5, 6):
        lab.button("Add a hidden layer").click()
        expect(lab.page.locator("[data-layer]")).to_have_count(count)
    assert lab.page.evaluate(BROKEN) == []
    room = "(each) => each.clientWidth - each.scrollWidth"
    assert lab.page.locator("layer-editor").evaluate(room) >= 0


def test_a_changed_layer_keeps_the_speed(open_lab: OpenLab) -> None:
    lab = open_lab()
    speed = lab.page.locator("transport-bar .speed output")
    before = str(speed.text_content())
    lab.page.keyboard.press("]")
    expect(speed).not_to_have_text(before)
    chosen = str(speed.text_content())
    lab.settings("network")
    lab.button("Add a hidden layer").click()
    expect(lab.page.locator("[data-layer]")).to_have_count(3)
    expect(lab.notice).to_contain_text("both runs start again")
    expect(speed).to_have_text(chosen)
    lab.play.click()
    lab.until(lambda: lab.step, lambda step: step > 2)
    assert f"{lab.ask('GET')['speed']:g}" == chosen.split()[0]


def test_an_activation_can_be_chosen_for_all_layers_at_once(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.settings("network")
    lab.page.get_by_role("button", name=re.compile("Hidden layer 1")).click()
    lab.page.get_by_label("Activation", exact=True).select_option("tanh")
    lab.button("Use tanh in all layers").click()
    layers = lab.until(
        lambda: lab.ask("GET")["recipe"]["network"]["layers"],
        lambda layers: {each["activation"] for each in layers} == {"tanh"},
    )
    assert [each["units"] for each in layers] == [4, 4]


@pytest.mark.parametrize(
    "noisy", [pytest.param(False, marks=pytest.mark.long), True], ids=["while it rests", "while it plays"]
)
def test_other_data_and_other_first_weights_start_again(open_lab: OpenLab, noisy: bool) -> None:
    lab = open_lab()
    lab.make_steps(10)
    if noisy:
        lab.play.click()
    lab.settings("data")
    put(lab.page.get_by_label("Noise", exact=True), "0.1")
    expect(lab.notice).to_contain_text("start again at step 0.")
    expect(lab.counter).to_have_text("0")
    expect(lab.play).to_be_visible()
    loss = lab.row("gd").locator("td.loss")
    readings = [loss.inner_text()]
    for name, typed in (("Train", "600"), ("Test", "100"), ("Data seed", "7"), ("Weight seed", "8")):
        if name == "Weight seed":
            lab.settings("network")
        before = lab.stored["id"]
        put(lab.page.get_by_label(name, exact=True), typed)
        lab.until(lambda: lab.stored["id"], partial(ne, before))
        expect(lab.page.get_by_label(name, exact=True)).to_have_value(typed)
    before = lab.stored["id"]
    lab.page.get_by_label("Initial weights").select_option("he")
    lab.until(lambda: lab.stored["id"], lambda now: now != before)
    readings.append(loss.inner_text())
    assert readings[0] != readings[1]
    recipe = lab.stored["recipe"]
    assert recipe["data"]["samples"] == 700
    assert (recipe["data"]["seed"], recipe["data"]["noise"]) == (7, 0.1)
    assert (recipe["network"]["seed"], recipe["network"]["weights"]) == (8, "he")
    lab.settings("data")
    put(lab.page.get_by_label("Train", exact=True), "9999")
    expect(lab.page.get_by_role("alert").filter(has_text="At most 5,000 samples together.")).to_be_visible()
    expect(lab.page.get_by_label("Train", exact=True)).to_have_value("9999")


# --- transport ----------------------------------------------------------------------------------------------


def test_the_counter_shows_every_digit_also_with_wider_text(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(1_234)
    expect(lab.counter).to_have_text("1,234")
    lab.page.evaluate(
        """() => {
            const sheet = new CSSStyleSheet();
            sheet.replaceSync("* { letter-spacing: .12em !important; word-spacing: .16em !important; }");
            document.adoptedStyleSheets.push(sheet);
        }"""
    )
    shown, room = lab.counter.evaluate(
        """(counter) => {
            const words = counter.querySelector(".count > span");
            const range = document.createRange();
            range.selectNodeContents(words);
            return [range, words].map((box) => box.getBoundingClientRect()).map(({ left, right }) => [left, right]);
        }"""
    )
    assert room[0] - 1 <= shown[0] < shown[1] <= room[1] + 1, "what leaves its room is cut"


def test_one_step_one_epoch_and_reset(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.button("1 step (right arrow)").click()
    expect(lab.counter).to_have_text("1")
    assert lab.samples_seen("gd") == 900
    assert lab.samples_seen("sgd") == 1
    lab.settings("run gd")
    lab.button("1 epoch").click()
    # GD's next epoch is its next step; SGD's takes all samples one by one
    expect(lab.row("gd").locator("td.samples")).to_have_attribute("title", "1,800 samples seen, epoch 2")
    expect(lab.row("sgd").locator("td.samples")).to_have_attribute("title", "900 samples seen, epoch 1")
    lab.button("Back to step 0 (R)").click()
    expect(lab.counter).to_have_text("0")
    expect(lab.page.locator("race-table thead th").first).to_have_text("Before the first step")
    expect(lab.row("gd")).to_have_attribute("data-state", "waiting")


def test_a_reset_keeps_the_settings_and_drops_the_markers(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(20)
    put(lab.rate("GD"), "0.05")
    expect(lab.flags).to_have_count(1)
    expect(lab.flags).to_have_attribute("title", "rate 0.1 → 0.05")
    lab.button("Back to step 0 (R)").click()
    expect(lab.counter).to_have_text("0")
    expect(lab.flags).to_have_count(0)
    expect(lab.rule("gd")).to_have_attribute("title", "full batch, rate 0.05")


def test_the_speed_slider_goes_up_to_max_and_sets_the_pace(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_own()
    speed = slider(lab, "Speed")
    expect(speed).to_have_attribute("aria-valuetext", "60 steps per second")
    speed.focus()
    speed.press("Home")
    expect(speed).to_have_attribute("aria-valuetext", "1 step per second")
    lab.play.click()
    lab.until(lambda: lab.step, lambda step: step >= 1)
    assert lab.step < 20
    speed.press("End")
    expect(speed).to_have_attribute("aria-valuetext", "as fast as possible")
    lab.until(lambda: lab.step, lambda step: step > 1000)


def test_runs_are_compared_at_equal_steps_or_samples(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_own()
    lab.button("Axes").click()
    pace = lab.page.get_by_role("group", name="Compare at equal")
    expect(pace.get_by_role("menuitemradio", name="steps")).to_be_checked()
    pace.get_by_role("menuitemradio", name="samples seen").click()
    # one press levels the runs from now on, and the charts at once
    expect(lab.button("Axes")).to_have_attribute("title", re.compile("^samples seen, "))
    slider(lab, "Speed").press("End")
    lab.play.click()
    lab.until(lambda: lab.samples_seen("gd"), lambda samples: samples >= 2700)
    lab.rest()
    assert abs(lab.samples_seen("gd") - lab.samples_seen("sgd")) <= 900


@pytest.mark.parametrize("size", [(1920, 1080), DESKTOP, (1366, 650), (960, 540)])
def test_runs_at_other_steps_are_compared_at_equal_samples_by_one_press(
    open_lab: OpenLab, size: tuple[int, int]
) -> None:
    lab = open_lab(size, drawn=True)
    lab.make_steps(20)
    even = lab.page.get_by_role("button", name="Compare at equal samples")
    expect(even).to_have_count(0)
    lab.ask("POST", "/step", {"run": "sgd", "steps": 900})
    expect(even).to_be_visible()
    assert lab.page.evaluate(FAULTS_OF_HEADS) == []
    even.click()
    expect(lab.page.locator("plotly-chart[kind=loss] .chart-label.axis")).to_contain_text("samples")
    expect(even).to_have_count(0)
    lab.page.keyboard.press("y")
    expect(lab.page.get_by_role("menuitemradio", name="samples seen", checked=True)).to_have_count(2)


FAULTS_OF_HEADS = """() => [
    ...document.querySelectorAll("loss-head, loss-head > *, loss-head .end > *")
].flatMap((each) => {
    const { left, right, width } = each.getBoundingClientRect();
    const stage = document.querySelector(".stage").getBoundingClientRect();
    return width && (left < stage.left - 1 || right > stage.right + 1) ? [each.className || each.localName] : [];
}).concat([...document.querySelectorAll("loss-head > :not(.unseen)")].flatMap((one, k, all) => all[k + 1]
    && one.getBoundingClientRect().width
    && one.getBoundingClientRect().right > all[k + 1].getBoundingClientRect().left + 1 ? ["over each other"] : []))"""
"""The parts of the loss chart's heading that leave the stage or lie over each other."""


def test_an_added_run_catches_up_with_one_press(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(120)
    expect(lab.strip).to_have_count(0)
    lab.button("Add a run").click()
    expect(lab.strip).to_contain_text("is at step 0. Other runs are further.")
    lab.strip.get_by_role("button", name="Catch up: 120 steps").click()
    expect(lab.strip).to_have_count(0)
    lab.until(lambda: [run["step"] for run in lab.ask("GET")["runs"]], lambda steps: steps == [120, 120, 120])


def test_axes_and_measures_follow_the_choice(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(950)

    def is_just_below(far: float, end: float) -> bool:
        return 0.97 * far <= end <= far

    def reach() -> float:
        places = lab.traces("loss", "train")["gd/train_loss"][0]
        return places[-1] if places else 0.0

    for name, far in (("epochs", 950), ("samples seen", 855_000), ("steps", 950)):
        lab.axis(name)
        lab.until(reach, partial(is_just_below, far))
    lab.axis("seconds")
    lab.until(reach, lambda end: 0 < end < 60)

    layout = "document.querySelector('plotly-chart[kind=loss] .js-plotly-plot').layout.yaxis.type"
    for name in ("linear", "log"):
        lab.axis(f"{name} loss")
        lab.until_is(lambda: lab.page.evaluate(layout), name)

    def last(measure: str, series: str) -> float:
        lab.below(measure)
        line = lab.until(
            lambda: lab.traces("gradients", "line").get(f"gd/{series}/W2", ([], []))[1],
            lambda places: places != [],
        )
        return float(line[-1])

    # the end of a line is the mean of its last bucket, whose width depends on how much has arrived
    _, norm, mean, total = lab.until(
        lambda: (
            last("update ÷ weight", "ratio"),
            last("L2 norm", "grad_l2"),
            last("mean |dW|", "grad_mean"),
            last("Size of the gradient", "grad_l1"),
        ),
        lambda ends: ends[2] * 16 == pytest.approx(ends[3]),
    )
    assert mean < norm < total


def test_the_summary_shows_the_chart_as_a_table(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_steps(90)
    put(lab.rate("SGD"), "0.02")
    expect(lab.rule("sgd")).to_have_attribute("title", "batch of 1, rate 0.02")
    lab.page.locator("gradient-head h2").click()
    table = lab.page.get_by_role("dialog", name="Loss by step").get_by_role("table")

    def rows() -> int:
        """Open the summary, which shows its opening moment; an edit has a row once the server has it."""
        lab.page.keyboard.press("Escape")
        expect(table).to_have_count(0)
        lab.page.keyboard.press("a")
        expect(table).to_be_visible()
        return table.get_by_role("row").count()

    # findings have rows too
    edit = table.locator(".note", has_text="SGD: rate 0.1 → 0.02")
    lab.until(lambda: (rows(), edit.count()), lambda counts: counts[1] == 1)
    assert table.get_by_role("row").count() == 1 + 10 + table.locator(".note").count()
    lab.page.keyboard.press("Escape")
    expect(table).to_have_count(0)


def test_looking_back_the_summary_and_the_spoken_chart_are_of_that_step(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(300)
    look_back_to(lab, 1)
    table = lab.page.locator("race-table")
    expect(table.locator("thead th").first).to_have_text("As of step 1")
    loss = lab.row("gd").locator("td.loss .readout").inner_text()
    state = lab.row("gd").locator(".verdict").inner_text().strip()
    expect(lab.chart("loss")).to_have_attribute("aria-label", re.compile(f"GD started at .*: {state}"))
    lab.page.keyboard.press("a")
    summary = lab.page.get_by_role("dialog", name="Loss by step")
    expect(summary.locator(".summary")).to_contain_text("As of step 1. GD")
    expect(summary.locator(".summary")).to_contain_text(f"{loss}, ")
    expect(summary.get_by_role("table").locator("tbody th")).to_have_text(["0", "1"])


def test_the_theme_switches_and_returns_to_the_systems_and_survives_a_reload(
    open_lab: OpenLab,
) -> None:
    lab = open_lab()
    root = lab.page.locator("html")
    lab.page.keyboard.press("t")
    expect(root).to_have_attribute("data-theme", "dark")
    lab.page.reload()
    expect(root).to_have_attribute("data-theme", "dark")
    lab.wait()
    for theme in ("light", "light", "dark"):
        lab.page.keyboard.press("t")
        expect(root).to_have_attribute("data-theme", theme)
