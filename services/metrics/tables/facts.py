"""Facts, column by column as in the domain: all may be unknown but the key."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from services.metrics.tables.schema import MetricsModel


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
