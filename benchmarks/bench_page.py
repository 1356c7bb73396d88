"""What the page costs a browser: opening, tasks while two runs stream at 30 frames a second, edits.

    python benchmarks/bench_page.py [--seconds 8] [--rounds 3] [--quick]

Prints one line a figure: what is measured, the figure, and the goal where there is one. Medians over the rounds, each
with a browser profile of its own; the server shares the machine with the browser, as on a laptop.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "backend")]

from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from browser.chromium import launch  # noqa: E402
from browser.dashboard import DESKTOP, Dashboard  # noqa: E402
from support.serving import serving  # noqa: E402

NEXT_FRAME = 17

WATCH_TASKS = """() => {
    window.__tasks = [];
    window.__frames = [];
    new PerformanceObserver((list) => __tasks.push(...list.getEntries().map(({ duration }) => duration)))
        .observe({ type: "longtask" });
    const tick = (now) => (__frames.push(now), requestAnimationFrame(tick));
    requestAnimationFrame(tick);
}"""
TASKS = "() => [__tasks.splice(0), __frames.splice(0)]"

EDIT = """() => {
    const began = performance.now();
    const rule = document.querySelector("race-table tr[data-run=gd] .rule");
    const before = rule.textContent;
    document.querySelector("run-card[data-run=gd] [role=radio][aria-checked=false][data-value]").click();
    return new Promise((told) => requestAnimationFrame(() => setTimeout(() =>
        told(rule.textContent === before ? Infinity : performance.now() - began))));
}"""

OPENING = """() => {
    const resources = performance.getEntriesByType("resource");
    const bytes = (own) => resources.filter(({ name }) => own === !name.includes("plotly.min"))
        .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0) / 1024;
    return { usable: __moments.usable, own: bytes(true), plotly: bytes(false) };
}"""


def line(what: str, figure: str, goal: str = "") -> None:
    print(f"{what:<58} {figure:>22}   {goal}", flush=True)


def streamed(lab: Dashboard, speed: str, seconds: float) -> dict[str, Any]:
    """Long tasks and the spaces between frames while it plays at a speed."""
    slider = lab.page.get_by_role("slider", name="Speed")
    if speed == "max":
        slider.press("End")
    if lab.play.count():
        lab.play.click()
    lab.page.wait_for_timeout(1000)  # what pressing cost is over
    lab.page.evaluate(TASKS)
    lab.page.wait_for_timeout(1000 * seconds)
    tasks, frames = lab.page.evaluate(TASKS)
    gaps = [after - before for before, after in pairwise(frames)]
    return {"tasks": tasks, "gap": statistics.median(gaps), "worst": max(gaps)}


def one_round(browser: Browser, address: str, seconds: float) -> dict[str, Any]:
    width, height = DESKTOP
    context = browser.new_context(viewport={"width": width, "height": height})
    try:
        lab = Dashboard(context.new_page(), address).open("?fps=30", drawn=True)
        found = dict(lab.page.evaluate(OPENING))
        found["drawn"] = lab.page.evaluate("performance.now()")
        lab.page.evaluate(WATCH_TASKS)
        for speed in ("60", "max"):
            for name, value in streamed(lab, speed, seconds).items():
                found[f"{speed} {name}"] = value
        edits = []
        for _ in range(5):
            edits.append(lab.page.evaluate(EDIT))
            lab.page.wait_for_timeout(400)
        found["edit"] = statistics.median(edits)
        return found
    finally:
        context.close()


def report(rounds: list[dict[str, Any]], seconds: float) -> None:
    def median(name: str) -> float:
        return statistics.median(found[name] for found in rounds)

    line("usable after", f"{median('usable'):.0f} ms", "1,000 ms")
    line("charts drawn after", f"{median('drawn'):.0f} ms")
    line("the page's own files, as sent", f"{median('own'):.0f} kB")
    line("Plotly, as sent, once", f"{median('plotly'):.0f} kB")
    for speed in ("60", "max"):
        tasks = [found[f"{speed} tasks"] for found in rounds]
        told = f"at {speed}{' steps/s' if speed == '60' else ''}"
        each = statistics.median(len(found) for found in tasks)
        longest = statistics.median(max(found, default=0) for found in tasks)
        line(f"{told}: tasks over 50 ms in {seconds:g} s", f"{each:g}", "0")
        line(f"{told}: the longest of them", f"{longest:.0f} ms", "none over 50 ms")
        line(f"{told}: between frames, median", f"{median(f'{speed} gap'):.1f} ms", "16.7 ms")
        line(f"{told}: between frames, longest", f"{median(f'{speed} worst'):.0f} ms")
    line("an edit while it plays, seen after", f"{median('edit'):.1f} ms", f"the next frame, {NEXT_FRAME} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round of a quarter of the time")
    asked = parser.parse_args()
    seconds, times = (asked.seconds / 4, 1) if asked.quick else (asked.seconds, asked.rounds)
    with serving() as address, sync_playwright() as playwright:
        browser = launch(playwright)
        rounds = [one_round(browser, address, seconds) for _ in range(times)]
        browser.close()
    report(rounds, seconds)


if __name__ == "__main__":
    main()
