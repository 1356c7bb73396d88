"""The newest steps of each line, which a canvas draws until Plotly catches up."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from browser.conftest import OpenLab
from browser.dashboard import DESKTOP, PHONE, Dashboard

# After each of some frames: the last step that Plotly drew of GD, the newest one before and after the paint, and what
# the canvas shows of GD's marker there: its colour's place, in px of the loss chart.
WATCH_PAINTS = """([frames, colour]) => new Promise((done) => {
    const chart = document.querySelector("plotly-chart[kind=loss]");
    const canvas = document.querySelector("canvas.live-lines");
    const density = canvas.width / canvas.clientWidth;
    const newest = () => parseInt(document.querySelector("[data-counter=step]").title.replaceAll(",", ""));
    const look = (before) => {
        const [box, corner] = [chart, canvas].map((each) => each.getBoundingClientRect());
        const [left, top] = [box.left - corner.left, box.top - corner.top].map((px) => Math.round(density * px));
        const [width, height] = [box.width, box.height].map((px) => Math.round(density * px));
        const { data } = canvas.getContext("2d").getImageData(left, top, width, height);
        const found = { x: [], y: [] };
        for (let at = 0; at < data.length; at += 4) {
            if (data[at + 3] < 255 || colour.some((value, k) => Math.abs(data[at + k] - value) > 2)) continue;
            found.x.push((at / 4) % width / density);
            found.y.push(Math.floor(at / 4 / width) / density);
        }
        const right = Math.max(...found.x);
        const y = found.y.filter((_, k) => found.x[k] > right - 4);
        const { xaxis, yaxis, margin } = chart.querySelector(".js-plotly-plot").layout;
        const drawn = chart.querySelector(".js-plotly-plot").data.find(({ meta }) =>
            meta.run === "gd" && meta.role === "train").x.at(-1);
        return {
            before, after: newest(), drawn, x: xaxis.range, y: yaxis.range, ink: found.x.length,
            right, middle: y.reduce((sum, each) => sum + each, 0) / y.length,
            label: chart.querySelector(".chart-label.end[data-run=gd]").getBoundingClientRect().left - box.left,
            area: { left: margin.l, top: margin.t, width: box.width - margin.l - margin.r,
                height: box.height - margin.t - margin.b },
        };
    };
    const records = [];
    const step = () => {
        const before = newest();
        requestAnimationFrame(() => setTimeout(() => {
            records.push(look(before));
            if (records.length < frames) step();
            else done(records);
        }));
    };
    step();
})"""
# After each of some frames: the values in GD's end label and in its row of the table, and the draws of Plotly so far.
WATCH_VALUES = """(frames) => new Promise((done) => {
    const chart = document.querySelector("plotly-chart[kind=loss]");
    const records = [];
    const step = () => requestAnimationFrame(() => setTimeout(() => {
        records.push({
            label: chart.querySelector(".chart-label.end[data-run=gd]").lastChild.data.trim(),
            table: document.querySelector("race-table tr[data-run=gd] .readout").textContent.trim(),
            draws: Number(chart.dataset.draws),
        });
        if (records.length < frames) step();
        else done(records);
    }));
    step();
})"""
INK = """() => {
    const { width, height } = document.querySelector("canvas.live-lines");
    const context = document.querySelector("canvas.live-lines").getContext("2d");
    return context.getImageData(0, 0, width, height).data.some((value) => value > 0);
}"""
GD = {"light": [0x00, 0x67, 0xA8], "dark": [0x5F, 0xB4, 0xEE]}
RADIUS = 4.25
"""Of a marker without its casing, in px."""
BESIDE = 16
"""The largest distance of a label from its marker, in px."""


def play_past(lab: Dashboard, step: int) -> None:
    lab.play.click()
    lab.until(lambda: lab.step, lambda now: now > step)


def across(record: dict[str, Any], step: float) -> float:
    """The place of a step on the axis that Plotly drew, in px. The axis may end before it."""
    low, high = record["x"]
    share = min(1.0, (step - low) / (high - low))
    return float(record["area"]["left"] + record["area"]["width"] * share)


@pytest.mark.parametrize(("size", "theme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_the_canvas_is_ahead_of_plotly_and_plotly_catches_up_at_the_same_place(
    open_lab: OpenLab, size: tuple[int, int], theme: str
) -> None:
    lab = open_lab(size, theme=theme, plotted=True)
    # another run's marker could cover this one's; a phone has the button in a sheet
    for button in ("[data-opens='run sgd']", "[aria-label='Hide SGD in the charts']"):
        lab.until(lambda: lab.page.evaluate("(each) => !!document.querySelector(each)", button), bool)  # noqa: B023
        lab.page.evaluate("(each) => document.querySelector(each).click()", button)
    play_past(lab, 40)
    records = lab.page.evaluate(WATCH_PAINTS, [60, GD[theme]])
    lab.rest()
    assert all(record["ink"] for record in records), records
    for record in records:
        # at a beat the loss of the newest step is known too, otherwise only the loss of the step before
        assert record["right"] < across(record, record["after"]) + RADIUS + 2, record
        assert record["right"] > across(record, record["drawn"]), record
        assert record["drawn"] <= record["after"]
        assert 0 < record["label"] - record["right"] < BESIDE, "the label follows its marker"
    # between two draws of Plotly; on a slow machine a record may be of several steps, and stands in their middle
    ahead = [
        record
        for record in records
        if record["before"] - 1 > record["drawn"] + 2
        and record["right"] > across(record, record["before"] - 1) - 2
    ]
    assert len(ahead) >= 5  # fewer where another test has the other core
    assert max(record["right"] - across(record, record["drawn"]) for record in ahead) > 10
    # in the pause the canvas is empty, and Plotly's line ends where the run stands
    lab.until(lambda: lab.page.evaluate(INK), lambda inked: not inked)
    steps, losses = lab.until(
        lambda: lab.traces("loss", "train")["gd/train_loss"], lambda line: line[0][-1] == lab.step
    )
    # every point of the canvas is in Plotly's line
    for record in ahead:
        [(low, high), area] = record["y"], record["area"]
        step = round(record["before"] - 1)
        if step not in steps or record["before"] != record["after"] or step > record["x"][1]:
            continue
        share = (lab.page.evaluate("Math.log10", losses[steps.index(step)]) - low) / (high - low)
        assert record["middle"] == pytest.approx(area["top"] + area["height"] * (1 - share), abs=2)


def test_a_label_shows_the_value_of_the_table(open_lab: OpenLab) -> None:
    lab = open_lab(plotted=True)
    play_past(lab, 40)
    records = lab.page.evaluate(WATCH_VALUES, 90)
    lab.rest()
    # both change with the beat
    assert all(record["label"] == record["table"] for record in records), records
    assert len({record["label"] for record in records}) >= 3
    label = lab.chart("loss").locator(".chart-label.end[data-run=gd]")
    loss = lab.row("gd").locator(".readout").first
    lab.until_is(lambda: label.inner_text().split()[-1] == loss.inner_text(), True)


def test_a_marker_is_drawn_once_and_a_picture_has_all(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    markers = ".chart-marks :is(.end, .now)"
    play_past(lab, 20)
    lab.until(lambda: lab.page.evaluate(INK), bool)
    for kind in ("loss", "gradients"):
        expect(lab.chart(kind).locator(markers)).to_have_count(0)
    lab.rest()
    expect(lab.chart("loss").locator(markers)).to_have_count(2)
    expect(lab.chart("gradients").locator(markers)).to_have_count(6)
    assert not lab.page.evaluate(INK)


def test_a_picture_taken_while_playing_has_the_markers(open_lab: OpenLab) -> None:
    lab = open_lab(plotted=True)
    play_past(lab, 20)
    lab.until(lambda: lab.page.evaluate(INK), bool)
    counted = lab.page.evaluate("""() => {
        const chart = document.querySelector("plotly-chart[kind=gradients]");
        const taken = chart.picture([], false);
        return [chart.querySelectorAll(".chart-marks .now").length, chart.dataset.lastStep > 0];
    }""")
    assert counted == [6, True]


def test_with_reduced_motion_plotly_draws_everything(open_lab: OpenLab) -> None:
    lab = open_lab(reduced_motion="reduce", drawn=True)
    play_past(lab, 30)
    assert not lab.page.evaluate(INK)
    expect(lab.chart("loss").locator(".chart-marks .end")).to_have_count(2)
    end = "document.querySelector('plotly-chart[kind=loss] .js-plotly-plot').layout.xaxis.range[1]"
    drawn = lab.page.evaluate(
        f"() => [{end}, +document.querySelector('plotly-chart[kind=loss]').dataset.lastStep]"
    )
    assert drawn[0] == drawn[1]


def test_the_canvas_is_as_dense_as_the_screen_and_follows_the_page(open_lab: OpenLab) -> None:
    lab = open_lab(PHONE, drawn=True, device_scale_factor=3)
    size = """() => {
        const canvas = document.querySelector("canvas.live-lines");
        const charts = [...document.querySelectorAll(".stage plotly-chart")]
            .map((chart) => chart.getBoundingClientRect());
        const height = Math.max(...charts.map(({ bottom }) => bottom)) - Math.min(...charts.map(({ top }) => top));
        return [canvas.width / document.querySelector(".scene").clientWidth, canvas.height / height, canvas.ariaHidden];
    }"""
    assert lab.page.evaluate(size) == [pytest.approx(3, abs=0.01), pytest.approx(3, abs=0.01), "true"]
    lab.page.set_viewport_size({"width": 500, "height": 900})
    lab.until(lambda: lab.page.evaluate(size)[0], lambda density: abs(density - 3) < 0.01)
    play_past(lab, 20)
    lab.until(lambda: lab.page.evaluate(INK), bool)


@pytest.mark.parametrize("colours", ["none", "active"])
def test_the_cursors_line_is_on_the_canvas_in_every_panel(open_lab: OpenLab, colours: str) -> None:
    lab = open_lab(drawn=True, forced_colors=colours)
    lab.make_steps(50)
    chart = lab.chart("gradients")
    expect(chart).to_have_attribute("data-last-step", "50")
    chart.focus()
    lab.page.keyboard.press("End")
    lab.until(lambda: lab.page.evaluate(INK), bool)
    columns, brightest = lab.page.evaluate("""() => {
        const canvas = document.querySelector("canvas.live-lines");
        const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const [inked, light] = [new Set(), []];
        for (let at = 0; at < data.length; at += 4) {
            if (data[at + 3] < 200) continue;
            inked.add((at / 4) % width);
            light.push(Math.max(...data.slice(at, at + 3)));
        }
        return [[...inked].filter((x) => !inked.has(x - 1)).length, light.reduce((a, b) => Math.max(a, b), 0)];
    }""")
    assert columns == 3
    assert brightest < 60, "dark on a light page, also with the system's colours"
    lab.page.keyboard.press("Escape")
    lab.until(lambda: lab.page.evaluate(INK), lambda inked: not inked)


# The heading's words and the drawn squares after every frame.
HEADINGS = """(ms) => new Promise((done) => {
    const seen = [];
    const until = performance.now() + ms;
    const look = () => {
        const [head, chart] = ["predicted-true .end", "predicted-true plotly-chart"]
            .map((each) => document.querySelector(each));
        const dots = [...chart.querySelectorAll(".dots")].map((path) => path.getAttribute("d")).join();
        const scores = [...chart.querySelectorAll(".values, .score")].map((each) => each.textContent).join();
        seen.push([head.textContent, `${scores} ${dots}`]);
        if (performance.now() < until) requestAnimationFrame(look);
        else done(seen);
    };
    look();
})"""


def test_the_step_over_the_predictions_is_the_step_of_the_drawn_ones(open_lab: OpenLab) -> None:
    lab = open_lab(drawn=True)
    play_past(lab, 20)
    readings = lab.page.evaluate(HEADINGS, 2500)
    squares_by_head: dict[str, set[str]] = {}
    for head, squares in readings:
        squares_by_head.setdefault(head, set()).add(squares)
    assert len(squares_by_head) >= 4
    assert {head: len(squares) for head, squares in squares_by_head.items() if len(squares) > 1} == {}
