"""The tables of the `notifications` schema. The migrations create them; the store uses them with psycopg."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, MetaData, UniqueConstraint, func, text
from sqlalchemy import Text as SqlText
from sqlmodel import Field, SQLModel

from services.notifications.domain.deliveries import STATES
from shared.kit.database.tables import add_kit_tables

metadata = MetaData(schema="notifications")
add_kit_tables(metadata)


class NotificationsModel(SQLModel):
    """Base of the tables: they belong to this schema."""

    metadata = metadata


class CaseRow(NotificationsModel, table=True):
    """What is stored of a case to notify its reporter; only the id before its report arrives, and after erasure."""

    __tablename__ = "cases"

    case_id: UUID = Field(primary_key=True)
    service_request_id: str | None = Field(default=None, sa_type=SqlText)
    service_code: str | None = Field(default=None, sa_type=SqlText)
    language: str | None = Field(default=None, sa_type=SqlText)
    person_id: UUID | None = None
    contact: str | None = Field(default=None, sa_type=SqlText, description="sealed under the person's key")
    protects: str | None = Field(
        default=None, sa_type=SqlText, description="the strictest field group that its needs protect"
    )
    silent: bool = Field(
        default=False,
        sa_column_kwargs={"server_default": text("false")},
        description="imported: the reporter gets no mails",
    )
    filed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    erased_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class DeliveryRow(NotificationsModel, table=True):
    """One mail to one recipient about one notification, with its state."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("case_id", "template", "occasion", name="deliveries_told_once"),
        CheckConstraint(f"state IN ({', '.join(repr(state) for state in STATES)})", name="deliveries_state"),
        Index("deliveries_to_send", "next_try_at", postgresql_where=text("state = 'queued'")),
        Index("deliveries_at_server", "claimed_at", postgresql_where=text("state = 'sending'")),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID
    template: str = Field(sa_type=SqlText)
    recipient: str = Field(default="reporter", sa_type=SqlText, sa_column_kwargs={"server_default": text("'reporter'")})
    occasion: str = Field(sa_type=SqlText)
    cause: UUID
    agency: str | None = Field(default=None, sa_type=SqlText)
    detail: str | None = Field(default=None, sa_type=SqlText)
    traceparent: str | None = Field(default=None, sa_type=SqlText)
    happened_at: datetime = Field(sa_type=DateTime(timezone=True))
    state: str = Field(sa_type=SqlText)
    tries: int = Field(
        default=0, sa_column_kwargs={"server_default": text("0")}, description="how often the mail was deferred"
    )
    problem: str | None = Field(
        default=None,
        sa_type=SqlText,
        description="SMTP code, kind of error, or reason of suppression; no text of a server",
    )
    next_try_at: datetime = Field(sa_type=DateTime(timezone=True), sa_column_kwargs={"server_default": func.now()})
    not_before: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    claimed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    settled_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    created_at: datetime = Field(sa_type=DateTime(timezone=True), sa_column_kwargs={"server_default": func.now()})
