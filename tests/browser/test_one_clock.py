"""One clock: all that is on the page is of one step, live, paused and looking back."""

from __future__ import annotations

import random
import re
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import expect

from browser.conftest import OpenLab
from browser.dashboard import Dashboard
from browser.test_classes import unfold

# The step that each part of the page says it shows, now.
STEPS = """() => {
    const one = (selector) => {
        const found = document.querySelector(selector)?.dataset.step;
        return found === undefined ? [] : [Number(found)];
    };
    const all = (selector) => [...document.querySelectorAll(selector)].map(({ dataset }) => Number(dataset.step));
    return {
        table: all("race-table tbody tr"),
        loss: one("plotly-chart[kind=loss]"),
        gradients: one("plotly-chart[kind=gradients]"),
        network: one("network-drawing"),
        predictions: all("predicted-true :is(plotly-chart, decision-map, .confusion)[data-step]"),
        picture: all("data-picture [data-step]"),
        doctor: one("doctor-list"),
        inspector: one("step-inspector"),
    };
}"""

# The same in every frame for so many ms, with the counter, and whether an answer is late: the page goes on without it.
EVERY_FRAME = f"""(ms) => new Promise((done) => {{
    const steps = {STEPS};
    const [seen, asked, fetched] = [[], [], window.fetch];
    window.fetch = async (...request) => {{
        if (!String(request[0]).includes("/moment?")) return fetched(...request);
        const one = {{ from: performance.now(), to: Infinity }};
        asked.push(one);
        try {{ return await fetched(...request); }} finally {{ one.to = performance.now(); }}
    }};
    const late = ({{ at }}) => asked.some(({{ from, to }}) =>
        from + 700 < at && at < to + 700 && Math.min(to, at + 1) - from > 700);
    const until = performance.now() + ms;
    const look = () => {{
        const counter = document.querySelector("[data-counter=step]").title.replaceAll(",", "");
        seen.push({{ ...steps(), counter: [Number(counter)], at: performance.now() }});
        if (performance.now() < until) return requestAnimationFrame(look);
        window.fetch = fetched;
        done(seen.map((each) => ({{ ...each, late: late(each) }})));
    }};
    look();
}})"""

# From then on answers about a moment arrive so many ms later.
DELAY = """(ms) => {
    const before = window.undelayed ??= window.fetch;
    window.fetch = async (...request) => {
        const answer = await before(...request);
        if (String(request[0]).includes("/moment?")) await new Promise((go) => setTimeout(go, ms));
        return answer;
    };
}"""

# The heading of the table and the losses below it, whenever they change within so many ms.
LOSSES = """(ms) => new Promise((done) => {
    const seen = [];
    const until = performance.now() + ms;
    const look = () => {
        const [heading] = document.querySelector("race-table th.moment").title.match(/[\\d,]+/) ?? ["0"];
        const rows = [...document.querySelectorAll("race-table tbody tr")];
        const losses = rows.map((row) => [row.dataset.run, row.querySelector(".loss .readout").innerText]);
        const step = Number(heading.replaceAll(",", ""));
        if (seen.at(-1)?.step !== step) seen.push({ step, losses: Object.fromEntries(losses) });
        if (performance.now() < until) return requestAnimationFrame(look);
        done(seen);
    };
    look();
})"""

PARTS = ["table", "loss", "gradients", "network", "predictions", "picture", "doctor", "inspector"]

LAG = 2
"""Frames after which every part shows the beat: one to paint it, one more for the plot of predictions."""

SLACK = 1
"""Runs at equal steps are cut at one moment, at which one may have made a step more."""


def spread(steps: dict[str, list[int]]) -> int:
    every = [step for name in PARTS for step in steps[name]]
    return max(every) - min(every)


