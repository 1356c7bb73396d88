"""The bounds on a recipe, as the catalog lists them."""

from __future__ import annotations

from collections.abc import Mapping

from fallline.engine.data import saved_parameters
from fallline.engine.data.tabular import MOST_BYTES, MOST_CATEGORIES, MOST_COLUMNS, MOST_ROWS
from fallline.vocabulary.errors import TooExpensive
from fallline.vocabulary.recipe import MOST_EDITS, MOST_HIDDEN_LAYERS, MOST_RUNS

MOST_PARAMETERS = 100_000
MOST_SAMPLES = 5_000
MOST_FEATURES = 64
LARGEST_MINI_BATCH = 512
MOST_STEP_SECONDS = 0.020

BOUNDS: Mapping[str, float] = {
    "parameters": MOST_PARAMETERS,
    "hidden_layers": MOST_HIDDEN_LAYERS,
    "samples": MOST_SAMPLES,
    "features": MOST_FEATURES,
    "mini_batch": LARGEST_MINI_BATCH,
    "runs": MOST_RUNS,
    "edits_a_run": MOST_EDITS,
    "milliseconds_a_step": MOST_STEP_SECONDS * 1000,
    "classes": MOST_CATEGORIES,
    "csv_bytes": MOST_BYTES,
    "csv_rows": MOST_ROWS,
    "csv_columns": MOST_COLUMNS,
    "npz_bytes": saved_parameters.MOST_BYTES,
}


def within(bound: str, amount: float) -> None:
    """Raise TooExpensive if `amount` exceeds the bound of that name."""
    if amount > BOUNDS[bound]:
        raise TooExpensive(bound, BOUNDS[bound], amount)
