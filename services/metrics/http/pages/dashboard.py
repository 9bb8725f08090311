"""The public dashboard: one page, rendered on the server, that shows how long people wait."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from services.metrics.domain.city import MetricsCity
from services.metrics.domain.publication import Publication, PublicCell
from services.metrics.domain.reconciliation import reconcile, suppress_counts
from services.metrics.domain.tallies import Totals
from services.metrics.http.pages.figure_tables import figure_table, format_duration, format_number, format_time
from services.metrics.use_cases.read_figures import read_publication
from shared.kit.database.database import Database

HEADERS: Final = {
    "cache-control": "no-cache",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
TABLES: Final = ("agency", "need", "district", "week")


def dashboard_routes(database: Database, city: MetricsCity) -> list[Route]:
    """Return the route `/`."""
    templates = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)
    templates.trim_blocks = templates.lstrip_blocks = True
    templates.filters |= {"duration": format_duration, "number": format_number}
    page = templates.get_template("dashboard.html")

    async def dashboard(_: Request) -> Response:
        totals, publication = await read_publication(database, city)
        return HTMLResponse(page.render(describe(totals, publication, city)), headers=HEADERS)

    return [Route("/", dashboard)]


def describe(totals: Totals, publication: Publication, city: MetricsCity) -> dict[str, Any]:
    """Return the variables of the template."""
    tables = [figure_table(by, publication, city) for by in TABLES]
    response, resolution = (_city_cell(publication, clock) for clock in ("response", "resolution"))
    whole = [cell for cell in (response, resolution) if cell]
    cells = [cell for table in tables for row in table.rows for cell in (row.response, row.resolution) if cell]
    return {
        "city": city,
        "reconciliation": suppress_counts(reconcile(totals.counts, None, totals.as_of), publication),
        "response": response,
        "resolution": resolution,
        "tables": tables,
        "invalid": add_up([cell.invalid for cell in whole]),
        "as_of": format_time(totals.as_of, city.zone),
        "times_as_of": format_time(min([totals.as_of, *(cell.as_of for cell in (*cells, *whole))]), city.zone),
    }


def add_up(counts: Sequence[int | None]) -> int | None:
    """Return the sum; None when one of the counts is suppressed."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _city_cell(publication: Publication, clock: str) -> PublicCell | None:
    return next(iter(publication.cells("city", clock)), None)
