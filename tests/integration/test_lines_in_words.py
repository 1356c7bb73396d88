"""Every line that the engine may write has words and an equation on the page."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from fallline.runs.instruments.inspection import inspection
from integration.test_page_logic import node
from unit.engine.test_inspection import BODIES, set_up

READER = Path(__file__).parents[1] / "frontend" / "lines-in-words.mjs"


def wrong(sheets: list[dict[str, Any]]) -> list[str]:
    told = subprocess.run(
        [node(), str(READER)], input=json.dumps(sheets), capture_output=True, text=True, check=True
    )
    found: list[str] = json.loads(told.stdout)
    return found


def sheets_of(rows: int) -> list[dict[str, Any]]:
    made = []
    for body in BODIES:
        problem, recipe, state = set_up(body, 9)
        told = inspection(problem, state, recipe.runs[0], rows, block=2)
        made.append({"step": state.step, "generation": 0, **told})
    return made


def test_every_line_of_every_row_of_the_tables_is_told_in_words_and_drawn() -> None:
    assert wrong(sheets_of(rows=4)) == []


def test_a_line_that_the_page_knows_nothing_of_is_noticed() -> None:
    (sheet,) = sheets_of(rows=1)[:1]
    sheet["lines"][1]["name"] = "another"
    assert any("another" in each for each in wrong([sheet]))
