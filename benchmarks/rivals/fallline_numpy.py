"""fallline's NumPy kernel, everything recorded."""

# /// script
# [tool.rival]
# name = "fallline, NumPy"
# records = "all series, losses at evaluation points"
# evaluates = true
# ///

from __future__ import annotations

from fallline.engine.kernels.numpy_kernels import NUMPY
from interface.job import serve
from interface.own_kernel import with_kernel

if __name__ == "__main__":
    serve(with_kernel(NUMPY))
