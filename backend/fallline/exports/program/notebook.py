"""The program as `script.py`, and as a Jupyter notebook with an explanation before each cell of code.

Must not know how its lines are made. The notebook has format 4.5:
https://nbformat.readthedocs.io/en/latest/format_description.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from textwrap import fill
from typing import Any

from fallline.exports.program.sections import Program, Section

WIDTH = 100

ONE_THREAD = (
    'os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one thread, as in fallline: the same order of sums'
)


def script(program: Program, about: str, steps: int) -> str:
    """Return the whole file.

    `about` describes the run in paragraphs; `steps` is the default number of steps.
    """
    docstring = "\n\n".join(fill(paragraph, WIDTH) for paragraph in about.split("\n\n"))
    library = "\n".join(f"import {name}" for name in sorted({*program.library, "os", "sys"}))
    imports = f"{library}\nfrom types import SimpleNamespace\n\n{ONE_THREAD}\nimport numpy as np"
    body = "\n\n".join(_text(section) for section in program.sections)
    return f'"""{docstring}\n"""\n{imports}\n\n{body}\n\n{TAIL.format(steps=steps)}'


TAIL = """if __name__ == "__main__":
    for step, loss in train(int(sys.argv[1]) if len(sys.argv) > 1 else {steps}):
        print(step, loss)
"""


def _text(section: Section) -> str:
    title = f"# ---- {section.title} ".ljust(WIDTH, "-")
    story = fill(section.story, WIDTH, initial_indent="# ", subsequent_indent="# ")
    return f"{title}\n{story}\n{section.code}"


COMPARE = """STEPS = {steps}
RECORDED = {{{recorded}}}

print("   step  batch_loss              recorded by fallline    difference")
largest = 0.0
for step, loss in train(STEPS):
    if step in RECORDED:
        recorded = RECORDED[step]
        difference = abs(loss - recorded) / (abs(recorded) or 1.0)
        largest = max(largest, difference)
        print(f"{{step:7,}}  {{loss!r:<22}}  {{recorded!r:<22}}  {{difference:.0e}}")
print("largest relative difference:", largest)"""


def notebook(program: Program, about: str, recipe: str, recorded: Mapping[int, float], steps: int) -> str:
    """Return the whole file.

    `about` and `recipe` are Markdown; `recorded` has losses of the history by step.
    """
    library = "\n".join(f"import {name}" for name in sorted({*program.library, "os"}))
    imports = f"{library}\nfrom types import SimpleNamespace\n\n{ONE_THREAD}\n\nimport numpy as np"
    cells = [_markdown(about), _markdown(recipe), _code(imports)]
    for section in program.sections:
        cells += [_markdown(f"## {section.title}\n\n{section.story}"), _code(section.code)]
    losses = ", ".join(f"{step}: {loss!r}" for step, loss in recorded.items())
    cells += [_markdown(ABOUT_COMPARE), _code(COMPARE.format(steps=steps, recorded=losses))]
    return json.dumps(_document(cells), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


ABOUT_COMPARE = (
    "## The numbers\n\n"
    "This cell makes all steps again and compares some losses with those that fallline recorded. "
    "`for step, loss in train(STEPS)` yields every one."
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
