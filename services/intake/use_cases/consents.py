"""Grants and withdraws a person's consent: what is kept, and what is said of it, in one transaction."""

from dataclasses import dataclass
from uuid import UUID

from services.intake.store import consents
from services.intake.store.consents import ConsentGrant, LockedCase
from services.intake.store.new_cases import PendingCase, open_cases
from services.intake.use_cases.context import IntakeContext, emit
from shared.events.event import Event
from shared.events.intake import ConsentGranted, ConsentWithdrawn
from shared.events.topics import CASES
from shared.kit.database.database import Transaction
from shared.kit.vault.consents import lock_for_withdrawal


@dataclass(frozen=True, slots=True)
class Granted:
    """A consent is kept; `fresh` unless it was kept before."""

    consent_id: UUID
    fresh: bool


async def open_with_consent(context: IntakeContext, entry: PendingCase, given: ConsentGrant) -> bool:
    """Open a case together with the consent that came with it; False when the caller's key was used before."""
    case_id = entry.case.identity.case_id
    async with context.database.transaction() as tx:
        if case_id not in await open_cases(tx, [entry]):
            return False
        case = await consents.lock_case(tx, case_id)
        if case is not None:
            await _grant(tx, case, given, entry.traceparent)
    return True


async def grant(context: IntakeContext, case_id: UUID, given: ConsentGrant, traceparent: str) -> Granted | None:
    """Keep a consent of an open case, and announce the case if nobody was told of it yet; None for no such case."""
    async with context.database.transaction() as tx:
        case = await consents.lock_case(tx, case_id)
        if case is None or case.status != "open":
            return None
        return Granted(given.consent_id, await _grant(tx, case, given, traceparent))


async def withdraw(context: IntakeContext, case_id: UUID, consent_id: UUID, traceparent: str) -> bool:
    """Withdraw a consent: when this returns, nothing more leaves under it. False when there was none to withdraw."""
    async with context.database.transaction() as tx:
        await lock_for_withdrawal(tx, case_id)
        ended = await consents.withdraw(tx, case_id, consent_id)
        if ended is None:
            return False
        await emit(tx, [ConsentWithdrawn(case_id=case_id, consent_id=consent_id, occurred_at=ended)], traceparent)
    return True


async def _grant(tx: Transaction, case: LockedCase, given: ConsentGrant, traceparent: str | None) -> bool:
    moment = await consents.grant(tx, case, given)
    if moment is None:
        return False
    permission = given.permission
    events: list[Event] = []
    if case.unsaid is not None:
        events.append(CASES.events.validate_json(case.unsaid))
        await consents.mark_announced(tx, case.case_id)
    granted = ConsentGranted(
        case_id=case.case_id,
        consent_id=given.consent_id,
        occurred_at=moment,
        recipients=permission.recipients,
        groups=permission.groups,
        purpose=permission.purpose,
        ends_at=permission.ends_at,
    )
    await emit(tx, [*events, granted], traceparent)
    return True
