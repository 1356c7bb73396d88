"""Every line of the engine has words and an equation on the page."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from fallline.runs.instruments.inspection import inspection
from integration.test_page_logic import node
from unit.engine.test_inspection import BODIES, set_up

READER = Path(__file__).parents[1] / "frontend" / "lines-in-words.ts"


def wrong(sheets: list[dict[str, Any]]) -> list[str]:
    result = subprocess.run(
        [node(), str(READER)], input=json.dumps(sheets), capture_output=True, text=True, check=True
    )
    words: list[str] = json.loads(result.stdout)
    return words


def sheets_of(rows: int) -> list[dict[str, Any]]:
    answers = []
    for body in BODIES:
        problem, recipe, state = set_up(body, 9)
        answer = inspection(problem, state, recipe.runs[0], rows, block=2)
        answers.append({"step": state.step, "generation": 0, **answer})
    return answers


def test_every_line_of_every_row_has_words_and_a_drawing() -> None:
    assert wrong(sheets_of(rows=4)) == []


def test_a_line_that_the_page_knows_nothing_of_is_noticed() -> None:
    (sheet,) = sheets_of(rows=1)[:1]
    sheet["lines"][1]["name"] = "another"
    assert any("another" in each for each in wrong([sheet]))
