"""Checks that saved parameters fit a network. Must not know files."""

from __future__ import annotations

from collections.abc import Sequence

from fallline.engine.data.saved_parameters import SavedParameters
from fallline.engine.layout import layout_of
from fallline.vocabulary.errors import FieldError, InvalidRequest
from fallline.vocabulary.recipe import NetworkSettings

POINTER = "/network/start"


def check_start(network: NetworkSettings, sizes: Sequence[int], start: SavedParameters | None) -> None:
    """Raise InvalidRequest for missing or unfit saved parameters."""
    if network.start is None:
        return
    if start is None:
        expected = "the id of stored parameters: POST the .npz to /api/v1/parameters"
        raise InvalidRequest(FieldError(POINTER, expected))
    layout = layout_of(sizes)
    shapes = dict(zip(layout.names, layout.shapes, strict=True))
    wrong = [
        FieldError(POINTER, f"{name} of shape {shape}: {_actual_shape(start, name)}")
        for name, shape in shapes.items()
        if name not in start.arrays or start.arrays[name].shape != shape
    ]
    wrong += [
        FieldError(POINTER, f"no {name}: this network has {', '.join(shapes)}")
        for name in start.arrays
        if name not in shapes
    ]
    if wrong:
        raise InvalidRequest(*wrong)


def _actual_shape(start: SavedParameters, name: str) -> str:
    return f"the file has {start.arrays[name].shape}" if name in start.arrays else "the file has none"
