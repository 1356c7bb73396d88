"""fallline's compiled kernel, everything recorded."""

# /// script
# [tool.rival]
# name = "fallline, compiled"
# records = "all series, losses at evaluation points"
# evaluates = true
# ///

from __future__ import annotations

from importlib.metadata import version

from fallline.execution.compiling import compiled_kernel, warm
from interface.job import serve
from interface.own_kernel import with_kernel

if __name__ == "__main__":
    warm()
    serve(with_kernel(compiled_kernel()), Numba=version("numba"), llvmlite=version("llvmlite"))
