"""The present tables; `migrations` upgrades older files."""

from __future__ import annotations

from sqlalchemy import REAL, Column, ForeignKey, Integer, LargeBinary, MetaData, Table, Text

VERSION = 4
"""Version of these tables: the number of the newest migration."""

METADATA = MetaData()


def _of_an_experiment() -> Column[str]:
    return Column("experiment", Text, ForeignKey("experiment.id", ondelete="CASCADE"), primary_key=True)


EXPERIMENT = Table(
    "experiment",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False),
    Column("created", REAL, nullable=False),
    Column("used", REAL, nullable=False),
    Column("seen", REAL, nullable=False, server_default="0"),
    Column("playing", Integer, nullable=False),
    Column("dataset", Text),
    Column("progress", Text, nullable=False),
    Column("owner", LargeBinary),
    Column("facts", Integer, nullable=False, server_default="0"),
    Column("made_sum", Integer, nullable=False, server_default="0"),
    Column("stands_sum", Integer, nullable=False, server_default="0"),
    sqlite_strict=True,
)
"""One row for each experiment: the hash of its token, its times, its table, the progress of its runs (JSON), its owner.

`created` and `used` are in seconds since 1970; `seen` is the last use in seconds of running servers. `owner` is a hash.
`made_sum` is the checksum of the constant columns, `stands_sum` of the others. `facts` counts its rows in the log.
"""

ENTRY = Table(
    "entry",
    METADATA,
    _of_an_experiment(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("row_sum", Integer, nullable=False, server_default="0"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""The log: facts as JSON, numbered from 0 within an experiment, never changed."""

ANSWER = Table(
    "answer",
    METADATA,
    _of_an_experiment(),
    Column("key", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("row_sum", Integer, nullable=False, server_default="0"),
    sqlite_strict=True,
)
"""Answers to commands with a key."""

PART = Table(
    "part",
    METADATA,
    _of_an_experiment(),
    Column("run", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    sqlite_strict=True,
)
"""Pieces of states and histories, with their own checksums. They save computing and may be missing."""

DATASET = Table(
    "dataset",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("since", REAL, nullable=False),
    Column("seen", REAL, nullable=False, server_default="0"),
    Column("size", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("row_sum", Integer, nullable=False, server_default="0"),
    sqlite_strict=True,
)
"""Uploaded tables: the CSV, compressed, and its size."""

CLOCK = Table(
    "clock",
    METADATA,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("at", REAL, nullable=False),
    Column("seen", REAL, nullable=False),
    Column("row_sum", Integer, nullable=False, server_default="0"),
    sqlite_strict=True,
)
"""One row: the last mark of a running server, in seconds since 1970 and in seconds of running servers."""

SESSION = Table(
    "session",
    METADATA,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("is_open", Integer, nullable=False),
    sqlite_strict=True,
)
"""One row: whether a server opened the file and did not close it. Then its log must exist."""

ESSENTIAL = (EXPERIMENT, ENTRY, ANSWER, DATASET)
"""Tables that must be intact."""

REPLACEABLE = (PART, CLOCK, SESSION)
"""Tables that may start empty: parts are computed again, and the clock continues from the last use."""
