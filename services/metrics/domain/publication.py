"""Publication: the figures that everybody may see, all decided upon together, so that no page gives another's away."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from services.metrics.domain.cell_suppression import Name, Offer, choose_shown
from services.metrics.domain.cells import Cell, row_of
from services.metrics.domain.relations import MEASURES, Figures, counts_of, sums_of
from shared.events.agency_inbox import UNDISCLOSED

ROWS = ("week", "district", "agency", "need")
"""The tables that are published, row by row."""

MAIN = ("accepted", "resolved")
"""The totals that are withheld last, the most wanted first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicCell:
    """A cell as everybody may see it: a count that is None is small, or would give a small one away.

    Times are shown where at least the minimum of them make them up, whether or not their count is.
    """

    by: str
    key: str
    week: date
    clock: str
    n: int | None
    bad: int | None
    waiting: int | None
    p50: float | None
    p90: float | None
    p95: float | None
    hold: float | None
    as_of: datetime

    @property
    def is_blank(self) -> bool:
        """Tell whether nothing of it is shown but that it is there."""
        return self.p50 is None and not any((self.n, self.bad, self.waiting))


@dataclass(frozen=True, slots=True)
class Publication:
    """What may be shown of some figures."""

    figures: Figures
    minimum: int
    shown: frozenset[Name]
    counts: Mapping[Name, int]

    def total(self, name: str) -> int | None:
        """Return a total; None where it is withheld."""
        return self._shown(("total", name)) if ("total", name) in self.counts else 0

    def cells(self, by: str, clock: str) -> list[PublicCell]:
        """Return the cells of one table; what counts only in totals has none."""
        return [self._cell(by, cell) for cell in self.figures.cells[by, clock] if cell.key != UNDISCLOSED]

    def _cell(self, by: str, cell: Cell) -> PublicCell:
        key = row_of(by, cell.key, cell.week)
        return blur(cell, self.minimum, *(self._shown((by, key, cell.clock, measure)) for measure in MEASURES))

    def _shown(self, name: Name) -> int | None:
        return self.counts[name] if name in self.shown else None


def publish(figures: Figures, minimum: int) -> Publication:
    """Choose what of these figures is published; no count below the minimum is, nor what would give one away."""
    counts = counts_of(figures)
    ranks = {name: rank for name in counts if (rank := _rank(name)) is not None}
    shown = choose_shown(Offer(counts, ranks, sums_of(counts), minimum))
    return Publication(figures, minimum, shown, counts)


def blur(
    cell: Cell, minimum: int, n: int | None = None, bad: int | None = None, waiting: int | None = None
) -> PublicCell:
    """Show of a cell these counts, and its times where there are enough of them."""
    enough = cell.n >= minimum
    return PublicCell(
        by=cell.by,
        key=cell.key,
        week=cell.week,
        clock=cell.clock,
        n=n,
        bad=bad,
        waiting=waiting,
        p50=cell.p50 if enough else None,
        p90=cell.p90 if enough else None,
        p95=cell.p95 if enough else None,
        hold=cell.hold if enough else None,
        as_of=cell.as_of,
    )


def _rank(name: tuple[str, ...]) -> int | None:
    """Return how soon a count is withheld; None for one that is never published."""
    kind, key = name[:2]
    if kind == "total":
        return MAIN.index(key) if key in MAIN else len(MAIN)
    if kind == "city":
        return len(MAIN) + 1
    return len(MAIN) + 2 if kind in ROWS and key != UNDISCLOSED else None
