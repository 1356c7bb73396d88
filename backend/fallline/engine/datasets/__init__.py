"""Data sets: a table of rows, each a function of its settings; one file for each kind.

`row` says what a data set is, `table` which there are. Must not know networks, splits, noise or standardizing:
`engine.problem` adds those.
"""

from fallline.engine.datasets.row import Dataset, Raw
from fallline.engine.datasets.table import DATASETS

__all__ = ["DATASETS", "Dataset", "Raw"]
