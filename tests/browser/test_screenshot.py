"""The README's moving picture can be taken again, and shows something."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageSequence
from playwright.sync_api import Browser

from browser import screenshot

MOST_BYTES = 1_500_000


def look(frame: Image.Image) -> tuple[int, float]:
    """How many colours a frame has, and the share of the commonest."""
    colours = frame.convert("RGB").getcolors(maxcolors=1 << 24)
    assert colours
    counts = [count for count, _ in colours]
    return len(counts), max(counts) / sum(counts)


def assert_shows_a_race(path: Path, frames: int) -> None:
    with Image.open(path) as picture:
        assert picture.format == "WEBP"
        assert picture.size == screenshot.SIZE
        pictures = [frame.copy() for frame in ImageSequence.Iterator(picture)]
    assert len(pictures) >= frames
    for frame in pictures:
        colours, commonest = look(frame)
        assert colours > 500
        assert 0.2 < commonest < 0.9
    assert pictures[0].tobytes() != pictures[-1].tobytes()


def test_the_picture_is_of_the_running_page_and_moves(
    chromium: Browser, address: str, tmp_path: Path
) -> None:
    path = tmp_path / "fallline.webp"
    screenshot.take(chromium, address, path, (0, 16, screenshot.BEFORE + 16))
    assert_shows_a_race(path, frames=3)


def test_the_picture_of_the_readme_is_an_animation_of_modest_size() -> None:
    assert_shows_a_race(screenshot.PICTURE, frames=40)
    assert screenshot.PICTURE.stat().st_size <= MOST_BYTES
