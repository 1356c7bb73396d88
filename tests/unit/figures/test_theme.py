"""The colours of the chart template equal the page's tokens."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest

from fallline.figures.theme import spec

TOKENS = Path(__file__).parents[3] / "frontend" / "ui" / "tokens.css"
THEMES = {"light": ":root", "dark": '[data-theme="dark"]'}


def tokens(theme: str) -> dict[str, str]:
    """Return names and values of the first block of a theme."""
    text = re.sub(r"/\*.*?\*/", "", TOKENS.read_text("utf-8"), flags=re.DOTALL)
    start = text.index(f"{THEMES[theme]} {{")
    block = text[start : text.index("\n}", start)]
    return {name: value.strip() for name, value in re.findall(r"--([\w-]+):\s*([^;]+);", block)}


def alike(css: str) -> str:
    """Convert `rgb(0 103 168 / .17)` to the form of the template."""
    match = re.fullmatch(r"rgb\((\d+) (\d+) (\d+) / (\.\d+)\)", css)
    return css if match is None else "rgba({}, {}, {}, {})".format(*match.groups()[:3], float(match[4]))


@pytest.mark.parametrize("theme", THEMES)
def test_the_colours_of_runs_are_the_tokens(theme: str) -> None:
    css = tokens(theme)
    for lane in spec()["fallline"]["lanes"]:
        name = f"lane-{lane['id']}"
        assert lane[theme] == {
            "line": css[name],
            "text": css[f"{name}-text"],
            "band": alike(css[f"{name}-band"]),
        }
    assert spec()[theme]["layout"]["colorway"] == [css[f"lane-{lane}"] for lane in "abcdefgh"]


@pytest.mark.parametrize("theme", THEMES)
def test_surfaces_signs_and_baseline_are_the_tokens(theme: str) -> None:
    css, extras = tokens(theme), spec()["fallline"]
    assert extras["surfaces"][theme] == {name: css[name] for name in extras["surfaces"][theme]}
    assert extras["sign"][theme] == {"pos": css["pos"], "neg": css["neg"], "zero": css["paper"]}
    assert extras["sides"][theme] == [css["side-1"], css["side-2"]]
    first, second, *others = (css[f"class-{place}"] for place in range(1, 7))
    assert (first, second) == ("var(--neg)", "var(--pos)")
    assert extras["classes"][theme] == [css["neg"], css["pos"], *others]
    assert extras["baseline"][theme] == css["baseline"]
    assert extras["zero_shelf"][theme] == css["rail"]


@pytest.mark.parametrize("theme", THEMES)
def test_paper_ink_and_grid_of_charts_are_the_tokens(theme: str) -> None:
    css, layout = tokens(theme), spec()[theme]["layout"]
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == css["paper"]
    assert layout["font"]["color"] == css["ink-2"]
    for axis in (layout["xaxis"], layout["yaxis"]):
        assert (axis["gridcolor"], axis["linecolor"]) == (css["grid"], css["ctl"])
        assert axis["tickfont"]["color"] == css["ink-3"]


def test_measures_that_charts_and_page_share_are_the_tokens() -> None:
    css, margin = tokens("light"), spec()["light"]["layout"]["margin"]
    assert (css["plot-l"], css["plot-r"]) == (f"{margin['l']}px", f"{margin['r']}px")


def families(value: str) -> list[str]:
    return [name.strip(" \"'") for name in value.split(",")]


def test_words_of_page_charts_and_reports_are_in_the_same_face() -> None:
    """Only the page also names a fallback font."""
    page = families(tokens("light")["font"])
    page.remove("Before Inter")
    assert page[0] == "Inter"
    for theme in THEMES:
        assert families(spec()[theme]["layout"]["font"]["family"]) == page
    report = (resources.files("fallline.exports.report") / "report.css").read_text("utf-8")
    [body] = re.findall(r"font: 15px/1.5 ([^;]+);", report)
    assert families(body) == page


def test_a_colour_that_differs_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(spec()["fallline"]["lanes"][0]["light"], "line", "#0067A9")
    with pytest.raises(AssertionError):
        test_the_colours_of_runs_are_the_tokens("light")
