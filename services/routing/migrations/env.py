"""Alembic for the `routing` schema."""

from services.routing.tables import SCHEMA, metadata
from shared.kit.database.migrations import run_migrations

run_migrations(SCHEMA, metadata)
