"""Consents that a caseworker takes: granted with a written record, listed, withdrawn."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Literal
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response

from services.intake.domain.fields import Fields
from services.intake.domain.problems import Refusal, refusal
from services.intake.http.api.bodies import headers_of, read_body, read_fields
from services.intake.http.api.formats import Format, answer, refuse
from services.intake.http.api.persons import NO_CASE
from services.intake.http.api.requests import allowed
from services.intake.use_cases.api_keys import CONSENT
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


async def post_consent(context: IntakeContext, form: Format, request: Request) -> Response:
    """Grant a consent that was signed."""
    call = await _read_call(context, request)
    if isinstance(call, Refusal):
        return refuse(form, call)
    with span("POST /api/v1/cases/consents", None) as active:
        signed = SignedForm(call.fields, call.caller, call.key)
        traceparent = traceparent_of(active) or new_traceparent()
        consent = await grant_signed_consent(context, call.case_id, signed, traceparent)
    if isinstance(consent, Refusal):
        return refuse(form, consent)
    return answer(form, "consent", ConsentAnswer.model_validate(consent), HTTPStatus.CREATED)


async def get_consents(context: IntakeContext, form: Format, request: Request) -> Response:
    """List the consents of a case."""
    call = await _read_call(context, request)
    if isinstance(call, Refusal):
        return refuse(form, call)
    consents = await list_consents(context, call.case_id)
    return answer(form, "consents", [ConsentAnswer.model_validate(consent) for consent in consents.values()])


async def delete_consent(context: IntakeContext, form: Format, request: Request) -> Response:
    """Withdraw a consent; one that was withdrawn before stays so."""
    call = await _read_call(context, request)
    if isinstance(call, Refusal):
        return refuse(form, call)
    consents = await list_consents(context, call.case_id)
    known = next((each for each in consents if str(each) == request.path_params["consent"]), None)
    if known is None:
        return refuse(form, NO_CONSENT)
    with span("DELETE /api/v1/cases/consents", None) as active:
        await withdraw_consent(context, call.case_id, known, traceparent_of(active) or new_traceparent())
    return answer(form, "consent", ConsentAnswer.model_validate((await list_consents(context, call.case_id))[known]))


async def _read_call(context: IntakeContext, request: Request) -> CaseworkerCall | Refusal:
    """Find out who calls about what; a body is read only where there is one."""
    headers = headers_of(request.scope)
    body = await read_body(headers, request.receive)
    fields = body if isinstance(body, Refusal) else await read_fields(headers, body) if body else {}
    if isinstance(fields, Refusal):
        return fields
    caller = await allowed(context, headers, fields, CONSENT)
    if isinstance(caller, Refusal):
        return caller
    key = headers.get(b"idempotency-key", uuid4().hex.encode()).decode("latin-1")
    if not is_idempotency_key(key):
        return INVALID_KEY
    case_id = await find_case(context, request.path_params["case"])
    return CaseworkerCall(case_id, caller.name, fields, key) if case_id else NO_CASE
