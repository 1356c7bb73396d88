"""The table of data sets."""

from __future__ import annotations

from fallline.engine.datasets.laws import LAWS
from fallline.engine.datasets.one_dimensional import CURVES
from fallline.engine.datasets.real import REAL
from fallline.engine.datasets.row import Dataset
from fallline.engine.datasets.two_dimensional import SURFACES, TWO_CLASSES

DATASETS: dict[str, Dataset] = {row.name: row for row in (*LAWS, *CURVES, *TWO_CLASSES, *SURFACES, *REAL)}
