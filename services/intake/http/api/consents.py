"""Consents that a caseworker takes: granted with a written record, listed, withdrawn."""

from dataclasses import asdict, dataclass
from http import HTTPStatus
from uuid import UUID, uuid4

import orjson
from starlette.requests import Request
from starlette.responses import Response

from services.intake.domain.consents import Permission, SignedRecord, StoredConsent, read_permission, read_written
from services.intake.domain.fields import Fields, misused
from services.intake.domain.problems import Refusal, refusal
from services.intake.http.api.bodies import headers_of, read_body, read_fields
from services.intake.http.api.formats import Format, Value, answer, refuse
from services.intake.http.api.persons import NO_CASE
from services.intake.http.api.requests import allowed
from services.intake.store import consents, persons
from services.intake.store.consents import ConsentGrant
from services.intake.use_cases.api_keys import CONSENT
from services.intake.use_cases.consents import grant, withdraw
from services.intake.use_cases.context import IntakeContext
from services.intake.use_cases.file_report import BAD_KEY, is_key_of_a_caller
from shared.events.fields import FieldGroup
from shared.events.wire import write_time
from shared.kit.observability.traces import new_traceparent, span, traceparent_of

NO_CONSENT = refusal(HTTPStatus.NOT_FOUND, "the case has no such consent")
NOT_OPEN = refusal(HTTPStatus.CONFLICT, "the case is closed, or its person is erased: nothing can be granted any more")


@dataclass(frozen=True, slots=True)
class CaseworkerCall:
    """Who calls about which case, what they say, and under which key of their own."""

    case_id: UUID
    caller: str
    fields: Fields
    once: str


async def post_consent(context: IntakeContext, form: Format, request: Request) -> Response:
    """Keep a consent that was signed."""
    call = await _hear(context, request)
    read = call if isinstance(call, Refusal) else await _read(context, call)
    if isinstance(call, Refusal) or isinstance(read, Refusal):
        return refuse(form, call if isinstance(call, Refusal) else read)  # type: ignore[arg-type]
    permission, written = read
    record = await _seal(context, call.case_id, written)
    consent_id = permission.id_for(call.case_id, f"{call.caller}|{call.once}")
    with span("POST /api/v1/cases/consents", None) as active:
        given = ConsentGrant(consent_id, permission, "caseworker", call.caller, record)
        granted = record and await grant(context, call.case_id, given, traceparent_of(active) or new_traceparent())
    if not granted:
        return refuse(form, NOT_OPEN)
    kept = await _list(context, call.case_id)
    return answer(form, "consent", _shown(kept[consent_id]), HTTPStatus.CREATED)


async def get_consents(context: IntakeContext, form: Format, request: Request) -> Response:
    """List the consents of a case."""
    call = await _hear(context, request)
    if isinstance(call, Refusal):
        return refuse(form, call)
    kept = await _list(context, call.case_id)
    return answer(form, "consents", [_shown(consent) for consent in kept.values()])


async def delete_consent(context: IntakeContext, form: Format, request: Request) -> Response:
    """Withdraw a consent; one that was withdrawn before stays so."""
    call = await _hear(context, request)
    if isinstance(call, Refusal):
        return refuse(form, call)
    kept = await _list(context, call.case_id)
    known = next((each for each in kept if str(each) == request.path_params["consent"]), None)
    if known is None:
        return refuse(form, NO_CONSENT)
    with span("DELETE /api/v1/cases/consents", None) as active:
        await withdraw(context, call.case_id, known, traceparent_of(active) or new_traceparent())
    return answer(form, "consent", _shown((await _list(context, call.case_id))[known]))


async def _hear(context: IntakeContext, request: Request) -> CaseworkerCall | Refusal:
    """Find out who calls about what; a body is read only where there is one."""
    headers = headers_of(request.scope)
    body = await read_body(headers, request.receive)
    fields = body if isinstance(body, Refusal) else await read_fields(headers, body) if body else {}
    if isinstance(fields, Refusal):
        return fields
    caller = await allowed(context, headers, fields, CONSENT)
    if isinstance(caller, Refusal):
        return caller
    once = headers.get(b"idempotency-key", uuid4().hex.encode()).decode("latin-1")
    if not is_key_of_a_caller(once):
        return BAD_KEY
    async with context.database.statement() as connection:
        case_id = await persons.find_case_id(connection, request.path_params["case"])
    return CaseworkerCall(case_id, caller.name, fields, once) if case_id else NO_CASE


async def _read(context: IntakeContext, call: CaseworkerCall) -> tuple[Permission, SignedRecord] | Refusal:
    """Read what is allowed, and who signed it."""
    async with context.database.statement() as connection:
        asked = await consents.find_asked(connection, call.case_id)
    now = context.clock()
    offers = context.jurisdiction.offers(*asked, now)
    permission, unclear = read_permission(call.fields, offers, now, context.jurisdiction.city.zone)
    written, unsigned = read_written(call.fields)
    problems = [*misused(call.fields), *unclear, *unsigned]
    if not permission and not unclear:
        return refusal(HTTPStatus.BAD_REQUEST, "consent[recipients] and consent[groups] are required")
    return (permission, written) if permission and written and not problems else Refusal(tuple(problems))


async def _seal(context: IntakeContext, case_id: UUID, written: SignedRecord) -> str | None:
    """Seal the record of a consent under the person's key; None for somebody who was erased."""
    async with context.database.statement() as connection:
        person_id = (await persons.get_sealed(connection, case_id)).person_id
        person = (await context.vault.load(connection, [person_id])).get(person_id)
    return context.vault.seal(person, FieldGroup.IDENTITY, orjson.dumps(asdict(written))) if person else None


async def _list(context: IntakeContext, case_id: UUID) -> dict[UUID, StoredConsent]:
    async with context.database.statement() as connection:
        return {consent.consent_id: consent for consent in await consents.list_consents(connection, case_id)}


def _shown(consent: StoredConsent) -> Value:
    return {
        "consent_id": str(consent.consent_id),
        "recipients": consent.recipients,
        "groups": [str(group) for group in consent.groups],
        "purpose": consent.purpose,
        "how": consent.how,
        "granted_at": write_time(consent.granted_at),
        "ends_at": write_time(consent.ends_at),
        "withdrawn_at": write_time(consent.withdrawn_at) if consent.withdrawn_at else None,
    }
