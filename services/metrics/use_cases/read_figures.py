"""Reads clocks and the reconciliation: whole for operators, with suppressed cells for everyone else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from services.metrics.domain.cells import ALL_TIME, Cell
from services.metrics.domain.city import MetricsCity
from services.metrics.domain.count_relations import PUBLISHED_CLOCKS, TABLES, Aggregates
from services.metrics.domain.publication import Publication, PublicCell, public_cell, publish
from services.metrics.domain.reconciliation import reconcile, suppress_counts
from services.metrics.domain.tallies import Totals
from services.metrics.store.cells import get_totals, list_cells, list_latest_weeks
from shared.events.agency_inbox import UNDISCLOSED
from shared.kit.database.database import Database, Transaction

PUBLISHED_WEEKS: Final = 12


@dataclass(frozen=True, slots=True)
class ClockQuery:
    """Which cells to read: one clock of one dimension, of one week or of all time."""

    by: str
    clock: str
    week: date

    @property
    def is_for_operators(self) -> bool:
        """Tell whether a reader could derive suppressed counts by subtracting such cells from one another."""
        return self.week != ALL_TIME or self.by == "program"


async def read_clocks(database: Database, query: ClockQuery) -> list[Cell]:
    """Return cells with all their counts, for operators."""
    async with database.transaction(notify_commit=False) as tx:
        return await _list(tx, query)


async def read_public_clocks(database: Database, query: ClockQuery, city: MetricsCity) -> list[PublicCell]:
    """Return cells as everyone may see them. Of clocks other than the published two only times, no counts."""
    async with database.transaction(notify_commit=False) as tx:
        if query.clock in PUBLISHED_CLOCKS:
            _, publication = await _publication(tx, city)
            return publication.cells(query.by, query.clock)
        cells = await _list(tx, query)
    return [public_cell(cell, city.minimum_cell) for cell in cells if cell.key != UNDISCLOSED]


async def read_reconciliation(database: Database) -> Mapping[str, Any]:
    """Return the reconciliation with all its counts, for operators."""
    async with database.transaction(notify_commit=False) as tx:
        return await _reconciliation(tx)


async def read_public_reconciliation(database: Database, city: MetricsCity) -> Mapping[str, Any]:
    """Return the reconciliation as everyone may see it."""
    async with database.transaction(notify_commit=False) as tx:
        _, publication = await _publication(tx, city)
        return suppress_counts(await _reconciliation(tx), publication)


async def read_publication(database: Database, city: MetricsCity) -> tuple[Totals, Publication]:
    """Return the totals, and everything that may be published, for the dashboard."""
    async with database.transaction(notify_commit=False) as tx:
        return await _publication(tx, city)


async def _list(tx: Transaction, query: ClockQuery) -> list[Cell]:
    return await list_cells(tx, query.by, query.clock, query.week, query.week)


async def _reconciliation(tx: Transaction) -> Mapping[str, Any]:
    totals = await get_totals(tx)
    cells = await list_cells(tx, "city", "response")
    return reconcile(totals.counts, cells[0] if cells else None, totals.as_of)


async def _publication(tx: Transaction, city: MetricsCity) -> tuple[Totals, Publication]:
    """Read every published table, however small the question: one run must decide on all counts that anyone may see.

    The tables have a few hundred rows, however long the history is.
    """
    cells = {}
    for clock in PUBLISHED_CLOCKS:
        for table in TABLES:
            weeks = table == "week"
            cells[table, clock] = await (
                list_latest_weeks(tx, clock, PUBLISHED_WEEKS) if weeks else list_cells(tx, table, clock)
            )
    totals = await get_totals(tx)
    return totals, publish(Aggregates(totals.counts, cells), city.minimum_cell)
