"""What was opened in emergencies, and what reviewers made of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from services.routing.tables.schema import Moment, RoutingRow


class EmergencyAccessRow(RoutingRow, table=True):
    """One access: `reason` and `note` are sealed under the key of the person whom the case is about."""

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
