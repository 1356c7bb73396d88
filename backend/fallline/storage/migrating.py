"""Migrates a database to the present tables."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def migrate(connection: Connection) -> None:
    """Run all missing migrations in the connection's transaction."""
    config = Config()
    config.set_main_option("script_location", "fallline.storage:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
