"""Runs Alembic on the `metrics` schema."""

from services.metrics.tables import metadata
from shared.kit.database.migrations import run_migrations

run_migrations("metrics", metadata)
