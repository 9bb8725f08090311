"""The tables of the `metrics` schema."""

from services.metrics.tables import facts, figures, seen
from services.metrics.tables.schema import metadata

__all__ = ["facts", "figures", "metadata", "seen"]
