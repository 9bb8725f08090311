"""Alembic for the `routing` schema."""

from services.routing.tables import SCHEMA, metadata
from shared.kit.migrations import run

run(SCHEMA, metadata)
