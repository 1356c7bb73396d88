"""A table inside a program keeps every bit, as text or compressed."""

from __future__ import annotations

import numpy as np
import pytest

from fallline.exports.program.embedded import (
    embedded_start,
    embedded_table,
    unpacked,
    written_out,
)
from fallline.exports.program.steps import LONG
from support.aliases import Array, Json
from support.problems import same_bits

EDGES = np.array([[-0.0, 5e-324], [0.1, 1.7e308], [1 / 3, -7.0]])
LARGE = np.random.default_rng(0).standard_normal((4_000, 2))


def run(lines: str, **names: Array) -> Json:
    namespace: Json = {"np": np, "unpacked": unpacked, "written_out": written_out, **names}
    exec(lines, namespace)
    return namespace


@pytest.mark.parametrize(
    ("table", "reader"), [(EDGES, "written_out"), (EDGES[:1], "written_out"), (LARGE, "unpacked")]
)
def test_samples_are_the_same_to_the_bit(table: Array, reader: str) -> None:
    lines = embedded_table(table)
    assert f"table = {reader}(SAMPLES" in lines
    assert same_bits(np.ascontiguousarray(run(lines)["table"]), table)
    assert reader == "written_out" or max(map(len, lines.splitlines())) <= LONG


@pytest.mark.parametrize("start", [EDGES.ravel(), LARGE.ravel()], ids=["text", "compressed"])
def test_initial_parameters_are_the_same_to_the_bit(start: Array) -> None:
    lines = embedded_start(start)
    assert ("unpacked" in lines) == (len(start) > 100)
    assert max(map(len, lines.splitlines())) <= LONG
    namespace = run(lines, P=np.empty_like(start))
    namespace["begin"]()
    assert same_bits(namespace["P"], start)
