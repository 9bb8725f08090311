"""The dashboard: one page, made on the server, that tells the public how long people wait."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from services.metrics.domain.publication import Publication, PublicCell
from services.metrics.domain.reconciliation import reconcile, withhold
from services.metrics.http.pages.views import board, in_words, moment, number
from services.metrics.http.public import read_publication
from services.metrics.jurisdiction import City
from services.metrics.store.cells import Totals
from shared.kit.database.database import Database

HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
BOARDS = ("agency", "need", "district", "week")


def dashboard_routes(database: Database, city: City) -> list[Route]:
    """Serve the page."""
    templates = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)
    templates.trim_blocks = templates.lstrip_blocks = True
    templates.filters |= {"in_words": in_words, "number": number}
    page = templates.get_template("dashboard.html")

    async def dashboard(_: Request) -> Response:
        async with database.transaction(notify_commit=False) as tx:
            totals, published = await read_publication(tx, city)
        return HTMLResponse(page.render(describe(totals, published, city)), headers=HEADERS)

    return [Route("/", dashboard)]


def describe(totals: Totals, published: Publication, city: City) -> dict[str, Any]:
    """Return what the template asks for."""
    boards = [board(by, published, city) for by in BOARDS]
    response, resolution = (_city_cell(published, clock) for clock in ("response", "resolution"))
    whole = [cell for cell in (response, resolution) if cell]
    cells = [cell for each in boards for line in each.lines for cell in (line.response, line.resolution) if cell]
    told = withhold(reconcile(totals.counts, None, totals.as_of), published)
    return {
        "city": city,
        "told": told,
        "response": response,
        "resolution": resolution,
        "boards": boards,
        "bad": add_up([cell.bad for cell in whole]),
        "as_of": moment(totals.as_of, city.zone),
        "times_as_of": moment(min([totals.as_of, *(cell.as_of for cell in (*cells, *whole))]), city.zone),
    }


def add_up(counts: Sequence[int | None]) -> int | None:
    """Add counts up; None where one of them is withheld."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _city_cell(published: Publication, clock: str) -> PublicCell | None:
    return next(iter(published.cells("city", clock)), None)
