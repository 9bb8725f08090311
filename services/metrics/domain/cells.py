"""Cells: one clock of one group of cases or referrals."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

ALL_TIME: Final = date.min
"""The week of a cell that covers every week."""

DIMENSIONS: Final = ("city", "district", "agency", "program", "need", "pairing")
"""What cells group by. `city` and `district` group cases, the others referrals; a pairing is an agency and a need."""

PAIRING: Final = " "
"""Separates the agency from the need in the key of a pairing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One clock of one group.

    Percentiles are interpolated linearly, as PostgreSQL's percentile_cont does.
    """

    by: str
    """The dimension: one of DIMENSIONS."""

    key: str
    """The group in that dimension; empty for the city, which is one group."""

    week: date
    """The Monday of the week of filing, or ALL_TIME."""

    clock: str

    n: int
    """How many clocks have ended, their steps in order."""

    invalid: int
    """How many clocks have ended with steps that run backwards: bad data, in no other figure."""

    open: int
    """How many clocks have not ended yet."""

    p50: float | None
    """Seconds."""

    p90: float | None
    """Seconds."""

    p95: float | None
    """Seconds."""

    hold: float
    """The time on hold that was subtracted, in seconds, over all clocks."""

    as_of: datetime
    """The cell contains every event that arrived before this time."""


def row_key(table: str, key: str, week: date) -> str:
    """Return the key of a cell's row in a published table: its week in the table `week`, else its group."""
    return week.isoformat() if table == "week" else key
