"""Assigns a need in the triage queue to the program that a person has chosen."""

from collections.abc import Sequence
from uuid import UUID

from services.routing.domain.city import PlacementQuery
from services.routing.domain.triage import NOT_IN_TRIAGE, Declined, TriageChoice, assign
from services.routing.store.case_files import QueuedNeed, list_triage_queue
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


async def list_queue(database: Database, most: int) -> list[QueuedNeed]:
    """List the needs in the triage queue, the longest waiting first."""
    async with database.transaction(notify_commit=False) as tx:
        return await list_triage_queue(tx, most)


async def list_choices(
    context: RoutingContext, database: Database, needs: Sequence[QueuedNeed]
) -> list[tuple[QueuedNeed, list[str]]]:
    """List the programs that may be chosen for each need, by the agreements and consents of now.

    Those that offer help with the need come first. The choice itself is decided by the whole case: `assign_program`.
    """
    async with database.transaction(notify_commit=False) as tx:
        locked = await context.lock_consents(tx, cases=[each.case_id for each in needs])
    choices = []
    for each in needs:
        consents = tuple(locked.consents.get(each.case_id, ()))
        protections = context.city.protection.protections_of(each.service_code, [each.need])
        query = PlacementQuery(
            each.need, each.service_code, each.district, "routine", protections, locked.now, consents
        )
        programs = [program for program in context.city.programs.values() if context.city.admits(program, query)]
        programs.sort(key=lambda program: (query.need not in program.needs, program.name))
        choices.append((each, [program.name for program in programs]))
    return choices
