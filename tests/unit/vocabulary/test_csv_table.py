"""CSV tables are written in short calls."""

from __future__ import annotations

import csv
import io
from types import SimpleNamespace
from typing import Any

import pytest

from fallline.vocabulary import encoding
from fallline.vocabulary.encoding import CELLS_AT_ONCE, csv_table


def test_no_call_writes_many_cells_of_a_wide_table_as_it_holds_the_interpreter_lock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []
    writer = csv.writer

    def noted(*arguments: Any, **named: Any) -> Any:
        real = writer(*arguments, **named)

        def writerows(rows: list[tuple[object, ...]]) -> None:
            sizes.append(sum(map(len, rows)))
            real.writerows(rows)

        return SimpleNamespace(writerow=real.writerow, writerows=writerows)

    monkeypatch.setattr(encoding, "csv", SimpleNamespace(writer=noted))
    for columns, rows in ((1, 0), (2, 7), (150, 256), (5_000, 3)):
        sizes.clear()
        text = csv_table({f"c{column}": range(rows) for column in range(columns)})
        lines = list(csv.reader(io.StringIO(text)))
        assert lines == [[f"c{column}" for column in range(columns)]] + [
            [str(row)] * columns for row in range(rows)
        ]
        assert max(sizes, default=0) <= max(CELLS_AT_ONCE, columns)
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        csv_table({"a": range(3), "b": range(2)})
