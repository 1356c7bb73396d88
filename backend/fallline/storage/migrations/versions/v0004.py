"""Checksums of rows, counts of facts, and whether a server uses the file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fallline.storage.sums import checksum

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns, and take the present rows as whole."""
    op.add_column("experiment", _number("facts"))
    op.add_column("experiment", _number("made_sum"))
    op.add_column("experiment", _number("stands_sum"))
    for table in ("entry", "answer", "dataset", "clock"):
        op.add_column(table, _number("row_sum"))
    op.create_table(
        "session",
        sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("is_open", sa.Integer, nullable=False),
        sqlite_strict=True,
    )
    connection = op.get_bind()
    connection.execute(sa.text("INSERT INTO session VALUES (1, 0)"))
    connection.execute(
        sa.text("UPDATE experiment SET facts = (SELECT count(*) FROM entry WHERE experiment = experiment.id)")
    )
    _fill("entry", "row_sum", ("experiment", "number", "body"), ("experiment", "number"))
    _fill("answer", "row_sum", ("experiment", "key", "digest"), ("experiment", "key"))
    _fill("dataset", "row_sum", ("id", "since", "seen", "size"), ("id",))
    _fill("clock", "row_sum", ("at", "seen"), ("one",))
    _fill("experiment", "made_sum", ("id", "token_hash", "created", "dataset", "owner"), ("id",))
    _fill("experiment", "stands_sum", ("id", "used", "seen", "playing", "progress", "facts"), ("id",))


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


def _fill(table: str, name: str, columns: tuple[str, ...], key: tuple[str, ...]) -> None:
    connection = op.get_bind()
    selected = ", ".join((*key, *columns))
    rows = connection.execute(sa.text(f"SELECT {selected} FROM {table}")).all()
    where = " AND ".join(f"{column} = :k{place}" for place, column in enumerate(key))
    for row in rows:
        values = {f"k{place}": value for place, value in enumerate(row[: len(key)])}
        values["checksum"] = checksum(*row[len(key) :])
        connection.execute(sa.text(f"UPDATE {table} SET {name} = :checksum WHERE {where}"), values)
