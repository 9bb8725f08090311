"""`/cases/{case_id}/held`: everything that routing stores about one case, for its person's subject access request."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.routing.http.authentication import Staff, require_staff
from services.routing.use_cases.context import RoutingContext
from services.routing.use_cases.subject_export import export_case
from shared.kit.database.database import Database
from shared.kit.http.replies import JsonAnswer, reply


class SubjectExportView(JsonAnswer):
    """The rows about a case, by table."""

    service: str
    case_id: UUID
    held: dict[str, list[dict[str, Any]]]


def subject_export_routes(context: RoutingContext, database: Database, key: str) -> list[Route]:
    """Serve `/cases/{case_id}/held`."""

    async def show(request: Request, _: Staff) -> Response:
        case_id: UUID = request.path_params["case_id"]
        rows = await export_case(context, database, case_id)
        return reply(SubjectExportView(service="routing", case_id=case_id, held=rows))

    return [Route("/cases/{case_id:uuid}/held", require_staff(show, key), methods=["GET"])]
