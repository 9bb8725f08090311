"""`/deliveries`, `/deliveries/summary` and the subject access export of a case, for operators with the staff key."""

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.notifications.domain.deliveries import STATES
from services.notifications.use_cases.read_deliveries import count_deliveries, read_deliveries, read_subject_export
from shared.kit.database.database import Database
from shared.kit.http.auth import require_staff_key
from shared.kit.http.replies import refuse, reply
from shared.policy.protection import ProtectionRules


def delivery_routes(database: Database, protection: ProtectionRules, staff_key: str) -> Sequence[Route]:
    """Return the routes `/deliveries` and `/deliveries/summary`."""

    async def deliveries(request: Request) -> Response:
        case_id = _uuid(request.query_params.get("case_id", ""))
        if case_id is None:
            return refuse(422, "case_id must be the id of a case (a UUID)")
        return reply(
            [{"channel": "email"} | asdict(each) for each in await read_deliveries(database, case_id, protection)]
        )

    async def summary(_: Request) -> Response:
        states = dict.fromkeys(STATES, 0)
        templates: dict[str, dict[str, int]] = {}
        for counted in await count_deliveries(database):
            states[counted.state] += counted.count
            templates.setdefault(counted.template, {})[counted.state] = counted.count
        return reply({"states": states, "templates": templates})

    served = {"/deliveries": deliveries, "/deliveries/summary": summary}
    return [Route(path, require_staff_key(endpoint, staff_key)) for path, endpoint in served.items()]


def subject_export_route(database: Database, staff_key: str) -> Route:
    """Return the route `/cases/{case_id}/held`."""

    async def subject_export(request: Request) -> Response:
        case_id = _uuid(request.path_params["case_id"])
        if case_id is None:
            return refuse(422, "the path must contain the id of a case (a UUID)")
        rows = await read_subject_export(database, case_id)
        return reply({"service": "notifications", "case_id": str(case_id), "held": rows})

    return Route("/cases/{case_id}/held", require_staff_key(subject_export, staff_key))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