def stretches(frames: list[dict[str, Any]]) -> list[int]:
    """Return the lengths of successive frames in which parts show different steps, without late answers."""
    lengths, length = [0], 0
    for steps in frames:
        length = length + 1 if spread(steps) > SLACK and not steps["late"] else 0
        lengths.append(length)
    return lengths


def look_at(lab: Dashboard, step: int) -> None:
    lab.page.get_by_label("Time travel").fill(str(step))


def until_all_show(lab: Dashboard, step: int) -> dict[str, list[int]]:
    """Wait until every part shows that step."""
    steps: dict[str, list[int]] = lab.until(
        lambda: lab.page.evaluate(STEPS),
        lambda now: {each for name in PARTS for each in now[name]} == {step},
    )
    return steps


def play_and_read(lab: Dashboard) -> None:
    lab.page.keyboard.press("i")
    lab.play.click()
    lab.until(lambda: lab.step, lambda step: step > 40)


@pytest.mark.parametrize("exhibit", ["notebook", "spirals"])
def test_while_playing_all_parts_show_one_step_and_the_counter_runs_ahead(
    open_lab: OpenLab, exhibit: str
) -> None:
    lab = open_lab(drawn=True)
    if exhibit == "spirals":
        lab.ask("GET")
        lab.page.locator("exhibit-picker button").first.click()
        lab.page.get_by_role("option", name=re.compile("spiral", re.IGNORECASE)).first.click()
        lab.wait(drawn=True)
        unfold(lab)
    else:
        lab.make_own()
    play_and_read(lab)
    parts = [name for name in PARTS if exhibit == "spirals" or name != "picture"]
    lab.until(lambda: lab.page.evaluate(STEPS), lambda steps: all(steps[name] for name in parts))
    frames = lab.page.evaluate(EVERY_FRAME, 4000)
    lab.pause.click()
    beats = {steps["table"][0] for steps in frames}
    assert len(beats) >= 3
    assert sum(not steps["late"] for steps in frames) > 20, "the machine is too busy to say"
    assert max(stretches(frames)) <= LAG, [steps for steps in frames if spread(steps) > SLACK]
    assert len({steps["counter"][0] for steps in frames}) > len(beats)
    assert all(steps["counter"][0] >= max(steps["table"]) for steps in frames)


# From then on each plot of losses and gradients takes so many ms longer; `longest` is how long losses were not drawn.
SLOW_DRAWS = """(ms) => {
    const { react } = Plotly;
    let last = performance.now();
    window.longest = 0;
    Plotly.react = (plot, ...given) => {
        const kind = plot.closest("plotly-chart").getAttribute("kind");
        const began = performance.now();
        if (kind === "loss") [window.longest, last] = [Math.max(window.longest, began - last), began];
        while (kind !== "scatter" && performance.now() - began < ms);
        return react.call(Plotly, plot, ...given);
    };
}"""


