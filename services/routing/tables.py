"""The tables of the `routing` schema."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from shared.kit.database.tables import add_kit_tables

SCHEMA: Final = "routing"

metadata = MetaData(schema=SCHEMA)
add_kit_tables(metadata)

Moment: Any = DateTime(timezone=True)


class RoutingRow(SQLModel):
    """A row in routing's schema."""

    metadata = metadata


class AgreementRow(RoutingRow, table=True):
    """One version of one agreement, with the text of its file; `digest` is the hash of what the parties have signed."""

    __tablename__ = "agreements"

    id: str = Field(primary_key=True, sa_type=Text)
    version: int = Field(primary_key=True, sa_type=Integer)
    digest: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    loaded_at: datetime = Field(sa_type=Moment, sa_column_kwargs={"server_default": func.now()})


class PolicySetRow(RoutingRow, table=True):
    """Agreements, by id and version, and policies that decided together; receipts name the hash."""

    __tablename__ = "policy_sets"

    hash: str = Field(primary_key=True, sa_type=Text)
    loaded_at: datetime = Field(sa_type=Moment, sa_column_kwargs={"server_default": func.now()})
    agreements: list[dict[str, Any]] = Field(sa_type=JSONB)
    policies: str = Field(sa_type=Text)


class PolicySetUseRow(RoutingRow, table=True):
    """When a policy set came into force; it stayed in force until the next row's `since`."""

    __tablename__ = "policy_set_uses"

    since: datetime = Field(
        primary_key=True, sa_type=Moment, sa_column_kwargs={"server_default": func.clock_timestamp()}
    )
    hash: str = Field(sa_type=Text)


class CaseRow(RoutingRow, table=True):
    """A case; the lock of its row covers all rows of the case. `report` is the JSON of intake's event, sealed.

    `routed_at` is when its needs were first placed.
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
    """A need sent to a program, in its present state; `due_at` is the deadline at which routing acts."""

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
    """One line of a referral's history: the change, when, by whom, and its cause. `words` are sealed."""

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
    """A need that is or was in the triage queue, where a person chooses a program."""

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


class EmergencyAccessRow(RoutingRow, table=True):
    """One emergency access; `reason` and `note` are sealed under the key of the case's person."""

    __tablename__ = "emergency_accesses"
    __table_args__ = (
        CheckConstraint("ends_at > opened_at AND ends_at <= opened_at + interval '4 hours'", "a_few_hours_at_most"),
        CheckConstraint("NOT groups && ARRAY['victim_services', 'substance_use']", "nothing_that_rests_on_consent"),
        Index("emergency_accesses_by_referral", "referral_id", "ends_at"),
        Index("emergency_accesses_unreviewed", "opened_at", postgresql_where=text("reviewed_at IS NULL")),
    )

    access_id: UUID = Field(primary_key=True)
    case_id: UUID
    referral_id: UUID
    agency: str = Field(sa_type=Text)
    groups: list[str] = Field(sa_type=ARRAY(Text))
    opened_at: datetime = Field(sa_type=Moment)
    ends_at: datetime = Field(sa_type=Moment)
    caseworker: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    reviewed_at: datetime | None = Field(default=None, sa_type=Moment)
    reviewed_by: str | None = Field(default=None, sa_type=Text)
    justified: bool | None = None
    note: str | None = Field(default=None, sa_type=Text)


class ReceiptRow(RoutingRow, table=True):
    """The receipt of one disclosure. Only `place`, its place in the ledger, is ever updated, and only once."""

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
    """The hash of one complete subtree of the ledger; level 0 are the leaves (RFC 6962)."""

    __tablename__ = "ledger_nodes"

    level: int = Field(primary_key=True, sa_type=SmallInteger)
    number: int = Field(primary_key=True, sa_type=BigInteger)
    hash: bytes = Field(sa_type=LargeBinary)


class CheckpointRow(RoutingRow, table=True):
    """A signed checkpoint of the ledger at one size; `note` is the text with its signature."""

    __tablename__ = "checkpoints"

    tree_size: int = Field(primary_key=True, sa_type=BigInteger)
    root: bytes = Field(sa_type=LargeBinary)
    signed_at: datetime = Field(sa_type=Moment, sa_column_kwargs={"server_default": text("now()")})
    note: str = Field(sa_type=Text)


class ConsentUseRow(RoutingRow, table=True):
    """One disclosure that depends on a consent for some groups; `recalled_at` is when it was recalled."""

    __tablename__ = "consent_uses"
    __table_args__ = (Index("consent_uses_in_force", "consent_id", postgresql_where=text("recalled_at IS NULL")),)

    consent_id: UUID = Field(primary_key=True)
    receipt_id: UUID = Field(primary_key=True)
    case_id: UUID
    referral_id: UUID
    agency: str = Field(sa_type=Text)
    groups: list[str] = Field(sa_type=ARRAY(Text))
    recalled_at: datetime | None = Field(default=None, sa_type=Moment)


class RefusedDisclosureRow(RoutingRow, table=True):
    """An agency that was not asked because it may not know of the need; `why` are the ids of the denying policies."""

    __tablename__ = "refused_disclosures"
    __table_args__ = (Index("refused_disclosures_by_time", "refused_at"),)

    case_id: UUID = Field(primary_key=True)
    need_id: UUID = Field(primary_key=True)
    agency: str = Field(primary_key=True, sa_type=Text)
    cause: UUID = Field(primary_key=True)
    refused_at: datetime = Field(sa_type=Moment)
    why: list[str] = Field(sa_type=ARRAY(Text))
    policy_set: str = Field(sa_type=Text)
