"""Takes in one report: the way that Open311 and the resident's form share."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

import orjson

from services.intake.domain.fields import Fields
from services.intake.domain.new_case import CaseIdentity, NewCase, SealedPerson, case_from_report, service_request_id
from services.intake.domain.problems import Refusal, refusal
from services.intake.domain.report import Report, read_report
from services.intake.store import new_cases as store
from services.intake.store.consents import ConsentGrant
from services.intake.store.new_cases import IdempotencyClaim, PendingCase
from services.intake.use_cases.consents import open_with_consent
from services.intake.use_cases.context import IntakeContext, new_id, take_number
from shared.events.fields import FieldGroup
from shared.events.intake import Channel, Origin

LONGEST_KEY = 255
UNREAD = frozenset({"api_key"})

STILL_RUNNING = refusal(HTTPStatus.CONFLICT, "a request with this Idempotency-Key is being worked on: try again")
OTHER_BODY = refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "this Idempotency-Key was used for another report")
ERASED = refusal(HTTPStatus.GONE, "what was filed under this Idempotency-Key has been erased")
BAD_KEY = refusal(HTTPStatus.BAD_REQUEST, f"Idempotency-Key must be 1 to {LONGEST_KEY} visible ASCII characters")


@dataclass(frozen=True, slots=True)
class SubmittedForm:
    """What was handed in: by whom, by which way, under which key of their own, as part of which trace."""

    fields: Fields
    caller: str
    channel: Channel
    key: str | None
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Filed:
    """A report that is kept; `replayed` tells that it was kept before, under the same key.

    Of a case that is not `announced` there is to be no sign anywhere, not even in a trace.
    """

    case_id: UUID
    service_request_id: str
    token: str
    account_id: str | None
    replayed: bool = False
    announced: bool = True


async def file(context: IntakeContext, submitted: SubmittedForm) -> Filed | Refusal:
    """File a report, once for each key of the caller's own.

    Raises:
        psycopg.Error: the database is away: nothing, or all of it, was kept; asking again with the same key tells.
    """
    report = read_report(submitted.fields, context.jurisdiction, context.clock())
    if isinstance(report, Refusal):
        return report
    claim = claim_of(context, submitted)
    if isinstance(claim, Refusal):
        return claim
    if claim is None:
        return await _file(context, submitted, report, None)
    running = (claim.caller, claim.key)
    if running in context.running:
        return STILL_RUNNING
    context.running.add(running)
    try:
        return await _file(context, submitted, report, claim)
    finally:
        context.running.discard(running)


def claim_of(context: IntakeContext, submitted: SubmittedForm) -> IdempotencyClaim | Refusal | None:
    """Return what the caller claims with a key of their own; None without a key.

    Callers may make their keys of anything, so neither key nor report is kept, but a fingerprint of each.
    """
    key = submitted.key
    if key is None:
        return None
    if not is_key_of_a_caller(key):
        return BAD_KEY
    said = {name: values for name, values in submitted.fields.items() if name not in UNREAD}
    fingerprint = context.tokens.fingerprint
    return IdempotencyClaim(
        submitted.caller, fingerprint(key.encode()).hex(), fingerprint(orjson.dumps(said, option=orjson.OPT_SORT_KEYS))
    )


def is_key_of_a_caller(key: str) -> bool:
    """Tell whether this can be an Idempotency-Key."""
    return key.isascii() and key.isprintable() and 0 < len(key.strip()) <= LONGEST_KEY


async def _file(
    context: IntakeContext, submitted: SubmittedForm, report: Report, claim: IdempotencyClaim | None
) -> Filed | Refusal:
    filing = await _prepare(context, submitted, report)
    entry = PendingCase(filing, claim, submitted.traceparent)
    opened = await (
        _open_with_consent(context, submitted, report, entry) if report.permission else context.batcher.submit(entry)
    )
    if opened or claim is None:
        number, case_id = filing.identity.service_request_id, filing.identity.case_id
        return Filed(case_id, number, context.tokens.write(case_id), report.account_id, announced=filing.announced)
    async with context.database.statement() as connection:
        earlier = await store.find_earlier_report(connection, claim)
    if earlier is None:
        return STILL_RUNNING
    if earlier.erased:
        return ERASED
    if earlier.fingerprint != claim.fingerprint:
        return OTHER_BODY
    number, case_id, announced = earlier.service_request_id, earlier.case_id, earlier.announced
    return Filed(case_id, number, context.tokens.write(case_id), report.account_id, replayed=True, announced=announced)


async def _open_with_consent(
    context: IntakeContext, submitted: SubmittedForm, report: Report, entry: PendingCase
) -> bool:
    if report.permission is None:
        return False
    case_id = entry.case.identity.case_id
    how = "api" if submitted.channel == "api" else "form"
    given = ConsentGrant(report.permission.id_for(case_id, "filed"), report.permission, how, submitted.caller)
    return await open_with_consent(context, entry, given)


async def _prepare(context: IntakeContext, submitted: SubmittedForm, report: Report) -> NewCase:
    moment = context.clock()
    case_id = new_id(moment)
    taken = await take_number(context, shown=not report.protections)
    number = service_request_id(taken, moment.astimezone(context.jurisdiction.city.zone))
    identity = CaseIdentity(case_id, number, context.tokens.hash_of(case_id))
    origin = Origin(channel=submitted.channel)
    return case_from_report(report, identity, seal(context, new_id(moment), report.personal), (origin, moment))


def seal(
    context: IntakeContext, person_id: UUID, personal: Mapping[FieldGroup, bytes], rest: bytes | None = None
) -> SealedPerson:
    """Seal what is personal, and what else an imported record says, under a fresh key."""
    person = context.vault.new_person(person_id)
    blocks = {group: context.vault.seal(person, group, plain) for group, plain in personal.items()}
    record = None if rest is None else context.vault.seal(person, FieldGroup.NARRATIVE, rest)
    return SealedPerson(person_id, context.vault.wrap(person), blocks, record)
