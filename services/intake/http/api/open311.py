"""Open311 GeoReport v2: what can be asked for, what has been reported, and discovery."""

from http import HTTPStatus
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response

from services.intake.domain.case import hide_agencies
from services.intake.domain.fields import Fields, text_of
from services.intake.domain.new_case import SERVICE_REQUEST_ID
from services.intake.domain.open311 import definition, discovery, extended, request_row, service_row
from services.intake.domain.problems import Refusal, refusal
from services.intake.domain.search import Search, read_search
from services.intake.domain.tokens import read_token
from services.intake.http.api.formats import Format, Value, answer, refuse
from services.intake.http.api.resource import query_of
from services.intake.http.translations import texts_in
from services.intake.store import cases, own_reports
from services.intake.store.disclosures import list_delayed
from services.intake.use_cases.context import IntakeContext

NO_SERVICE = refusal(HTTPStatus.NOT_FOUND, "service_code was not found")
NO_REQUEST = refusal(HTTPStatus.NOT_FOUND, "service_request_id was not found")
NO_TOKEN = refusal(HTTPStatus.NOT_FOUND, "token was not found")


async def get_discovery(context: IntakeContext, form: Format, _: Request) -> Response:
    """Say where the API is."""
    return answer(form, "discovery", _shown(discovery(context.jurisdiction, context.public_url)))


async def get_services(context: IntakeContext, form: Format, request: Request) -> Response:
    """List the services."""
    fields = query_of(context, request)
    if isinstance(fields, Refusal):
        return refuse(form, fields)
    return answer(form, "services", _shown([service_row(service) for service in context.jurisdiction.catalogue]))


async def get_service(context: IntakeContext, form: Format, request: Request) -> Response:
    """Show the questions of one service."""
    fields = query_of(context, request)
    if isinstance(fields, Refusal):
        return refuse(form, fields)
    service = context.jurisdiction.catalogue.services.get(request.path_params["service_code"])
    return answer(form, "service_definition", _shown(definition(service))) if service else refuse(form, NO_SERVICE)


async def get_requests(context: IntakeContext, form: Format, request: Request) -> Response:
    """Find cases."""
    fields = query_of(context, request)
    search = fields if isinstance(fields, Refusal) else read_search(fields, context.clock())
    if isinstance(fields, Refusal) or isinstance(search, Refusal):
        return refuse(form, cast("Refusal", search))
    return answer(form, "service_requests", _shown(await _find(context, search, fields)))


async def get_one_request(context: IntakeContext, form: Format, request: Request) -> Response:
    """Show one case."""
    fields = query_of(context, request)
    if isinstance(fields, Refusal):
        return refuse(form, fields)
    number = request.path_params["service_request_id"]
    rows = await _find(context, Search(numbers=(number,)), fields) if SERVICE_REQUEST_ID.fullmatch(number) else []
    return answer(form, "service_requests", _shown(rows)) if rows else refuse(form, NO_REQUEST)


async def get_token(context: IntakeContext, form: Format, request: Request) -> Response:
    """Return the number of the case that a token opens."""
    fields = query_of(context, request)
    if isinstance(fields, Refusal):
        return refuse(form, fields)
    token = request.path_params["token"]
    claimed = read_token(token)
    async with context.database.statement() as connection:
        report = await own_reports.find_report(connection, claimed) if claimed else None
    if report is None:
        return refuse(form, NO_TOKEN)
    row = {"service_request_id": report.case.service_request_id, "token": token}
    return answer(form, "service_requests", _shown([row]))


async def _find(context: IntakeContext, search: Search, fields: Fields) -> list[dict[str, object]]:
    words = texts_in(context.jurisdiction.city.default_language, context.jurisdiction)
    async with context.database.statement() as connection:
        found = await cases.find_cases(connection, search)
        delayed = await list_delayed(connection, [case.case_id for case in found], context.clock())
        found = [hide_agencies(case, delayed[case.case_id]) if case.case_id in delayed else case for case in found]
        if text_of(fields, "extensions") != "true":
            return [request_row(case, context.jurisdiction, words) for case in found]
        notes = await cases.list_notes(connection, [case.case_id for case in found])
    for case_id, agencies in delayed.items():
        notes[case_id] = [note for note in notes[case_id] if note.agency not in agencies]
    return [
        request_row(case, context.jurisdiction, words)
        | extended(case, notes[case.case_id], context.jurisdiction, words)
        for case in found
    ]


def _shown(rows: Any) -> Value:
    return cast("Value", rows)
