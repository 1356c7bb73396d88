"""Accessibility of every state of the page that has an image: axe in both themes and in forced colours."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from browser.looks import SCREENS, Screen, Studio
from browser.test_accessibility import THEMES, Theme, axe, faults, settled

LEAST = 25
"""States that the page must pass, by the names of their screens."""

IS_FORCED = """() => {
    const probe = document.createElement("i");
    document.body.append(probe);
    probe.style.setProperty("color", "CanvasText");
    const { color } = getComputedStyle(probe);
    probe.remove();
    return getComputedStyle(document.body).color === color;
}"""
"""The colours of the system have arrived: axe would measure some of both."""

STATES: dict[str, Screen] = {}
for _screen in SCREENS.values():
    STATES.setdefault(_screen.name, _screen)


def test_there_are_enough_states() -> None:
    assert len(STATES) >= LEAST


@pytest.mark.parametrize("name", STATES)
def test_axe_finds_nothing_in_a_state(studio: Studio, name: str) -> None:
    with studio.show(STATES[name]) as lab:
        # a sheet of paper is light in both
        themes: tuple[Theme, ...] = ("light",) if name == "print" else THEMES
        found = faults(lab, themes=themes, axe_in=themes)
        lab.page.emulate_media(color_scheme="light", forced_colors="active")
        expect(lab.page.locator("html")).to_have_attribute("data-theme", "light")
        lab.until(lambda: lab.page.evaluate(IS_FORCED), bool)
        settled(lab)
        found += [f"forced colours: {fault}" for fault in axe(lab, "html")]
        lab.page.emulate_media(forced_colors="none")
    assert found == []
