"""`/clocks` and `/reconciliation`: whole figures for operators, publishable ones for everyone else."""

from datetime import date, datetime
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
from shared.kit.http.replies import JsonAnswer, refuse, reply


def aggregate_routes(database: Database, city: MetricsCity, staff_key: str) -> list[Route]:
    """Return the routes `/clocks` and `/reconciliation`."""

    async def clocks(request: Request) -> Response:
        try:
            query = read_query(request)
        except ClockQueryError as error:
            return refuse(400, str(error))
        if keys_match(read_bearer_key(request), staff_key):
            return reply([cell_answer(cell) for cell in await read_clocks(database, query)])
        if query.is_for_operators:
            return refuse(401, "Only operators see single weeks and programs: small groups can be derived from them.")
        return reply([cell_answer(cell) for cell in await read_public_clocks(database, query, city)])

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


class CellAnswer(JsonAnswer):
    """A cell: its group is in the field of its dimension, and the fields of other dimensions are left out."""

    city: str | None = None
    district: str | None = None
    agency: str | None = None
    program: str | None = None
    need: str | None = None
    clock: str

    week: str | None = None
    """Left out in a cell of all time."""

    suppressed: bool = False
    """True if one of the counts is suppressed, which is then null; else left out."""

    n: int | None
    bad: int | None
    waiting: int | None
    p50: float | None
    p90: float | None
    p95: float | None
    hold_seconds: float | None
    as_of: datetime


def cell_answer(cell: Cell | PublicCell) -> CellAnswer:
    """Return a cell as it is answered."""
    group: dict[str, Any] = {cell.by: cell.key}
    return CellAnswer(
        **group,
        clock=cell.clock,
        week=cell.week.isoformat() if cell.week != ALL_TIME else None,
        suppressed=None in (cell.n, cell.invalid, cell.open),
        n=cell.n,
        bad=cell.invalid,
        waiting=cell.open,
        p50=cell.p50,
        p90=cell.p90,
        p95=cell.p95,
        hold_seconds=cell.hold,
        as_of=cell.as_of,
    )
