"""`/emergencies`: staff review emergency accesses: justified or not, with a note."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from services.routing.http.authentication import Staff, require_staff
from services.routing.http.pages.page import is_form, render
from services.routing.store.emergencies import MAX_LISTED, AccessReview
from services.routing.use_cases.context import RoutingContext
from services.routing.use_cases.emergency_access import (
    UNKNOWN_ACCESS,
    AccessForReview,
    list_accesses_for_review,
    review,
)
from shared.events.fields import FieldGroup
from shared.events.validation import first_error
from shared.kit.database.database import Database
from shared.kit.http.replies import JsonAnswer, refuse, reply


class ReviewVerdict(BaseModel):
    """What a reviewer decides; `by` names them where the key does not."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    justified: bool
    note: str = Field(min_length=1, max_length=2000)
    by: str | None = Field(default=None, min_length=1, max_length=100)


class AccessView(JsonAnswer):
    """An emergency access; `reason` and `note` are null once the person is erased."""

    access_id: UUID
    referral_id: UUID
    agency: str
    groups: list[FieldGroup]
    opened_at: datetime
    ends_at: datetime
    caseworker: str
    reason: str | None
    late: bool
    reviewed_at: datetime | None
    reviewed_by: str | None
    justified: bool | None
    note: str | None


class AccessListView(JsonAnswer):
    """Emergency accesses, those without a review first."""

    emergencies: list[AccessView]


class ReviewedView(JsonAnswer):
    """An access is reviewed, by this member of staff."""

    reviewed_by: str


def emergency_routes(context: RoutingContext, database: Database, key: str) -> list[Route]:
    """Serve `/emergencies` and `/emergencies/{access_id}`."""

    async def show(request: Request, _: Staff) -> Response:
        accesses = [_access_view(each) for each in await list_accesses_for_review(context, database)]
        if "text/html" not in request.headers.get("accept", ""):
            return reply(AccessListView(emergencies=accesses))
        return render("emergencies", accesses=accesses, most=MAX_LISTED)

    async def decide(request: Request, staff: Staff) -> Response:
        try:
            verdict = await _read_verdict(request)
        except ValidationError as error:
            return refuse(422, first_error(error, "body"))
        access_id: UUID = request.path_params["access_id"]
        by = f"staff:{verdict.by or staff.name}"
        problem = await review(context, database, AccessReview(access_id, by, verdict.justified), verdict.note)
        if problem:
            return refuse(404 if problem == UNKNOWN_ACCESS else 409, problem)
        return RedirectResponse("/emergencies", 303) if is_form(request) else reply(ReviewedView(reviewed_by=by))

    return [
        Route("/emergencies", require_staff(show, key), methods=["GET"]),
        Route("/emergencies/{access_id:uuid}", require_staff(decide, key), methods=["POST"]),
    ]


def _access_view(found: AccessForReview) -> AccessView:
    stored, access = found.stored, found.stored.access
    return AccessView(
        access_id=access.access_id,
        referral_id=access.referral_id,
        agency=access.agency,
        groups=sorted(access.groups),
        opened_at=access.opened_at,
        ends_at=access.ends_at,
        caseworker=stored.caseworker,
        reason=found.reason,
        late=found.is_late,
        reviewed_at=stored.reviewed_at,
        reviewed_by=stored.reviewed_by,
        justified=stored.justified,
        note=found.note,
    )


async def _read_verdict(request: Request) -> ReviewVerdict:
    if not is_form(request):
        return ReviewVerdict.model_validate_json(await request.body())
    form = await request.form(max_files=0, max_fields=4)
    return ReviewVerdict.model_validate({"justified": form.get("justified"), "note": form.get("note")})
