"""The page's request to watch the notebook's experiment, and readers of frames.

`tests/frontend/state.test.ts` and `session.test.ts` see that the page asks for just that.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from support.aliases import Json

SERIES: list[str] = json.loads((Path(__file__).parents[1] / "golden" / "page_series.json").read_text("utf-8"))
PAST_BUCKETS, LIVE_BUCKETS = 1_000, 64
"""Buckets of each run in the first frames, and in those that follow."""


def watch(experiment: str, token: str | None = None, **more: Any) -> Json:
    """Return the page's message."""
    own = {"experiment": experiment, "encoding": "brief", "series": SERIES, "buckets": LIVE_BUCKETS}
    return {"type": "watch", **own, **({} if token is None else {"token": token}), **more}


def _documented() -> Callable[[bytes], Json]:
    """Return the decoder that the documentation shows."""
    text = (Path(__file__).parents[2] / "docs" / "reference" / "socket.md").read_text("utf-8")
    lines = re.search(r"<!-- a test runs these lines as they stand -->\n```python\n(.*?)```", text, re.DOTALL)
    assert lines
    names: dict[str, Any] = {}
    exec(lines[1], names)
    decoder: Callable[[bytes], Json] = names["read_binary"]
    return decoder


read_binary = _documented()
"""Read a binary frame; its columns are arrays."""


def unpacked(columns: Json, names: list[str]) -> Json:
    """Return packed columns as lists, with every series of the request, as the encoding json has them."""
    n, wide = columns["buckets"], columns.get("wide", False)
    data = base64.b64decode(columns["bdata"])
    place = 0

    def row(dtype: str) -> list[float | None]:
        nonlocal place
        numbers = np.frombuffer(data, dtype, n, place)
        place += numbers.nbytes
        return [None if np.isnan(number) else float(number) for number in numbers]

    def statistics(dtype: str) -> Json:
        if wide:
            return {name: row(dtype) for name in ("min", "max", "mean", "last")}
        return dict.fromkeys(("min", "max", "mean", "last"), row(dtype))

    first = list(range(columns["first"], columns["first"] + n)) if n else []
    last: list[Any] = row("<f8") if wide else first
    if wide:
        first = [columns["first"], *(int(end) + 1 for end in last[:-1])]
    whole = {"first": first, "last": last, "samples_seen": row("<f8"), "seconds": row("<f8")}
    series = {names[at]: statistics("<f8") for at in columns["f8"]}
    counts = {names[at]: row("<f8") for at in columns.get("counted", [])}
    series |= {names[at]: statistics("<f4") for at in columns["f4"]}
    assert place == len(data)
    for name, count in counts.items():
        series[name]["count"] = count
    nothing: Json = dict.fromkeys(("min", "max", "mean", "last"), [None] * n)
    return {
        "generation": columns["generation"],
        **whole,
        "series": {name: series.get(name, nothing) for name in names},
    }
