"""The schema `routing`, and what all of its tables have in common."""

from typing import Any, Final

from sqlalchemy import DateTime, MetaData
from sqlmodel import SQLModel

from shared.kit.tables import kit_tables

SCHEMA: Final = "routing"

metadata = MetaData(schema=SCHEMA)
kit_tables(metadata)

Moment: Any = DateTime(timezone=True)


class RoutingRow(SQLModel):
    """A row in routing's schema."""

    metadata = metadata
