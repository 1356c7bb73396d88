"""Cost of the page in a browser: opening, drawing two and eight streamed runs, a hidden tab, edits.

python benchmarks/bench_page.py [--seconds 20] [--rounds 1] [--only NAME] [--quick]

Prints one line per figure: its name, its value, and its goal, if any. Every scenario has its own browser profile; the
server shares the machine with the browser, as on a laptop. Other load lengthens tasks, so the load before is printed
first.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "backend")]

from playwright.sync_api import Browser, BrowserContext, sync_playwright  # noqa: E402

from browser.chromium import launch  # noqa: E402
from browser.dashboard import DESKTOP, PHONE, Dashboard  # noqa: E402
from browser.tabs import Kind, new_profile  # noqa: E402
from support.serving import serving  # noqa: E402

NEXT_FRAME = 17
SCREENS = {"desk": DESKTOP, "phone": PHONE}


class Scenario(NamedTuple):
    """A page that plays."""

    screen: str
    speed: float | str
    runs: int = 2
    slowdown: float = 1
    """Chromium makes the page so many times as slow."""


SCENARIOS = {
    "desk, 60 steps/s": Scenario("desk", 60),
    "desk, 60 steps/s, slowed 4x": Scenario("desk", 60, slowdown=4),
    "desk, max": Scenario("desk", "max"),
    "desk, max, slowed 4x": Scenario("desk", "max", slowdown=4),
    "desk, 8 runs": Scenario("desk", "max", runs=8),
    "desk, 8 runs, slowed 4x": Scenario("desk", "max", runs=8, slowdown=4),
    "phone, 60 steps/s": Scenario("phone", 60),
    "phone, max": Scenario("phone", "max"),
}
CHARTS = {"loss": 4, "gradients": 12, "scatter": 4}
"""Draws per second of each chart: the gradients have three plots. On a phone the last is behind a tab."""

# A draw is a timer task that calls Plotly. Counters and the network's drawing are observed. Lines move in a frame with
# a paint of the canvas or a draw of the loss.
WATCH = """() => {
    const seen = { tasks: [], frames: [], draws: [], moves: 0, counter: 0, network: 0 };
    let moved = false;
    const { clearRect } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.clearRect = function (...given) {
        moved ||= this.canvas.matches(".live-lines");
        return clearRect.apply(this, given);
    };
    window.__seen = seen;
    new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map(({ duration }) => duration)))
        .observe({ type: "longtask" });
    const tick = (now) => {
        seen.frames.push(now);
        seen.moves += moved;
        moved = false;
        requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    let drawn = null;
    const { react } = Plotly;
    Plotly.react = (plot, ...given) => {
        drawn = plot.closest("plotly-chart").getAttribute("kind");
        moved ||= drawn === "loss";
        return react.call(Plotly, plot, ...given);
    };
    const { setTimeout } = window;
    window.setTimeout = (run, ...given) => setTimeout(() => {
        drawn = null;
        const began = performance.now();
        run();
        if (drawn) seen.draws.push([drawn, performance.now() - began]);
    }, ...given);
    const watched = { counter: "[data-counter=step]", network: "network-drawing" };
    for (const [name, selector] of Object.entries(watched)) {
        const element = document.querySelector(selector);
        const deep = name === "counter";
        new MutationObserver(() => seen[name]++)
            .observe(element, { childList: true, characterData: true, subtree: deep, attributes: !deep });
    }
}"""
SEEN = """() => {
    const { tasks, frames, draws, moves, counter, network } = __seen;
    Object.assign(__seen, { moves: 0, counter: 0, network: 0 });
    return { tasks: tasks.splice(0), frames: frames.splice(0), draws: draws.splice(0), moves, counter, network };
}"""

HIDE = """(hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
}"""

# From the click to the end of the next frame. The frame is requested first, so the page's timers run later.
EDIT = """() => new Promise((told) => {
    const samples = document.querySelector("run-card[data-run=gd] .why");
    const before = samples.textContent;
    const began = performance.now();
    requestAnimationFrame(() => setTimeout(() =>
        told(samples.textContent === before ? Infinity : performance.now() - began)));
    document.querySelector("run-card[data-run=gd] [role=radio][aria-checked=false][data-value]").click();
})"""

OPENING = """() => {
    const resources = performance.getEntriesByType("resource");
    const bytes = (own) => resources.filter(({ name }) => own === !(name.includes("/plotly-") && name.endsWith(".js")))
        .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0) / 1024;
    return { usable: __moments.usable, own: bytes(true), plotly: bytes(false) };
}"""

Measurements = dict[str, Any]


def line(what: str, figure: str, goal: str = "") -> None:
    print(f"{what:<52} {figure:>30}   {goal}", flush=True)


def share(values: list[float], part: float) -> float:
    """The quantile of the values at `part`."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def visit(browser: Browser, screen: str) -> BrowserContext:
    width, height = SCREENS[screen]
    kind = Kind(is_phone=screen == "phone", plotted=True)
    return new_profile(browser, kind, viewport={"width": width, "height": height})


def watched(lab: Dashboard, seconds: float) -> Measurements:
    lab.page.evaluate(SEEN)
    lab.page.wait_for_timeout(1000 * seconds)
    return dict(lab.page.evaluate(SEEN))


def processor_times(browser: Browser, lab: Dashboard, seconds: float) -> list[float]:
    """Processor time of each task of the page, in ms; other load does not lengthen it."""
    browser.start_tracing(page=lab.page, categories=["toplevel"])
    lab.page.wait_for_timeout(1000 * seconds)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    names = {
        (event["pid"], event["tid"]): event["args"]["name"]
        for event in events
        if event["name"] == "thread_name"
    }
    # a clock read on another core may show more time than has passed
    return [
        min(event["tdur"], event["dur"]) / 1000
        for event in events
        if event["ph"] == "X"
        and "tdur" in event
        and names.get((event["pid"], event["tid"])) == "CrRendererMain"
    ]


