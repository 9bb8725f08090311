"""Looks after what only time brings about, a few at a time: referrals that nobody answers, consents that run out."""

import asyncio
import logging
from typing import Final
from uuid import uuid5

from services.routing.domain.consent_changes import RevokedConsent, recall
from services.routing.domain.deadlines import due, remind
from services.routing.domain.decision import CaseDecision, Cause
from services.routing.store.cases import lock_cases, lock_due
from services.routing.store.disclosures import list_expired, list_uses
from services.routing.use_cases.context import RoutingContext, open_session, save_decisions
from shared.kit.database.database import TRANSIENT_ERRORS, Database
from shared.kit.messaging import outbox

log = logging.getLogger(__name__)

CASES_AT_ONCE: Final = 100
"""Cases in one transaction, at most: others must not wait for long."""


async def sweep(desk: RoutingContext, database: Database) -> int:
    """Take the next step with some referrals whose time has come; return how many steps were taken."""
    async with database.transaction() as tx:
        now = await desk.clock(tx)
        known = await lock_due(tx, now, CASES_AT_ONCE)
        sitting = await open_session(desk, tx, known, [case.report for case in known.values()])
        turns: list[CaseDecision] = []
        for case in known.values():
            for referral_id in due(case, sitting.around):
                turn = remind(case, referral_id, sitting.around)
                case = turn.case  # noqa: PLW2901 - the next step sees what this one has made of the case
                turns.append(turn)
        await save_decisions(sitting, turns)
    return len(turns)


async def sweep_consents(desk: RoutingContext, database: Database) -> int:
    """Recall what was given under some consents that have run out; return how many."""
    async with database.transaction() as tx:
        expired = await list_expired(tx, await desk.clock(tx), CASES_AT_ONCE)
        known = await lock_cases(tx, [case_id for _, case_id in expired])
        sitting = await open_session(desk, tx, known, [case.report for case in known.values()])
        await outbox.withhold_unpublished(tx, known, [consent_id for consent_id, _ in expired])
        uses = await list_uses(tx, [consent_id for consent_id, _ in expired])
        cases, turns = dict(known), []
        for consent_id, case_id in expired:
            fallen = RevokedConsent(consent_id, "consent-expired", uses.get(consent_id, ()))
            turns.append(recall(cases[case_id], fallen, Cause(uuid5(consent_id, "expired")), sitting.around))
            cases[case_id] = turns[-1].case
        await save_decisions(sitting, turns)
    return len(turns)


async def keep_sweeping(desk: RoutingContext, database: Database, pause_seconds: float) -> None:
    """Sweep until cancelled: again at once while there is more to do, else after a pause."""
    while True:
        try:
            steps = await sweep(desk, database) + await sweep_consents(desk, database)
        except TRANSIENT_ERRORS as error:
            log.warning("sweeper pauses: %s", type(error).__name__)
            steps = 0
        if not steps:
            await asyncio.sleep(pause_seconds)
