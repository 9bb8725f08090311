"""`/clocks` and `/reconciliation`: whole figures for operators, publishable ones for everyone else."""

from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.metrics.domain.cells import ALL_TIME, Cell
from services.metrics.domain.city import MetricsCity
from services.metrics.domain.clocks import CLOCKS_BY_DIMENSION
from services.metrics.domain.publication import PublicCell
from services.metrics.use_cases.read_figures import (
    ClockQuery,
    read_clocks,
    read_public_clocks,
    read_public_reconciliation,
    read_reconciliation,
)
from shared.kit.database.database import Database
from shared.kit.http.auth import keys_match, read_bearer_key
from shared.kit.http.replies import refuse, reply


def aggregate_routes(database: Database, city: MetricsCity, staff_key: str) -> list[Route]:
    """Return the routes `/clocks` and `/reconciliation`."""

    async def clocks(request: Request) -> Response:
        try:
            query = read_query(request)
        except ClockQueryError as error:
            return refuse(400, str(error))
        if keys_match(read_bearer_key(request), staff_key):
            return reply([describe(cell) for cell in await read_clocks(database, query)])
        if query.is_for_operators:
            return refuse(401, "Only operators see single weeks and programs: small groups can be derived from them.")
        return reply([describe(cell) for cell in await read_public_clocks(database, query, city)])

    async def reconciliation(request: Request) -> Response:
        if keys_match(read_bearer_key(request), staff_key):
            return reply(await read_reconciliation(database))
        return reply(await read_public_reconciliation(database, city))

    return [Route("/clocks", clocks), Route("/reconciliation", reconciliation)]


class ClockQueryError(Exception):
    """The query asks for cells that do not exist; the text says what it may ask for."""


def read_query(request: Request) -> ClockQuery:
    """Read the query parameters of `/clocks`; by default the resolution clock by agency, of all time.

    Raises:
        ClockQueryError: an unknown dimension or clock, or no date.
    """
    parameters = request.query_params
    by, clock = parameters.get("by", "agency"), parameters.get("clock", "resolution")
    if by not in CLOCKS_BY_DIMENSION:
        raise ClockQueryError(f"by must be one of {', '.join(CLOCKS_BY_DIMENSION)}.")
    if clock not in CLOCKS_BY_DIMENSION[by]:
        raise ClockQueryError(f"clock must, by {by}, be one of {', '.join(CLOCKS_BY_DIMENSION[by])}.")
    try:
        return ClockQuery(by, clock, date.fromisoformat(parameters["week"]) if "week" in parameters else ALL_TIME)
    except ValueError:
        raise ClockQueryError("week must be the date of a Monday, as 2026-01-05.") from None


def describe(cell: Cell | PublicCell) -> dict[str, Any]:
    """Return a cell as JSON: its group under the name of the dimension; `suppressed` if one of its counts is."""
    described: dict[str, Any] = {cell.by: cell.key, "clock": cell.clock}
    if cell.week != ALL_TIME:
        described["week"] = cell.week.isoformat()
    if None in (cell.n, cell.invalid, cell.open):
        described["suppressed"] = True
    return described | {
        "n": cell.n,
        "bad": cell.invalid,
        "waiting": cell.open,
        "p50": cell.p50,
        "p90": cell.p90,
        "p95": cell.p95,
        "hold_seconds": cell.hold,
        "as_of": cell.as_of,
    }
