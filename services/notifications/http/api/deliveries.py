"""What notifications serves: to operators, what became of the mails of a case, and of all. No addresses, no words."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlmodel import col, func, select
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from services.notifications import store
from services.notifications.jurisdiction import Jurisdiction
from services.notifications.tables import STATES, CaseRow, DeliveryRow
from shared.kit.database.database import Database
from shared.kit.http.auth import require_staff_key

SHOWN = {
    "id",
    "case_id",
    "template",
    "recipient",
    "agency",
    "state",
    "tries",
    "problem",
    "happened_at",
    "created_at",
    "settled_at",
}


class Pages:
    """Answers operators who show the staff key."""

    def __init__(self, database: Database, city: Jurisdiction, staff_key: str) -> None:
        self._database = database
        self._city = city
        self._staff_key = staff_key

    def routes(self) -> Sequence[Route]:
        """Return the addresses that are served."""
        served = {
            "/deliveries": self.list_deliveries,
            "/deliveries/summary": self.count_deliveries,
            "/cases/{case_id}/held": self.list_held,
        }
        return [Route(path, require_staff_key(endpoint, self._staff_key)) for path, endpoint in served.items()]

    async def list_deliveries(self, request: Request) -> JSONResponse:
        """Answer with the deliveries of one case, in the order of what they tell."""
        case_id = _uuid(request.query_params.get("case_id", ""))
        if case_id is None:
            return JSONResponse({"error": "case_id must be the id of a case (a UUID)"}, 422)
        wanted = select(DeliveryRow).where(DeliveryRow.case_id == case_id)
        async with self._database.session() as session:
            case = await session.get(CaseRow, case_id)
            rows = await session.exec(wanted.order_by(col(DeliveryRow.happened_at), col(DeliveryRow.id)))
            return JSONResponse([self._shown(row, case) for row in rows])

    def _shown(self, row: DeliveryRow, case: CaseRow | None) -> dict[str, Any]:
        """Show a delivery; of a protected report not the agency, which may tell what it is about."""
        hidden = case is not None and (case.protects or self._city.protection.protections_of(case.service_code, ()))
        return {"channel": "email"} | row.model_dump(mode="json", include=SHOWN) | ({"agency": None} if hidden else {})

    async def list_held(self, request: Request) -> JSONResponse:
        """Answer with every row that is held about one case, for the person whom it is about."""
        case_id = _uuid(request.path_params["case_id"])
        if case_id is None:
            return JSONResponse({"error": "the address holds the id of a case (a UUID)"}, 422)
        async with self._database.transaction(notify_commit=False) as tx:
            held = await store.list_held(tx, case_id)
        return JSONResponse({"service": "notifications", "case_id": str(case_id), "held": held})

    async def count_deliveries(self, _: Request) -> JSONResponse:
        """Answer with how many deliveries are in each state, and the same for each template."""
        counted = select(DeliveryRow.template, DeliveryRow.state, func.count()).group_by(
            DeliveryRow.template, DeliveryRow.state
        )
        totals = dict.fromkeys(STATES, 0)
        templates: dict[str, dict[str, int]] = {}
        async with self._database.session() as session:
            for template, state, count in await session.exec(counted):
                totals[state] += count
                templates.setdefault(template, {})[state] = count
        return JSONResponse({"states": totals, "templates": templates})


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
