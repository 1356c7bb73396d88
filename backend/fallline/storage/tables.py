"""The tables, as today's program knows them; `migrations` brings older files here. Must not know what they hold."""

from __future__ import annotations

from sqlalchemy import REAL, Column, ForeignKey, Integer, LargeBinary, MetaData, Table, Text

VERSION = 4
"""Of these tables: the number of the newest migration."""

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
"""One row each: what opens it (a hash), when it was made and used last (seconds since 1970; `seen` is seconds that
servers have seen pass), the table it is made of, where its runs stand (JSON), the hash of its owner's key. `made_sum`
is the checksum of what never changes, `stands_sum` of what does, `facts` the number of its rows in the log.
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
"""What was answered to commands that came with a key."""

PART = Table(
    "part",
    METADATA,
    _of_an_experiment(),
    Column("run", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    sqlite_strict=True,
)
"""Pieces of states and histories. They spare computing, check themselves, and can be done without."""

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
"""Tables that people have sent: the CSV as it came, compressed, and how long it was."""

CLOCK = Table(
    "clock",
    METADATA,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("at", REAL, nullable=False),
    Column("seen", REAL, nullable=False),
    Column("row_sum", Integer, nullable=False, server_default="0"),
    sqlite_strict=True,
)
"""One row: the last moment that a running server marked, in seconds since 1970 and in seconds seen."""

SESSION = Table(
    "session",
    METADATA,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("is_open", Integer, nullable=False),
    sqlite_strict=True,
)
"""One row: whether a server has opened the file and not closed it. Then its log has to be beside it."""

TRUTH = (EXPERIMENT, ENTRY, ANSWER, DATASET)
"""What cannot be done without."""
