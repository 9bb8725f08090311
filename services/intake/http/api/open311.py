"""Open311 GeoReport v2: the service list, public searches, and discovery."""

from http import HTTPStatus
from typing import cast

from starlette.requests import Request
from starlette.responses import Response

from services.intake.domain.new_case import SERVICE_REQUEST_ID
from services.intake.domain.search import Search, read_search
from services.intake.domain.validation import Fields, Refusal, refusal, text_of
from services.intake.http.api.open311_answers import (
    RequestToken,
    ServiceRequest,
    discovery_document,
    service_definition,
    service_list_item,
    service_request,
)
from services.intake.http.api.resource import Format, answer, query_of, refuse
from services.intake.http.translations import texts_in
from services.intake.use_cases.context import IntakeContext
from services.intake.use_cases.own_report import find_report
from services.intake.use_cases.search_cases import search_cases

NO_SERVICE = refusal(HTTPStatus.NOT_FOUND, "service_code was not found")
NO_REQUEST = refusal(HTTPStatus.NOT_FOUND, "service_request_id was not found")
NO_TOKEN = refusal(HTTPStatus.NOT_FOUND, "token was not found")


async def get_discovery(context: IntakeContext, answer_format: Format, _: Request) -> Response:
    """Answer with the discovery document."""
    return answer(answer_format, "discovery", discovery_document(context.jurisdiction, context.public_url))


async def get_services(context: IntakeContext, answer_format: Format, request: Request) -> Response:
    """List the services."""
    fields = query_of(context, request)
    if isinstance(fields, Refusal):
        return refuse(answer_format, fields)
    return answer(answer_format, "services", [service_list_item(service) for service in context.jurisdiction.catalogue])


async def get_service(context: IntakeContext, answer_format: Format, request: Request) -> Response:
    """Show the questions of one service."""
    fields = query_of(context, request)
    if isinstance(fields, Refusal):
        return refuse(answer_format, fields)
    service = context.jurisdiction.catalogue.services.get(request.path_params["service_code"])
    return (
        answer(answer_format, "service_definition", service_definition(service))
        if service
        else refuse(answer_format, NO_SERVICE)
    )


async def get_requests(context: IntakeContext, answer_format: Format, request: Request) -> Response:
    """Find cases."""
    fields = query_of(context, request)
    search = fields if isinstance(fields, Refusal) else read_search(fields, context.clock())
    if isinstance(fields, Refusal) or isinstance(search, Refusal):
        return refuse(answer_format, cast("Refusal", search))
    return answer(answer_format, "service_requests", await _find(context, search, fields))


async def get_one_request(context: IntakeContext, answer_format: Format, request: Request) -> Response:
    """Show one case."""
    fields = query_of(context, request)
    if isinstance(fields, Refusal):
        return refuse(answer_format, fields)
    number = request.path_params["service_request_id"]
    rows = await _find(context, Search(numbers=(number,)), fields) if SERVICE_REQUEST_ID.fullmatch(number) else []
    return answer(answer_format, "service_requests", rows) if rows else refuse(answer_format, NO_REQUEST)


async def get_token(context: IntakeContext, answer_format: Format, request: Request) -> Response:
    """Return the number of the case that a token opens."""
    fields = query_of(context, request)
    if isinstance(fields, Refusal):
        return refuse(answer_format, fields)
    token = request.path_params["token"]
    report = await find_report(context, token)
    if report is None:
        return refuse(answer_format, NO_TOKEN)
    found = RequestToken(service_request_id=report.case.service_request_id, token=token)
    return answer(answer_format, "service_requests", [found])


async def _find(context: IntakeContext, search: Search, fields: Fields) -> list[ServiceRequest]:
    jurisdiction = context.jurisdiction
    texts = texts_in(jurisdiction.profile.default_language, jurisdiction)
    is_extended = text_of(fields, "extensions") == "true"
    found = await search_cases(context, search, with_notes=is_extended)
    return [service_request(each.case, jurisdiction, texts, each.notes if is_extended else None) for each in found]
