"""A table from outside: the bytes of a CSV become named columns of numbers and categories. Pure, and bounded.

`text` decodes, `records` splits, `cells` reads one field, `columns` says what a column is, `table` puts it together.
Must not know recipes, networks or who sent it: `engine.datasets.own` makes samples of it.
"""

from fallline.engine.tabular.cells import number_shown
from fallline.engine.tabular.columns import MOST_CATEGORIES, Column
from fallline.engine.tabular.table import (
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
    "number_shown",
    "read_new_table",
    "read_table",
]
