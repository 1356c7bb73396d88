"""Write parameters.json: default and bounds of every parameter of every method and data set.

PYTHONPATH=tests python tests/golden/make_parameters.py

Run it after adding a method. A default or bound must not move: stored recipes and links rely on it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

from contracts.test_tables import ROWS, TABLES


def main() -> None:
    """Write the file."""
    golden: dict[str, dict[str, object]] = defaultdict(dict)
    for table, name in ROWS:
        if parameters := TABLES[table][name].parameters:
            golden[table][name] = {each.name: each.schema() for each in parameters}
    Path(__file__).with_name("parameters.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
