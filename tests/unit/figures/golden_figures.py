"""Golden files that compare Python's figures with the browser's, digit by digit."""

from __future__ import annotations

import json
import os
from pathlib import Path

GOLDEN = Path(__file__).parents[2] / "golden" / "figures"


def assert_is_golden(name: str, actual: dict[str, object]) -> None:
    """Compare with the golden file.

    `FALLLINE_WRITE_GOLDEN=1 pytest tests/unit/figures` writes the files after an intended change.
    """
    path = GOLDEN / f"{name}.json"
    if os.environ.get("FALLLINE_WRITE_GOLDEN"):
        path.write_text(json.dumps(actual, indent=1, ensure_ascii=False) + "\n", "utf-8")
    assert actual == json.loads(path.read_text("utf-8"))
