"""A sheet as a program: what is given, the lines, and a look whether they gave the parameters that they gave here.

Numbers are written so that they are read as the same ones. Must not know how a sheet is reckoned.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fallline.engine.inspection.sheet import Entry, Sheet

_HEAD = """\
# One change of run "{run}", from step {step:,} to step {next:,}, with its numbers. Needs NumPy only.
# {batch}

{imports}

np.seterr(all="ignore")
"""

_TAIL = """
# what the lines gave where this was copied; another machine may sum in another order
for name, there in after.items():
    here = globals()[name]
    scale = np.max(np.abs(there[np.isfinite(there)]), initial=0.0)
    assert np.allclose(here, there, rtol=1e-9, atol=1e-9 * scale, equal_nan=True), f"{name} differs: {here}"
    print(f"{name} at step {step:,}:", here, sep="\\n")
"""


def script_of(sheet: Sheet, run: str, step: int) -> str:
    """The program. It prints the parameters after the change, and fails where they are not those of the sheet."""
    return "\n".join(_pieces(sheet, run, step)) + "\n"


def _pieces(sheet: Sheet, run: str, step: int) -> Iterator[str]:
    imports = ["import math", ""] if sheet.functions else []
    values = [*sheet.given, *sheet.lines_of_parameters]
    odd = ["from numpy import inf, nan"] if any(not np.isfinite(each.value).all() for each in values) else []
    head = {"batch": _batch(sheet), "imports": "\n".join([*imports, "import numpy as np", *odd])}
    yield _HEAD.format(run=run, step=step, next=step + 1, **head)
    yield from (f"{name} = {made}" for name, made in sheet.functions.items())
    yield from (f"{each.name} = {_written(each)}" for each in sheet.given)
    part = ""
    for line in sheet.lines:
        if line.part != part:
            part = line.part
            yield f"\n# {part}"
        yield f"{line.name} = {line.expression}"
    yield "\nafter = {}"
    yield from (f'after["{each.name}"] = {_written(each)}' for each in sheet.lines_of_parameters)
    yield f"step = {step + 1}"
    yield _TAIL.rstrip("\n")


def _batch(sheet: Sheet) -> str:
    rows = sheet.batch.tolist()
    if len(rows) == 1:
        return f"The batch: sample {rows[0]} of the data."
    few = ", ".join(str(row) for row in rows[:8]) + (", ..." if len(rows) > 8 else "")
    return f"The batch: {len(rows):,} samples of the data ({few})."


def _written(entry: Entry) -> str:
    """Floats as Python writes them: the shortest text that is read as the same number."""
    value = np.asarray(entry.value)
    if value.ndim == 0:
        return repr(float(value))
    rows = [repr(row) for row in value.tolist()]
    return f"np.array([{rows[0]}])" if len(rows) == 1 else "np.array([\n    " + ",\n    ".join(rows) + ",\n])"
