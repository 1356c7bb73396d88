"""Data sets: one row per set, one file per kind.

A data set is defined in `row`. The sets by formula are in `generated`, the measured ones in `real`, and `own` makes
one from an uploaded table. Splits, noise and standardizing come from `engine.problem`.
"""

from fallline.engine.data.datasets.generated import CURVES, LAWS, SURFACES, TWO_CLASSES
from fallline.engine.data.datasets.real import REAL
from fallline.engine.data.datasets.row import Dataset

DATASETS: dict[str, Dataset] = {row.name: row for row in (*LAWS, *CURVES, *TWO_CLASSES, *SURFACES, *REAL)}
