"""The tables of the `intake` schema, and those of `vault`, which only intake may write: keys and consents."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    LargeBinary,
    MetaData,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy import Text as SqlText
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from shared.kit.database.tables import add_kit_tables

metadata = MetaData(schema="intake")
add_kit_tables(metadata)

NOW = {"server_default": func.now()}


class IntakeModel(SQLModel):
    """The base of the tables of this schema."""

    metadata = metadata


class CaseRow(IntakeModel, table=True):
    """One case; personal data is in `sealed` only, a block for each field group, under the key of its person."""

    __tablename__ = "cases"
    __table_args__ = (
        UniqueConstraint("service_request_id", name="cases_service_request_id"),
        CheckConstraint("status IN ('open', 'closed')", name="cases_status"),
        Index("cases_by_submission", "submitted_at", "case_id"),
        Index("cases_by_service", "service_code", "submitted_at"),
        Index("cases_by_update", "updated_at", "case_id"),
        Index("cases_open", "submitted_at", postgresql_where=text("status = 'open'")),
        Index("cases_external", "source", "external_id", unique=True, postgresql_where=text("external_id IS NOT NULL")),
    )

    case_id: UUID = Field(primary_key=True)
    service_request_id: str = Field(sa_type=SqlText)
    token_hash: bytes = Field(sa_type=LargeBinary)
    service_code: str = Field(sa_type=SqlText)
    needs: list[str] = Field(sa_type=ARRAY(SqlText))
    urgency: str = Field(sa_type=SqlText)
    language: str = Field(sa_type=SqlText)
    channel: str = Field(sa_type=SqlText)
    source: str | None = Field(default=None, sa_type=SqlText)
    external_id: str | None = Field(default=None, sa_type=SqlText)
    cell: str | None = Field(default=None, sa_type=SqlText)
    district: str | None = Field(default=None, sa_type=SqlText)
    person_id: UUID
    sealed: dict[str, Any] = Field(sa_type=JSONB)
    record: str | None = Field(default=None, sa_type=SqlText, description="sealed: what else an imported record says")
    protected: bool
    status: str = Field(sa_type=SqlText)
    resolution: str | None = Field(default=None, sa_type=SqlText)
    agencies: list[str] = Field(sa_type=ARRAY(SqlText))
    submitted_at: datetime = Field(sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))
    closed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    withdrawn_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    announced: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})
    suppressed_event: str | None = Field(
        default=None, sa_column=Column("unsaid", SqlText), description="the CaseSubmitted event until it is announced"
    )
    erased_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class NoteRow(IntakeModel, table=True):
    """One entry in the history of a case: codes only, which pages put into words."""

    __tablename__ = "notes"
    __table_args__ = (Index("notes_of_case", "case_id", "happened_at", "sequence"),)

    event_id: UUID = Field(primary_key=True)
    case_id: UUID
    sequence: int = Field(sa_type=BigInteger)
    happened_at: datetime = Field(sa_type=DateTime(timezone=True))
    kind: str = Field(sa_type=SqlText)
    referral_id: UUID | None = None
    need: str | None = Field(default=None, sa_type=SqlText)
    agency: str | None = Field(default=None, sa_type=SqlText)
    reason: str | None = Field(default=None, sa_type=SqlText)


class ReferralRow(IntakeModel, table=True):
    """The state of one referral: which agency has which need. `sequence` is that of the last event applied."""

    __tablename__ = "referrals"
    __table_args__ = (Index("referrals_of_case", "case_id"),)

    referral_id: UUID = Field(primary_key=True)
    case_id: UUID
    need: str = Field(sa_type=SqlText)
    agency: str = Field(sa_type=SqlText)
    state: str = Field(sa_type=SqlText)
    sequence: int = Field(sa_type=BigInteger)


class DisclosureRow(IntakeModel, table=True):
    """One disclosure; its person sees it from `shown_from` on, and `ends_at` is the end of an emergency access."""

    __tablename__ = "disclosures"
    __table_args__ = (
        Index("disclosures_of_case", "case_id", "given_at"),
        Index("disclosures_delayed", "case_id", postgresql_where=text("shown_from IS NOT NULL")),
    )

    receipt_id: UUID = Field(primary_key=True)
    case_id: UUID
    referral_id: UUID
    agency: str = Field(sa_type=SqlText)
    channel: str = Field(sa_type=SqlText)
    groups: list[str] = Field(sa_type=ARRAY(SqlText))
    purpose: str | None = Field(default=None, sa_type=SqlText)
    grounds: list[Any] = Field(sa_type=JSONB)
    given_at: datetime = Field(sa_type=DateTime(timezone=True))
    shown_from: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    ends_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class RecallRow(IntakeModel, table=True):
    """The recall of what a receipt disclosed under a consent; it may arrive before the disclosure."""

    __tablename__ = "recalls"
    __table_args__ = (Index("recalls_of_case", "case_id"),)

    receipt_id: UUID = Field(primary_key=True)
    consent_id: UUID = Field(primary_key=True)
    case_id: UUID
    groups: list[str] = Field(sa_type=ARRAY(SqlText))
    why: str = Field(sa_type=SqlText)
    recalled_at: datetime = Field(sa_type=DateTime(timezone=True))


class ApiKeyRow(IntakeModel, table=True):
    """One API key; only its hash is stored."""

    __tablename__ = "api_keys"

    key_hash: str = Field(primary_key=True, sa_type=SqlText)
    name: str = Field(sa_type=SqlText)
    scopes: list[str] = Field(sa_type=ARRAY(SqlText))
    created_at: datetime = Field(sa_type=DateTime(timezone=True), sa_column_kwargs=NOW)
    revoked_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class IdempotencyKeyRow(IntakeModel, table=True):
    """The case that was filed under an Idempotency-Key; key and fingerprint of the report are keyed hashes."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("idempotency_keys_by_age", "created_at"),)

    caller: str = Field(primary_key=True, sa_type=SqlText)
    key: str = Field(primary_key=True, sa_type=SqlText)
    fingerprint: bytes = Field(sa_type=LargeBinary)
    case_id: UUID
    created_at: datetime = Field(sa_type=DateTime(timezone=True), sa_column_kwargs=NOW)


