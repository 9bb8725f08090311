"""Figures made from the facts: clocks and tallies of each case, cells and totals, and what must be made anew."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.metrics.tables.schema import MetricsModel


class StaleCaseRow(MetricsModel, table=True):
    """Something was heard of this case since its figures were made; rows are only added and taken, never changed."""

    __tablename__ = "stale_cases"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    case_id: UUID
    heard_at: datetime = Field(sa_column_kwargs={"server_default": func.now()})


class CaseClocksRow(MetricsModel, table=True):
    """The clocks of a case, in seconds; negative is bad data."""

    __tablename__ = "case_clocks"
    __table_args__ = (
        Index("case_clocks_by_week", "week"),
        Index("case_clocks_by_district", "district", "week"),
    )

    case_id: UUID = Field(primary_key=True)
    week: date | None = None
    district: str
    is_open: bool
    routing: float | None = None
    response: float | None = None
    resolution: float | None = None


class ReferralClocksRow(MetricsModel, table=True):
    """The clocks of a referral, in seconds; negative is bad data."""

    __tablename__ = "referral_clocks"
    __table_args__ = (
        Index("referral_clocks_by_agency", "agency", "week"),
        Index("referral_clocks_by_program", "program", "week"),
        Index("referral_clocks_by_need", "need", "week"),
        Index("referral_clocks_by_pairing", "pairing", "week"),
    )

    referral_id: UUID = Field(primary_key=True)
    case_id: UUID
    week: date | None = None
    agency: str
    program: str
    need: str
    pairing: str = Field(sa_column_kwargs={"server_default": ""})
    is_open: bool
    response: float | None = None
    answer: float | None = None
    start: float | None = None
    work: float | None = None
    resolution: float | None = None
    hold: float


class CaseTallyRow(MetricsModel, table=True):
    """What one case adds to the totals."""

    __tablename__ = "case_tallies"

    case_id: UUID = Field(primary_key=True)
    counts: dict[str, Any] = Field(sa_type=JSONB)


class TotalRow(MetricsModel, table=True):
    """The sum of the tallies of all cases."""

    __tablename__ = "totals"

    name: str = Field(primary_key=True)
    n: int = Field(sa_type=BigInteger)


class StaleCellRow(MetricsModel, table=True):
    """A cell that must be made anew: something in it changed at `since`."""

    __tablename__ = "stale_cells"

    dimension: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    week: date = Field(primary_key=True)
    since: datetime


class CellRow(MetricsModel, table=True):
    """One clock of one group; the week 0001-01-01 is all time."""

    __tablename__ = "cells"

    dimension: str = Field(primary_key=True)
    clock: str = Field(primary_key=True)
    week: date = Field(primary_key=True)
    key: str = Field(primary_key=True)
    n: int
    bad: int
    waiting: int
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    hold: float
