"""The report as HTML.

Text from outside this module is escaped; the policy allows scripts only by their hashes. Must not know what a report
contains.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from importlib import resources
from typing import Any

from fallline.exports.report.facts import Finding, Table

Style = tuple[str, str]
"""Colour and shape of a run."""

POLICY = (
    "default-src 'none'",
    "img-src data: blob:",
    "font-src data:",
    "style-src 'unsafe-inline'",
    "base-uri 'none'",
    "form-action 'none'",
)
"""The page loads nothing, and runs no script except its own two. Its typeface is in the page."""

FACE = "inter.woff2"


def page(title: str, about: Iterable[str], parts: Iterable[str], plotly: str) -> bytes:
    """Return the whole document.

    `about` are paragraphs of text; `parts` is HTML from the functions below.
    """
    scripts = (plotly, _own("report.js"))
    policy = "; ".join([*POLICY, f"script-src {' '.join(map(_hash, scripts))}"])
    head = (
        '<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_style_sheet()}</style>"
    )
    words = "".join(map(paragraph, about))
    body = f"<header><h1>{escape(title)}</h1>{words}</header><main>{''.join(parts)}</main>"
    run = "".join(f"<script>{script}</script>" for script in scripts)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{body}{run}</body></html>\n'.encode()


def _own(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


@cache
def _style_sheet() -> str:
    """Return the style sheet with its typeface in it, so that a page looks the same on every machine."""
    face = base64.b64encode(resources.files(__package__).joinpath(FACE).read_bytes()).decode()
    return _own("report.css").replace(f'url("{FACE}")', f"url(data:font/woff2;base64,{face})")


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def section(title: str, *content: str) -> str:
    """Return a section with its heading."""
    return f"<section><h2>{escape(title)}</h2>{''.join(content)}</section>"


def paragraph(text: str) -> str:
    """Return a paragraph of text."""
    return f'<p class="soft">{escape(text)}</p>'


def figure(name: str, caption: str, figure: dict[str, Any], height: int) -> str:
    """Return an element for a figure, and the figure as JSON without "<"."""
    data = json.dumps(figure, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    id = f"figure-{escape(name)}"
    element = f'<figure aria-label="{escape(caption)}" data-of="{id}" style="height:{height}px"></figure>'
    return f'{element}<script type="application/json" id="{id}">{data}</script>'


def table(content: Table, styles: Mapping[str, Style]) -> str:
    """Return a table whose first column names the run, with its colour and shape."""
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in content.head)
    rows = "".join(
        f'<tr style="--lane:{styles[lane][0]}" data-shape="{styles[lane][1]}">'
        f'<th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row, lane in zip(content.rows, content.lanes, strict=True)
    )
    caption = f"<caption>{escape(content.caption)}</caption>"
    return (
        f'<div class="wide"><table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def findings(findings: Iterable[Finding]) -> str:
    """Return a list in which problems are marked."""
    items = "".join(
        f'<li data-tone="{each.tone}"><b>{escape(each.title)}</b><br>{escape(each.evidence)}</li>'
        for each in findings
    )
    return f'<ul class="findings">{items}</ul>'


def recipe(recipe: dict[str, Any]) -> str:
    """Return the recipe as indented JSON."""
    return f"<pre>{escape(json.dumps(recipe, indent=2, ensure_ascii=False, allow_nan=False))}</pre>"
