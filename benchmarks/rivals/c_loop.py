"""A C loop for the 5-4-4-1 network only, with every series recorded: the limit.

The compiler comes from CC, else it is cc; it runs when the process starts.
"""

# /// script
# [tool.rival]
# name = "C, vectors by hand"
# records = "all series, losses at evaluation points"
# evaluates = true
# ///

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from interface.job import Array, CannotDo, Job, serve

SERIES = 27
# -ffast-math except for NaN, which marks a step without evaluation.
OPTIONS = ["-O3", "-march=native", "-ffast-math", "-fno-finite-math-only", "-shared", "-fPIC"]


def library(compiler: str) -> ctypes.CDLL:
    """limit.c compiled for this machine."""
    source = Path(__file__).with_name("limit.c")
    with tempfile.TemporaryDirectory() as directory:
        built = Path(directory) / "limit.so"
        subprocess.run([compiler, *OPTIONS, str(source), "-o", str(built), "-lm"], check=True)
        return ctypes.CDLL(str(built))


def pointer(array: NDArray[np.generic]) -> ctypes.c_void_p:
    return array.ctypes.data_as(ctypes.c_void_p)


class InC:
    def __init__(self, job: Job) -> None:
        if job.sizes != [5, 4, 4, 1] or job.activation != "relu":
            raise CannotDo("written for 5-4-4-1 with relu only")
        self._job, self._m = job, len(job.samples)
        samples, self._targets = np.array(job.samples), np.array(job.targets)
        self._rows = np.hstack([samples, np.ones((self._m, 1))])
        self._columns = np.ascontiguousarray(self._rows.T)
        self._order = None if job.order is None else np.array(job.order, dtype=np.int64)
        self._records = np.empty((job.total_steps, SERIES))
        self.reset()

    def reset(self) -> None:
        self._parameters = np.array(self._job.parameters)

    def train(self, steps: int) -> None:
        job = self._job
        tail = (
            ctypes.c_longlong(job.first_step), ctypes.c_int(steps), ctypes.c_double(job.learning_rate),
            ctypes.c_double(self._targets.var()), pointer(self._records),
        )  # fmt: skip
        columns, targets = pointer(self._columns), pointer(self._targets)
        if self._order is not None and job.batch_size == 1:
            rows = pointer(self._rows)
            LIBRARY.single(
                pointer(self._parameters), rows, columns, targets, self._m, pointer(self._order), *tail
            )
        else:
            order = None if self._order is None else pointer(self._order)
            LIBRARY.batches(
                pointer(self._parameters), columns, targets, self._m, order, job.batch_size, *tail
            )

    def parameters(self) -> Array:
        return self._parameters


if __name__ == "__main__":
    compiler_path = shutil.which(os.environ.get("CC", "cc"))
    if compiler_path is None:
        sys.exit("no C compiler: neither CC nor cc names one")
    version = subprocess.run([compiler_path, "--version"], capture_output=True, text=True, check=True).stdout
    LIBRARY = library(compiler_path)
    serve(InC, C=version.splitlines()[0])
