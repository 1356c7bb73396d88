"""A run as a program: `script.py`, and a Jupyter notebook with an explanation before each cell of code.

Must not know how the program's lines are made. The notebook has format 4.5:
https://nbformat.readthedocs.io/en/latest/format_description.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from textwrap import fill
from typing import Any

import numpy as np

from fallline.exports.export_data import ExportData, ExportRun
from fallline.exports.program.sections import Program, Section, program

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


TRAIN = """STEPS = {steps}

print("   step  batch_loss")
for step, loss in train(STEPS):
    if step % 10 == 0:
        print(f"{{step:7,}}  {{loss!r}}")"""
"""For a new run, with which nothing can be compared."""


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
    about_losses, code = (ABOUT_COMPARE, COMPARE) if recorded else (ABOUT_TRAIN, TRAIN)
    cells += [_markdown(about_losses), _code(code.format(steps=steps, recorded=losses))]
    return json.dumps(_document(cells), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


ABOUT_COMPARE = (
    "## The numbers\n\n"
    "This cell makes all steps again and compares some losses with fallline's record. "
    "`for step, loss in train(STEPS)` yields every one."
)

ABOUT_TRAIN = (
    "## The numbers\n\n"
    "The run had made no steps, so there is nothing to compare. This cell makes its first ones. "
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


# ---------------------------------------------------------------------- files

STEPS_OF_A_NEW_RUN = 100
LOSSES_TO_COMPARE = 12
"""Losses of the run that a notebook contains for comparison."""
LOSSES_READ = ("batch_loss",)
"""The series that they are in."""


def script_py(data: ExportData) -> bytes:
    """Return the first run as a program that needs only NumPy."""
    run = data.runs[0]
    result = program(data.recipe, data.problem, run.recipe)
    how = "It needs only NumPy. `python script.py 1000` makes another number of steps."
    words = "\n\n".join(
        [
            _title(run),
            f"Prints `step batch_loss`, one line per step: the numbers of the run's history. {_promise(run)}",
            f"{how} {_version(data)}",
        ]
    )
    return script(result, words, steps_of(run)).encode()


def notebook_ipynb(data: ExportData) -> bytes:
    """Return the first run as a notebook with explanations between the cells."""
    run = data.runs[0]
    result = program(data.recipe, data.problem, run.recipe)
    how = "Run the cells from top to bottom. They need only NumPy, and the last one makes all steps."
    words = f"# The run `{run.name}`\n\n{_title(run)} {how}\n\n"
    words += f"Its losses are the numbers of the run's history. {_promise(run)}\n\n{_version(data)}"
    return notebook(result, words, _recipe_in_words(data), _recorded(run), steps_of(run)).encode()


def steps_of(run: ExportRun) -> int:
    """Return how many steps the program makes: as the run, or some if it is new."""
    return run.step or STEPS_OF_A_NEW_RUN


# These texts are plain ASCII without user input, because they stand within quotes of the program.


def _title(run: ExportRun) -> str:
    edits = len(run.recipe.edits)
    edited = f", with {edits} edit{'' if edits == 1 else 's'}" if edits else ""
    new = "" if run.step else ": it had made none"
    steps = f"from its first weights to step {steps_of(run):,}{edited}{new}"
    return f"The run {run.name} of a fallline experiment, {steps}."


def _promise(run: ExportRun) -> str:
    """Say how exactly the program repeats the numbers."""
    if run.kernel == "numpy":
        return "The run used NumPy too, so on the same machine they are equal to the last bit."
    return (
        f"The run used the {run.kernel} kernel, so they are equal up to rounding, which may grow along a run."
        " fallline's NumPy kernel has the same ones to the last bit."
    )


def _version(data: ExportData) -> str:
    builds = data.builds
    return f"Exported by fallline {builds.get('fallline', '?')}, NumPy {builds.get('numpy', '?')}."


def _recipe_in_words(data: ExportData) -> str:
    """Return the recipe as Markdown: a table of edits, and JSON for a server."""
    recipe = data.recipe.model_copy(update={"runs": [data.runs[0].recipe]}).as_json()
    changes = [_change(**edit) for edit in recipe["runs"][0]["edits"]]
    table = ["| from step | live edit |", "| --: | :-- |", *changes, ""] if changes else []
    lines = [
        "## The recipe",
        "",
        "It determines all numbers. Post it to a fallline server to train it again.",
        "",
        *table,
        "```json",
        _harmless(json.dumps(recipe, indent=1, ensure_ascii=True, allow_nan=False)),
        "```",
    ]
    return "\n".join(lines)


def _change(at_step: int, **settings: object) -> str:
    words = ", ".join(f"`{name}` {_harmless(json.dumps(value))}" for name, value in settings.items())
    return f"| {at_step:,} | {words} |"


def _harmless(text: str) -> str:
    """Escape JSON so that labels and column names contain no Markdown or HTML."""
    return "".join(f"\\u{ord(letter):04x}" if letter in "<>&`|" else letter for letter in text)


def _recorded(run: ExportRun) -> dict[int, float]:
    """Return some losses of the history by step, including the first and the last."""
    losses = run.history.select(LOSSES_READ)
    count = len(losses)
    places: list[int] = (
        np.linspace(0, max(count - 1, 0), min(LOSSES_TO_COMPARE, count)).round().astype(int).tolist()
    )
    return {int(losses.last[place]): float(losses.final[0, place]) for place in places}
