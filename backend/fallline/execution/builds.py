"""Versions of the software and processor behind a run's numbers."""

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
from fallline.execution.processor import target_label


@cache
def builds() -> dict[str, str]:
    """Return the builds of `vocabulary.provenance` and further ones, as text. Cached."""
    simd = np.show_config(mode="dicts")["SIMD Extensions"]
    versions = {
        "fallline": fallline.__version__,
        "engine": sources_of(Path(engine.__file__).parent),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "numpy": np.__version__,
        "simd": " ".join([*simd.get("baseline", ()), *simd.get("found", ())]) or "none",
        "blas": blas(),
    }
    if importlib.util.find_spec("numba"):
        versions |= {name: version(name) for name in ("numba", "llvmlite")}
        versions["processor"] = target_label(os.environ)
    return versions


def sources_of(package: Path) -> str:
    """Return a short hash of a package's sources, independent of its path."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package).as_posix()}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def blas() -> str:
    """Return the library behind NumPy's matrix products and the processor it detected."""
    for row in threadpool_info():
        if row["user_api"] == "blas":
            return " ".join(
                str(row[key]) for key in ("internal_api", "version", "architecture") if row.get(key)
            )
    return "unknown"
