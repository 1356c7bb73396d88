"""Times of draws: one after a frame, none in a hidden page, edits at once."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from statistics import median

from playwright.sync_api import expect

from browser.conftest import OpenLab
from browser.dashboard import Dashboard

# Each draw: chart, number of frames before it, whether inside a frame, and time.
COUNT_DRAWS = """() => {
    const { react } = Plotly;
    const asked = window.requestAnimationFrame;
    let [inFrame, frames] = [false, 0];
    const count = () => (frames++, asked(count));
    asked(count);
    window.__draws = [];
    Plotly.react = (...given) => {
        __draws.push([given[0].closest("plotly-chart").getAttribute("kind"), frames, inFrame, performance.now()]);
        return react.apply(Plotly, given);
    };
    window.requestAnimationFrame = (run) => asked((now) => {
        inFrame = true;
        run(now);
        inFrame = false;
    });
}"""
TAKE_LONG = """(ms) => {
    Plotly.quick ??= Plotly.react;
    Plotly.react = (...given) => {
        for (const until = performance.now() + ms; performance.now() < until;);
        return Plotly.quick(...given);
    };
}"""
HIDE = """(hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def draws(lab: Dashboard) -> list[tuple[str, int, bool, float]]:
    records: list[tuple[str, int, bool, float]] = lab.page.evaluate("__draws")
    return records


def test_one_chart_is_drawn_between_two_frames_and_none_in_a_frame(open_lab: OpenLab) -> None:
    lab = open_lab(query="?fps=30", plotted=True)
    lab.make_own()
    lab.make_steps(3)
    lab.chart("scatter").locator(".chart-plot").hover()  # Plotly draws it for the pointer only
    lab.page.evaluate(COUNT_DRAWS)
    lab.page.keyboard.press("Space")
    lab.until(
        lambda: draws(lab),
        lambda records: (
            min([kind for kind, *_ in records].count(each) for each in ("loss", "gradients", "scatter")) >= 5
        ),
    )
    records = draws(lab)
    assert len(records) == len({frame for _, frame, *_ in records})
    assert not any(in_frame for _, _, in_frame, _ in records), "drawing and painting are two tasks"


def test_a_new_step_restyles_only_its_own_elements(open_lab: OpenLab) -> None:
    lab = open_lab(query="?fps=30", drawn=True)
    lab.make_own()
    browser = lab.page.context.browser
    assert browser
    # a run is chosen, so that a finding does not switch the network
    lab.page.get_by_role("radiogroup", name="Run shown").get_by_role("radio", name="SGD").click()
    lab.play.click()
    lab.until(lambda: lab.step, lambda now: now > 10)
    browser.start_tracing(page=lab.page, categories=["devtools.timeline"])
    # counted by shown values: a slow machine shows several steps at once
    steps: set[int] = set()

    def seen() -> int:
        steps.add(lab.step)
        return len(steps)

    lab.until(seen, lambda count: count > 30)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    restyled = [
        event["args"]["elementCount"]
        for event in events
        if event["name"] == "UpdateLayoutTree" and "elementCount" in event.get("args", {})
    ]
    assert len(restyled) > 20
    # restyling the whole page takes 5 ms: one rule with body:has() is enough to cause it
    assert max(restyled) < lab.page.locator("*").count() / 3
    # most frames move the lines, their labels and the counter only: 9, and 39 if each label moves by itself
    assert median(restyled) < 20


def test_a_hidden_page_draws_nothing_and_is_up_to_date_when_visible_again(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_own()
    lab.page.evaluate(COUNT_DRAWS)
    lab.play.click()
    lab.until(lambda: draws(lab), lambda records: len(records) > 5)
    lab.page.evaluate(HIDE, True)
    count, step = len(draws(lab)), lab.step
    lab.until(lambda: lab.step, lambda now: now > step + 60)
    assert len(draws(lab)) == count
    lab.rest()
    lab.page.evaluate(HIDE, False)
    lab.until(lambda: lab.chart("loss").get_attribute("data-last-step"), lambda drawn: drawn == str(lab.step))
    assert len(draws(lab)) > count


def test_slow_drawing_lowers_the_draw_rate_and_the_status_says_so(
    open_lab: OpenLab,
) -> None:
    lab = open_lab(query="?fps=30", drawn=True)
    lab.make_own()
    # a run is chosen, so that a finding does not switch the network and cause a draw
    lab.page.get_by_role("radiogroup", name="Run shown").get_by_role("radio", name="SGD").click()
    lab.page.evaluate(TAKE_LONG, 45)
    lab.play.click()
    status = lab.page.locator("top-bar .connection")
    expect(status).to_have_attribute("title", re.compile("^Drawing is slow in this browser, so charts"))
    expect(lab.page.get_by_text("Drawing is slow")).to_have_count(0)
    # neither slow nor quick, they stay at half the rate: five draws a second instead of ten
    lab.page.evaluate(TAKE_LONG, 30)
    lab.page.evaluate(COUNT_DRAWS)
    lab.until(lambda: draws(lab), lambda records: [kind for kind, *_ in records].count("loss") >= 6)
    times = [time for kind, _, _, time in draws(lab) if kind == "loss"]
    assert min(after - before for before, after in pairwise(times[1:])) > 150


def test_a_page_at_rest_draws_nothing(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(50)
    lab.ask("GET", wait=20)  # a page is at rest when the Doctor is, too
    lab.page.evaluate(COUNT_DRAWS)

    # wait for pending draws, then half a second of quiet
    def around_a_pause() -> tuple[int, int]:
        before = len(draws(lab))
        lab.page.wait_for_timeout(500)
        return before, len(draws(lab))

    quiet = lab.until(around_a_pause, lambda counts: counts[0] == counts[1])
    assert quiet[0] < 20


def test_an_edit_shows_in_the_next_frame_while_playing(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.make_own()
    lab.play.click()
    lab.until(lambda: lab.step, lambda step: step > 5)
    result = lab.page.evaluate("""() => {
        const at = (selector) => document.querySelector(selector);
        const box = at("[aria-label='Learning rate of SGD']");
        box.value = "0.05";
        box.dispatchEvent(new Event("change", { bubbles: true }));
        at("run-card[data-run=gd] [data-value=mini]").click();
        return new Promise((told) => requestAnimationFrame(() => told([
            at("race-table tr[data-run=sgd] th.who").title, at("race-table tr[data-run=gd] th.who").title,
        ])));
    }""")
    assert result == ["batch of 1, rate 0.05", "batch of 32, rate 0.1"]
    lab.until(
        lambda: lab.ask("GET", "/recipe")["runs"][1]["edits"],
        lambda edits: edits and edits[0]["learning_rate"] == 0.05,
    )
    expect(lab.rule("gd")).to_have_attribute("title", result[1])
