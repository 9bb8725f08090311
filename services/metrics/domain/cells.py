"""Cells: one clock of one group of cases or referrals."""

from dataclasses import dataclass
from datetime import date, datetime

ALL_TIME = date.min
"""The week of a cell that counts every week."""

DIMENSIONS = ("city", "district", "agency", "program", "need", "pairing")
"""What cells group by: the first two group cases, the others referrals; a pairing is an agency and a need."""

PAIRING = " "
"""Parts the agency from the need in the key of a pairing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One clock of one group.

    `n` clocks have ended in order, `bad` out of order, `waiting` not yet. Percentiles are in seconds, interpolated
    linearly (PostgreSQL's percentile_cont); `hold` is what was subtracted, in seconds, all together.
    """

    by: str
    key: str
    week: date
    clock: str
    n: int
    bad: int
    waiting: int
    p50: float | None
    p90: float | None
    p95: float | None
    hold: float
    as_of: datetime


def row_of(table: str, key: str, week: date) -> str:
    """Return what the row of a cell is called in its table: its key, or its week."""
    return week.isoformat() if table == "week" else key
