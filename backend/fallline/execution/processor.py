"""Which processor code is compiled for: this very one, or the portable one that the environment names.

Must not know kernels or where code is kept.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping

PINNED = "NUMBA_CPU_NAME"
"""Numba's own variable: code for this processor, whatever compiles it."""

FEATURES = "NUMBA_CPU_FEATURES"
"""Numba's own variable; where it is not set, Numba adds what the present processor has to the one that is named."""

GENERIC = "generic"
"""LLVM's name for what every processor of the architecture can do."""

_V3 = ("avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "popcnt", "sse4.2")
LEVELS = {
    "x86-64-v3": _V3,
    "x86-64-v4": (*_V3, "avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"),
}
"""What levels of x86-64 ask for beyond its beginnings (its ABI, "Micro-Architecture Levels"), in LLVM's words."""


def pinned(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that pin the processor, complete; none where none is named.

    A level of x86-64 means the generic processor on another architecture: one image is built for several.
    """
    name = environment.get(PINNED)
    if not name:
        return {}
    if name.startswith("x86-64") and platform.machine().lower() not in ("x86_64", "amd64"):
        name = GENERIC
    return {PINNED: name, FEATURES: environment.get(FEATURES, "")}


def here() -> tuple[str, frozenset[str]]:
    """This processor and its features in LLVM's words; nothing where no compiler is installed."""
    try:
        from llvmlite import binding  # noqa: PLC0415  an extra that may be missing
    except ImportError:
        return "", frozenset()
    has = binding.get_host_cpu_features()
    return str(binding.get_host_cpu_name()), frozenset(name for name in has if has[name])


def made_for(environment: Mapping[str, str]) -> str:
    """The processor that code is made for and its features, in one text."""
    named = pinned(environment)
    if named:
        return " ".join(named.values())
    name, features = here()
    return " ".join([name, *sorted(features), environment.get(FEATURES, "")])


def made_for_in_short(environment: Mapping[str, str]) -> str:
    """The name of the processor that code is made for, and a few letters for its features."""
    name = pinned(environment).get(PINNED) or here()[0]
    return f"{name} {hashlib.sha256(made_for(environment).encode()).hexdigest()[:8]}"


def lacking(environment: Mapping[str, str]) -> list[str]:
    """What a pinned level asks for and this processor has not: its code would end the process."""
    asked = LEVELS.get(pinned(environment).get(PINNED, ""), ())
    return sorted(set(asked) - here()[1])
