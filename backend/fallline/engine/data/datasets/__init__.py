"""Data sets: one row per set, one file per kind.

`row` defines a data set, `table` lists them, and `own` makes one from an uploaded table. `engine.problem` adds
splits, noise and standardizing.
"""

from fallline.engine.data.datasets.own import CSV, own_dataset
from fallline.engine.data.datasets.row import Dataset, Raw, Task
from fallline.engine.data.datasets.table import DATASETS

__all__ = ["CSV", "DATASETS", "Dataset", "Raw", "Task", "own_dataset"]
