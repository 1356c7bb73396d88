"""A sheet as a program: values, lines, and a check of the resulting parameters.

Floats keep all their digits.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fallline.engine.inspection.sheet import Entry, Sheet

_HEAD = """\
# One step of run "{run}", from step {step:,} to step {next:,}, with its numbers. Needs NumPy only.
# {batch}

{imports}

np.seterr(all="ignore")
"""

_TAIL = """
# the server's results; another machine may add in another order
for name, expected in after.items():
    actual = globals()[name]
    scale = np.max(np.abs(expected[np.isfinite(expected)]), initial=0.0)
    assert np.allclose(actual, expected, rtol=1e-9, atol=1e-9 * scale, equal_nan=True), f"{name} differs: {actual}"
    print(f"{name} at step {step:,}:", actual, sep="\\n")
"""


def script_of(sheet: Sheet, run: str, step: int) -> str:
    """The program. It prints the parameters after the step, and fails if they differ."""
    return "\n".join(_pieces(sheet, run, step)) + "\n"


def _pieces(sheet: Sheet, run: str, step: int) -> Iterator[str]:
    imports = ["import math", ""] if sheet.functions else []
    values = [*sheet.given, *sheet.lines_of_parameters]
    constants = (
        ["from numpy import inf, nan"] if any(not np.isfinite(each.value).all() for each in values) else []
    )
    head = {"batch": _batch(sheet), "imports": "\n".join([*imports, "import numpy as np", *constants])}
    yield _HEAD.format(run=run, step=step, next=step + 1, **head)
    yield from (f"{name} = {source}" for name, source in sheet.functions.items())
    yield from (f"{each.name} = {_literal(each)}" for each in sheet.given)
    part = ""
    for line in sheet.lines:
        if line.part != part:
            part = line.part
            yield f"\n# {part}"
        yield f"{line.name} = {line.expression}"
    yield "\nafter = {}"
    yield from (f'after["{each.name}"] = {_literal(each)}' for each in sheet.lines_of_parameters)
    yield f"step = {step + 1}"
    yield _TAIL.rstrip("\n")


def _batch(sheet: Sheet) -> str:
    rows = sheet.batch.tolist()
    if len(rows) == 1:
        return f"The batch: sample {rows[0]} of the data."
    first = ", ".join(str(row) for row in rows[:8]) + (", ..." if len(rows) > 8 else "")
    return f"The batch: {len(rows):,} samples of the data ({first})."


def _literal(entry: Entry) -> str:
    """Numbers as the shortest text with the same value."""
    value = np.asarray(entry.value)
    if value.ndim == 0:
        return repr(float(value))
    rows = [repr(row) for row in value.tolist()]
    return f"np.array([{rows[0]}])" if len(rows) == 1 else "np.array([\n    " + ",\n    ".join(rows) + ",\n])"
