"""Ages in seconds of running servers.

They start at 0, because earlier seconds are unknown.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the clock and the ages."""
    for table in ("experiment", "dataset"):
        op.add_column(table, sa.Column("seen", sa.REAL, nullable=False, server_default="0"))
    op.create_table(
        "clock",
        sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.REAL, nullable=False),
        sa.Column("seen", sa.REAL, nullable=False),
        sqlite_strict=True,
    )
