"""Journeys, traces and the subject access export of a case, for operators."""

from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.metrics.domain.city import MetricsCity
from services.metrics.domain.records import CaseReference
from services.metrics.use_cases.read_case import read_case_traces, read_journey, read_subject_export, read_trace
from shared.kit.database.database import Database
from shared.kit.http.auth import require_staff_key
from shared.kit.http.replies import refuse, reply

UNKNOWN_CASE: Final = "Unknown case: metrics has no case with this case id or service request id."


def case_routes(database: Database, city: MetricsCity, staff_key: str) -> list[Route]:
    """Return the routes of journeys and traces."""

    async def journey(request: Request) -> Response:
        found = await read_journey(database, city, request.path_params["case"])
        return reply(_ids(found.case) | {"entries": found.entries}) if found else refuse(404, UNKNOWN_CASE)

    async def traces(request: Request) -> Response:
        found = await read_case_traces(database, city, request.path_params["case"])
        if found is None:
            return refuse(404, UNKNOWN_CASE)
        return reply(_ids(found.case) | {"traces": found.traces, "spans": found.spans, "linked": found.linked})

    async def trace(request: Request) -> Response:
        spans = await read_trace(database, city, request.path_params["trace"].lower())
        return reply({"spans": spans}) if spans else refuse(404, "No span of this trace is stored here.")

    served = {"/cases/{case}/journey": journey, "/cases/{case}/traces": traces, "/traces/{trace}": trace}
    return [Route(path, require_staff_key(endpoint, staff_key)) for path, endpoint in served.items()]


def subject_export_route(database: Database, staff_key: str) -> Route:
    """Return the route `/cases/{case_id}/held`."""

    async def subject_export(request: Request) -> Response:
        try:
            case_id = UUID(request.path_params["case_id"])
        except ValueError:
            return refuse(422, "The path must contain the id of a case (a UUID).")
        rows = await read_subject_export(database, case_id)
        return reply({"service": "metrics", "case_id": str(case_id), "held": rows})

    return Route("/cases/{case_id}/held", require_staff_key(subject_export, staff_key))


def _ids(case: CaseReference) -> dict[str, Any]:
    shown = ("case_id", "service_request_id", "origin", "external_id")
    return {name: value for name, value in asdict(case).items() if name in shown}
