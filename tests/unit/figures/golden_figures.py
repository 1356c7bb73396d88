"""The files that hold Python's figures and the browser's to the same digits."""

from __future__ import annotations

import json
import os
from pathlib import Path

GOLDEN = Path(__file__).parents[2] / "golden" / "figures"


def assert_is_golden(name: str, made: dict[str, object]) -> None:
    """`FALLLINE_WRITE_GOLDEN=1 pytest tests/unit/figures` writes the files anew after a change that is meant."""
    path = GOLDEN / f"{name}.json"
    if os.environ.get("FALLLINE_WRITE_GOLDEN"):
        path.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", "utf-8")
    assert made == json.loads(path.read_text("utf-8"))
