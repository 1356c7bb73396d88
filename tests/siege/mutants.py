"""Mutants: each takes back one mend in the server's process, and names the attack that must catch it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """A mend that is taken back, and the attack whose rows must turn red."""

    attack: str
    plant: Callable[[], None]


MUTANTS: Mapping[str, Mutant] = {}
