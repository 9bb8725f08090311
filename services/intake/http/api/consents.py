"""`/api/v1/cases/{case}/consents`: caseworkers grant consents with a written record, list and withdraw them."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Literal
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response

from services.intake.domain.validation import Fields, Refusal, refusal
from services.intake.http.api.bodies import headers_of, read_body, read_fields
from services.intake.http.api.persons import NO_CASE
from services.intake.http.api.requests import authorize
from services.intake.http.api.resource import Format, answer, refuse
from services.intake.use_cases.api_keys import CONSENT_SCOPE
from services.intake.use_cases.consents import (
    SignedForm,
    find_case,
    grant_signed_consent,
    list_consents,
    withdraw_consent,
)
from services.intake.use_cases.context import IntakeContext
from services.intake.use_cases.file_report import INVALID_KEY, is_idempotency_key
from shared.events.fields import FieldGroup
from shared.kit.http.replies import JsonAnswer
from shared.kit.observability.traces import new_traceparent, span, traceparent_of

NO_CONSENT = refusal(HTTPStatus.NOT_FOUND, "the case has no such consent")


class ConsentAnswer(JsonAnswer):
    """A consent; `how` says by whom it was recorded."""

    consent_id: UUID
    recipients: list[str]
    groups: list[FieldGroup]
    purpose: str
    how: Literal["form", "api", "caseworker"]
    granted_at: datetime
    ends_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class CaseworkerCall:
    """A caseworker's request about one case; `key` is their Idempotency-Key."""

    case_id: UUID
    caller: str
    fields: Fields
    key: str


async def post_consent(context: IntakeContext, answer_format: Format, request: Request) -> Response:
    """Grant a consent that was signed."""
    call = await _read_call(context, request)
    if isinstance(call, Refusal):
        return refuse(answer_format, call)
    with span("POST /api/v1/cases/consents", None) as active:
        signed = SignedForm(call.fields, call.caller, call.key)
        traceparent = traceparent_of(active) or new_traceparent()
        consent = await grant_signed_consent(context, call.case_id, signed, traceparent)
    if isinstance(consent, Refusal):
        return refuse(answer_format, consent)
    return answer(answer_format, "consent", ConsentAnswer.model_validate(consent), HTTPStatus.CREATED)


async def get_consents(context: IntakeContext, answer_format: Format, request: Request) -> Response:
    """List the consents of a case."""
    call = await _read_call(context, request)
    if isinstance(call, Refusal):
        return refuse(answer_format, call)
    consents = await list_consents(context, call.case_id)
    return answer(answer_format, "consents", [ConsentAnswer.model_validate(consent) for consent in consents.values()])


async def delete_consent(context: IntakeContext, answer_format: Format, request: Request) -> Response:
    """Withdraw a consent; withdrawing it again changes nothing."""
    call = await _read_call(context, request)
    if isinstance(call, Refusal):
        return refuse(answer_format, call)
    consents = await list_consents(context, call.case_id)
    known = next((each for each in consents if str(each) == request.path_params["consent"]), None)
    if known is None:
        return refuse(answer_format, NO_CONSENT)
    with span("DELETE /api/v1/cases/consents", None) as active:
        await withdraw_consent(context, call.case_id, known, traceparent_of(active) or new_traceparent())
    return answer(
        answer_format, "consent", ConsentAnswer.model_validate((await list_consents(context, call.case_id))[known])
    )


async def _read_call(context: IntakeContext, request: Request) -> CaseworkerCall | Refusal:
    """Read who calls, about which case, and the fields of the body, if there is one."""
    headers = headers_of(request.scope)
    body = await read_body(headers, request.receive)
    fields = body if isinstance(body, Refusal) else await read_fields(headers, body) if body else {}
    if isinstance(fields, Refusal):
        return fields
    caller = await authorize(context, headers, fields, CONSENT_SCOPE)
    if isinstance(caller, Refusal):
        return caller
    key = headers.get(b"idempotency-key", uuid4().hex.encode()).decode("latin-1")
    if not is_idempotency_key(key):
        return INVALID_KEY
    case_id = await find_case(context, request.path_params["case"])
    return CaseworkerCall(case_id, caller, fields, key) if case_id else NO_CASE
