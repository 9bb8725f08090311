"""Assigns a need in the triage queue to the program that a person has chosen."""

from uuid import UUID

from services.routing.domain.triage import NOT_IN_TRIAGE, Declined, TriageChoice, assign
from services.routing.store.cases import find_case_of_queued_need, lock_cases
from services.routing.use_cases.context import RoutingContext, open_session, save_decisions
from shared.kit.database.database import Database


async def assign_program(context: RoutingContext, database: Database, choice: TriageChoice) -> UUID | Declined:
    """Ask the chosen program for help; return the id of the new referral, or why the choice is declined."""
    async with database.transaction() as tx:
        case_id = await find_case_of_queued_need(tx, choice.need_id)
        if case_id is None:
            return NOT_IN_TRIAGE
        known = await lock_cases(tx, [case_id])
        case = known[case_id]
        session = await open_session(context, tx, known, [case.report])
        outcome = assign(case, choice, session.context)
        if isinstance(outcome, Declined):
            return outcome
        await save_decisions(session, [outcome])
        return next(referral_id for referral_id in outcome.case.referrals if referral_id not in case.referrals)
