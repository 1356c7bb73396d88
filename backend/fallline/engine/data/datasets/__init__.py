"""Data sets: one row per set, one file per kind.

`row` defines a data set, `generated` has those by formula, `real` the measured ones, and `own` makes one from an
uploaded table. `engine.problem` adds splits, noise and standardizing.
"""

from fallline.engine.data.datasets.generated import CURVES, LAWS, SURFACES, TWO_CLASSES
from fallline.engine.data.datasets.real import REAL
from fallline.engine.data.datasets.row import Dataset

DATASETS: dict[str, Dataset] = {row.name: row for row in (*LAWS, *CURVES, *TWO_CLASSES, *SURFACES, *REAL)}
