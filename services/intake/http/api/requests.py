"""`POST /requests`: files a report. This is the path with the highest load: it does nothing that can be left out."""

from dataclasses import dataclass
from http import HTTPStatus

from opentelemetry.trace import SpanKind
from pydantic import ConfigDict, with_config
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive

from services.intake.domain.validation import Fields, Refusal, refusal, text_of
from services.intake.http.api.bodies import RawHeaders, headers_of, read_body, read_fields
from services.intake.http.api.resource import Format, answer, refuse
from services.intake.use_cases.api_keys import FILE_SCOPE
from services.intake.use_cases.context import IntakeContext
from services.intake.use_cases.file_report import FiledReport, SubmittedForm, file_report
from shared.kit.observability.traces import CASE_ID, context_of, new_traceparent, span, traceparent_of

NO_KEY = refusal(HTTPStatus.FORBIDDEN, "api_key is missing: give it as a field, or as Authorization: Bearer")
WRONG_KEY = refusal(HTTPStatus.FORBIDDEN, "api_key is unknown, or has no scope for this")

BEARER = b"bearer "


# A dataclass, not a JsonAnswer: every report is answered with one, and a model takes three times as long to write.
@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True)
class CreatedRequest:
    """A report was filed: its number, and the token of its status page."""

    service_request_id: str
    token: str
    service_notice: str
    account_id: str | None


async def post_request(context: IntakeContext, answer_format: Format, request: Request) -> Response:
    """File a report."""
    headers = headers_of(request.scope)
    parent = headers.get(b"traceparent", b"").decode("latin-1") or None
    with span("POST /open311/v2/requests", parent, SpanKind.SERVER) as active:
        traceparent = traceparent_of(active) or (parent if parent and context_of(parent) else None) or new_traceparent()
        submitted = await _read(context, headers, request.receive, traceparent)
        filed = submitted if isinstance(submitted, Refusal) else await file_report(context, submitted)
        if isinstance(filed, Refusal):
            return refuse(answer_format, filed)
        if filed.announced:
            active.set_attribute(CASE_ID, str(filed.case_id))
        return _created(context, answer_format, filed)


async def _read(
    context: IntakeContext, headers: RawHeaders, receive: Receive, traceparent: str
) -> SubmittedForm | Refusal:
    body = await read_body(headers, receive)
    if isinstance(body, Refusal):
        return body
    fields = await read_fields(headers, body)
    if isinstance(fields, Refusal):
        return fields
    caller = await authorize(context, headers, fields, FILE_SCOPE)
    if isinstance(caller, Refusal):
        return caller
    key = headers.get(b"idempotency-key")
    return SubmittedForm(fields, caller, "api", key.decode("latin-1") if key else None, traceparent)


async def authorize(context: IntakeContext, headers: RawHeaders, fields: Fields, scope: str) -> str | Refusal:
    """Return the caller's name, by their API key; refuse a key that is missing, unknown or without the scope."""
    header = headers.get(b"authorization", b"")
    shown = header[len(BEARER) :].decode("latin-1").strip() if header.lower().startswith(BEARER) else ""
    key = shown or text_of(fields, "api_key")
    if not key:
        return NO_KEY
    return await context.keys.authorize(key, scope) or WRONG_KEY


def _created(context: IntakeContext, answer_format: Format, filed: FiledReport) -> Response:
    created = CreatedRequest(
        service_request_id=filed.service_request_id,
        token=filed.token,
        service_notice=f"Follow this report at {context.public_url}/status/{filed.token}",
        account_id=filed.account_id,
    )
    response = answer(answer_format, "service_requests", [created], HTTPStatus.CREATED)
    if filed.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response
