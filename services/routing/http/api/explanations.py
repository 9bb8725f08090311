"""Explanations for staff: why agencies received what they did of a case, and why programs were asked."""

from collections.abc import Awaitable, Callable
from typing import Final

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.routing.domain.explanation import explain_placement
from services.routing.http.api.explanation_views import HypotheticalView, routing_view, sharing_view
from services.routing.http.authentication import Staff, require_staff
from services.routing.store.past_cases import find_case, forbid_writing
from services.routing.use_cases.explain.disclosures import Explainer, explain_disclosures
from services.routing.use_cases.explain.hypothetical_report import HypotheticalReport
from services.routing.use_cases.explain.placements import explain_placements
from shared.events.validation import first_error
from shared.kit.database.database import Database, Transaction
from shared.kit.http.replies import refuse, reply

UNKNOWN: Final = "unknown case, referral or service request"

ReadEndpoint = Callable[[Explainer, Request, Transaction], Awaitable[Response]]
"""Answers one request from what one read-only transaction sees."""


def explanation_routes(explainer: Explainer, database: Database, key: str) -> list[Route]:
    """Serve `/cases/{reference}/sharing`, `/cases/{reference}/routing` and `/routing/explain`.

    A reference is the id of a case or of a referral, or the number of a service request.
    """

    def staff(path: str, inner: ReadEndpoint, method: str = "GET") -> Route:
        async def admitted(request: Request, _: Staff) -> Response:
            async with database.transaction(notify_commit=False) as tx:
                await forbid_writing(tx)
                return await inner(explainer, request, tx)

        return Route(path, require_staff(admitted, key), methods=[method])

    return [
        staff("/cases/{reference}/sharing", show_sharing),
        staff("/cases/{reference}/routing", show_routing),
        staff("/routing/explain", show_hypothetical, "POST"),
    ]


async def show_sharing(explainer: Explainer, request: Request, tx: Transaction) -> Response:
    """Answer why each agency received what it did; with `?agency=`, one agency."""
    case_id = await find_case(tx, request.path_params["reference"])
    found = await explain_disclosures(explainer, tx, case_id, request.query_params.get("agency")) if case_id else None
    return reply(sharing_view(found)) if found else refuse(404, UNKNOWN)


async def show_routing(explainer: Explainer, request: Request, tx: Transaction) -> Response:
    """Answer why each program was asked."""
    case_id = await find_case(tx, request.path_params["reference"])
    found = await explain_placements(explainer, tx, case_id) if case_id else None
    return reply(routing_view(found)) if found else refuse(404, UNKNOWN)


async def show_hypothetical(explainer: Explainer, request: Request, tx: Transaction) -> Response:
    """Answer which programs would be asked for help with a report that does not exist."""
    try:
        report = HypotheticalReport.model_validate_json(await request.body())
    except ValidationError as error:
        return refuse(422, first_error(error, "body"))
    city, now = explainer.context.city, await explainer.context.now(tx)
    needs = [explain_placement(each, city) for each in report.queries(city, now)]
    return reply(HypotheticalView(service_code=report.service_code, needs=needs))
