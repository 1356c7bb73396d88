"""A run as a program of its own: `script.py` and `notebook.ipynb`. Must not know how the program's lines are made."""

from __future__ import annotations

import json

import numpy as np

from fallline.exports.program.notebook import notebook
from fallline.exports.program.script import script
from fallline.exports.program.sections import program
from fallline.exports.taken import Taken, TakenRun

STEPS_OF_A_NEW_RUN = 100
LOSSES_TOLD = 12
"""So many losses of the run stand in a notebook, to be compared."""


def script_py(found: Taken) -> bytes:
    """The first of the runs as a program that needs NumPy only."""
    run = found.runs[0]
    made = program(found.recipe, found.problem, run.recipe)
    how = "Needs NumPy only. `python script.py 1000` makes another number of steps."
    words = "\n\n".join(
        [
            _what(run),
            f"Prints `step batch_loss`, a line a step: the numbers of the run's history. {_promise(run)}",
            f"{how} {_made_by(found)}",
        ]
    )
    return script(made, words, steps_of(run)).encode()


def notebook_ipynb(found: Taken) -> bytes:
    """The same as cells to be executed from top to bottom, with the story between them."""
    run = found.runs[0]
    made = program(found.recipe, found.problem, run.recipe)
    how = "Execute the cells from top to bottom; they need NumPy only, and the last one makes all steps."
    words = f"# The run `{run.name}`\n\n{_what(run)} {how}\n\n"
    words += f"Its losses are the numbers of the run's history. {_promise(run)}\n\n{_made_by(found)}"
    return notebook(made, words, _recipe_in_words(found), _told(run), steps_of(run)).encode()


def steps_of(run: TakenRun) -> int:
    """How many steps the program makes: as many as the run has made, for a new one enough to see something."""
    return run.step or STEPS_OF_A_NEW_RUN


# Words are plain ASCII without anything that people typed: they stand in the program's own quotes.


def _what(run: TakenRun) -> str:
    edits = len(run.recipe.edits)
    edited = f", with {edits} edit{'' if edits == 1 else 's'}" if edits else ""
    return (
        f"The run {run.name} of a fallline experiment, from its first weights to step {run.step:,}{edited}."
    )


def _promise(run: TakenRun) -> str:
    """What may be expected of the numbers."""
    if run.kernel == "numpy":
        return "NumPy made them there too, so on the same machine they are the same to the last bit."
    return (
        f"There the {run.kernel} kernel made them, so they are the same to rounding, which may grow along a run;"
        " they are those of fallline's NumPy kernel to the last bit."
    )


def _made_by(found: Taken) -> str:
    builds = found.builds
    return f"Exported by fallline {builds.get('fallline', '?')}, NumPy {builds.get('numpy', '?')}."


def _recipe_in_words(found: Taken) -> str:
    """What determines the run, as Markdown: the edits as a table, and the recipe for a server."""
    recipe = found.recipe.model_copy(update={"runs": [found.runs[0].recipe]}).as_json()
    changes = [_change(**edit) for edit in recipe["runs"][0]["edits"]]
    table = (
        ["| from step | changed while it was training |", "| --: | :-- |", *changes, ""] if changes else []
    )
    lines = [
        "## The recipe",
        "",
        "It determines everything: posted to a fallline server it is trained there again.",
        "",
        *table,
        "```json",
        _harmless(json.dumps(recipe, indent=1, ensure_ascii=True, allow_nan=False)),
        "```",
    ]
    return "\n".join(lines)


def _change(at_step: int, **settings: object) -> str:
    told = ", ".join(f"`{name}` {_harmless(json.dumps(value))}" for name, value in settings.items())
    return f"| {at_step:,} | {told} |"


def _harmless(text: str) -> str:
    """JSON that says the same and is no Markdown or HTML, whatever people typed: labels, names of columns."""
    return "".join(f"\\u{ord(letter):04x}" if letter in "<>&`|" else letter for letter in text)


def _told(run: TakenRun) -> dict[int, float]:
    """Some losses that the history has, the first and the last among them, by step."""
    losses = run.history.select(["batch_loss"])
    count = len(losses)
    places: list[int] = (
        np.linspace(0, max(count - 1, 0), min(LOSSES_TOLD, count)).round().astype(int).tolist()
    )
    return {int(losses.last[place]): float(losses.final[0, place]) for place in places}
