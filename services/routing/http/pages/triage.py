"""`/triage`: the triage queue, where staff choose a program for needs that no program is left for."""

from datetime import datetime
from typing import Final
from uuid import UUID

from opentelemetry.trace import SpanKind
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from services.routing.domain.triage import Declined, TriageChoice
from services.routing.http.authentication import Staff, require_staff
from services.routing.http.pages.page import is_form, render
from services.routing.use_cases.context import RoutingContext
from services.routing.use_cases.triage import assign_program, list_choices, list_queue
from shared.events.event import Slug
from shared.events.validation import first_error
from shared.kit.database.database import Database
from shared.kit.http.replies import JsonAnswer, refuse, reply
from shared.kit.observability.traces import span, traceparent_of

MOST_NEEDS: Final = 200
"""Needs on the list, the longest waiting ones."""


class Assignment(BaseModel):
    """The program that is asked for help; `by` names the member of staff where the key does not."""

    model_config = ConfigDict(extra="forbid")

    agency: Slug
    program: Slug
    by: str | None = Field(default=None, min_length=1, max_length=100)


class QueuedNeedView(JsonAnswer):
    """A need in the triage queue, and why no program was asked."""

    need_id: UUID
    case_id: UUID
    need: str
    service_code: str
    district: str | None
    reason: str
    why: str
    since: datetime


class TriageQueueView(JsonAnswer):
    """The triage queue, the longest waiting first."""

    waiting: list[QueuedNeedView]


class AssignedView(JsonAnswer):
    """The referral that was made."""

    referral_id: UUID


def triage_routes(context: RoutingContext, database: Database, key: str) -> list[Route]:
    """Serve `/triage` and `/triage/{need_id}`."""

    async def show(request: Request, _: Staff) -> Response:
        queue = await list_queue(database, MOST_NEEDS)
        if "text/html" not in request.headers.get("accept", ""):
            return reply(TriageQueueView(waiting=[QueuedNeedView.model_validate(each) for each in queue]))
        return render("triage", queue=await list_choices(context, database, queue), most=MOST_NEEDS)

    async def assign(request: Request, staff: Staff) -> Response:
        try:
            assignment = await _read_assignment(request)
        except ValidationError as error:
            return refuse(422, first_error(error, "body"))
        by = f"staff:{assignment.by or staff.name}"
        with span("assign program", request.headers.get("traceparent"), SpanKind.SERVER) as active:
            need_id, program = request.path_params["need_id"], f"{assignment.agency}/{assignment.program}"
            outcome = await assign_program(
                context, database, TriageChoice(need_id, program, by, traceparent_of(active))
            )
        if isinstance(outcome, Declined):
            return refuse(409, outcome.why)
        return RedirectResponse("/triage", 303) if is_form(request) else reply(AssignedView(referral_id=outcome), 201)

    return [
        Route("/triage", require_staff(show, key), methods=["GET"]),
        Route("/triage/{need_id:uuid}", require_staff(assign, key), methods=["POST"]),
    ]


async def _read_assignment(request: Request) -> Assignment:
    if not is_form(request):
        return Assignment.model_validate_json(await request.body())
    form = await request.form(max_files=0, max_fields=4)
    agency, _, program = str(form.get("program", "")).partition("/")
    return Assignment(agency=agency, program=program)
