"""Data sets: a table of rows, each a function of its settings; one file for each kind.

`row` says what a data set is, `table` which there are, `own` makes one of somebody's own table. Must not know networks,
splits, noise or standardizing: `engine.problem` adds those.
"""

from fallline.engine.datasets.own import CSV, own_dataset
from fallline.engine.datasets.row import Dataset, Raw, Task
from fallline.engine.datasets.table import DATASETS

__all__ = ["CSV", "DATASETS", "Dataset", "Raw", "Task", "own_dataset"]
