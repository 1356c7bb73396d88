"""The table of exports: name, media type, help and maker of each file.

The function turns plain data (`ExportData`) into the file, whole or in pieces. Must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fallline.exports.data_files import history_csv, history_json, parameters_npz, recipe_json
from fallline.exports.export_data import ExportData
from fallline.exports.program.notebook import LOSSES_READ, notebook_ipynb, script_py
from fallline.exports.report_file import report_html
from fallline.figures.binding import MOST_POINTS


@dataclass(frozen=True, slots=True)
class Export:
    """One file. With `of_first` it contains only the first of several runs.

    It shows these `series` of the histories (None: all), and figures of at most so many `points`. The rest is not
    copied.
    """

    name: str
    media_type: str
    help: str
    make: Callable[[ExportData], bytes | Iterator[bytes]]
    of_first: bool = False
    series: tuple[str, ...] | None = ()
    points: int = 1

    def name_for(self, run: str | None, mark: str = "") -> str:
        """Return the name of the saved file, with the run's name for one run, and a mark.

        Run names are safe in file names.
        """
        return mark + self.name if run is None else f"{run}-{mark}{self.name}"

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "media_type": self.media_type,
            "help": self.help,
            "of_first": self.of_first,
        }


RECIPE = "recipe.json"

DAMAGED = "damaged-"
"""Marks the name of a file with the readable part of a damaged experiment."""

EXPORTS: dict[str, Export] = {
    row.name: row
    for row in (
        Export(
            RECIPE,
            "application/json",
            "all settings and edits; post it to a server to get the same numbers again",
            recipe_json,
        ),
        Export(
            "history.csv",
            "text/csv",
            "all measurements as a table, one line per bucket of steps",
            history_csv,
            series=None,
        ),
        Export(
            "history.json",
            "application/json",
            "all measurements as JSON columns",
            history_json,
            series=None,
        ),
        Export(
            "parameters.npz",
            "application/zip",
            "present weights and biases for numpy.load",
            parameters_npz,
        ),
        Export(
            "report.html",
            "text/html",
            "figures, comparison, findings and recipe on one page of 5 to 9 MB; opens without network or server",
            report_html,
            points=MOST_POINTS,
        ),
        Export(
            "script.py",
            "text/x-python",
            "one run with its edits as a program that needs only NumPy",
            script_py,
            of_first=True,
        ),
        Export(
            "notebook.ipynb",
            "application/x-ipynb+json",
            "one run with its edits as a Jupyter notebook with explanations",
            notebook_ipynb,
            of_first=True,
            series=LOSSES_READ,
        ),
    )
}
