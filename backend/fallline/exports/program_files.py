"""A run as a program of its own: `script.py`. Must not know how the program's lines are made."""

from __future__ import annotations

from fallline.exports.program.script import script
from fallline.exports.program.sections import program
from fallline.exports.taken import Taken, TakenRun

STEPS_OF_A_NEW_RUN = 100


def script_py(found: Taken) -> bytes:
    """The first of the runs as a program that needs NumPy only."""
    run = found.runs[0]
    made = program(found.recipe, found.problem, run.recipe)
    return script(made, about(found, run), steps_of(run)).encode()


def steps_of(run: TakenRun) -> int:
    """How many steps the program makes: as many as the run has made, for a new one enough to see something."""
    return run.step or STEPS_OF_A_NEW_RUN


def about(found: Taken, run: TakenRun) -> str:
    """The run in words, as paragraphs of plain ASCII: they stand in the program's own quotes."""
    builds = found.builds
    made_by = f"fallline {builds.get('fallline', '?')}, NumPy {builds.get('numpy', '?')}"
    kernel = (
        "NumPy made them there too, so on the same machine they are the same to the last bit."
        if run.kernel == "numpy"
        else f"There the {run.kernel} kernel made them, so they are the same to rounding, which may grow along a run;"
        " they are those of fallline's NumPy kernel to the last bit."
    )
    edits = len(run.recipe.edits)
    edited = f", with {edits} edit{'' if edits == 1 else 's'}" if edits else ""
    return (
        f"The run {run.name} of a fallline experiment, from its first weights to step {run.step:,}{edited}.\n\n"
        f"Prints `step batch_loss`, a line a step: the numbers of the run's history. {kernel}\n\n"
        "Needs NumPy only. Run it with a number to make another number of steps: python script.py 1000\n\n"
        f"Exported by {made_by}."
    )
