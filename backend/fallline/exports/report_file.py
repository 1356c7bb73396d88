"""The report (`report.html`): its contents and their order. Must not know HTML."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Any

from fallline.engine.measures.probes import evaluate
from fallline.exports.export_data import ExportData
from fallline.exports.report import page
from fallline.exports.report.facts import edits, findings_of, marks, race
from fallline.figures.catalog import figure_json
from fallline.figures.theme import plotly_script, run_style

HEIGHTS = {"loss": 440, "gradients": 300}


def report_html(data: ExportData) -> bytes:
    """Return one page with interactive figures, which opens without network or server."""
    values = {run.name: evaluate(data.problem, run.parameters) for run in data.runs}
    losses = {name: now["train_loss"] for name, now in values.items()}
    figures = {name: figure_json(name, _readable(data)) for name in HEIGHTS}
    styles = {line.lane: _style(line.lane) for line in data.figures.runs}
    changes = edits(data)
    parts = [
        page.section("Race", page.table(race(data, values), styles)),
        page.section(
            "Loss", page.paragraph(LOSS), page.figure("loss", LOSS, figures["loss"], HEIGHTS["loss"])
        ),
        page.section(
            "Gradient",
            page.paragraph(GRADIENT),
            page.figure("gradients", GRADIENT, figures["gradients"], HEIGHTS["gradients"]),
        ),
        page.section("Findings", page.findings(findings_of(data, losses))),
        *([page.section("Edits", page.table(changes, styles))] if changes.rows else []),
        page.section("Recipe", page.paragraph(RECIPE), page.recipe(data.recipe.as_json())),
    ]
    return page.page(_title(data), _about(data), parts, plotly_script())


def _style(lane: str) -> page.Style:
    style = run_style(lane)
    return style["light"]["line"], style["symbol"]


LOSS = (
    "Training loss by step, on a log axis; test loss dashed; the horizontal line is the loss without inputs. Marks are"
    " edits and forks: point at one to see what changed."
)
GRADIENT = "Sum of |gradient| of each layer by step, on a log axis. Bottom band: exactly 0."
RECIPE = "It determines all numbers. Post it to a fallline server to train it again with the same numbers."


def _title(data: ExportData) -> str:
    return f"fallline: {', '.join(run.label for run in data.runs)} on {data.recipe.data.name}"


def _about(data: ExportData) -> list[str]:
    problem, builds = data.problem, data.builds
    layers = " → ".join(str(size) for size in problem.layout.sizes)
    samples = f"{problem.train.count:,} training samples"
    if problem.test is not None:
        samples += f" and {problem.test.count:,} test samples"
    kernels = ", ".join(f"{run.label} by the {run.kernel} kernel" for run in data.runs)
    return [
        f"{samples}; a network of {layers} units, {problem.layout.count:,} parameters; loss {problem.loss.name}.",
        f"Made by fallline {builds.get('fallline', '?')} with NumPy {builds.get('numpy', '?')}: {kernels}.",
    ]


def _readable(data: ExportData) -> Any:
    """Return the runs with their edits, escaped, because Plotly renders some HTML."""
    words_of = marks(data)
    return replace(
        data.figures,
        runs=tuple(
            replace(
                line,
                label=escape(line.label),
                edits=tuple((step, escape(words)) for step, words in words_of[line.name]),
            )
            for line in data.figures.runs
        ),
    )
