"""The lane of a run: its colour and shape, by its method where that is free.

frontend/core/lanes.ts does the same in the browser. tests/golden/lanes.json keeps both equal.
"""

from __future__ import annotations

from collections.abc import Iterable

LANES = "abcdefgh"
FURTHER = "gh"
"""For methods without a lane of their own, and for second runs of a method."""

OPTIMIZERS = {
    "momentum": "d",
    "dampened_momentum": "d",
    "nesterov": "d",
    "adam": "e",
    "adamw": "e",
    "amsgrad": "e",
    "adamax": "e",
    "nadam": "e",
    "radam": "e",
    "adagrad": "f",
    "adadelta": "f",
    "rmsprop": "f",
    "rmsprop_momentum": "f",
    "rmsprop_centered": "f",
}


def lanes_of(methods: Iterable[tuple[str, int | None]]) -> list[str]:
    """Return the lanes of an experiment's runs, in their order.

    A method is the optimizer and the batch size with which a run begins: of a fork those at its first step. The batch
    size of a full batch is None.
    """
    lanes: list[str] = []
    for optimizer, batch_size in methods:
        wished = [_of_method(optimizer, batch_size), *FURTHER, *LANES]
        lanes.append(next((lane for lane in wished if lane not in lanes), wished[0]))
    return lanes


def _of_method(optimizer: str, batch_size: int | None) -> str:
    """GD, SGD and mini-batch differ by their batch size, the others by their rule."""
    if optimizer != "sgd":
        return OPTIMIZERS.get(optimizer, FURTHER[0])
    return "a" if batch_size is None else "b" if batch_size == 1 else "c"
