"""Everything that routing holds about one case, for the person whom it is about."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.routing.http.authentication import Staff, require_staff
from services.routing.store.subject_export import list_held
from services.routing.use_cases.context import RoutingContext
from services.routing.use_cases.person_keys import PersonKeyring
from shared.events.intake import CaseSubmitted
from shared.kit.database.database import Database, Transaction
from shared.kit.database.subject_export import SubjectExport
from shared.kit.http.replies import reply

SEALED = {"referral_changes": ("words",), "emergency_accesses": ("reason", "note")}
"""The columns that hold somebody's own words, sealed under the person's key."""


def held_routes(desk: RoutingContext, database: Database, key: str) -> list[Route]:
    """Serve `/cases/{case_id}/held`."""

    async def show(request: Request, _: Staff) -> Response:
        case_id: UUID = request.path_params["case_id"]
        async with database.transaction(notify_commit=False) as tx:
            held = await _opened(desk, tx, await list_held(tx, case_id))
        return reply({"service": "routing", "case_id": str(case_id), "held": held})

    return [Route("/cases/{case_id:uuid}/held", require_staff(show, key), methods=["GET"])]


async def _opened(desk: RoutingContext, tx: Transaction, held: SubjectExport) -> SubjectExport:
    """Open the words that can be opened; what belongs to a person who was erased stays shut."""
    if not held["cases"]:
        return held
    report = CaseSubmitted.model_validate_json(held["cases"][0]["report"])
    wanted = [report.person_id] if report.person_id else []
    people = PersonKeyring(await desk.vault.load(tx, wanted) if wanted else {})
    for table, columns in SEALED.items():
        held[table] = [_open_row(row, columns, report, people) for row in held[table]]
    return held


def _open_row(
    row: dict[str, Any], columns: tuple[str, ...], report: CaseSubmitted, people: PersonKeyring
) -> dict[str, Any]:
    return row | {name: people.read(report, row[name]) for name in columns if row[name]}
