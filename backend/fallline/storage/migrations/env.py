"""Run by Alembic: migrates on the passed connection, in its transaction."""

from __future__ import annotations

from alembic import context

from fallline.storage.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
