"""Versions of the software behind a run's numbers, and the processor to compile for."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

import fallline
from fallline import engine

PINNED = "NUMBA_CPU_NAME"
"""Numba's variable for the processor to compile for."""

FEATURES = "NUMBA_CPU_FEATURES"
"""Numba's variable for features. Without it, Numba adds the features of the present processor."""

GENERIC = "generic"
"""LLVM's name for the common features of an architecture."""

_V3 = ("avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "popcnt", "sse4.2")
LEVELS = {"x86-64-v3": _V3, "x86-64-v4": (*_V3, "avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl")}
"""Features of the x86-64 levels (its ABI, "Micro-Architecture Levels"), by LLVM's names."""


def pinned(environment: Mapping[str, str]) -> dict[str, str]:
    """Return all variables that pin the processor; empty if none is set.

    On another architecture, a level of x86-64 means the generic processor: one image is built for several.
    """
    name = environment.get(PINNED)
    if not name:
        return {}
    if name.startswith("x86-64") and platform.machine().lower() not in ("x86_64", "amd64"):
        name = GENERIC
    return {PINNED: name, FEATURES: environment.get(FEATURES, "")}


def here() -> tuple[str, frozenset[str]]:
    """Return this processor and its features by LLVM's names; empty without LLVM."""
    try:
        from llvmlite import binding  # noqa: PLC0415  an optional extra
    except ImportError:
        return "", frozenset()
    has = binding.get_host_cpu_features()
    return str(binding.get_host_cpu_name()), frozenset(name for name in has if has[name])


def target(environment: Mapping[str, str]) -> str:
    """Return the processor that code is compiled for, with its features, as one text."""
    variables = pinned(environment)
    if variables:
        return " ".join(variables.values())
    name, features = here()
    return " ".join([name, *sorted(features), environment.get(FEATURES, "")])


def target_label(environment: Mapping[str, str]) -> str:
    """Return the name of the processor to compile for, and a hash of its features."""
    name = pinned(environment).get(PINNED) or here()[0]
    return f"{name} {hashlib.sha256(target(environment).encode()).hexdigest()[:8]}"


def lacking(environment: Mapping[str, str]) -> list[str]:
    """List the features of a pinned level whose code would crash this processor."""
    required = LEVELS.get(pinned(environment).get(PINNED, ""), ())
    return sorted(set(required) - here()[1])


@cache
def builds() -> dict[str, str]:
    """Return the builds of `vocabulary.journal` and further ones, as text. Cached."""
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
