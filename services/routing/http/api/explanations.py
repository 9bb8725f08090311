"""Why: what each agency was given of a case, and who was asked for help with it."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.routing.domain.city import RoutingCity
from services.routing.domain.explanation import explain_placement
from services.routing.http.api.explanation_answers import describe_choice, describe_choices, describe_sharing
from services.routing.http.authentication import Staff, require_staff
from services.routing.store.past_cases import find_case, forbid_writing
from services.routing.use_cases.explain.choices import explain_placements
from services.routing.use_cases.explain.disclosures import Explainer, explain_disclosures
from services.routing.use_cases.explain.questions import HypotheticalReport
from shared.events.validation import first_error
from shared.kit.database.database import Database, Transaction
from shared.kit.http.replies import refuse, reply

UNKNOWN = "routing knows no such case, referral or service request"

Answer = Callable[[Explainer, Request, Transaction], Awaitable[Response]]
"""Answers one request from what is read in one transaction."""


def explanation_routes(explainer: Explainer, database: Database, key: str) -> list[Route]:
    """Serve `/cases/{reference}/sharing`, `/cases/{reference}/routing` and `/routing/explain`.

    A reference is the id of a case or of a referral, or the number of a service request.
    """

    def staff(path: str, inner: Answer, method: str = "GET") -> Route:
        async def admitted(request: Request, _: Staff) -> Response:
            async with database.transaction(notify_commit=False) as tx:
                await forbid_writing(tx)
                return await inner(explainer, request, tx)

        return Route(path, require_staff(admitted, key), methods=[method])

    return [
        staff("/cases/{reference}/sharing", show_sharing),
        staff("/cases/{reference}/routing", show_choices),
        staff("/routing/explain", show_supposed, "POST"),
    ]


async def show_sharing(explainer: Explainer, request: Request, tx: Transaction) -> Response:
    """Answer why each agency was given what it was given, or one of them with `?agency=`."""
    case_id = await find_case(tx, request.path_params["reference"])
    found = await explain_disclosures(explainer, tx, case_id, request.query_params.get("agency")) if case_id else None
    return reply(describe_sharing(found)) if found else refuse(404, UNKNOWN)


async def show_choices(explainer: Explainer, request: Request, tx: Transaction) -> Response:
    """Answer why each program was asked."""
    case_id = await find_case(tx, request.path_params["reference"])
    found = await explain_placements(explainer, tx, case_id) if case_id else None
    return reply(describe_choices(found)) if found else refuse(404, UNKNOWN)


async def show_supposed(explainer: Explainer, request: Request, tx: Transaction) -> Response:
    """Answer who would be asked for help with a report that nobody has filed."""
    try:
        question = HypotheticalReport.model_validate_json(await request.body())
    except ValidationError as error:
        return refuse(422, first_error(error, "body"))
    return reply(answer(question, explainer.context.city, await explainer.context.now(tx)))


def answer(question: HypotheticalReport, city: RoutingCity, now: datetime) -> dict[str, Any]:
    """Say who would be asked for help with what a question describes."""
    choices = [explain_placement(asking, city) for asking in question.askings(city, now)]
    return {"service_code": question.service_code, "needs": [describe_choice(choice) for choice in choices]}
