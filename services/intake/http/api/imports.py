"""`POST /imports/{source}`: imports records of another system; each is imported once, or refused by itself."""

from http import HTTPStatus
from typing import Any, Literal

import orjson
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from services.intake.domain.validation import Refusal, refusal
from services.intake.http.api.bodies import headers_of, read_body
from services.intake.http.api.requests import authorize
from services.intake.http.api.resource import Format, answer, refuse
from services.intake.use_cases.api_keys import IMPORT_SCOPE
from services.intake.use_cases.context import IntakeContext
from services.intake.use_cases.import_records import import_records
from shared.events.event import Slug
from shared.kit.http.replies import JsonAnswer
from shared.kit.observability.traces import span

MAX_BODY_BYTES = 16 * 1_048_576
MAX_RECORDS = 500

BAD_BODY = refusal(HTTPStatus.BAD_REQUEST, 'the body must be JSON: {"records": [...]}')
TOO_MANY = refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {MAX_RECORDS} records")
BAD_SOURCE = refusal(HTTPStatus.NOT_FOUND, "the source must be named in lower-case letters, digits and hyphens")

_source = TypeAdapter(Slug)


class ImportOutcome(JsonAnswer):
    """The outcome of one record; a refused one has a reason, a created one may have remarks on doubtful values."""

    external_id: str
    outcome: Literal["created", "duplicate", "refused"]
    reason: str | None
    remarks: list[str]


class ImportOutcomes(JsonAnswer):
    """The outcome of each record, in the order in which they were sent."""

    results: list[ImportOutcome]


async def post_records(context: IntakeContext, answer_format: Format, request: Request) -> Response:
    """Import records."""
    with span("POST /imports", headers_of(request.scope).get(b"traceparent", b"").decode("latin-1")):
        results = await _import(context, request)
    if isinstance(results, Refusal):
        return refuse(answer_format, results)
    return answer(answer_format, "results", ImportOutcomes(results=results))


async def _import(context: IntakeContext, request: Request) -> list[ImportOutcome] | Refusal:
    caller = await authorize(context, headers_of(request.scope), {}, IMPORT_SCOPE)
    if isinstance(caller, Refusal):
        return caller
    source = request.path_params["source"]
    try:
        _source.validate_python(source)
    except ValidationError:
        return BAD_SOURCE
    body = await read_body(headers_of(request.scope), request.receive, MAX_BODY_BYTES)
    content = body if isinstance(body, Refusal) else _read_records(body)
    if isinstance(content, Refusal):
        return content
    return [ImportOutcome.model_validate(each) for each in await import_records(context, source, content)]


def _read_records(body: bytes) -> list[Any] | Refusal:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return BAD_BODY
    records = content.get("records") if isinstance(content, dict) else None
    if not isinstance(records, list):
        return BAD_BODY
    return TOO_MANY if len(records) > MAX_RECORDS else records
