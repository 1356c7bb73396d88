"""The table of data sets."""

from __future__ import annotations

from fallline.engine.data.datasets.laws import LAWS
from fallline.engine.data.datasets.one_dimensional import CURVES
from fallline.engine.data.datasets.real import REAL
from fallline.engine.data.datasets.row import Dataset
from fallline.engine.data.datasets.two_dimensional import SURFACES, TWO_CLASSES

DATASETS: dict[str, Dataset] = {row.name: row for row in (*LAWS, *CURVES, *TWO_CLASSES, *SURFACES, *REAL)}
