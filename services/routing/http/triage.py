"""The triage desk: needs that no program is left for, and a person who chooses one."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, Template
from opentelemetry.trace import SpanKind
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from services.routing.desk import Desk
from services.routing.domain.triage import Choice, Declined
from services.routing.http.entrance import Staff, for_staff
from services.routing.http.replies import refuse, reply
from services.routing.store.reading import list_waiting
from services.routing.tables import TriageRow
from services.routing.triage_desk import choose
from shared.events.event import Slug
from shared.events.wire import write_time
from shared.kit.database import Database
from shared.kit.telemetry import span, traceparent_of

SHOWN = 200
"""Needs on the list at once: the ones that have waited longest."""

PAGE_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; img-src data:",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


class Assignment(BaseModel):
    """The program that should help; `by` is who says so, where the key does not tell."""

    model_config = ConfigDict(extra="forbid")

    agency: Slug
    program: Slug
    by: str | None = Field(default=None, min_length=1, max_length=100)


def triage_routes(desk: Desk, database: Database, key: str) -> list[Route]:
    """Serve `/triage` and `/triage/{need_id}`."""
    page = _page()

    async def show(request: Request, _: Staff) -> Response:
        async with database.session() as session:
            waiting = await list_waiting(session, SHOWN)
        if "text/html" not in request.headers.get("accept", ""):
            return reply({"waiting": [describe(row) for row in waiting]})
        shown = [(row, _possible(desk, row)) for row in waiting]
        return HTMLResponse(page.render(waiting=shown, most=SHOWN), headers=PAGE_HEADERS)

    async def assign(request: Request, staff: Staff) -> Response:
        try:
            wanted = await _read_assignment(request)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            return refuse(422, f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}")
        by = f"staff:{wanted.by or staff.name}"
        with span("triage desk chooses", request.headers.get("traceparent"), SpanKind.SERVER) as spanned:
            need_id, program = request.path_params["need_id"], f"{wanted.agency}/{wanted.program}"
            outcome = await choose(desk, database, Choice(need_id, program, by, traceparent_of(spanned)))
        if isinstance(outcome, Declined):
            return refuse(409, outcome.why)
        return RedirectResponse("/triage", 303) if _is_form(request) else reply({"referral_id": str(outcome)}, 201)

    return [
        Route("/triage", for_staff(show, key), methods=["GET"]),
        Route("/triage/{need_id:uuid}", for_staff(assign, key), methods=["POST"]),
    ]


def describe(row: TriageRow) -> dict[str, Any]:
    """Return a waiting need as JSON."""
    return {
        "need_id": str(row.need_id),
        "case_id": str(row.case_id),
        "need": row.need,
        "service_code": row.service_code,
        "district": row.district,
        "reason": row.reason,
        "why": row.why,
        "since": write_time(row.entered_at),
    }


def _page() -> Template:
    templates = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)
    return templates.get_template("triage.html")


def _possible(desk: Desk, row: TriageRow) -> list[str]:
    """List the programs that may be given a report of this kind, those that offer help with the need first."""
    programs = [each for each in desk.city.programs.values() if desk.city.admits(each, row.service_code)]
    return [each.name for each in sorted(programs, key=lambda each: (row.need not in each.needs, each.name))]


async def _read_assignment(request: Request) -> Assignment:
    if not _is_form(request):
        return Assignment.model_validate_json(await request.body())
    form = await request.form(max_files=0, max_fields=4)
    agency, _, program = str(form.get("program", "")).partition("/")
    return Assignment(agency=agency, program=program)


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
