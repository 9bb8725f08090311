"""The triage desk: needs that no program is left for, and a person who chooses one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from opentelemetry.trace import SpanKind
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from services.routing.domain.city import PlacementQuery, RoutingCity
from services.routing.domain.triage import Declined, TriageChoice
from services.routing.http.authentication import Staff, require_staff
from services.routing.http.pages.page import fill
from services.routing.store.case_files import QueuedNeed, list_triage_queue
from services.routing.use_cases.context import RoutingContext
from services.routing.use_cases.triage import assign_program
from shared.events.event import Slug
from shared.events.validation import first_error
from shared.kit.database.database import Database
from shared.kit.http.replies import JsonAnswer, refuse, reply
from shared.kit.observability.traces import span, traceparent_of
from shared.policy.consent import Consent

SHOWN = 200
"""Needs on the list at once: the ones that have waited longest."""


class Assignment(BaseModel):
    """The program that should help; `by` is who says so, where the key does not tell."""

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


def triage_routes(desk: RoutingContext, database: Database, key: str) -> list[Route]:
    """Serve `/triage` and `/triage/{need_id}`."""

    async def show(request: Request, _: Staff) -> Response:
        async with database.transaction(notify_commit=False) as tx:
            waiting = await list_triage_queue(tx, SHOWN)
        if "text/html" not in request.headers.get("accept", ""):
            return reply(TriageQueueView(waiting=[QueuedNeedView.model_validate(each) for each in waiting]))
        shown = await _with_choices(desk, database, waiting)
        return fill("triage", waiting=shown, most=SHOWN)

    async def assign(request: Request, staff: Staff) -> Response:
        try:
            wanted = await _read_assignment(request)
        except ValidationError as error:
            return refuse(422, first_error(error, "body"))
        by = f"staff:{wanted.by or staff.name}"
        with span("triage desk chooses", request.headers.get("traceparent"), SpanKind.SERVER) as spanned:
            need_id, program = request.path_params["need_id"], f"{wanted.agency}/{wanted.program}"
            outcome = await assign_program(desk, database, TriageChoice(need_id, program, by, traceparent_of(spanned)))
        if isinstance(outcome, Declined):
            return refuse(409, outcome.why)
        return RedirectResponse("/triage", 303) if _is_form(request) else reply({"referral_id": str(outcome)}, 201)

    return [
        Route("/triage", require_staff(show, key), methods=["GET"]),
        Route("/triage/{need_id:uuid}", require_staff(assign, key), methods=["POST"]),
    ]


async def _with_choices(
    desk: RoutingContext, database: Database, waiting: Sequence[QueuedNeed]
) -> list[tuple[QueuedNeed, list[str]]]:
    """Put beside each need the programs that may be chosen for it, as agreements and consents are now."""
    async with database.transaction() as tx:
        held = await desk.lock_consents(tx, cases=[row.case_id for row in waiting])
    return [(row, _possible(desk.city, _asking(desk.city, row, held.consents, held.now))) for row in waiting]


def _asking(
    city: RoutingCity, row: QueuedNeed, held: Mapping[UUID, Sequence[Consent]], now: datetime
) -> PlacementQuery:
    """Ask about a need as it is known here; the choice itself is held against the whole case."""
    consents = tuple(held.get(row.case_id, ()))
    protections = city.protection.protections_of(row.service_code, [row.need])
    return PlacementQuery(row.need, row.service_code, row.district, "routine", protections, now, consents)


def _possible(city: RoutingCity, asking: PlacementQuery) -> list[str]:
    """List the programs that may be given such a report, those that offer help with the need first."""
    programs = [each for each in city.programs.values() if city.admits(each, asking)]
    return [each.name for each in sorted(programs, key=lambda each: (asking.need not in each.needs, each.name))]


async def _read_assignment(request: Request) -> Assignment:
    if not _is_form(request):
        return Assignment.model_validate_json(await request.body())
    form = await request.form(max_files=0, max_fields=4)
    agency, _, program = str(form.get("program", "")).partition("/")
    return Assignment(agency=agency, program=program)


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
