"""The table of data sets. Must not know how any of them is made."""

from __future__ import annotations

from fallline.engine.datasets.laws import LAWS
from fallline.engine.datasets.row import Dataset

DATASETS: dict[str, Dataset] = {row.name: row for row in LAWS}
