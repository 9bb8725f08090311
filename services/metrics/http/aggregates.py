"""Figures that everybody may see."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.metrics.domain.cells import ALL_TIME, DIMENSIONS, Cell, veil
from services.metrics.domain.clocks import CASE_CLOCKS, REFERRAL_CLOCKS
from services.metrics.domain.reconciliation import reconcile
from services.metrics.http.replies import refuse, reply
from services.metrics.jurisdiction import City
from services.metrics.store.cells import get_totals, list_cells
from shared.kit.database import Database
from shared.kit.security import bearer_of, is_key

CLOCKS = dict.fromkeys(DIMENSIONS, REFERRAL_CLOCKS) | {"city": CASE_CLOCKS, "district": CASE_CLOCKS}
"""The clocks that each dimension has."""


def aggregate_routes(database: Database, city: City, staff_key: str) -> list[Route]:
    """Serve `/clocks` and `/reconciliation`."""

    async def clocks(request: Request) -> Response:
        try:
            asked = read_question(request)
        except QuestionError as error:
            return refuse(400, str(error))
        staff = is_key(bearer_of(request), staff_key)
        if asked.is_fine and not staff:
            return refuse(
                401, "Single weeks and programs, taken from one another, give small groups away: operators only."
            )
        async with database.transaction() as tx:
            cells = await list_cells(tx, asked.by, asked.clock, asked.week, asked.week)
        return reply([describe(cell) for cell in (cells if staff else veil(cells, city.minimum_cell))])

    async def reconciliation(_: Request) -> Response:
        async with database.transaction() as tx:
            totals = await get_totals(tx)
            cells = await list_cells(tx, "city", "response")
        return reply(reconcile(totals.counts, cells[0] if cells else None, totals.as_of))

    return [Route("/clocks", clocks), Route("/reconciliation", reconciliation)]


@dataclass(frozen=True, slots=True)
class Question:
    """Which cells somebody wants to see."""

    by: str
    clock: str
    week: date

    @property
    def is_fine(self) -> bool:
        """Tell whether cells of other questions, taken from one another, would give these away."""
        return self.week != ALL_TIME or self.by == "program"


class QuestionError(Exception):
    """A question that makes no sense; the text says what would."""


def read_question(request: Request) -> Question:
    """Read the query of `/clocks`.

    Raises:
        QuestionError: there are no such cells.
    """
    asked = request.query_params
    by, clock = asked.get("by", "agency"), asked.get("clock", "resolution")
    if by not in CLOCKS:
        raise QuestionError(f"by is one of {', '.join(CLOCKS)}.")
    if clock not in CLOCKS[by]:
        raise QuestionError(f"clock, by {by}, is one of {', '.join(CLOCKS[by])}.")
    try:
        return Question(by, clock, date.fromisoformat(asked["week"]) if "week" in asked else ALL_TIME)
    except ValueError:
        raise QuestionError("week is the date of a Monday, as in 2026-01-05.") from None


def describe(cell: Cell) -> dict[str, Any]:
    """Write a cell: what it groups by under its own name, times in seconds; a veiled one says only that it is there."""
    told: dict[str, Any] = {cell.by: cell.key, "clock": cell.clock}
    if cell.week != ALL_TIME:
        told["week"] = cell.week.isoformat()
    if cell.veiled:
        return told | {"suppressed": True, "n": None, "p50": None, "p90": None, "p95": None, "as_of": cell.as_of}
    return told | {
        "n": cell.n,
        "bad": cell.bad,
        "waiting": cell.waiting,
        "p50": cell.p50,
        "p90": cell.p90,
        "p95": cell.p95,
        "hold_seconds": cell.hold,
        "as_of": cell.as_of,
    }
