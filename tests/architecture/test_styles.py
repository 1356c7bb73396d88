"""The style sheets have each rule for a part of a control in the selectors of all engines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from hatch_build import sources_of

FRONTEND = Path(__file__).parents[2] / "frontend"

TWINS = {
    "::-webkit-slider-runnable-track": "::-moz-range-track",
    "::-webkit-slider-thumb": "::-moz-range-thumb",
    "::-webkit-progress-value": "::-moz-progress-bar",
}
"""Selectors of WebKit and Chromium, and of Firefox."""

ALONE = {
    "::-webkit-details-marker",  # Firefox uses list-style
    "::-webkit-progress-bar",  # Firefox uses the element's own style
    "::-moz-range-progress",  # WebKit uses the track's background
}

PART = re.compile(r"::-(?:webkit|moz)-[a-z-]+")
SELECTORS = re.compile(r"[^{}]+(?=\{[^{}]*\})")


def of_engines(sheet: str) -> Iterator[str]:
    """Return selectors that name parts, each with its media query."""
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
    """Return rules that an engine drops, because they name a part that it does not know."""
    lists = [selectors.strip() for selectors in SELECTORS.findall(sheet)]
    return [one for one in lists if len({part.split("-")[1] for part in PART.findall(one)}) > 1]


def test_every_part_of_a_control_is_styled_in_all_engines() -> None:
    sheets = [path for path in sources_of(FRONTEND) if path.suffix == ".css"]
    assert len(sheets) > 10
    for sheet in sheets:
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
