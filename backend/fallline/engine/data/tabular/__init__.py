"""Parser of uploaded tables: the bytes of a CSV become named columns.

`records` decodes and splits, `columns` parses fields and classifies a column, and `table` combines them.
`engine.data.datasets.own` turns a table into samples.
"""

from fallline.engine.data.tabular.columns import MOST_CATEGORIES, Column, number_text, unique
from fallline.engine.data.tabular.table import (
    MOST_BYTES,
    MOST_COLUMNS,
    MOST_ROWS,
    Table,
    read_new_table,
    read_table,
)

__all__ = [
    "MOST_BYTES",
    "MOST_CATEGORIES",
    "MOST_COLUMNS",
    "MOST_ROWS",
    "Column",
    "Table",
    "number_text",
    "read_new_table",
    "read_table",
    "unique",
]
