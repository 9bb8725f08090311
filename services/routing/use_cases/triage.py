"""Carries out what a person at the triage desk has chosen."""

from uuid import UUID

from services.routing.domain.triage import Declined, TriageChoice, assign
from services.routing.store.cases import find_case_of_waiting_need, lock_cases
from services.routing.use_cases.context import RoutingContext, open_session, save_decisions
from shared.kit.database.database import Database

NOT_WAITING = Declined("this need is not at the triage desk")


async def assign_program(desk: RoutingContext, database: Database, choice: TriageChoice) -> UUID | Declined:
    """Ask the chosen program for help; return the id of the new referral, or why it cannot be made."""
    async with database.transaction() as tx:
        case_id = await find_case_of_waiting_need(tx, choice.need_id)
        if case_id is None:
            return NOT_WAITING
        known = await lock_cases(tx, [case_id])
        case = known[case_id]
        sitting = await open_session(desk, tx, known, [case.report])
        outcome = assign(case, choice, sitting.around)
        if isinstance(outcome, Declined):
            return outcome
        await save_decisions(sitting, [outcome])
        return next(referral_id for referral_id in outcome.case.referrals if referral_id not in case.referrals)
