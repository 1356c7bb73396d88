"""The hash of the owner's key; older experiments have none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column."""
    op.add_column("experiment", sa.Column("owner", sa.LargeBinary))
