"""`/sharing`: the page on which staff ask why an agency received something or not, with the latest denials."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.routing.http.api.explanation_views import DenialView, denial_view, routing_view, sharing_view
from services.routing.http.api.explanations import UNKNOWN
from services.routing.http.authentication import Staff, require_staff
from services.routing.http.pages.page import render
from services.routing.store.evidence import list_recent_denials
from services.routing.store.past_cases import find_case, forbid_writing
from services.routing.use_cases.explain.disclosures import Explainer, explain_disclosures
from services.routing.use_cases.explain.placements import explain_placements
from shared.kit.database.database import Database, Transaction
from shared.kit.http.replies import JsonAnswer, reply

MOST_DENIALS: Final = 50
"""Denials on the page."""


class RecentDenialsView(JsonAnswer):
    """The latest denials, the newest first."""

    refused: list[DenialView]


def explanation_page_routes(explainer: Explainer, database: Database, key: str) -> list[Route]:
    """Serve `/sharing`: as a page, or the latest denials as JSON."""

    async def show(request: Request, _: Staff) -> Response:
        async with database.transaction(notify_commit=False) as tx:
            await forbid_writing(tx)
            denials = [denial_view(each) for each in await list_recent_denials(tx, MOST_DENIALS)]
            if "text/html" not in request.headers.get("accept", ""):
                return reply(RecentDenialsView(refused=denials))
            content = await _explain(explainer, tx, request)
        status = 404 if content.get("unknown") else 200
        return render("explanations", status, denials=denials, most=MOST_DENIALS, **content)

    return [Route("/sharing", require_staff(show, key), methods=["GET"])]


async def _explain(explainer: Explainer, tx: Transaction, request: Request) -> dict[str, Any]:
    """Return what the page shows about the case that the query names, if it names one."""
    reference, agency = (request.query_params.get(name, "").strip() for name in ("of", "agency"))
    query = {"of": reference, "agency": agency}
    if not reference:
        return query
    case_id = await find_case(tx, reference)
    disclosures = await explain_disclosures(explainer, tx, case_id, agency or None) if case_id else None
    placements = await explain_placements(explainer, tx, case_id) if case_id else None
    if disclosures is None or placements is None:
        return {**query, "unknown": UNKNOWN}
    return {**query, "sharing": sharing_view(disclosures), "routing": routing_view(placements)}
