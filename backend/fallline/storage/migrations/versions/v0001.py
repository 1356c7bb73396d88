"""The first tables: experiments, log, answers, pieces of states, data sets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _of_an_experiment() -> sa.Column[str]:
    owner = sa.ForeignKey("experiment.id", ondelete="CASCADE")
    return sa.Column("experiment", sa.Text, owner, primary_key=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "experiment",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("created", sa.REAL, nullable=False),
        sa.Column("used", sa.REAL, nullable=False),
        sa.Column("playing", sa.Integer, nullable=False),
        sa.Column("dataset", sa.Text),
        sa.Column("progress", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "dataset",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("since", sa.REAL, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "entry",
        _of_an_experiment(),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "answer",
        _of_an_experiment(),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "part",
        _of_an_experiment(),
        sa.Column("run", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
    )
