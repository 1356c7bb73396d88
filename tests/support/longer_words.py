"""A pseudo-translation of the page: every text 40 % longer, with accents, between « and »."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.page import ROOT, page_built
from support.serving import open_program

ENGLISH = ROOT / "frontend" / "words" / "english.ts"
SHARE = 0.4
"""More letters, as a share of a text's letters."""

# Comments and patterns stay; so does a key of an object, which a colon follows.
TOKEN = re.compile(
    r"""(?P<stays>//[^\n]*|/\*.*?\*/|/(?![*/ ])(?:\\.|\[[^\]]*\]|[^/\\\n\[])+/[a-z]*|"[^"]*":)"""
    r"""|(?P<string>"(?:[^"\\]|\\.)*")|(?P<template>`(?:[^`\\]|\\.)*`)""",
    re.DOTALL,
)
STAYS = re.compile(r"(language = |NumberFormat\(|replaceAll\()$")
"""In front of a string that is no text."""

HOLE = re.compile(r"\$\{[^{}]*\}")
# Holes of Plotly, tags, escapes, and words for programs: clip_norm, --host, .npz, dW.
WORD = re.compile(r"%\{[^}]*\}|<[^>]*>|\\u\w{4}|\\.|(?P<word>(?<![\w.#])(?<!--)[A-Za-z][a-z]*(?![\w(]))")
ACCENTS = str.maketrans("aeiouyAEIOUY", "àéïôüÿÀÉÏÔÜÝ")
FILLING = "ö"


class _Growth:
    """Makes words longer, by `SHARE` of all letters so far."""

    def __init__(self) -> None:
        self._owed = 0.0

    def grown(self, text: str) -> str:
        return WORD.sub(self._longer, text)

    def _longer(self, match: re.Match[str]) -> str:
        word = match["word"]
        if not word or (len(word) == 1 and word not in "aA"):
            return match[0]
        self._owed += SHARE * len(word)
        more = int(self._owed + 0.999)
        self._owed -= more
        return word.translate(ACCENTS) + FILLING * more


def _between(text: str) -> str:
    """Put a text between « and ». Space at its ends belongs to the sentence around it."""
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    return f"{text[:start]}«{text[start:end]}»{text[end:]}" if start < end else text


def _of_template(text: str, growth: _Growth) -> str:
    """Leave what stands in holes, except texts of their own: `${count === 1 ? "is" : "are"}`."""
    done, pieces = 0, []
    for hole in HOLE.finditer(text):
        pieces.append(growth.grown(text[done : hole.start()]))
        pieces.append(re.sub(r'(?<!=== )"[^"]+"', lambda each: growth.grown(each[0]), hole[0]))
        done = hole.end()
    return "".join([*pieces, growth.grown(text[done:])])


def longer(source: str) -> str:
    """Return the file of texts in this pseudo-language: with the same names, functions and holes."""

    def translated(match: re.Match[str]) -> str:
        if match["stays"] or STAYS.search(source, 0, match.start()):
            return match[0]
        quote, text = match[0][0], match[0][1:-1]
        growth = _Growth()
        if re.search(r"formulaOf\w+ =\s*$", source[: match.start()]) and "#" in text:
            # code stays, except for its comments
            translation = re.sub(
                r"(# *)([^\\]+)", lambda part: part[1] + _between(growth.grown(part[2])), text
            )
        else:
            translation = growth.grown(text) if match["string"] else _of_template(text, growth)
            translation = translation if translation == text else _between(translation)
        return f"{quote}{translation}{quote}"

    return TOKEN.sub(translated, source)


PROGRAM = """
import sys
from pathlib import Path
from fallline import bootstrap, cli
from fallline.web.pages import Pages
bootstrap.installed_pages = lambda: Pages(Path({page!r}))
sys.exit(cli.main())
"""


@contextmanager
def translated_server(folder: Path) -> Iterator[str]:
    """Build the page with longer words and serve it. Yields its address without a final slash."""
    page_built()  # it installs what a build needs
    words, page = folder / "longer.ts", folder / "page"
    words.write_text(longer(ENGLISH.read_text()))
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    node = shutil.which("node", path=path)
    assert node
    subprocess.run(
        [node, "build.mjs", "--words", str(words), "--out", str(page)],
        cwd=ROOT / "frontend",
        env={**os.environ, "PATH": path},
        check=True,
    )
    with open_program(("-c", PROGRAM.format(page=str(page)))) as server:
        yield server.url.rstrip("/")
