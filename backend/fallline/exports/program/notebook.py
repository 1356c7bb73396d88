"""The program as a Jupyter notebook, a cell of story before each of code. Must not know how its lines are made.

Format 4.5: https://nbformat.readthedocs.io/en/latest/format_description.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fallline.exports.program.script import ONE_THREAD
from fallline.exports.program.sections import Program

COMPARE = """STEPS = {steps}
TOLD = {{{told}}}

print("   step  batch_loss              as fallline told it     apart")
apart = 0.0
for step, loss in train(STEPS):
    if step in TOLD:
        there = TOLD[step]
        relative = abs(loss - there) / (abs(there) or 1.0)
        apart = max(apart, relative)
        print(f"{{step:7,}}  {{loss!r:<22}}  {{there!r:<22}}  {{relative:.0e}}")
print("at most apart, relatively:", apart)"""


def notebook(made: Program, about: str, recipe: str, told: Mapping[int, float], steps: int) -> str:
    """The whole file. `about` and `recipe` are Markdown, `told` has losses of the run's history by their steps."""
    library = "\n".join(f"import {name}" for name in sorted({*made.library, "os"}))
    imports = f"{library}\nfrom types import SimpleNamespace\n\n{ONE_THREAD}\n\nimport numpy as np"
    cells = [_markdown(about), _markdown(recipe), _code(imports)]
    for section in made.sections:
        cells += [_markdown(f"## {section.title}\n\n{section.story}"), _code(section.code)]
    kept = ", ".join(f"{step}: {loss!r}" for step, loss in told.items())
    cells += [_markdown(ABOUT_COMPARE), _code(COMPARE.format(steps=steps, told=kept))]
    return json.dumps(_document(cells), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


ABOUT_COMPARE = (
    "## The numbers\n\n"
    "All steps again, from the first parameters on; some of them beside what fallline told of the run. "
    "`for step, loss in train(STEPS)` has every one."
)


def _document(cells: list[dict[str, Any]]) -> dict[str, Any]:
    numbered = [{"id": f"cell-{place}", **cell} for place, cell in enumerate(cells)]
    return {
        "cells": numbered,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(keepends=True)}


def _code(text: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": text.splitlines(keepends=True),
    }