def test_when_draws_are_slow_predictions_keep_to_the_step_of_the_table(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_own()
    lab.play.click()
    lab.page.evaluate(SLOW_DRAWS, 80)
    lab.until(lambda: lab.page.evaluate("longest"), lambda ms: ms > 1800)  # an eighth of the rate
    frames = lab.page.evaluate(EVERY_FRAME, 4000)
    lab.pause.click()
    drawn = [steps for steps in frames if steps["predictions"]]
    assert len({steps["table"][0] for steps in drawn}) >= 3
    pairs = [
        {**steps, **{name: [] for name in PARTS if name not in ("table", "predictions")}} for steps in drawn
    ]
    assert max(stretches(pairs)) <= LAG, [steps for steps in pairs if spread(steps) > SLACK]


def fits(text: str, loss: float) -> bool:
    """Return whether a loss as shown is this one, rounded to its digits."""
    exponent = Decimal(text).as_tuple().exponent
    assert isinstance(exponent, int)
    return abs(float(text) - loss) <= 0.51 * 10.0**exponent


@pytest.mark.parametrize("delay", [0, 1500])
def test_while_playing_the_losses_are_those_of_the_step_in_the_heading(open_lab: OpenLab, delay: int) -> None:
    lab = open_lab(drawn=True)
    lab.make_own()
    lab.page.evaluate(DELAY, delay)
    lab.play.click()
    lab.until(lambda: lab.step, lambda step: step > 40)
    readings = [one for one in lab.page.evaluate(LOSSES, 4000) if one["step"] > 0]
    lab.pause.click()
    assert len(readings) > 5
    tells = 0
    for one in readings[:: len(readings) // 5]:
        for run, text in one["losses"].items():
            then, before = (
                lab.ask("GET", f"/runs/{run}/instruments/moment", step=step)["latest"]["train_loss"]["value"]
                for step in (one["step"], one["step"] - 1)
            )
            assert fits(text, then), (one, then)
            tells += not fits(text, before)
    assert tells >= 3


def test_paused_and_stepping_all_parts_show_the_step_where_the_runs_stand(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    play_and_read(lab)
    lab.rest()
    until_all_show(lab, lab.step)
    for _ in range(5):
        target = lab.step + 1
        lab.page.keyboard.press("ArrowRight")
        until_all_show(lab, target)
        assert lab.step == target


def test_after_a_pause_by_somebody_else_the_losses_are_those_of_the_step_in_the_heading(
    open_lab: OpenLab,
) -> None:
    """The answer to one's own pause has them."""
    lab = open_lab(drawn=True)
    lab.make_own()
    lab.play.click()
    lab.until(lambda: lab.step, lambda step: step > 40)
    lab.page.evaluate(DELAY, 8000)
    lab.ask("POST", "/pause")
    lab.play.wait_for()
    readings = [one for one in lab.page.evaluate(LOSSES, 1500) if one["step"] > 0]
    last = readings[-1]
    assert lab.step - 1 <= last["step"] <= lab.step
    for run, text in last["losses"].items():
        then = lab.ask("GET", f"/runs/{run}/instruments/moment", step=last["step"])
        assert fits(text, then["latest"]["train_loss"]["value"]), (last, lab.step)
    lab.page.evaluate(DELAY, 0)
    until_all_show(lab, lab.step)
    expect(lab.page.locator("race-table th.moment")).to_have_text(f"At step {lab.step}")


GRADIENTS = """() => [...document.querySelectorAll("plotly-chart[kind=gradients] .title")].flatMap((title) =>
    [...title.querySelectorAll("[data-run]")].map((item) => [
        item.dataset.run, title.querySelector("b").innerText, item.innerText.trim()]))"""
"""The values in the titles of the gradient panels: run, weights, number."""


def test_gradients_in_the_titles_are_those_of_the_step_that_all_parts_show(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(60)
    lab.ask("GET", wait=20)
    tells = 0
    for step in (60, 34, 59, 60):
        if step < 60:
            look_at(lab, step)
        else:
            lab.page.keyboard.press("l")
        until_all_show(lab, step)
        titles = lab.until(lambda: lab.page.evaluate(GRADIENTS), lambda all: len(all) == 6)
        assert {run for run, _, _ in titles} == {"gd", "sgd"}
        assert {weights for _, weights, _ in titles} == {"W1", "W2", "W3"}
        for run, weights, text in titles:
            then, before = (
                sum(abs(each) for row in gradients[weights] for each in row)
                for gradients in (
                    lab.ask("GET", f"/runs/{run}/snapshot", step=at)["gradients"] for at in (step, step - 1)
                )
            )
            assert fits(text, then), (step, run, weights, text)
            tells += not fits(text, before)
    assert tells >= 6


def test_looking_back_all_parts_show_that_step_and_nothing_seen_later(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.page.keyboard.press("i")
    lab.make_steps(400)
    lab.ask("GET", wait=20)
    place = random.Random(8)
    for play in (False, True):
        if play:
            lab.page.keyboard.press("l")
            lab.make_own()
            lab.play.click()
        for step in [1, 30, *(place.randrange(1, 390) for _ in range(4))]:
            look_at(lab, step)
            until_all_show(lab, step)
            expect(lab.page.locator("race-table th.moment")).to_have_text(f"As of step {step}")
            doctor = lab.page.locator("doctor-list")
            expect(doctor.locator(".head .end")).to_have_text(f"as of step {step}")
            evidence = doctor.locator(".evidence > span").all_text_contents()
            named = [int(each.replace(",", "")) for each in re.findall(r"tep ([\d,]+)\.", " ".join(evidence))]
            assert all(each <= step for each in named), evidence
            for run in ("gd", "sgd"):
                then = lab.ask("GET", f"/runs/{run}/instruments/moment", step=step)
                word = {"on_the_way": "on its way"}.get(then["verdict"], then["verdict"])
                verdict = lab.row(run).locator(".verdict").inner_text().strip()
                assert word in verdict or (word == "dead" and "dead" in verdict), (run, step)


def test_the_doctor_counts_the_dead_units_of_the_networks_step(open_lab: OpenLab) -> None:
    """Two units of the notebook's SGD have been dead for long enough at step 30, and three at step 31."""
    lab = open_lab(drawn=True)
    lab.page.locator("network-drawing").get_by_text("SGD", exact=True).click()

    def expect_three_dead(step: int) -> None:
        lab.until(lambda: lab.page.evaluate(STEPS), lambda now: now["network"] == now["doctor"] == [step])
        expect(lab.page.locator("network-drawing")).to_have_attribute("data-dead", "3")
        named = lab.page.locator("doctor-list h3")
        expect(named.filter(has_text="SGD: 3 of 4 units in layer 2 are dead.")).to_be_visible()

    for steps in (31, 89):
        lab.make_steps(steps)
        expect_three_dead(lab.step)
    lab.make_steps(180)
    for step in (120, 31):
        look_at(lab, step)
        expect_three_dead(step)


def test_a_late_answer_holds_nothing_up_and_says_its_own_step(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_own()
    lab.play.click()
    lab.until(lambda: lab.step, lambda step: step > 40)
    lab.page.evaluate(DELAY, 1500)
    steps = lab.until(lambda: lab.page.evaluate(STEPS), lambda now: now["table"][0] > now["network"][0] + 20)
    assert steps["doctor"] == steps["loss"] == [max(steps["table"])]
    expect(lab.page.locator("network-drawing .when")).to_have_text(re.compile("^step "))
    lab.page.evaluate(DELAY, 0)
    lab.rest()
    lab.until_is(lambda: spread(lab.page.evaluate(STEPS)), 0)


COUNTED = """(ms) => new Promise((done) => {
    const [seen, end] = [new Set(), performance.now() + ms];
    const look = (now) => {
        seen.add(document.querySelector("transport-bar .count").textContent);
        if (now < end) requestAnimationFrame(look);
        else done(seen.size);
    };
    requestAnimationFrame(look);
})"""


def test_with_reduced_motion_the_counter_changes_with_the_beats(open_lab: OpenLab) -> None:
    lab = open_lab(reduced_motion="reduce", drawn=True)
    lab.make_own()
    play_and_read(lab)
    assert 3 <= lab.page.evaluate(COUNTED, 4000) <= 18
    lab.rest()
    expect(lab.page.locator("transport-bar .count")).to_have_text(f"{lab.step:,}")


def test_with_reduced_motion_there_are_four_beats_a_second(open_lab: OpenLab) -> None:
    lab = open_lab(reduced_motion="reduce", drawn=True)
    lab.make_own()
    play_and_read(lab)
    frames = lab.page.evaluate(EVERY_FRAME, 4000)
    lab.pause.click()
    assert 3 <= len({steps["table"][0] for steps in frames}) <= 18
    assert max(stretches(frames)) <= LAG
