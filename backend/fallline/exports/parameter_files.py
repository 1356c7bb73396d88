"""Parameters as NumPy's own file (`parameters.npz`): `W1`, `b1`, ... of a run, `gd/W1`, ... of several."""

from __future__ import annotations

import io

import numpy as np

from fallline.exports.taken import Taken


def parameters_npz(found: Taken) -> bytes:
    """The present parameters; `numpy.load` reads them by name."""
    arrays = {
        name if found.of_one else f"{run.name}/{name}": values
        for run in found.runs
        for name, values in found.problem.named(run.parameters).items()
    }
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()
