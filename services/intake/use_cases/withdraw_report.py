"""Withdraws a report at the wish of the resident who holds its token."""

from services.intake.domain.tokens import TokenClaim
from services.intake.store import own_reports
from services.intake.use_cases.context import IntakeContext, emit
from shared.events.intake import CaseWithdrawn
from shared.events.topics import CASES
from shared.events.wire import event_id


async def withdraw_report(context: IntakeContext, claim: TokenClaim, traceparent: str) -> bool:
    """Close the case of a token as withdrawn, and tell routing; a case that is closed already stays as it is.

    False when nothing was withdrawn, and for a case that was never announced: no event is emitted for that one.
    """
    event = CaseWithdrawn(case_id=claim.case_id, withdrawn_at=context.clock())
    note_id = event_id(claim.case_id, CASES.topic, event)
    async with context.database.transaction() as tx:
        is_announced = await own_reports.withdraw_report(tx, claim, note_id, event.withdrawn_at)
        if is_announced:
            await emit(tx, [event], traceparent)
    return bool(is_announced)
