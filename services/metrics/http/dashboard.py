"""The dashboard: one page, made on the server, that tells the public how long people wait."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from services.metrics.domain.cells import Cell, veil
from services.metrics.domain.reconciliation import reconcile
from services.metrics.http.views import Board, board, week_board
from services.metrics.http.words import in_words, moment, number
from services.metrics.jurisdiction import City
from services.metrics.store.cells import Totals, get_totals, list_cells, list_latest_weeks
from shared.kit.database import Database, Transaction

WEEKS = 12
HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
BOARDS = ("agency", "need", "district")


@dataclass(frozen=True, slots=True)
class Figures:
    """What the page is made from."""

    totals: Totals
    response: Cell | None
    resolution: Cell | None
    boards: list[Board]


def dashboard_routes(database: Database, city: City) -> list[Route]:
    """Serve the page."""
    templates = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)
    templates.trim_blocks = templates.lstrip_blocks = True
    templates.filters |= {"in_words": in_words, "number": number}
    page = templates.get_template("dashboard.html")

    async def dashboard(_: Request) -> Response:
        async with database.transaction() as tx:
            figures = await read_figures(tx, city)
        return HTMLResponse(page.render(describe(figures, city)), headers=HEADERS)

    return [Route("/", dashboard)]


async def read_figures(tx: Transaction, city: City) -> Figures:
    """Read the rollups: a few hundred rows, however long the history is."""
    boards = [
        board(by, await list_cells(tx, by, "response"), await list_cells(tx, by, "resolution"), city) for by in BOARDS
    ]
    response, resolution = [await list_latest_weeks(tx, clock, WEEKS) for clock in ("response", "resolution")]
    return Figures(
        totals=await get_totals(tx),
        response=await _city_cell(tx, "response", city),
        resolution=await _city_cell(tx, "resolution", city),
        boards=[*boards, week_board(response, resolution, city)],
    )


async def _city_cell(tx: Transaction, clock: str, city: City) -> Cell | None:
    cells = veil(await list_cells(tx, "city", clock), city.minimum_cell)
    return cells[0] if cells else None


def describe(figures: Figures, city: City) -> dict[str, Any]:
    """Return what the template asks for."""
    shown = [cell for cell in (figures.response, figures.resolution) if cell]
    lines = [line for each in figures.boards for line in each.lines]
    cells = [cell for line in lines for cell in (line.response, line.resolution) if cell]
    return {
        "city": city,
        "told": reconcile(figures.totals.counts, figures.response, figures.totals.as_of),
        "figures": figures,
        "bad": sum(cell.bad for cell in shown),
        "as_of": moment(figures.totals.as_of, city.zone),
        "times_as_of": moment(min([figures.totals.as_of, *(cell.as_of for cell in (*cells, *shown))]), city.zone),
    }
