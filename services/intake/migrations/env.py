"""Alembic for the `intake` schema."""

from services.intake.tables import metadata
from shared.kit.migrations import run

run("intake", metadata)
