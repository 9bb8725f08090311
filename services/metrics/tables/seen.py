"""What was seen of each case: its journey, and the spans of its traces."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.metrics.tables.schema import MetricsModel


class JourneyEntryRow(MetricsModel, table=True):
    """One event that was heard of a case."""

    __tablename__ = "journey_entries"
    __table_args__ = (Index("journey_entries_by_case", "case_id"),)

    source: str = Field(primary_key=True)
    event_id: UUID = Field(primary_key=True)
    case_id: UUID
    topic: str
    type: str
    about: str
    sequence: int | None = Field(default=None, sa_type=BigInteger)
    occurred_at: datetime
    heard_at: datetime = Field(sa_column_kwargs={"server_default": func.now()})
    causation_id: UUID | None = None
    traceparent: str | None = None
    summary: dict[str, Any] = Field(sa_type=JSONB)


class SpanRow(MetricsModel, table=True):
    """One step of a trace; times in nanoseconds since 1970."""

    __tablename__ = "spans"
    __table_args__ = (
        Index("spans_by_case", "case_id", postgresql_where=text("case_id IS NOT NULL")),
        Index("spans_by_age", "received_at"),
    )

    trace_id: str = Field(primary_key=True)
    span_id: str = Field(primary_key=True)
    parent_id: str | None = None
    name: str
    service: str
    kind: str
    started_ns: int = Field(sa_type=BigInteger)
    ended_ns: int = Field(sa_type=BigInteger)
    status: str
    attributes: dict[str, Any] = Field(sa_type=JSONB)
    links: list[Any] = Field(sa_type=JSONB)
    case_id: UUID | None = None
    received_at: datetime = Field(sa_column_kwargs={"server_default": func.now()})
