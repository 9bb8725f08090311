"""Grants, lists and withdraws consents: each change and its event are committed in one transaction."""

from dataclasses import asdict, dataclass
from http import HTTPStatus
from uuid import UUID

import orjson

from services.intake.domain.consents import StoredConsent, read_permission, read_signed_record
from services.intake.domain.validation import Fields, Refusal, check_fields, refusal
from services.intake.store import consents, persons
from services.intake.store.consents import ConsentGrant, LockedCase
from services.intake.store.new_cases import PendingCase, insert_cases
from services.intake.use_cases.context import IntakeContext, emit
from shared.events.event import Event
from shared.events.fields import FieldGroup
from shared.events.intake import ConsentGranted, ConsentWithdrawn
from shared.events.topics import CASES
from shared.kit.database.database import Transaction
from shared.kit.vault.consents import lock_for_withdrawal

NOTHING_CHOSEN = refusal(HTTPStatus.BAD_REQUEST, "consent[recipients] and consent[groups] are required")
NOT_OPEN = refusal(HTTPStatus.CONFLICT, "the case is closed, or its person is erased: nothing can be granted any more")


@dataclass(frozen=True, slots=True)
class SignedForm:
    """A consent that a person signed before a caseworker; `caller` and `key` make sure that it is granted once."""

    fields: Fields
    caller: str
    key: str


async def open_with_consent(context: IntakeContext, pending: PendingCase, grant: ConsentGrant) -> bool:
    """Open a case together with the consent that came with it; False when the caller's key was used before."""
    case_id = pending.case.identity.case_id
    async with context.database.transaction() as tx:
        if case_id not in await insert_cases(tx, [pending]):
            return False
        case = await consents.lock_case(tx, case_id)
        if case is not None:
            await _grant(tx, case, grant, pending.traceparent)
    return True


async def grant_consent(context: IntakeContext, case_id: UUID, grant: ConsentGrant, traceparent: str) -> bool:
    """Grant a consent, once; its first consent also announces a case that was suppressed until now.

    False when there is no such case, it is closed, or its person is erased.
    """
    async with context.database.transaction() as tx:
        case = await consents.lock_case(tx, case_id)
        if case is None or case.status != "open":
            return False
        await _grant(tx, case, grant, traceparent)
    return True


async def grant_signed_consent(
    context: IntakeContext, case_id: UUID, form: SignedForm, traceparent: str
) -> StoredConsent | Refusal:
    """Grant a consent with the record of its signature, which is sealed under the person's key."""
    async with context.database.statement() as connection:
        asked = await consents.find_service_and_needs(connection, case_id)
        person_id = (await persons.get_sealed(connection, case_id)).person_id
        person = (await context.vault.load(connection, [person_id])).get(person_id)
    now = context.clock()
    options = context.jurisdiction.consent_options(*asked, now)
    permission, unclear = read_permission(form.fields, options, now, context.jurisdiction.profile.zone)
    signed, unsigned = read_signed_record(form.fields)
    if permission is None and not unclear:
        return NOTHING_CHOSEN
    problems = [*check_fields(form.fields), *unclear, *unsigned]
    if permission is None or signed is None or problems:
        return Refusal(tuple(problems))
    if person is None:
        return NOT_OPEN
    record = context.vault.seal(person, FieldGroup.IDENTITY, orjson.dumps(asdict(signed)))
    consent_id = permission.id_for(case_id, f"{form.caller}|{form.key}")
    grant = ConsentGrant(consent_id, permission, "caseworker", form.caller, record)
    if not await grant_consent(context, case_id, grant, traceparent):
        return NOT_OPEN
    return (await list_consents(context, case_id))[consent_id]


async def withdraw_consent(context: IntakeContext, case_id: UUID, consent_id: UUID, traceparent: str) -> bool:
    """Withdraw a consent; False when there is none, or it was withdrawn before.

    When this returns, no release that depends on the consent can commit any more: the lock waits for those that have
    begun, and the next one reads the consent as withdrawn.
    """
    async with context.database.transaction() as tx:
        await lock_for_withdrawal(tx, case_id)
        withdrawn_at = await consents.withdraw(tx, case_id, consent_id)
        if withdrawn_at is None:
            return False
        event = ConsentWithdrawn(case_id=case_id, consent_id=consent_id, occurred_at=withdrawn_at)
        await emit(tx, [event], traceparent)
    return True


async def list_consents(context: IntakeContext, case_id: UUID) -> dict[UUID, StoredConsent]:
    """Return every consent of a case by its id, in the order in which they were granted."""
    async with context.database.statement() as connection:
        return {consent.consent_id: consent for consent in await consents.list_consents(connection, case_id)}


async def find_case(context: IntakeContext, case: str) -> UUID | None:
    """Find a case by its id, or by the number that people know it by."""
    async with context.database.statement() as connection:
        return await persons.find_case_id(connection, case)


async def _grant(tx: Transaction, case: LockedCase, grant: ConsentGrant, traceparent: str | None) -> None:
    """Store a consent of a locked case, and emit the suppressed `CaseSubmitted` of that case before it."""
    granted_at = await consents.insert_consent(tx, case, grant)
    if granted_at is None:
        return  # the same form was sent before
    permission = grant.permission
    events: list[Event] = []
    if case.suppressed_event is not None:
        events.append(CASES.events.validate_json(case.suppressed_event))
        await consents.mark_announced(tx, case.case_id)
    events.append(
        ConsentGranted(
            case_id=case.case_id,
            consent_id=grant.consent_id,
            occurred_at=granted_at,
            recipients=permission.recipients,
            groups=permission.groups,
            purpose=permission.purpose,
            ends_at=permission.ends_at,
        )
    )
    await emit(tx, events, traceparent)
