"""Takes the README's picture: the running page after an edit, always at the same steps.

python tests/browser/screenshot.py [docs/dashboard.png]
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "backend")]

from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from browser.chromium import launch  # noqa: E402
from browser.dashboard import DESKTOP, Dashboard  # noqa: E402
from support.serving import serving  # noqa: E402

PICTURE = ROOT / "docs" / "dashboard.png"

# SGD's second layer is dead by then, and no lower rate revives it.
FIRST, SECOND = 420, 864
EDIT = {"learning_rate": 0.02}


def race(lab: Dashboard) -> None:
    """Train step by step, so that the picture does not depend on the machine's speed."""
    lab.page.get_by_role("radiogroup", name="Run shown").get_by_role("radio", name="SGD").click()
    lab.make_steps(FIRST)
    lab.ask("PATCH", "/runs/sgd", EDIT)
    lab.flags.first.wait_for()
    lab.make_steps(SECOND)
    # the drawing of the network and the charts follow a moment later
    for read in (
        lambda: lab.page.locator("network-drawing").get_attribute("data-step"),
        lambda: lab.chart("loss").get_attribute("data-last-step"),
        lambda: lab.chart("gradients").get_attribute("data-last-step"),
        lambda: lab.chart("scatter").get_attribute("data-last-step"),
    ):
        lab.until(read, lambda step: step == str(FIRST + SECOND))
    lab.until(lambda: lab.chart("scatter").get_attribute("data-points"), lambda points: points == "300")
    lab.page.mouse.move(0, 0)


def take(browser: Browser, address: str, path: Path) -> None:
    """Take a picture of 1440 x 900 px, in the light theme, of the page's first experiment."""
    width, height = DESKTOP
    context = browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=1,
        color_scheme="light",
        reduced_motion="reduce",
    )
    try:
        lab = Dashboard(context.new_page(), address).open(drawn=True)
        race(lab)
        path.parent.mkdir(parents=True, exist_ok=True)
        lab.page.screenshot(path=path, animations="disabled", caret="hide")
    finally:
        context.close()


def main(path: Path) -> None:
    with serving() as address, sync_playwright() as playwright:
        browser = launch(playwright)
        take(browser, address, path)
        browser.close()
    print(f"{path}: {path.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE)
