"""Parameters as `parameters.npz`.

Its arrays are `W1`, `b1`, ... of one run, or `gd/W1`, ... of several.
"""

from __future__ import annotations

import io

import numpy as np

from fallline.exports.export_data import ExportData


def parameters_npz(data: ExportData) -> bytes:
    """Return the present parameters as a file for `numpy.load`."""
    arrays = {
        name if data.of_one else f"{run.name}/{name}": values
        for run in data.runs
        for name, values in data.problem.named(run.parameters).items()
    }
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()
