"""The ledger: receipts of disclosures, the Merkle tree over them, and what was signed of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.routing.tables.schema import Moment, RoutingRow


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