def scenario(browser: Browser, address: str, playing: Scenario, seconds: float) -> Measurements:
    """Open and play a page: the cost of opening, and measurements from two seconds on."""
    context = visit(browser, playing.screen)
    try:
        lab = Dashboard(context.new_page(), address).open("?fps=30", drawn=True)
        measurements = dict(lab.page.evaluate(OPENING))
        measurements["drawn"] = lab.page.evaluate("performance.now()")
        for place in range(2, playing.runs):
            lab.ask("POST", "/runs", {"name": f"run-{place}", "learning_rate": 0.02 * place})
        lab.page.evaluate(WATCH)
        devtools = context.new_cdp_session(lab.page)
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": playing.slowdown})
        lab.ask("POST", "/play", {"speed": playing.speed})
        lab.page.wait_for_timeout(2000)
        measurements |= watched(lab, seconds)
        measurements["processor"] = processor_times(browser, lab, seconds / 2)
        title = lab.page.locator("top-bar .connection").get_attribute("title") or ""
        measurements["slow"] = title.startswith("Drawing is slow")
        lab.page.evaluate(HIDE, True)
        lab.page.wait_for_timeout(200)  # pending drawing is done
        measurements["hidden"] = len(watched(lab, min(seconds, 3))["draws"])
        lab.page.evaluate(HIDE, False)
        if playing.screen == "desk" and playing.slowdown == 1:
            measurements["edits"] = [edit(lab) for _ in range(5)]
        lab.ask("POST", "/pause")  # else it would train on beside the next scenario
        return measurements
    finally:
        context.close()


def edit(lab: Dashboard) -> float:
    lab.page.wait_for_timeout(400)
    return float(lab.page.evaluate(EDIT))


def report_opening(rounds: list[Measurements]) -> None:
    def median(name: str) -> float:
        return float(statistics.median(measurements[name] for measurements in rounds))

    line("usable after", f"{median('usable'):.0f} ms", "1,000 ms")
    line("charts drawn after", f"{median('drawn'):.0f} ms")
    line("the page's own files, as sent", f"{median('own'):.0f} kB")
    line("Plotly, as sent, once", f"{median('plotly'):.0f} kB")


def report(name: str, rounds: list[Measurements], seconds: float) -> None:
    def each_second(what: str) -> float:
        return float(statistics.median(measurements[what] for measurements in rounds)) / seconds

    tasks = [task for measurements in rounds for task in measurements["tasks"]]
    longest = f", longest {max(tasks):.0f} ms" if tasks else ""
    line(f"{name}: tasks over 50 ms", f"{len(tasks)} in {seconds * len(rounds):g} s{longest}", "0")
    longest = max(max(measurements["processor"]) for measurements in rounds)
    line(
        f"{name}: longest task by processor time",
        f"{longest:.0f} ms in {seconds / 2 * len(rounds):g} s",
        "50 ms",
    )
    for chart, expected in CHARTS.items():
        took = [took for measurements in rounds for kind, took in measurements["draws"] if kind == chart]
        if not took:
            continue
        figures = " / ".join(f"{share(took, part):.0f}" for part in (0.5, 0.95, 1))
        rate = len(took) / seconds / len(rounds)
        line(
            f"{name}: {chart}, half, 95 %, all within",
            f"{figures} ms",
            f"{rate:.1f} Hz of {expected} Hz",
        )
    gaps = [after - before for measurements in rounds for before, after in pairwise(measurements["frames"])]
    line(
        f"{name}: frames, and those in which lines move",
        f"{1000 / statistics.mean(gaps):.0f} / {each_second('moves'):.0f} Hz",
        "60 / 30 Hz" if SCENARIOS[name].slowdown == 1 else "20 Hz",
    )
    line(
        f"{name}: between frames, median and longest",
        f"{statistics.median(gaps):.1f} / {max(gaps):.0f} ms",
    )
    line(
        f"{name}: counter, network's drawing",
        f"{each_second('counter'):.0f} / {each_second('network'):.1f} Hz",
    )
    if any(measurements["slow"] for measurements in rounds):
        line(f"{name}: charts were drawn less often", "yes", "no")
    line(
        f"{name}: draws of a hidden tab",
        f"{max(measurements['hidden'] for measurements in rounds)}",
        "0",
    )
    if edits := [took for measurements in rounds for took in measurements.get("edits", [])]:
        within = f"the next frame, {NEXT_FRAME} ms"
        line(f"{name}: an edit is seen after", f"{statistics.median(edits):.1f} ms", within)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", default="", help="part of the names of scenarios to measure")
    parser.add_argument("--quick", action="store_true", help="a fifth of the time")
    options = parser.parse_args()
    seconds = options.seconds / 5 if options.quick else options.seconds
    line("load of the machine before", f"{os.getloadavg()[0]:.1f} of {os.cpu_count()}", "0")
    opened: list[Measurements] = []
    with serving() as address, sync_playwright() as playwright:
        browser = launch(playwright.chromium)
        for name, playing in SCENARIOS.items():
            if options.only in name:
                rounds = [scenario(browser, address, playing, seconds) for _ in range(options.rounds)]
                opened += rounds
                report(name, rounds, seconds)
        browser.close()
    if opened:
        report_opening(opened)


if __name__ == "__main__":
    main()
