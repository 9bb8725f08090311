"""The history of agreements: what is decided by now, and what was at any moment before. It only grows."""

from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.routing.tables.schema import Moment, RoutingRow


class AgreementRow(RoutingRow, table=True):
    """One version of one agreement, with the text of its file; `digest` is of what the parties have signed."""

    __tablename__ = "agreements"

    id: str = Field(primary_key=True, sa_type=Text)
    version: int = Field(primary_key=True, sa_type=Integer)
    digest: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    loaded_at: datetime = Field(sa_type=Moment, sa_column_kwargs={"server_default": func.now()})


class PolicySetRow(RoutingRow, table=True):
    """Agreements, by id and version, and policies that were decided by together; receipts name the hash."""

    __tablename__ = "policy_sets"

    hash: str = Field(primary_key=True, sa_type=Text)
    loaded_at: datetime = Field(sa_type=Moment, sa_column_kwargs={"server_default": func.now()})
    agreements: list[dict[str, Any]] = Field(sa_type=JSONB)
    policies: str = Field(sa_type=Text)


class PolicySetUseRow(RoutingRow, table=True):
    """Since when a set was decided by, until the next."""

    __tablename__ = "policy_set_uses"

    since: datetime = Field(
        primary_key=True, sa_type=Moment, sa_column_kwargs={"server_default": func.clock_timestamp()}
    )
    hash: str = Field(sa_type=Text)