class PersonKeyRow(IntakeModel, table=True):
    """The key of one person, wrapped by the master key. Without this row nothing of that person can be opened."""

    __tablename__ = "person_keys"
    __table_args__ = ({"schema": "vault"},)

    person_id: UUID = Field(primary_key=True)
    wrapped: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=DateTime(timezone=True), sa_column_kwargs=NOW)


class ConsentRow(IntakeModel, table=True):
    """One consent: these agencies may receive these groups, for this purpose, until `ends_at`."""

    __tablename__ = "consents"
    __table_args__ = (
        CheckConstraint("cardinality(recipients) > 0", name="consents_name_recipients"),
        CheckConstraint("cardinality(groups) > 0", name="consents_name_groups"),
        CheckConstraint("how IN ('form', 'api', 'caseworker')", name="consents_how"),
        Index("consents_of_case", "case_id"),
        Index("consents_by_end", "ends_at", postgresql_where=text("withdrawn_at IS NULL")),
        {"schema": "vault"},
    )

    consent_id: UUID = Field(primary_key=True)
    case_id: UUID
    person_id: UUID
    recipients: list[str] = Field(sa_type=ARRAY(SqlText))
    purpose: str = Field(sa_type=SqlText)
    groups: list[str] = Field(sa_type=ARRAY(SqlText))
    how: str = Field(sa_type=SqlText)
    record: str | None = Field(default=None, sa_type=SqlText, description="sealed: who signed, when and how")
    granted_by: str = Field(sa_type=SqlText)
    granted_at: datetime = Field(sa_type=DateTime(timezone=True))
    ends_at: datetime = Field(sa_type=DateTime(timezone=True))
    withdrawn_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
