"""Runs Alembic on the `notifications` schema."""

from services.notifications.tables import metadata
from shared.kit.database.migrations import run_migrations

run_migrations("notifications", metadata)
