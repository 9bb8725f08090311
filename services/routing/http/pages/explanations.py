"""The page that answers staff who ask why an agency saw something or not, with what was refused of late."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.routing.http.api.explanation_answers import describe_choices, describe_refusal, describe_sharing
from services.routing.http.api.explanations import UNKNOWN
from services.routing.http.authentication import Staff, require_staff
from services.routing.http.pages.page import fill
from services.routing.store.evidence import list_recent_denials
from services.routing.store.past_cases import find_case, forbid_writing
from services.routing.use_cases.explain.choices import explain_placements
from services.routing.use_cases.explain.disclosures import Explainer, explain_disclosures
from shared.kit.database.database import Database, Transaction
from shared.kit.http.replies import reply

LATE: Final = 50
"""Refusals on the page: the latest ones."""


def sharing_page_routes(explainer: Explainer, database: Database, key: str) -> list[Route]:
    """Serve `/sharing`: as a page, and the refusals of late as JSON."""

    async def show(request: Request, _: Staff) -> Response:
        async with database.transaction(notify_commit=False) as tx:
            await forbid_writing(tx)
            late = [describe_refusal(each) for each in await list_recent_denials(tx, LATE)]
            if "text/html" not in request.headers.get("accept", ""):
                return reply({"refused": late})
            told = await _explain(explainer, tx, request)
        return fill("sharing", 404 if told.get("unknown") else 200, late=late, most=LATE, **told)

    return [Route("/sharing", require_staff(show, key), methods=["GET"])]


async def _explain(explainer: Explainer, tx: Transaction, request: Request) -> dict[str, Any]:
    """Return what the page says about the case that it is asked about, if it is."""
    reference, agency = (request.query_params.get(name, "").strip() for name in ("of", "agency"))
    asked = {"of": reference, "agency": agency}
    if not reference:
        return asked
    case_id = await find_case(tx, reference)
    sharing = await explain_disclosures(explainer, tx, case_id, agency or None) if case_id else None
    choices = await explain_placements(explainer, tx, case_id) if case_id else None
    if sharing is None or choices is None:
        return {**asked, "unknown": UNKNOWN}
    return {**asked, "told": describe_sharing(sharing), "choices": describe_choices(choices)}
