"""Unusable CSV files, each with the expected refusal."""

from __future__ import annotations

from typing import Any

MIB = 1 << 20

BAD: list[tuple[bytes, dict[str, Any]]] = [
    # no text
    (b"", {"says": "empty"}),
    (b"\n\n  \r\n", {"says": "empty"}),
    (b"\xef\xbb\xbf", {"says": "empty"}),
    (b"a,b\n1,\xe9\n", {"says": "offset 6 (line 2) is not UTF-8", "line": 2, "offset": 6}),
    (b"\xef\xbb\xbfa,b\r\n\r\n1,\xc3(", {"says": "offset 12 (line 3) is not UTF-8", "line": 3, "offset": 12}),
    (b"a,b\r1,2\r\xff", {"says": "line 3", "line": 3, "offset": 8}),
    ("a,b\n1,2".encode("utf-16"), {"says": "UTF-16", "line": 1, "offset": 0}),
    ("a,b\n1,2".encode("utf-16-be"), {"says": "is NUL", "line": 1, "offset": 0}),
    (b"a,b\n1,2\n3,\x004", {"says": "is NUL", "line": 3, "offset": 10}),
    (b"PK\x03\x04\x14\x00\x06\x00", {"says": "spreadsheet", "line": 1, "offset": 5}),
    (b"\x89PNG\r\n\x1a\n", {"says": "not UTF-8", "line": 1, "offset": 0}),
    # no table
    (b"a\n1\n2\n", {"says": "only one column", "line": 1}),
    (b"a,b\n1,2\n", {"says": "that vary; it has 1 usable row; "}),
    (b"a,b\n1,2\n1,2\n", {"says": "that vary; it has 2 usable rows; "}),
    (b"just words", {"says": "only one column", "line": 1}),
    (b'{"a": 1}', {"says": "only one column", "line": 1}),
    (b"a,b", {"says": "no rows below", "line": 1}),
    (b"a,b\n\n\n", {"says": "no rows below", "line": 1}),
    (b'"a,b\n1,2\n3,4', {"says": "a quote opens here and does not close", "line": 1}),
    (b'"' * MIB, {"says": "a field longer than", "line": 1}),
    (b"a," + b"b" * (MIB - 2), {"says": "a field longer than", "line": 1}),
    # no row
    (b"a,b\n1,\n2,\n,3\n,4\n", {"says": "line 2: no value in b", "line": 2}),
    (b"a,b\n1,2,3\n", {"says": "line 2: 3 fields instead of 2", "line": 2}),
    (b"a,b\n,\n,\n", {"says": "line 2: no values", "line": 2}),
    (b"a,b\ninf,1\ninf,2\n-inf,3", {"says": "line 2: 'inf' in a is not finite", "line": 2}),
    # no columns
    (b"a,b\n1,2\n1,3\n", {"says": "a: always the same value"}),
    (b"a,b\n1,1\n", {"says": "a: always the same value; b: always the same value"}),
    (b"id,v\nx1,1\nx2,2\nx3,3\nx4,4\n", {"says": "id: text with 4 different values"}),
    (b"a,b\n1,\n2,\n3,4\n5,6\n7,\n", {"says": "b: 3 of 5 values are missing"}),
]

TOO_LARGE: list[tuple[bytes, str, int]] = [
    (b"a,b\n" + b"1,2\n" * 5_001, "csv_rows", 5_001),
    (b"1,2\n" * 5_001, "csv_rows", 5_001),
    (b"a,b\n" + b"1\n" * 2_000 + b"1,2\n" * 3_001, "csv_rows", 5_001),
    (b"1,2\n" * (MIB // 4), "csv_rows", MIB // 4),
    (b'"' + b"1,2\n" * (MIB // 4 - 1), "csv_rows", 229_375),
    (b"," * MIB, "csv_columns", MIB + 1),
    (b",".join([b"a"] * 33) + b"\n" + b",".join([b"1"] * 33), "csv_columns", 33),
    (b"a" + b"\t" * 40 + b"\n1" + b"\t" * 40, "csv_columns", 41),
]
