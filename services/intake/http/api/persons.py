"""`/api/v1/persons`: subject access exports for staff, and erasure."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

import orjson
from pydantic import PlainSerializer
from starlette.requests import Request
from starlette.responses import Response

from services.intake.domain.validation import Refusal, invalid, refusal, text_of
from services.intake.http.api.bodies import headers_of, read_body, read_fields
from services.intake.http.api.requests import authorize
from services.intake.http.api.resource import Format, answer, refuse
from services.intake.use_cases.api_keys import ERASE_SCOPE
from services.intake.use_cases.context import IntakeContext
from services.intake.use_cases.erase_person import Erasure, erase_person
from services.intake.use_cases.subject_export import export_person
from shared.kit.http.auth import keys_match, read_bearer_key
from shared.kit.http.replies import JsonAnswer
from shared.kit.observability.traces import new_traceparent, span, traceparent_of

NO_CASE = refusal(HTTPStatus.NOT_FOUND, "no case has this id or number")
STAFF_ONLY = refusal(HTTPStatus.FORBIDDEN, "show the operators' key: Authorization: Bearer <HANDOFF_STAFF_KEY>")
UNCONFIRMED = Refusal((invalid("confirm must repeat the case as in the path", "confirm", "missing"),))


class ErasureAnswer(JsonAnswer):
    """The person of a case is erased; `erased_before` tells that an earlier request did it."""

    case_id: UUID
    erased_at: Annotated[datetime, PlainSerializer(datetime.isoformat)]
    erased_before: bool
    consents_ended: int
    agencies_told: list[str]


async def get_person(context: IntakeContext, answer_format: Format, request: Request) -> Response:
    """Answer with everything that intake stores about the person of a case, decrypted."""
    if not is_staff(context, request):
        return refuse(answer_format, STAFF_ONLY)
    rows = await export_person(context, request.path_params["case"])
    if rows is None:
        return refuse(answer_format, NO_CASE)
    content = {"service": "intake"} | rows
    return Response(orjson.dumps(content), media_type="application/json", headers={"cache-control": "no-store"})


async def post_erase(context: IntakeContext, answer_format: Format, request: Request) -> Response:
    """Erase the person of a case; erasing a person again changes nothing."""
    confirmed = await _read_confirmation(context, request)
    if isinstance(confirmed, Refusal):
        return refuse(answer_format, confirmed)
    with span("POST /api/v1/persons/erase", None) as active:
        erasure = await erase_person(context, confirmed, traceparent_of(active) or new_traceparent())
    return refuse(answer_format, NO_CASE) if erasure is None else answer(answer_format, "erased", _describe(erasure))


def is_staff(context: IntakeContext, request: Request) -> bool:
    """Tell whether a request has the operators' key."""
    return bool(context.staff_key) and keys_match(read_bearer_key(request), context.staff_key)


async def _read_confirmation(context: IntakeContext, request: Request) -> str | Refusal:
    """Return the case in the path if `confirm` repeats it and the caller may erase; else refuse."""
    headers = headers_of(request.scope)
    body = await read_body(headers, request.receive)
    fields = body if isinstance(body, Refusal) else await read_fields(headers, body)
    if isinstance(fields, Refusal):
        return fields
    if not is_staff(context, request):
        caller = await authorize(context, headers, fields, ERASE_SCOPE)
        if isinstance(caller, Refusal):
            return caller
    case: str = request.path_params["case"]
    return case if text_of(fields, "confirm") == case else UNCONFIRMED


def _describe(erasure: Erasure) -> ErasureAnswer:
    return ErasureAnswer(
        case_id=erasure.case_id,
        erased_at=erasure.erased_at,
        erased_before=erasure.erased_before,
        consents_ended=erasure.consents_ended,
        agencies_told=list(erasure.agencies),
    )
