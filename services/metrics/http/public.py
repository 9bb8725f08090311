"""Reading what everybody may see: every table at once, so that it is decided upon at once."""

from services.metrics.domain.publication import Publication, publish
from services.metrics.domain.relations import CLOCKS, TABLES, Figures
from services.metrics.jurisdiction import City
from services.metrics.store.cells import Totals, get_totals, list_cells, list_latest_weeks
from shared.kit.database.database import Transaction

WEEKS = 12


async def read_publication(tx: Transaction, city: City) -> tuple[Totals, Publication]:
    """Read the rollups, a few hundred rows however long the history is, and choose what of them may be shown."""
    cells = {}
    for clock in CLOCKS:
        for table in TABLES:
            week = table == "week"
            cells[table, clock] = await (list_latest_weeks(tx, clock, WEEKS) if week else list_cells(tx, table, clock))
    totals = await get_totals(tx)
    return totals, publish(Figures(totals.counts, cells), city.minimum_cell)
