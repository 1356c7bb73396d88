"""When charts are drawn: one after a frame, none in a hidden page, edits at once."""

from __future__ import annotations

from playwright.sync_api import expect

from browser.conftest import OpenLab
from browser.dashboard import Dashboard

# Each draw with the frame it fell after, of which the document keeps the time, and whether it was in the frame itself.
COUNT_DRAWS = """() => {
    const { react } = Plotly;
    const asked = window.requestAnimationFrame;
    let inFrame = false;
    window.__draws = [];
    Plotly.react = (...given) => {
        __draws.push([given[0].closest("plotly-chart").getAttribute("kind"), document.timeline.currentTime, inFrame]);
        return react.apply(Plotly, given);
    };
    window.requestAnimationFrame = (run) => asked((now) => {
        inFrame = true;
        run(now);
        inFrame = false;
    });
}"""
HIDE = """(hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def draws(lab: Dashboard) -> list[tuple[str, float, bool]]:
    found: list[tuple[str, float, bool]] = lab.page.evaluate("__draws")
    return found


def test_one_chart_is_drawn_between_two_frames_and_none_in_a_frame(open_lab: OpenLab) -> None:
    lab = open_lab(query="?fps=30", drawn=True)
    lab.page.evaluate(COUNT_DRAWS)
    lab.play.click()
    lab.until(
        lambda: draws(lab),
        lambda made: (
            min([kind for kind, _, _ in made].count(each) for each in ("loss", "gradients", "scatter")) >= 5
        ),
    )
    made = draws(lab)
    assert len(made) == len({frame for _, frame, _ in made})
    assert not any(in_frame for _, _, in_frame in made), "drawing and painting are two tasks"


def test_a_hidden_page_draws_nothing_and_is_up_to_date_when_it_is_seen_again(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.page.evaluate(COUNT_DRAWS)
    lab.play.click()
    lab.until(lambda: draws(lab), lambda made: len(made) > 5)
    lab.page.evaluate(HIDE, True)
    count, step = len(draws(lab)), lab.step
    lab.until(lambda: lab.step, lambda now: now > step + 60)
    assert len(draws(lab)) == count
    lab.rest()
    lab.page.evaluate(HIDE, False)
    lab.until(lambda: lab.chart("loss").get_attribute("data-last-step"), lambda drawn: drawn == str(lab.step))
    assert len(draws(lab)) > count


def test_a_page_at_rest_draws_nothing(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    lab.make_steps(50)
    lab.page.evaluate(COUNT_DRAWS)
    # until what was on its way is drawn, then half a second of quiet
    quiet = lab.until(
        lambda: (len(draws(lab)), lab.page.wait_for_timeout(500), len(draws(lab))),
        lambda seen: seen[0] == seen[2],
    )
    assert quiet[0] < 20


def test_an_edit_is_seen_in_the_next_frame_while_it_plays(open_lab: OpenLab) -> None:
    lab = open_lab()
    lab.play.click()
    lab.until(lambda: lab.step, lambda step: step > 5)
    seen = lab.page.evaluate("""() => {
        const at = (selector) => document.querySelector(selector);
        const box = at("[aria-label='Learning rate of SGD']");
        box.value = "0.05";
        box.dispatchEvent(new Event("change", { bubbles: true }));
        at("run-card[data-run=gd] [data-value=momentum]").click();
        return new Promise((told) => requestAnimationFrame(() => told([
            at("race-table tr[data-run=sgd] .rule").textContent, at("race-table tr[data-run=gd] .rule").textContent,
        ])));
    }""")
    assert seen == ["batch of 1, rate 0.05", "full batch, momentum 0.9, rate 0.1"]
    lab.until(
        lambda: lab.ask("GET", "/recipe")["runs"][1]["edits"],
        lambda edits: edits and edits[0]["learning_rate"] == 0.05,
    )
    expect(lab.row("gd").locator(".rule")).to_have_text(seen[1])
