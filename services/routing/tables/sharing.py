"""Beside the ledger: what was given under which consent, and what could not be given."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from services.routing.tables.schema import Moment, RoutingRow


class ConsentUseRow(RoutingRow, table=True):
    """One disclosure that needed a consent for some groups; `recalled_at` is when it was dealt with after the end."""

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
    """An agency that was not asked because it may not know, and the policies that decided so."""

    __tablename__ = "refused_disclosures"
    __table_args__ = (Index("refused_disclosures_by_time", "refused_at"),)

    case_id: UUID = Field(primary_key=True)
    need_id: UUID = Field(primary_key=True)
    agency: str = Field(primary_key=True, sa_type=Text)
    cause: UUID = Field(primary_key=True)
    refused_at: datetime = Field(sa_type=Moment)
    why: list[str] = Field(sa_type=ARRAY(Text))
    policy_set: str = Field(sa_type=Text)
