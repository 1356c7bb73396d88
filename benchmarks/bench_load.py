"""The cost of a first visit over a slow line: 150 ms and 5 Mbit/s, as Chromium emulates them.

    python benchmarks/bench_load.py [--visits 7] [--quick]

Prints one line a figure: the measurement, the median of the visits, and its bound. Ends with status 1 where a
figure is above its bound. A visit has a browser profile of its own and ends when both charts stand. Times depend on
the machine, too: the load it had before is printed first.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "backend")]

from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from browser.chromium import launch  # noqa: E402
from browser.dashboard import DESKTOP, Dashboard  # noqa: E402
from browser.tabs import Kind, new_profile  # noqa: E402
from support.page import page_built  # noqa: E402
from support.serving import serving  # noqa: E402

LATENCY_MS = 150
BYTES_PER_SECOND = 5_000_000 / 8

BOUNDS = {"requests": 15, "kB": 650, "s until Play can be pressed": 1.5, "s until a chart stands": 2.5}

DRAWN = """
new MutationObserver(() => {
    if (document.querySelector("plotly-chart[data-state=drawn]")) window.__moments.drawn ??= performance.now();
}).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-state"] });
"""

Figures = dict[str, float]


def visit(browser: Browser, address: str) -> Figures:
    """The figures of `BOUNDS` for one visit. The socket counts as a request."""
    context = new_profile(
        browser, Kind(is_phone=False, plotted=True), viewport={"width": DESKTOP[0], "height": DESKTOP[1]}
    )
    try:
        context.add_init_script(DRAWN)
        page = context.new_page()
        requests: list[str] = []
        sizes: list[float] = []
        session = context.new_cdp_session(page)
        session.on("Network.requestWillBeSent", lambda event: requests.append(event["request"]["url"]))
        session.on("Network.webSocketCreated", lambda event: requests.append(event["url"]))
        session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        session.send("Network.enable")
        line: dict[str, Any] = {"offline": False, "latency": LATENCY_MS}
        line |= {"downloadThroughput": BYTES_PER_SECOND, "uploadThroughput": BYTES_PER_SECOND}
        session.send("Network.emulateNetworkConditions", line)
        lab = Dashboard(page, address).open(drawn=True)
        moments = lab.page.evaluate("__moments")
    finally:
        context.close()
    figures = (len(requests), sum(sizes) / 1000, moments["usable"] / 1000, moments["drawn"] / 1000)
    return dict(zip(BOUNDS, figures, strict=True))


def report(visits: list[Figures]) -> bool:
    """Print the medians; whether all are within their bounds."""
    medians = {name: statistics.median(figures[name] for figures in visits) for name in BOUNDS}
    for name, bound in BOUNDS.items():
        digits = 2 if name.startswith("s ") else 0
        verdict = "" if medians[name] <= bound else "   **above**"
        print(f"{name:<40} {medians[name]:>10,.{digits}f}   at most {bound}{verdict}", flush=True)
    return all(medians[name] <= bound for name, bound in BOUNDS.items())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="three visits")
    chosen = parser.parse_args()
    page_built()
    print(f"load of the machine before: {os.getloadavg()[0]:.1f} of {os.cpu_count()}", flush=True)
    with serving() as address, sync_playwright() as playwright:
        browser = launch(playwright.chromium)
        visits = [visit(browser, address) for _ in range(3 if chosen.quick else chosen.visits)]
        browser.close()
    return 0 if report(visits) else 1


if __name__ == "__main__":
    sys.exit(main())
