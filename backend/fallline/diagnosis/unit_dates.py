"""The first step of each unit that is dead, equal to another, or saturated. Must not know rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fallline.diagnosis.view import Layer, Measured, View

Dates = dict[tuple[str, int], dict[int, int]]
"""By kind and layer: the units, with the first step since which they are so."""

SATURATED = 0.8
"""Share of a unit's (or a layer's) outputs with a slope near 0 from which it is saturated."""


def _dead(layer: Layer) -> set[int]:
    return {unit for unit, is_dead in enumerate(layer.dead) if is_dead}


def _alike(layer: Layer) -> set[int]:
    return {unit for group in layer.alike for unit in group}


def _saturated(layer: Layer) -> set[int]:
    return {unit for unit, share in enumerate(layer.saturated_share or ()) if share >= SATURATED}


KINDS: Mapping[str, Callable[[Layer], set[int]]] = {"dead": _dead, "alike": _alike, "saturated": _saturated}


def dates_of(before: Mapping[tuple[str, int], Mapping[int, int]], view: View) -> Dates:
    """Return the dates now, from those at the last examination and the states since."""
    dates: Dates = {}
    for place, layer in enumerate(view.now.layers, start=1):
        for kind, units_of in KINDS.items():
            known = before.get((kind, place), {})
            dates[kind, place] = {
                unit: known[unit] if unit in known else _first(view, place, unit, units_of)
                for unit in sorted(units_of(layer))
            }
    return dates


def _first(view: View, place: int, unit: int, units_of: Callable[[Layer], set[int]]) -> int:
    """Return the first state of the unbroken stretch up to now in which the unit is so."""

    def is_so(state: Measured) -> bool:
        return unit in units_of(state.layers[place - 1])

    first = view.step
    for state in reversed(view.states):
        if not is_so(state):
            break
        first = state.step
    return first
