"""What the dashboard shows, made from what is published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from services.metrics.domain.cells import row_of
from services.metrics.domain.publication import Publication, PublicCell
from services.metrics.jurisdiction import City

WORDS = {
    "agency": ("By agency", "Agency", "Each referral counts once, at the agency that was asked."),
    "need": ("By need", "Need", "Each referral counts once, under the need that it is for."),
    "district": ("By district", "District", "Each report counts once, in the district that it is about."),
    "week": (
        "By week of filing",
        "Week from Monday",
        "The latest weeks with a report. Late weeks look better than they will be: what takes long is still open.",
    ),
}
"""Of each table: its title, what its first column holds, and what counts."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: what it is called, its response, its resolution."""

    name: str
    response: PublicCell | None
    resolution: PublicCell | None

    @property
    def is_blank(self) -> bool:
        """Tell whether there are too few cases to show anything."""
        return all(cell is None or cell.is_blank for cell in (self.response, self.resolution))

    @property
    def bad(self) -> int | None:
        """Return how many times run backwards; None where that is withheld."""
        counts = [cell.bad for cell in (self.response, self.resolution) if cell]
        return max((count for count in counts if count is not None), default=None) if None not in counts else None


@dataclass(frozen=True, slots=True)
class Board:
    """One table: its lines, and the longest time in it, in seconds, which all bars are drawn against."""

    title: str
    first: str
    about: str
    lines: Sequence[Line]

    @property
    def longest(self) -> float:
        """Return the longest time that is shown."""
        cells = [cell for line in self.lines for cell in (line.response, line.resolution) if cell]
        return max((cell.p90 for cell in cells if cell.p90), default=1.0)

    @property
    def shown(self) -> list[Line]:
        """Return the lines that are large enough to be shown."""
        return [line for line in self.lines if not line.is_blank]

    @property
    def hidden(self) -> list[str]:
        """Return the names of the others."""
        return [line.name for line in self.lines if line.is_blank]


def board(by: str, published: Publication, city: City) -> Board:
    """Set up one table, by name, and weeks by their days; what has no name comes last."""
    responses, resolutions = (
        {row_of(by, cell.key, cell.week): cell for cell in published.cells(by, clock)}
        for clock in ("response", "resolution")
    )
    keys = sorted(responses | resolutions, key=lambda key: (not key, city.call(by, key)))
    return Board(*WORDS[by], [Line(city.call(by, key), responses.get(key), resolutions.get(key)) for key in keys])


MINUTE, HOUR, DAY = 60, 3600, 86400


def in_words(seconds: float | None) -> str:
    """Say a length of time with two figures that matter; a dash where there is none."""
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


def moment(when: datetime, zone: ZoneInfo) -> str:
    """Say a moment in the city's own time."""
    return when.astimezone(zone).strftime("%-d %B %Y, %H:%M:%S %Z")


def number(n: int | None) -> str:
    """Write a number with thin spaces between its thousands; a dash where it is withheld."""
    if n is None:
        return "\N{EN DASH}"
    return f"{n:,}".replace(",", "\u202f")
