"""What routing keeps: cases, referrals and their history, and the needs that wait for a person."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, LargeBinary, MetaData, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from shared.kit.outbox import STAGE as OUTBOX_STAGE
from shared.kit.tables import kit_tables

SCHEMA: Final = "routing"

metadata = MetaData(schema=SCHEMA)
kit_tables(metadata)

Moment: Any = DateTime(timezone=True)


class RoutingRow(SQLModel):
    """A row in routing's schema."""

    metadata = metadata


class CaseRow(RoutingRow, table=True):
    """A case: its row is also the lock of everything that belongs to it. `report` is what intake said, sealed."""

    __tablename__ = "cases"

    case_id: UUID = Field(primary_key=True)
    report: str = Field(sa_type=Text)
    resolution: str | None = Field(default=None, sa_type=Text)
    resolved_at: datetime | None = Field(default=None, sa_type=Moment)


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
        Index("referrals_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
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


class ReceiptRow(RoutingRow, table=True):
    """What was given to whom and why; only `place`, its place in the ledger, is ever changed, and only once."""

    __tablename__ = "receipts"
    __table_args__ = (
        Index("receipts_by_case", "case_id"),
        Index("receipts_by_place", "place", unique=True, postgresql_where=text("place IS NOT NULL")),
        Index("receipts_unplaced", "given_at", "receipt_id", postgresql_where=text("place IS NULL")),
    )

    receipt_id: UUID = Field(primary_key=True)
    case_id: UUID
    referral_id: UUID | None = None
    agency: str = Field(sa_type=Text)
    given_at: datetime = Field(sa_type=Moment)
    channel: str = Field(sa_type=Text)
    form: str = Field(sa_type=Text)
    groups: list[str] = Field(sa_type=ARRAY(Text))
    grounds: list[dict[str, Any]] = Field(sa_type=JSONB)
    purpose: str = Field(sa_type=Text)
    policy_set: str = Field(sa_type=Text)
    digest: bytes = Field(sa_type=LargeBinary)
    shown_from: datetime | None = Field(default=None, sa_type=Moment)
    place: int | None = Field(default=None, sa_type=BigInteger)


class LedgerNodeRow(RoutingRow, table=True):
    """The hash of a complete subtree of the ledger; level 0 are the leaves."""

    __tablename__ = "ledger_nodes"

    level: int = Field(primary_key=True, sa_type=SmallInteger)
    number: int = Field(primary_key=True, sa_type=BigInteger)
    hash: bytes = Field(sa_type=LargeBinary)


class CheckpointRow(RoutingRow, table=True):
    """What was signed of the ledger at one size; `note` is the text with its signature."""

    __tablename__ = "checkpoints"

    tree_size: int = Field(primary_key=True, sa_type=BigInteger)
    root: bytes = Field(sa_type=LargeBinary)
    signed_at: datetime = Field(sa_type=Moment, sa_column_kwargs={"server_default": text("now()")})
    note: str = Field(sa_type=Text)


STAGING: Final = (
    OUTBOX_STAGE,
    """
    CREATE TEMP TABLE IF NOT EXISTS referral_stage (
        case_id uuid, referral_id uuid, due_at timestamptz, reminders smallint, state text, last_change text,
        reason text, changed_at timestamptz, changes smallint
    ) ON COMMIT DELETE ROWS
    """,
    """
    CREATE TEMP TABLE IF NOT EXISTS resolution_stage (
        case_id uuid, resolution text, resolved_at timestamptz
    ) ON COMMIT DELETE ROWS
    """,
)
"""Where COPY puts changed rows before one statement applies them; made once for each connection."""
