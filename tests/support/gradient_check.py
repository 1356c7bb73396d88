"""Gradients by central differences, and modules with a planted fault."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType

import numpy as np

from support.aliases import Array

STEP = 1e-6


def numerical_gradient(loss: Callable[[Array], float], flat: Array) -> Array:
    """Return central differences of a function of a flat vector."""
    gradient = np.empty_like(flat)
    for place in range(len(flat)):
        ahead, behind = flat.copy(), flat.copy()
        ahead[place] += STEP
        behind[place] -= STEP
        gradient[place] = (loss(ahead) - loss(behind)) / (2 * STEP)
    return gradient


def relative_error(one: Array, other: Array) -> float:
    """Return the distance divided by the larger norm."""
    size = max(float(np.linalg.norm(one)), float(np.linalg.norm(other)))
    return float(np.linalg.norm(one - other)) / size if size else 0.0


def planted(module: ModuleType, right: str, wrong: str) -> ModuleType:
    """Return a copy of the module with `wrong` in place of `right`, which occurs once."""
    source = inspect.getsource(module)
    assert source.count(right) == 1, f"{right!r} occurs {source.count(right)} times in {module.__name__}"
    faulty = ModuleType(module.__name__)
    exec(compile(source.replace(right, wrong), f"<{module.__name__} with a fault>", "exec"), faulty.__dict__)
    return faulty
