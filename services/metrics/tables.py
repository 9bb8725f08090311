"""The tables of the `metrics` schema."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index, MetaData, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shared.kit.database.tables import kit_tables

metadata = MetaData(schema="metrics")
kit_tables(metadata)


class MetricsModel(SQLModel):
    """What the tables of this schema have in common."""

    metadata = metadata


class CaseFactRow(MetricsModel, table=True):
    """What is known of a case."""

    __tablename__ = "case_facts"
    __table_args__ = (
        Index("case_facts_by_request", "service_request_id"),
        Index("case_facts_by_origin", "origin", "external_id"),
    )

    case_id: UUID = Field(primary_key=True)
    service_request_id: str | None = None
    service_code: str | None = None
    district: str | None = None
    urgency: str | None = None
    channel: str | None = None
    origin: str | None = None
    external_id: str | None = None
    needs: int | None = None
    record_only: bool | None = None
    filed_at: datetime | None = None
    withdrawn_at: datetime | None = None
    routed_at: datetime | None = None
    first_resolved_at: datetime | None = None
    completed_at: datetime | None = None
    not_completed_at: datetime | None = None
    called_off_at: datetime | None = None


class NeedFactRow(MetricsModel, table=True):
    """What is known of a need."""

    __tablename__ = "need_facts"
    __table_args__ = (Index("need_facts_by_case", "case_id"),)

    need_id: UUID = Field(primary_key=True)
    case_id: UUID | None = None
    need: str | None = None
    unroutable_sequence: int | None = Field(default=None, sa_type=BigInteger)
    requested_sequence: int | None = Field(default=None, sa_type=BigInteger)


class ReferralFactRow(MetricsModel, table=True):
    """What is known of a referral."""

    __tablename__ = "referral_facts"
    __table_args__ = (Index("referral_facts_by_case", "case_id"),)

    referral_id: UUID = Field(primary_key=True)
    case_id: UUID | None = None
    need_id: UUID | None = None
    need: str | None = None
    agency: str | None = None
    program: str | None = None
    named: bool | None = None
    record_only: bool | None = None
    attempt: int | None = None
    reason: str | None = None
    filed_at: datetime | None = None
    answer_by: datetime | None = None
    requested_at: datetime | None = None
    accepted_at: datetime | None = None
    rejected_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    failed_at: datetime | None = None
    cancelled_at: datetime | None = None
    transferred_at: datetime | None = None
    overdue_at: datetime | None = None
    escalated_at: datetime | None = None


class HoldFactRow(MetricsModel, table=True):
    """A referral was put on hold, or went on (`outside` is null then)."""

    __tablename__ = "hold_facts"
    __table_args__ = (Index("hold_facts_by_case", "case_id"),)

    event_id: UUID = Field(primary_key=True)
    case_id: UUID | None = None
    referral_id: UUID | None = None
    occurred_at: datetime | None = None
    sequence: int | None = Field(default=None, sa_type=BigInteger)
    outside: bool | None = None


class DeliveryFactRow(MetricsModel, table=True):
    """What became of one message to one person."""

    __tablename__ = "delivery_facts"
    __table_args__ = (Index("delivery_facts_by_case", "case_id"),)

    delivery_id: UUID = Field(primary_key=True)
    case_id: UUID | None = None
    template: str | None = None
    channel: str | None = None
    sent_at: datetime | None = None
    refused_at: datetime | None = None
    uncertain_at: datetime | None = None
    suppressed_at: datetime | None = None
    why: str | None = None


class StaleCaseRow(MetricsModel, table=True):
    """Something was heard of this case since its figures were made; rows are only added and taken, never changed."""

    __tablename__ = "stale_cases"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    case_id: UUID
    heard_at: datetime = Field(sa_column_kwargs={"server_default": func.now()})


class CaseClocksRow(MetricsModel, table=True):
    """The clocks of a case, in seconds; negative is bad data."""

    __tablename__ = "case_clocks"
    __table_args__ = (
        Index("case_clocks_by_week", "week"),
        Index("case_clocks_by_district", "district", "week"),
    )

    case_id: UUID = Field(primary_key=True)
    week: date | None = None
    district: str
    is_open: bool
    routing: float | None = None
    response: float | None = None
    resolution: float | None = None


class ReferralClocksRow(MetricsModel, table=True):
    """The clocks of a referral, in seconds; negative is bad data."""

    __tablename__ = "referral_clocks"
    __table_args__ = (
        Index("referral_clocks_by_agency", "agency", "week"),
        Index("referral_clocks_by_program", "program", "week"),
        Index("referral_clocks_by_need", "need", "week"),
        Index("referral_clocks_by_pairing", "pairing", "week"),
    )

    referral_id: UUID = Field(primary_key=True)
    case_id: UUID
    week: date | None = None
    agency: str
    program: str
    need: str
    pairing: str = Field(sa_column_kwargs={"server_default": ""})
    is_open: bool
    response: float | None = None
    answer: float | None = None
    start: float | None = None
    work: float | None = None
    resolution: float | None = None
    hold: float


class CaseTallyRow(MetricsModel, table=True):
    """What one case adds to the totals."""

    __tablename__ = "case_tallies"

    case_id: UUID = Field(primary_key=True)
    counts: dict[str, Any] = Field(sa_type=JSONB)


class TotalRow(MetricsModel, table=True):
    """The sum of the tallies of all cases."""

    __tablename__ = "totals"

    name: str = Field(primary_key=True)
    n: int = Field(sa_type=BigInteger)


class StaleCellRow(MetricsModel, table=True):
    """A cell that must be made anew: something in it changed at `since`."""

    __tablename__ = "stale_cells"

    dimension: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    week: date = Field(primary_key=True)
    since: datetime


class CellRow(MetricsModel, table=True):
    """One clock of one group; the week 0001-01-01 is all time."""

    __tablename__ = "cells"

    dimension: str = Field(primary_key=True)
    clock: str = Field(primary_key=True)
    week: date = Field(primary_key=True)
    key: str = Field(primary_key=True)
    n: int
    bad: int
    waiting: int
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    hold: float


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
