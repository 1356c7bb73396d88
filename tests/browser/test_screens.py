"""Every screen of the page looks as its stored image. `make images` stores new ones; look at them before a commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PIL import Image, ImageFilter

from browser.dashboard import DESKTOP, PHONE
from browser.likeness import differences, picture_of
from browser.looks import (
    FIRST,
    IMAGES,
    PLAYED,
    ROOT,
    SCREENS,
    SIZES,
    Screen,
    Studio,
    compared,
    shoot,
)

pytestmark = pytest.mark.long
"""Another font rendering or a loaded machine may change a pixel: a person looks at what fails."""

DIFFERING = ROOT / "build" / "screens"
MOST_BYTES = 4_100_000
PATIENCE = (2.0, 8.0)
"""Seconds in which a screen must come to look as it should: on a first page, and on one opened again."""


def show_beside(screen: Screen, image: Image.Image, actual: Image.Image) -> str:
    """Store both pictures and what differs; return the folder."""
    folder = DIFFERING / screen.title
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in (("expected", image), ("actual", actual), ("difference", picture_of(image, actual))):
        picture.save(folder / f"{name}.png")
    return str(folder.relative_to(ROOT))


@pytest.mark.parametrize("title", SCREENS)
def test_a_screen_looks_as_its_image(studio: Studio, title: str) -> None:
    screen = SCREENS[title]
    image = screen.image
    for patience in PATIENCE:
        places, actual = compared(studio, screen, image, patience)
        if not places:
            return
    where = "; ".join(f"x {left} to {right}, y {top} to {bottom}" for left, top, right, bottom in places[:3])
    pytest.fail(
        f"{title} looks different at {len(places)} places, most at {where}.\n"
        f"Look at expected.png, actual.png and difference.png in {show_beside(screen, image, actual)}.\n"
        "If it should look like that: make images, and look at each new image.",
        pytrace=False,
    )


def test_all_screens_have_images_and_each_is_of_its_screen_and_size() -> None:
    paths = [*IMAGES.iterdir()]
    assert {path.stem for path in paths} == {*SCREENS}
    for screen in SCREENS.values():
        assert screen.image.size == screen.size
    assert sum(path.stat().st_size for path in paths) <= MOST_BYTES


@pytest.mark.parametrize("name", ["first", "play", "fall", "fit", "map"])
def test_the_main_screens_have_every_size_of_the_design(name: str) -> None:
    assert {screen.size for screen in SCREENS.values() if screen.name == name} == set(SIZES)


# Changes that a person would notice. Each is a style of the whole page.
FAULTS = {
    "a chart is gone": "plotly-chart[kind=loss] { visibility: hidden; }",
    "a line is gone": "plotly-chart[kind=loss] .trace:first-child { visibility: hidden; }",
    "a rail is shifted": ".rail.inspection { translate: 5px; }",
    "the table is lower": "race-table { translate: 0 4px; }",
    "a colour is another": ":root { --bad: #8A5A00; }",
    "a ground is another": ":root { --rail: #FFFFFF; }",
    "words are pale": ":root { --ink: #5A5F66; }",
    "a label is cut": ".chart-label.end { max-width: 44px !important; overflow: hidden; }",
    "the switch is gone": "run-card [role=radiogroup] { visibility: hidden; }",
    "the chosen method looks like the others": """run-card [role=radio] {
        background: none !important; border-color: transparent !important; box-shadow: none !important;
        font-weight: 400 !important; }""",
    "rules are gone": ":root { --hairline: transparent; }",
    "the typeface is another": ":root { --font: serif; }",
    "words are larger": "doctor-list { font-size: 14px; } doctor-list * { font-size: inherit !important; }",
}

PLANT = """(style) => {
    window.__plant ??= document.adoptedStyleSheets[document.adoptedStyleSheets.push(new CSSStyleSheet()) - 1];
    window.__plant.replaceSync(style);
}"""


def test_the_comparison_notices_planted_faults(studio: Studio) -> None:
    screen = SCREENS["play-1440x900"]
    with studio.show(screen) as lab:
        sound = shoot(lab)
        missed = []
        for fault, style in FAULTS.items():
            lab.page.evaluate(PLANT, style)
            if not differences(sound, shoot(lab)):
                missed.append(fault)
        lab.page.evaluate(PLANT, "")
        assert differences(sound, shoot(lab)) == []
    assert missed == []


def moved(image: Image.Image, right: int, down: int) -> Image.Image:
    """Return the image moved by so many pixels; its first rows and columns stay."""
    other = image.copy()
    other.paste(image, (right, down))
    return other


# Another Chromium or system draws pictures in these ways. A person sees no difference.
HARMLESS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "edges are softer": lambda image: image.filter(ImageFilter.GaussianBlur(0.5)),
    "edges are harder": lambda image: image.filter(ImageFilter.UnsharpMask(1, 40, 0)),
    "all is half a pixel to the right": lambda image: image.transform(
        image.size, Image.Transform.AFFINE, (1, 0, -0.5, 0, 1, 0), Image.Resampling.BILINEAR
    ),
    "all is a pixel lower": lambda image: moved(image, 0, 1),
    "colours are a little darker": lambda image: image.point(lambda level: max(0, level - 3)),
}


@pytest.mark.parametrize("change", HARMLESS)
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_the_comparison_forgives_how_edges_are_drawn(size: tuple[int, int], change: str) -> None:
    image = SCREENS[f"play-{size[0]}x{size[1]}"].image
    changed = HARMLESS[change](image)
    assert changed.tobytes() != image.tobytes()
    assert differences(image, changed) == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_what_moves_by_four_pixels_is_noticed(size: tuple[int, int]) -> None:
    image = SCREENS[f"play-{size[0]}x{size[1]}"].image
    assert len(differences(image, moved(image, 4, 0))) > 10
    assert len(differences(image, moved(image, 0, 4))) > 10


def test_a_page_that_saw_every_step_looks_like_one_opened_at_the_last(studio: Studio) -> None:
    """Labels keep their side, and axes their range, from one drawing to the next. Key 0 starts them anew."""
    screen, image = Screen("first", DESKTOP, replace(FIRST, is_apart=True)), SCREENS["play-1440x900"].image
    with studio.show(screen) as lab:
        for steps in (2, 28, 90, 180):
            lab.make_steps(steps)
            lab.until(
                lambda: lab.chart("loss").get_attribute("data-last-step"), lambda step: step == str(lab.step)
            )
        assert lab.step == PLAYED.steps
        lab.page.keyboard.press("0")
        lab.until(lambda: differences(image, shoot(lab)), lambda places: not places)
