"""Takes the README's moving picture: the running page in a race with an edit, always of the same steps.

python tests/browser/screenshot.py [docs/fallline.webp]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "backend")]

from PIL import Image  # noqa: E402
from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from browser.chromium import launch  # noqa: E402
from browser.dashboard import Dashboard  # noqa: E402
from support.serving import serving  # noqa: E402

PICTURE = ROOT / "docs" / "fallline.webp"
SIZE = (1280, 800)

# GD turns into SGD at the second number: its loss begins to jump, and the charts mark the step. SGD's second layer is
# dead from step 196 on.
BEFORE, AFTER = 320, 480
STRIDE = 16
EDIT = {"batch_size": 1}

FRAME, LAST_FRAME = 100, 2500
"""Milliseconds per frame."""


def race(lab: Dashboard, steps: Sequence[int]) -> Iterator[bytes]:
    """A PNG of the page at each of these steps, so that the picture does not depend on how fast this machine is."""
    lab.page.get_by_role("radiogroup", name="Run shown").get_by_role("radio", name="SGD").click()
    lab.page.mouse.move(0, 0)
    current = 0
    for step in steps:
        if current < BEFORE <= step:
            lab.make_steps(BEFORE - current)
            lab.ask("PATCH", "/runs/gd", EDIT)
            lab.flags.first.wait_for()
            current = BEFORE
        if step > current:
            lab.make_steps(step - current)
            current = step
        _drawn(lab, current)
        yield lab.page.screenshot(animations="disabled", caret="hide")


def _drawn(lab: Dashboard, step: int) -> None:
    """Wait until the drawing of the network and the charts show this step."""
    places = [(lab.page.locator("network-drawing"), "data-step")]
    if step:
        places += [(lab.chart(kind), "data-last-step") for kind in ("loss", "gradients", "scatter")]
    for place, attribute in places:
        lab.until_is(lambda: place.get_attribute(attribute), str(step))  # noqa: B023


def take(browser: Browser, address: str, path: Path, steps: Sequence[int]) -> None:
    """An animated WebP, in the light theme, of the experiment on which the page opens."""
    width, height = SIZE
    context = browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=1,
        color_scheme="light",
        reduced_motion="reduce",
    )
    try:
        lab = Dashboard(context.new_page(), address).open(drawn=True)
        first, *others = [Image.open(BytesIO(png)).convert("RGB") for png in race(lab, steps)]
    finally:
        context.close()
    durations = [FRAME] * len(others) + [LAST_FRAME]
    first.save(
        path, save_all=True, append_images=others, duration=durations, loop=0, quality=50, method=6,
        minimize_size=True,
    )  # fmt: skip


def main(path: Path) -> None:
    with serving() as address, sync_playwright() as playwright:
        browser = launch(playwright.chromium)
        take(browser, address, path, range(0, BEFORE + AFTER + 1, STRIDE))
        browser.close()
    print(f"{path}: {path.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE)
