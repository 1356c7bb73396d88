"""The builds that this process computes with: what may change a number's last digits without changing its recipe."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

import fallline
from fallline import engine
from fallline.execution.processor import made_for_in_short


@cache
def builds() -> dict[str, str]:
    """Names of `vocabulary.provenance` and further ones for people; all of them text. Looked up once a process."""
    simd = np.show_config(mode="dicts")["SIMD Extensions"]
    found = {
        "fallline": fallline.__version__,
        "engine": sources_of(Path(engine.__file__).parent),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "numpy": np.__version__,
        "simd": " ".join([*simd.get("baseline", ()), *simd.get("found", ())]) or "none",
        "blas": blas(),
    }
    if importlib.util.find_spec("numba"):
        found |= {name: version(name) for name in ("numba", "llvmlite")}
        found["processor"] = made_for_in_short(os.environ)
    return found


def sources_of(package: Path) -> str:
    """Short for the contents of a package's sources, wherever it lies."""
    told = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        told.update(f"{path.relative_to(package).as_posix()}\n".encode())
        told.update(path.read_bytes())
    return told.hexdigest()[:12]


def blas() -> str:
    """The library behind NumPy's matrix products and the processor that it took itself to be on."""
    for row in threadpool_info():
        if row["user_api"] == "blas":
            return " ".join(
                str(row[key]) for key in ("internal_api", "version", "architecture") if row.get(key)
            )
    return "unknown"
