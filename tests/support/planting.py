"""Replacing parts of the product in its process: faults and mutants."""

from __future__ import annotations

from typing import Any


def replace(owner: Any, **parts: Any) -> None:
    """Replace attributes that a module or class itself defines.

    Raises AttributeError for a name that it lacks: after a rename, a mutant would otherwise change nothing.
    """
    for name, part in parts.items():
        if name not in vars(owner):
            raise AttributeError(
                f"{owner} defines no {name}: the mutant or fault that replaces it is out of date"
            )
        setattr(owner, name, part)
