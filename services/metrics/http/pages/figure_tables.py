"""The tables of the dashboard, made from what may be published, and how their figures are written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from services.metrics.domain.cells import row_key
from services.metrics.domain.city import MetricsCity
from services.metrics.domain.publication import Publication, PublicCell

TEXTS: Final = {
    "agency": ("By agency", "Agency", "Each referral counts once, for the agency that it was sent to."),
    "need": ("By need", "Need", "Each referral counts once, for the need that it is about."),
    "district": ("By district", "District", "Each report counts once, in the district that it is about."),
    "week": (
        "By week of filing",
        "Week from Monday",
        "The latest weeks with reports. Recent weeks look better than they will in the end: long work is still open.",
    ),
}
"""For each table its title, the heading of its first column, and what it counts."""


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One row of a table, with the cells of its two clocks."""

    name: str
    response: PublicCell | None
    resolution: PublicCell | None

    @property
    def is_blank(self) -> bool:
        """Tell whether the row has too few cases to show any figure."""
        return all(cell is None or cell.is_blank for cell in (self.response, self.resolution))

    @property
    def invalid(self) -> int | None:
        """The number of cases or referrals whose times run backwards; None when it is suppressed."""
        counts = [cell.invalid for cell in (self.response, self.resolution) if cell]
        # One case may be invalid in both clocks: the greater count, not the sum.
        return max((count for count in counts if count is not None), default=None) if None not in counts else None


@dataclass(frozen=True, slots=True)
class FigureTable:
    """One table of the dashboard."""

    title: str
    first_heading: str
    about: str
    rows: Sequence[FigureRow]

    @property
    def longest(self) -> float:
        """The longest time of the table in seconds: the length of a full bar."""
        cells = [cell for row in self.rows for cell in (row.response, row.resolution) if cell]
        return max((cell.p90 for cell in cells if cell.p90), default=1.0)

    @property
    def shown(self) -> list[FigureRow]:
        """The rows with enough cases to show figures."""
        return [row for row in self.rows if not row.is_blank]

    @property
    def hidden(self) -> list[str]:
        """The names of the other rows."""
        return [row.name for row in self.rows if row.is_blank]


def figure_table(by: str, publication: Publication, city: MetricsCity) -> FigureTable:
    """Return one table, its rows by name, or by date for weeks; the row without a group comes last."""
    responses, resolutions = (
        {row_key(by, cell.key, cell.week): cell for cell in publication.cells(by, clock)}
        for clock in ("response", "resolution")
    )
    keys = sorted(responses | resolutions, key=lambda key: (not key, city.label(by, key)))
    rows = [FigureRow(city.label(by, key), responses.get(key), resolutions.get(key)) for key in keys]
    return FigureTable(*TEXTS[by], rows)


MINUTE, HOUR, DAY = 60, 3600, 86400


def format_duration(seconds: float | None) -> str:
    """Write a duration with two significant figures; None as a dash."""
    if seconds is None:
        return "\N{EN DASH}"
    if seconds < MINUTE:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004 - one decimal below ten
    if seconds < HOUR:
        return f"{seconds / MINUTE:.0f} min"
    if seconds < 2 * DAY:
        hours, minutes = divmod(round(seconds / MINUTE), 60)
        return f"{hours} h {minutes:02} min"
    return f"{seconds / DAY:.1f} days"


def format_time(time: datetime, zone: ZoneInfo) -> str:
    """Write a point in time in the city's time zone."""
    return time.astimezone(zone).strftime("%-d %B %Y, %H:%M:%S %Z")


def format_number(n: int | None) -> str:
    """Write a number with thin spaces between thousands; None, a suppressed count, as a dash."""
    if n is None:
        return "\N{EN DASH}"
    return f"{n:,}".replace(",", "\u202f")
