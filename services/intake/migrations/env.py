"""Alembic for the `intake` schema."""

from services.intake.tables import metadata
from shared.kit.database.migrations import run_migrations

run_migrations("intake", metadata)
