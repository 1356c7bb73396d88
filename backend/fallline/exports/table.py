"""The table of exports: a file name, what the file is, and the function that makes it.

A row's function gets plain data (`Taken`) and gives the file, at once or in pieces. Must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fallline.exports.history_files import history_csv, history_json
from fallline.exports.parameter_files import parameters_npz
from fallline.exports.program_files import notebook_ipynb, script_py
from fallline.exports.recipe_file import recipe_json
from fallline.exports.report_file import report_html
from fallline.exports.taken import Taken


@dataclass(frozen=True, slots=True)
class Export:
    """One file. `of_first` says that of several runs it tells the first only."""

    name: str
    media_type: str
    help: str
    make: Callable[[Taken], bytes | Iterator[bytes]]
    of_first: bool = False

    def name_for(self, run: str | None) -> str:
        """What the file is called when it is saved; of one run with that run's name, which is safe in file names."""
        return self.name if run is None else f"{run}-{self.name}"

    def as_json(self) -> dict[str, Any]:
        """As the catalog tells it."""
        return {
            "name": self.name,
            "media_type": self.media_type,
            "help": self.help,
            "of_first": self.of_first,
        }


RECIPE = "recipe.json"

EXPORTS: dict[str, Export] = {
    row.name: row
    for row in (
        Export(
            RECIPE,
            "application/json",
            "everything that determines the experiment; post it to get the same numbers again",
            recipe_json,
        ),
        Export(
            "history.csv", "text/csv", "what was measured, as a table: a line a bucket of steps", history_csv
        ),
        Export("history.json", "application/json", "the same as JSON columns", history_json),
        Export(
            "parameters.npz",
            "application/zip",
            "weights and biases now, for numpy.load",
            parameters_npz,
        ),
        Export(
            "report.html",
            "text/html",
            "figures, race, findings and recipe on a page that opens without network or server (5 MB)",
            report_html,
        ),
        Export(
            "script.py",
            "text/x-python",
            "one run as a program that needs NumPy only, edits included",
            script_py,
            of_first=True,
        ),
        Export(
            "notebook.ipynb",
            "application/x-ipynb+json",
            "the same as a Jupyter notebook, with the story between the lines",
            notebook_ipynb,
            of_first=True,
        ),
    )
}
