"""Files one report. Open311 and the resident's form both call this."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from random import getrandbits
from secrets import randbelow
from typing import Final
from uuid import UUID

import orjson

from services.intake.domain.new_case import (
    SPARSE_NUMBERS,
    CaseIdentifiers,
    NewCase,
    SealedPerson,
    case_from_report,
    service_request_id,
)
from services.intake.domain.report import Report, read_report
from services.intake.domain.validation import Fields, Refusal, refusal
from services.intake.store.consents import ConsentGrant
from services.intake.store.new_cases import IdempotencyClaim, PendingCase, find_earlier_report
from services.intake.use_cases.consents import open_with_consent
from services.intake.use_cases.context import IntakeContext
from shared.events.fields import FieldGroup
from shared.events.intake import Channel, Origin

RANDOM_A_BITS: Final = 12
RANDOM_B_BITS: Final = 62
"""The two random parts of a UUID version 7 (RFC 9562, section 5.7)."""

MAX_KEY_LENGTH: Final = 255
NOT_FINGERPRINTED: Final = frozenset({"api_key"})
"""Fields that are no part of the report: sending it again with another API key is no other report."""

IN_PROGRESS = refusal(HTTPStatus.CONFLICT, "a request with this Idempotency-Key is still in progress: try again")
KEY_REUSED = refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "this Idempotency-Key was used for another report")
KEY_ERASED = refusal(HTTPStatus.GONE, "the report that was filed under this Idempotency-Key has been erased")
INVALID_KEY = refusal(HTTPStatus.BAD_REQUEST, f"Idempotency-Key must be 1 to {MAX_KEY_LENGTH} visible ASCII characters")


@dataclass(frozen=True, slots=True)
class SubmittedForm:
    """A report as it was submitted; `key` is the caller's Idempotency-Key, `traceparent` the trace of the request."""

    fields: Fields
    caller: str
    channel: Channel
    key: str | None
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class FiledReport:
    """A report that is stored; `replayed` tells that an earlier request with the same key filed it.

    A case that is not `announced` leaves no sign anywhere, not even in a trace.
    """

    case_id: UUID
    service_request_id: str
    token: str
    account_id: str | None
    replayed: bool = False
    announced: bool = True


async def file_report(context: IntakeContext, form: SubmittedForm) -> FiledReport | Refusal:
    """File a report, once for each Idempotency-Key of a caller.

    Raises:
        QueueFullError: too many reports wait to be written.
        psycopg.Error: the database is unavailable. The report is stored completely or not at all; a request with the
            same key tells which.
    """
    report = read_report(form.fields, context.jurisdiction, context.clock())
    if isinstance(report, Refusal):
        return report
    claim = claim_of(context, form)
    if isinstance(claim, Refusal):
        return claim
    if claim is None:
        return await _file(context, form, report, None)
    claimed = (claim.caller, claim.key)
    # A batch must not hold one key twice. Another process may hold it: there the database decides.
    if claimed in context.in_progress:
        return IN_PROGRESS
    context.in_progress.add(claimed)
    try:
        return await _file(context, form, report, claim)
    finally:
        context.in_progress.discard(claimed)


def claim_of(context: IntakeContext, form: SubmittedForm) -> IdempotencyClaim | Refusal | None:
    """Return the claim that the caller makes with an Idempotency-Key; None without one.

    Callers may make a key of anything, even of a name, and a report is personal: only keyed hashes of both are stored.
    """
    if form.key is None:
        return None
    if not is_idempotency_key(form.key):
        return INVALID_KEY
    fields = {name: values for name, values in form.fields.items() if name not in NOT_FINGERPRINTED}
    fingerprint = context.tokens.fingerprint
    body = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
    return IdempotencyClaim(form.caller, fingerprint(form.key.encode()).hex(), fingerprint(body))


def is_idempotency_key(key: str) -> bool:
    """Tell whether a text can be an Idempotency-Key."""
    return key.isascii() and key.isprintable() and 0 < len(key.strip()) <= MAX_KEY_LENGTH


async def _file(
    context: IntakeContext, form: SubmittedForm, report: Report, claim: IdempotencyClaim | None
) -> FiledReport | Refusal:
    case = await _new_case(context, form, report)
    pending = PendingCase(case, claim, form.traceparent)
    if report.permission is None:
        opened = await context.batcher.submit(pending)
    else:
        # A consent and its events join the case in one transaction, which a shared batch cannot give.
        how = "api" if form.channel == "api" else "form"
        consent_id = report.permission.id_for(case.identity.case_id, "filed")
        grant = ConsentGrant(consent_id, report.permission, how, form.caller)
        opened = await open_with_consent(context, pending, grant)
    if opened or claim is None:
        number, case_id = case.identity.service_request_id, case.identity.case_id
        return FiledReport(case_id, number, context.tokens.write(case_id), report.account_id, announced=case.announced)
    return await _find_filed(context, claim, report)


async def _find_filed(context: IntakeContext, claim: IdempotencyClaim, report: Report) -> FiledReport | Refusal:
    """Return what an earlier request filed under the same key."""
    async with context.database.statement() as connection:
        earlier = await find_earlier_report(connection, claim)
    if earlier is None:
        return IN_PROGRESS
    if earlier.erased:
        return KEY_ERASED
    if earlier.fingerprint != claim.fingerprint:
        return KEY_REUSED
    token = context.tokens.write(earlier.case_id)
    return FiledReport(
        earlier.case_id,
        earlier.service_request_id,
        token,
        report.account_id,
        replayed=True,
        announced=earlier.announced,
    )


async def _new_case(context: IntakeContext, form: SubmittedForm, report: Report) -> NewCase:
    moment = context.clock()
    identity = await new_identifiers(context, moment, public=not report.protections)
    sealed = seal_person(context, report.personal)
    return case_from_report(report, identity, sealed, Origin(channel=form.channel), moment)


async def new_identifiers(context: IntakeContext, submitted_at: datetime, *, public: bool) -> CaseIdentifiers:
    """Make the id, the number and the token of a new case.

    A case that the public never sees gets a random number: were it counted with the others, a gap between the public
    numbers would reveal it.
    """
    number = await context.numbers.next() if public else SPARSE_NUMBERS.start + randbelow(len(SPARSE_NUMBERS))
    local = submitted_at.astimezone(context.jurisdiction.profile.zone)
    case_id = new_uuid7(context.clock())
    return CaseIdentifiers(case_id, service_request_id(number, local), context.tokens.hash_of(case_id))


def seal_person(
    context: IntakeContext, personal: Mapping[FieldGroup, bytes], record: bytes | None = None
) -> SealedPerson:
    """Seal a person's data under a new key of their own; `record` is what else an imported record says."""
    person_id = new_uuid7(context.clock())
    person = context.vault.new_person(person_id)
    blocks = {group: context.vault.seal(person, group, plain) for group, plain in personal.items()}
    sealed_record = None if record is None else context.vault.seal(person, FieldGroup.NARRATIVE, record)
    return SealedPerson(person_id, context.vault.wrap(person), blocks, sealed_record)


def new_uuid7(moment: datetime) -> UUID:
    """Make an id that sorts by time (UUID version 7, RFC 9562): indexes grow at their end. It is not a secret."""
    milliseconds = int(moment.timestamp() * 1000)
    high, low = getrandbits(RANDOM_A_BITS), getrandbits(RANDOM_B_BITS)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << RANDOM_B_BITS | low)
