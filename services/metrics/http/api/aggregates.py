"""Figures: whole for operators, and for everybody else what may be published of them."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.metrics.domain.cells import ALL_TIME, Cell
from services.metrics.domain.clocks import CASE_CLOCKS, REFERRAL_CLOCKS
from services.metrics.domain.publication import PublicCell, blur
from services.metrics.domain.reconciliation import reconcile, withhold
from services.metrics.domain.relations import CLOCKS as COUNTED
from services.metrics.http.public import read_publication
from services.metrics.jurisdiction import City
from services.metrics.store.cells import get_totals, list_cells
from shared.events.agency_inbox import UNDISCLOSED
from shared.kit.database.database import Database, Transaction
from shared.kit.http.auth import keys_match, read_bearer_key
from shared.kit.http.replies import refuse, reply

CLOCKS = {
    **dict.fromkeys(("city", "district"), CASE_CLOCKS),
    **dict.fromkeys(("agency", "program", "need"), REFERRAL_CLOCKS),
}
"""The clocks that each dimension has."""


def aggregate_routes(database: Database, city: City, staff_key: str) -> list[Route]:
    """Serve `/clocks` and `/reconciliation`."""

    async def clocks(request: Request) -> Response:
        try:
            asked = read_question(request)
        except QuestionError as error:
            return refuse(400, str(error))
        staff = keys_match(read_bearer_key(request), staff_key)
        if asked.is_fine and not staff:
            return refuse(
                401, "Single weeks and programs, taken from one another, give small groups away: operators only."
            )
        async with database.transaction(notify_commit=False) as tx:
            if staff:
                return reply([describe(cell) for cell in await read_cells(tx, asked)])
            return reply([describe(cell) for cell in await read_public_cells(tx, asked, city)])

    async def reconciliation(request: Request) -> Response:
        staff = keys_match(read_bearer_key(request), staff_key)
        async with database.transaction(notify_commit=False) as tx:
            totals = await get_totals(tx)
            cells = await list_cells(tx, "city", "response")
            told = reconcile(totals.counts, cells[0] if cells else None, totals.as_of)
            return reply(told if staff else withhold(told, (await read_publication(tx, city))[1]))

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


async def read_cells(tx: Transaction, asked: Question) -> list[Cell]:
    """Read cells as they are."""
    return await list_cells(tx, asked.by, asked.clock, asked.week, asked.week)


async def read_public_cells(tx: Transaction, asked: Question, city: City) -> list[PublicCell]:
    """Read what everybody may see of cells: counts of two clocks, and of the others times only."""
    if asked.clock in COUNTED:
        _, published = await read_publication(tx, city)
        return published.cells(asked.by, asked.clock)
    return [blur(cell, city.minimum_cell) for cell in await read_cells(tx, asked) if cell.key != UNDISCLOSED]


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


def describe(cell: Cell | PublicCell) -> dict[str, Any]:
    """Write a cell: what it groups by under its own name, times in seconds; `suppressed` if a count is withheld."""
    told: dict[str, Any] = {cell.by: cell.key, "clock": cell.clock}
    if cell.week != ALL_TIME:
        told["week"] = cell.week.isoformat()
    if None in (cell.n, cell.bad, cell.waiting):
        told["suppressed"] = True
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
