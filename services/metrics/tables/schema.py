"""The schema that the tables of this service are in."""

from sqlalchemy import MetaData
from sqlmodel import SQLModel

from shared.kit.tables import kit_tables

metadata = MetaData(schema="metrics")
kit_tables(metadata)


class MetricsModel(SQLModel):
    """What the tables of this schema have in common."""

    metadata = metadata
