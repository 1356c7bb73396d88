"""The report (`report.html`): what is in it, and in which order. Must not know HTML."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Any

from fallline.engine.evaluation import evaluate
from fallline.exports.report import page
from fallline.exports.report.facts import edits, marks, race
from fallline.exports.report.findings import findings_of
from fallline.exports.taken import Taken
from fallline.figures import figure_json, lane_looks, plotly_script

HEIGHTS = {"loss": 440, "gradients": 300}


def report_html(found: Taken) -> bytes:
    """One page with figures that can be zoomed, opened without network or server."""
    values = {run.name: evaluate(found.problem, run.parameters) for run in found.runs}
    losses = {name: now["train_loss"] for name, now in values.items()}
    figures = {name: figure_json(name, _readable(found)) for name in HEIGHTS}
    looks = lane_looks()
    changed = edits(found)
    parts = [
        page.section("Race", page.table(race(found, values), looks)),
        page.section(
            "Loss", page.paragraph(LOSS), page.figure("loss", LOSS, figures["loss"], HEIGHTS["loss"])
        ),
        page.section(
            "Gradient",
            page.paragraph(GRADIENT),
            page.figure("gradients", GRADIENT, figures["gradients"], HEIGHTS["gradients"]),
        ),
        page.section("Findings", page.findings(findings_of(found, losses))),
        *([page.section("Edits", page.table(changed, looks))] if changed.rows else []),
        page.section("Recipe", page.paragraph(RECIPE), page.recipe(found.recipe.as_json())),
    ]
    return page.page(_title(found), _about(found), parts, plotly_script())


LOSS = (
    "Training loss of every run by step, on a log axis, test loss dashed, beside that of who knows no inputs. Marks are"
    " edits and forks: pointed at, they say what was changed."
)
GRADIENT = (
    "Sum of the sizes of each layer's gradient, by step, on a log axis; the shelf at the bottom is exactly 0."
)
RECIPE = (
    "It determines everything: posted to a fallline server it is trained there again, with the same numbers."
)


def _title(found: Taken) -> str:
    return f"fallline: {', '.join(run.label for run in found.runs)} on {found.recipe.data.name}"


def _about(found: Taken) -> list[str]:
    problem, builds = found.problem, found.builds
    layers = " → ".join(str(size) for size in problem.layout.sizes)
    samples = f"{problem.train.count:,} training samples"
    if problem.test is not None:
        samples += f" and {problem.test.count:,} test samples"
    kernels = ", ".join(f"{run.label} by the {run.kernel} kernel" for run in found.runs)
    return [
        f"{samples}; a network of {layers} units, {problem.layout.count:,} parameters; loss {problem.loss.name}.",
        f"Made by fallline {builds.get('fallline', '?')} with NumPy {builds.get('numpy', '?')}: {kernels}.",
    ]


def _readable(found: Taken) -> Any:
    """The runs with their edits. Plotly reads a little HTML: what people typed is to be seen as they typed it."""
    told = marks(found)
    return replace(
        found.figures,
        runs=tuple(
            replace(
                line,
                label=escape(line.label),
                edits=tuple((step, escape(words)) for step, words in told[line.name]),
            )
            for line in found.figures.runs
        ),
    )
