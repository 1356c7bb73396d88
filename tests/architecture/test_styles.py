"""The style sheets in all engines: what one is told of a control's parts in its own words is told the others, too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

STYLES = Path(__file__).parents[2] / "frontend" / "styles"

TWINS = {
    "::-webkit-slider-runnable-track": "::-moz-range-track",
    "::-webkit-slider-thumb": "::-moz-range-thumb",
    "::-webkit-progress-value": "::-moz-progress-bar",
}
"""WebKit's and Chromium's word, and Firefox's."""

ALONE = {
    "::-webkit-details-marker",  # Firefox hears list-style
    "::-webkit-progress-bar",  # what Firefox takes from the element itself
    "::-moz-range-progress",  # WebKit has it in the track's background
}

PART = re.compile(r"::-(?:webkit|moz)-[a-z-]+")
SELECTORS = re.compile(r"[^{}]+(?=\{[^{}]*\})")


def of_engines(sheet: str) -> Iterator[str]:
    """Selectors that name parts, each with the query in which it stands."""
    plain = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    query = ""
    depth = 0
    for piece in re.split(r"(?<=[{}])", plain):
        words = piece.strip(" \n{}")
        if piece.endswith("{") and words.startswith("@"):
            query = words
        elif piece.endswith("{"):
            yield from (f"{query} {each.strip()}" for each in words.split(",") if PART.search(each))
        depth += piece.endswith("{") - piece.endswith("}")
        query = query if depth else ""


def without_twin(sheet: str) -> list[str]:
    selectors = set(of_engines(sheet))
    missing = []
    for selector in selectors:
        [part] = PART.findall(selector)
        twin = {**TWINS, **{b: a for a, b in TWINS.items()}}.get(
            part, None if part in ALONE else "::unheard-of"
        )
        if twin and selector.replace(part, twin) not in selectors:
            missing.append(selector)
    return sorted(missing)


def mixed(sheet: str) -> list[str]:
    """Rules in which one engine finds a part that it does not know: it drops them whole."""
    lists = [selectors.strip() for selectors in SELECTORS.findall(sheet)]
    return [one for one in lists if len({part.split("-")[1] for part in PART.findall(one)}) > 1]


def test_every_part_of_a_control_is_styled_in_all_engines() -> None:
    for sheet in STYLES.glob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert without_twin(text) == [], sheet.name
        assert mixed(text) == [], sheet.name


def test_a_rule_for_one_engine_only_is_found() -> None:
    thumb = "a::-webkit-slider-thumb { width: 1px } "
    other = "a::-moz-range-thumb { width: 1px } "
    assert without_twin(thumb + other) == []
    assert without_twin(thumb) == [" a::-webkit-slider-thumb"]
    assert without_twin(f"{thumb + other}@media (x) {{ {thumb}}}") == ["@media (x) a::-webkit-slider-thumb"]
    assert without_twin(f"{thumb}@media (x) {{ b {{ width: 1px }} }} {other}") == []
    assert mixed("a::-webkit-slider-thumb, a::-moz-range-thumb { width: 1px }") != []
    assert without_twin("a::-moz-focus-inner { border: 0 }") == [" a::-moz-focus-inner"]
