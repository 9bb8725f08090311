"""What routing keeps of cases: referrals and their history, and the needs that wait for a person."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, SmallInteger, Text, text
from sqlmodel import Field

from services.routing.tables.schema import Moment, RoutingRow


class CaseRow(RoutingRow, table=True):
    """A case: its row is also the lock of everything that belongs to it. `report` is what intake said, sealed.

    `routed_at` is when it was first decided who is asked.
    """

    __tablename__ = "cases"
    __table_args__ = (
        Index("cases_by_time", "routed_at", "case_id"),
        Index("cases_by_number", "service_request_id"),
    )

    case_id: UUID = Field(primary_key=True)
    report: str = Field(sa_type=Text)
    resolution: str | None = Field(default=None, sa_type=Text)
    resolved_at: datetime | None = Field(default=None, sa_type=Moment)
    service_request_id: str = Field(sa_type=Text)
    routed_at: datetime = Field(sa_type=Moment)


class ReferralRow(RoutingRow, table=True):
    """One need at one program, as it stands; `due_at` is when routing looks at it again."""

    __tablename__ = "referrals"
    __table_args__ = (
        Index(
            "referrals_one_open",
            "need_id",
            "agency",
            "program",
            unique=True,
            postgresql_where=text("state IN ('requested', 'accepted', 'in-progress', 'on-hold')"),
        ),
        Index("referrals_by_agency", "agency", "referral_id"),
        Index(
            "referrals_open_by_agency",
            "agency",
            "referral_id",
            postgresql_where=text("state IN ('requested', 'accepted', 'in-progress', 'on-hold')"),
        ),
        Index("referrals_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("referrals_by_id", "referral_id"),
    )

    case_id: UUID = Field(primary_key=True)
    referral_id: UUID = Field(primary_key=True)
    need_id: UUID
    need: str = Field(sa_type=Text)
    agency: str = Field(sa_type=Text)
    program: str = Field(sa_type=Text)
    attempt: int = Field(sa_type=SmallInteger)
    asked_at: datetime = Field(sa_type=Moment)
    changed_at: datetime = Field(sa_type=Moment)
    answer_by: datetime | None = Field(default=None, sa_type=Moment)
    due_at: datetime | None = Field(default=None, sa_type=Moment)
    reminders: int = Field(sa_type=SmallInteger)
    state: str = Field(sa_type=Text)
    last_change: str = Field(sa_type=Text)
    reason: str | None = Field(default=None, sa_type=Text)
    changes: int = Field(sa_type=SmallInteger)
    record_only: bool


class ReferralChangeRow(RoutingRow, table=True):
    """One line of a referral's history: what, when, by whom, because of which event. `words` are sealed."""

    __tablename__ = "referral_changes"

    case_id: UUID = Field(primary_key=True)
    referral_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True, sa_type=SmallInteger)
    change: str = Field(sa_type=Text)
    occurred_at: datetime = Field(sa_type=Moment)
    recorded_at: datetime = Field(sa_type=Moment, sa_column_kwargs={"server_default": text("now()")})
    by: str = Field(sa_type=Text)
    cause: UUID
    reason: str | None = Field(default=None, sa_type=Text)
    why: str = Field(sa_type=Text)
    words: str | None = Field(default=None, sa_type=Text)


class TriageRow(RoutingRow, table=True):
    """A need that waits, or waited, for a person to choose."""

    __tablename__ = "triage"
    __table_args__ = (
        Index("triage_by_case", "case_id"),
        Index("triage_waiting", "entered_at", postgresql_where=text("ended_at IS NULL")),
    )

    need_id: UUID = Field(primary_key=True)
    entered_at: datetime = Field(primary_key=True, sa_type=Moment)
    case_id: UUID
    need: str = Field(sa_type=Text)
    service_code: str = Field(sa_type=Text)
    district: str | None = Field(default=None, sa_type=Text)
    reason: str = Field(sa_type=Text)
    why: str = Field(sa_type=Text)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_by: str | None = Field(default=None, sa_type=Text)
    assigned_to: str | None = Field(default=None, sa_type=Text)
