"""What was opened in emergencies, for staff to review: justified or not, with a note."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from services.routing.http.authentication import Staff, require_staff
from services.routing.http.pages.page import fill
from services.routing.store.emergencies import MAX_LISTED, AccessReview
from services.routing.use_cases.context import RoutingContext
from services.routing.use_cases.emergency_access import (
    UNKNOWN_ACCESS,
    AccessForReview,
    list_accesses_for_review,
    review,
)
from shared.events.validation import first_error
from shared.events.wire import write_time
from shared.kit.database.database import Database
from shared.kit.http.replies import refuse, reply


class Verdict(BaseModel):
    """What a reviewer says; `by` is who says so, where the key does not tell."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    justified: bool
    note: str = Field(min_length=1, max_length=2000)
    by: str | None = Field(default=None, min_length=1, max_length=100)


def emergency_routes(desk: RoutingContext, database: Database, key: str) -> list[Route]:
    """Serve `/emergencies` and `/emergencies/{access_id}`."""

    async def show(request: Request, _: Staff) -> Response:
        shown = await list_accesses_for_review(desk, database)
        if "text/html" not in request.headers.get("accept", ""):
            return reply({"emergencies": [describe(each) for each in shown]})
        return fill("emergencies", shown=[describe(each) for each in shown], most=MAX_LISTED)

    async def decide(request: Request, staff: Staff) -> Response:
        try:
            said = await _read_verdict(request)
        except ValidationError as error:
            return refuse(422, first_error(error, "body"))
        access_id: UUID = request.path_params["access_id"]
        by = f"staff:{said.by or staff.name}"
        problem = await review(desk, database, AccessReview(access_id, by, said.justified), said.note)
        if problem:
            return refuse(404 if problem == UNKNOWN_ACCESS else 409, problem)
        return RedirectResponse("/emergencies", 303) if _is_form(request) else reply({"reviewed_by": by})

    return [
        Route("/emergencies", require_staff(show, key), methods=["GET"]),
        Route("/emergencies/{access_id:uuid}", require_staff(decide, key), methods=["POST"]),
    ]


def describe(shown: AccessForReview) -> dict[str, Any]:
    """Return an access as JSON; the words are there as long as the person's key is."""
    kept, access = shown.stored, shown.stored.access
    return {
        "access_id": str(access.access_id),
        "referral_id": str(access.referral_id),
        "agency": access.agency,
        "groups": sorted(access.groups),
        "opened_at": write_time(access.opened_at),
        "ends_at": write_time(access.ends_at),
        "caseworker": kept.caseworker,
        "reason": shown.reason,
        "late": shown.is_late,
        "reviewed_at": write_time(kept.reviewed_at) if kept.reviewed_at else None,
        "reviewed_by": kept.reviewed_by,
        "justified": kept.justified,
        "note": shown.note,
    }


async def _read_verdict(request: Request) -> Verdict:
    if not _is_form(request):
        return Verdict.model_validate_json(await request.body())
    form = await request.form(max_files=0, max_fields=4)
    return Verdict.model_validate({"justified": form.get("justified"), "note": form.get("note")})


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
