"""Bounds on a recipe, its estimated cost, and the checks that its parts share."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise

from fallline.engine.data import saved_parameters
from fallline.engine.data.tabular.columns import MOST_CATEGORIES
from fallline.engine.data.tabular.table import MOST_BYTES, MOST_COLUMNS, MOST_ROWS
from fallline.vocabulary.errors import TooExpensive, invalid
from fallline.vocabulary.parameters import Parameter
from fallline.vocabulary.recipe import MOST_EDITS, MOST_HIDDEN_LAYERS, MOST_RUNS

MOST_PARAMETERS = 100_000
MOST_SAMPLES = 5_000
MOST_FEATURES = 64
LARGEST_MINI_BATCH = 512
MOST_STEP_SECONDS = 0.020
MOST_SLOTS = 3 * MOST_PARAMETERS
"""Numbers of an optimizer's slots: AMSGrad's, with the most parameters."""

BOUNDS: Mapping[str, float] = {
    "parameters": MOST_PARAMETERS,
    "optimizer_numbers": MOST_SLOTS,
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

CALL_SECONDS = 12e-6
"""Fixed cost of a layer of any size: a dozen calls into NumPy."""

UNIT_SECONDS = 4e-9
"""One activation of one sample, forward and back (900 samples of 4-4 units take about 30 microseconds)."""

MULTIPLY_SECONDS = 0.1e-9
"""One multiply-add in a matrix product of one BLAS thread at middling sizes."""


def within(bound: str, amount: float) -> None:
    """Raise TooExpensive if `amount` exceeds the bound of that name."""
    if amount > BOUNDS[bound]:
        raise TooExpensive(bound, BOUNDS[bound], amount)


def named_in(table: Collection[str], name: str, pointer: str, what: str) -> None:
    """Raise InvalidRequest for a name that is not in the table."""
    if name not in table:
        raise invalid(pointer, f"the name of a known {what}: {', '.join(table)}")


def check_own(
    method: str, parameters: Iterable[Parameter], settings: Mapping[str, float], pointer: str
) -> None:
    """Raise InvalidRequest for settings that the method lacks, or beyond their range."""
    rows = {parameter.name: parameter for parameter in parameters}
    for name, value in settings.items():
        if name not in rows:
            has = ", ".join(rows) or "no parameters of its own"
            raise invalid(f"{pointer}/{name}", f"no such setting: {method} has {has}")
        if not rows[name].allows(value):
            kind = "whole number" if rows[name].integer else "number"
            raise invalid(f"{pointer}/{name}", f"a {kind} {rows[name].range_in_words()}")


def parameter_count(sizes: Sequence[int]) -> int:
    """Return the number of weights and biases of layers of these sizes, inputs first."""
    return sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(sizes))


def step_seconds(sizes: Sequence[int], batch: int, evaluated: int) -> float:
    """Return the seconds of a step: `batch` forward and back, `evaluated` forward."""
    multiplies = parameter_count(sizes) * (3 * batch + evaluated)
    activations = sum(sizes[1:]) * (batch + evaluated)
    return CALL_SECONDS * len(sizes) + MULTIPLY_SECONDS * multiplies + UNIT_SECONDS * activations
