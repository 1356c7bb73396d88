"""The README's picture can be taken again, and is not blank."""

from __future__ import annotations

import base64
import struct
from pathlib import Path

from playwright.sync_api import Browser

from browser import screenshot

# In the browser: number of colours, and share of the most frequent.
LOOK = """async (data) => {
    const picture = await createImageBitmap(await (await fetch(data)).blob());
    const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
    canvas.drawImage(picture, 0, 0);
    const pixels = new Uint32Array(canvas.getImageData(0, 0, picture.width, picture.height).data.buffer);
    const counts = new Map();
    for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
    return [counts.size, Math.max(...counts.values()) / pixels.length];
}"""


def size(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def test_the_picture_is_of_the_running_page_and_not_blank(
    chromium: Browser, address: str, tmp_path: Path
) -> None:
    path = tmp_path / "dashboard.png"
    screenshot.take(chromium, address, path)
    assert size(path) == size(screenshot.PICTURE) == (1440, 900)
    page = chromium.new_page()
    for picture in (path, screenshot.PICTURE):
        data = f"data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()}"
        colours, commonest = page.evaluate(LOOK, data)
        assert colours > 500
        assert 0.2 < commonest < 0.9
    page.close()
