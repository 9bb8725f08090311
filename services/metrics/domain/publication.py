"""Publication: the figures for everyone. One run decides on all of them, so that no page reveals what another hides."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from services.metrics.domain.cell_suppression import CountName, SuppressionProblem, choose_published
from services.metrics.domain.cells import Cell, row_key
from services.metrics.domain.count_relations import MEASURES, Aggregates, counts_of, sums_of
from shared.events.agency_inbox import UNDISCLOSED

PUBLISHED_TABLES: Final = ("week", "district", "agency", "need")
"""The tables that are published row by row."""

MAIN_TOTALS: Final = ("accepted", "resolved")
"""The totals that are suppressed last, the most important first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicCell:
    """A cell as everyone may see it, with the fields of `Cell`.

    A count is None when it is small, or when a small one could be derived from it. Percentiles and hold are shown when
    at least the minimum of clocks has ended, whether or not the count is.
    """

    by: str
    key: str
    week: date
    clock: str
    n: int | None
    invalid: int | None
    open: int | None
    p50: float | None
    p90: float | None
    p95: float | None
    hold: float | None
    as_of: datetime

    @property
    def is_blank(self) -> bool:
        """Tell whether the cell shows no figure at all."""
        return self.p50 is None and not any((self.n, self.invalid, self.open))


@dataclass(frozen=True, slots=True)
class Publication:
    """What may be published of some figures."""

    aggregates: Aggregates
    minimum: int
    published: frozenset[CountName]
    counts: Mapping[CountName, int]

    def total(self, name: str) -> int | None:
        """Return a total; None when it is suppressed."""
        return self._count(("total", name)) if ("total", name) in self.counts else 0

    def cells(self, by: str, clock: str) -> list[PublicCell]:
        """Return the cells of one table; cases that count in totals only have none."""
        return [self._cell(by, cell) for cell in self.aggregates.cells[by, clock] if cell.key != UNDISCLOSED]

    def _cell(self, by: str, cell: Cell) -> PublicCell:
        key = row_key(by, cell.key, cell.week)
        return public_cell(cell, self.minimum, *(self._count((by, key, cell.clock, measure)) for measure in MEASURES))

    def _count(self, name: CountName) -> int | None:
        return self.counts[name] if name in self.published else None


def publish(aggregates: Aggregates, minimum: int) -> Publication:
    """Choose what may be published: no count below the minimum, and none from which one could be derived."""
    counts = counts_of(aggregates)
    ranks = {name: rank for name in counts if (rank := _rank(name)) is not None}
    published = choose_published(SuppressionProblem(counts, ranks, sums_of(counts), minimum))
    return Publication(aggregates, minimum, published, counts)


def public_cell(
    cell: Cell, minimum: int, n: int | None = None, invalid: int | None = None, open_: int | None = None
) -> PublicCell:
    """Return a cell with these counts only, and with its times if at least `minimum` clocks have ended."""
    enough = cell.n >= minimum
    return PublicCell(
        by=cell.by,
        key=cell.key,
        week=cell.week,
        clock=cell.clock,
        n=n,
        invalid=invalid,
        open=open_,
        p50=cell.p50 if enough else None,
        p90=cell.p90 if enough else None,
        p95=cell.p95 if enough else None,
        hold=cell.hold if enough else None,
        as_of=cell.as_of,
    )


def _rank(name: CountName) -> int | None:
    """Return the rank of a count, 0 for the one that is suppressed last; None for one that is never published."""
    kind, key = name[:2]
    if kind == "total":
        return MAIN_TOTALS.index(key) if key in MAIN_TOTALS else len(MAIN_TOTALS)
    if kind == "city":
        return len(MAIN_TOTALS) + 1
    return len(MAIN_TOTALS) + 2 if kind in PUBLISHED_TABLES and key != UNDISCLOSED else None
