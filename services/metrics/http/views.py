"""What the dashboard shows, made from cells and totals."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.metrics.domain.cells import Cell, veil
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
    """One line of a table: what it is called, its response, its resolution, and whether it is too small to be shown."""

    name: str
    response: Cell | None
    resolution: Cell | None

    @property
    def veiled(self) -> bool:
        """Tell whether there are too few cases to show anything."""
        return all(cell is None or cell.veiled for cell in (self.response, self.resolution))


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
        return [line for line in self.lines if not line.veiled]

    @property
    def hidden(self) -> list[str]:
        """Return the names of the others."""
        return [line.name for line in self.lines if line.veiled]


def board(by: str, response: Sequence[Cell], resolution: Sequence[Cell], city: City) -> Board:
    """Set up the table of one dimension, by name; what has no name comes last."""
    responses = {cell.key: cell for cell in veil(response, city.minimum_cell)}
    resolutions = {cell.key: cell for cell in veil(resolution, city.minimum_cell)}
    keys = sorted(responses | resolutions, key=lambda key: (not key, city.call(by, key)))
    return Board(*WORDS[by], [Line(city.call(by, key), responses.get(key), resolutions.get(key)) for key in keys])


def week_board(response: Sequence[Cell], resolution: Sequence[Cell], city: City) -> Board:
    """Set up the table of the latest weeks, oldest first."""
    responses = {cell.week: cell for cell in veil(response, city.minimum_cell)}
    resolutions = {cell.week: cell for cell in veil(resolution, city.minimum_cell)}
    mondays = sorted(responses | resolutions)
    return Board(*WORDS["week"], [Line(f"{day:%Y-%m-%d}", responses.get(day), resolutions.get(day)) for day in mondays])
