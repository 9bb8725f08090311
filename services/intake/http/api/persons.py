"""What is held about a person, for staff: all of it opened, and its erasure."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response

from services.intake.domain.fields import text_of
from services.intake.domain.problems import Refusal, bad, refusal
from services.intake.http.api.bodies import headers_of, read_body, read_fields
from services.intake.http.api.formats import Format, answer, refuse
from services.intake.http.api.requests import allowed
from services.intake.store import persons
from services.intake.store.persons import DataSubject, Erased, SealedContent
from services.intake.use_cases.api_keys import ERASE
from services.intake.use_cases.consents import say
from services.intake.use_cases.context import IntakeContext
from shared.events.event import Event
from shared.events.fields import FieldGroup
from shared.events.intake import ConsentWithdrawn, PersonErased
from shared.kit.database.database import Transaction
from shared.kit.http.auth import bearer_of, is_key
from shared.kit.observability.traces import new_traceparent, span, traceparent_of

NO_CASE = refusal(HTTPStatus.NOT_FOUND, "no case has this id or number")
STAFF_ONLY = refusal(HTTPStatus.FORBIDDEN, "show the operators' key: Authorization: Bearer <HANDOFF_STAFF_KEY>")
UNCONFIRMED = Refusal((bad("confirm must repeat the case as the address names it", "confirm", "missing"),))


async def get_person(context: IntakeContext, form: Format, request: Request) -> Response:
    """Answer with everything that intake holds about the person of a case, opened."""
    if not is_staff(context, request):
        return refuse(form, STAFF_ONLY)
    async with context.database.transaction(notify_commit=False) as tx:
        case_id = await persons.find_case_id(tx, request.path_params["case"])
        if case_id is None:
            return refuse(form, NO_CASE)
        held: dict[str, Any] = await persons.list_held(tx, case_id)
        opened = await _open(context, tx, await persons.get_sealed(tx, case_id), held["consents"])
    content = {"service": "intake"} | held | opened | {"case": held["case"][0]}
    return Response(orjson.dumps(content), media_type="application/json", headers={"cache-control": "no-store"})


async def post_erase(context: IntakeContext, form: Format, request: Request) -> Response:
    """Erase the person of a case; who was erased before stays so."""
    confirmed = await _read_confirmation(context, request)
    if isinstance(confirmed, Refusal):
        return refuse(form, confirmed)
    with span("POST /api/v1/persons/erase", None) as active:
        traceparent = traceparent_of(active) or new_traceparent()
        async with context.database.transaction() as tx:
            case_id = await persons.find_case_id(tx, confirmed)
            subject = await persons.lock_subject(tx, case_id) if case_id else None
            if subject is None:
                return refuse(form, NO_CASE)
            if subject.erased_at is not None:
                return answer(form, "erased", _told(subject, subject.erased_at.isoformat(), 0, before=True))
            erased = await persons.erase(tx, subject)
            await say(tx, _events(subject, erased), traceparent)
    return answer(form, "erased", _told(subject, erased.erased_at.isoformat(), len(erased.withdrawn), before=False))


def is_staff(context: IntakeContext, request: Request) -> bool:
    """Tell whether the operators' key is shown."""
    return bool(context.staff_key) and is_key(bearer_of(request), context.staff_key)


async def _read_confirmation(context: IntakeContext, request: Request) -> str | Refusal:
    """Return the case that is to be erased, once it has been named twice by somebody who may."""
    headers = headers_of(request.scope)
    body = await read_body(headers, request.receive)
    fields = body if isinstance(body, Refusal) else await read_fields(headers, body)
    if isinstance(fields, Refusal):
        return fields
    if not is_staff(context, request):
        caller = await allowed(context, headers, fields, ERASE)
        if isinstance(caller, Refusal):
            return caller
    case: str = request.path_params["case"]
    return case if text_of(fields, "confirm") == case else UNCONFIRMED


async def _open(
    context: IntakeContext, tx: Transaction, sealed: SealedContent, consents: list[dict[str, Any]]
) -> dict[str, Any]:
    """Open what is sealed of a person, and the records of their consents; nothing is left of who was erased."""
    person = (await context.vault.load(tx, [sealed.person_id])).get(sealed.person_id)
    if person is None:
        return {"person": None, "record": None}

    def opened(group: str, block: str) -> Any:
        return orjson.loads(context.vault.open(person, FieldGroup(group), block))

    for consent in consents:
        if consent["record"]:
            consent["record"] = opened(FieldGroup.IDENTITY, consent["record"])
    return {
        "person": {group: opened(group, block) for group, block in sealed.groups.items()},
        "record": opened(FieldGroup.NARRATIVE, sealed.record) if sealed.record else None,
    }


def _events(subject: DataSubject, erased: Erased) -> list[Event]:
    """Say what ended; nothing of a case that nobody was told of."""
    if not subject.announced:
        return []
    case_id, person_id = subject.case_id, subject.person_id
    ended = [
        ConsentWithdrawn(case_id=case_id, consent_id=consent_id, occurred_at=moment)
        for consent_id, moment in erased.withdrawn
    ]
    return [*ended, PersonErased(case_id=case_id, person_id=person_id, erased_at=erased.erased_at)]


def _told(subject: DataSubject, erased_at: str, consents: int, *, before: bool) -> dict[str, Any]:
    case_id: UUID = subject.case_id
    return {
        "case_id": str(case_id),
        "erased_at": erased_at,
        "erased_before": before,
        "consents_ended": consents,
        "agencies_told": subject.agencies if subject.announced else [],
    }
