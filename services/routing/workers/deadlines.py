"""Acts on deadlines, some cases at a time: referrals that are not answered in time, consents that expire."""

import asyncio
import logging
from typing import Final
from uuid import uuid5

from services.routing.domain.consent_changes import RevokedConsent, recall
from services.routing.domain.deadlines import handle_overdue, list_due
from services.routing.domain.decision import CaseDecision, Cause
from services.routing.store.cases import lock_cases, lock_due_cases
from services.routing.store.disclosures import list_expired, list_uses
from services.routing.use_cases.context import RoutingContext, open_session, save_decisions
from shared.kit.database.database import TRANSIENT_ERRORS, Database
from shared.kit.messaging.outbox import withhold_unpublished

log = logging.getLogger(__name__)

BATCH_SIZE: Final = 100
"""Cases in one transaction at most: consumers wait for the locks of these cases until it commits."""


async def handle_overdue_referrals(context: RoutingContext, database: Database) -> int:
    """Take the next step with some referrals whose deadline has passed; return the number of steps."""
    async with database.transaction() as tx:
        now = await context.now(tx)
        known = await lock_due_cases(tx, now, BATCH_SIZE)
        session = await open_session(context, tx, known, [case.report for case in known.values()])
        decisions: list[CaseDecision] = []
        for case in known.values():
            latest = case  # the next step of a case is decided on what the step before has made of it
            for referral_id in list_due(case, session.context):
                decisions.append(handle_overdue(latest, referral_id, session.context))
                latest = decisions[-1].case
        await save_decisions(session, decisions)
    return len(decisions)


async def recall_expired_consents(context: RoutingContext, database: Database) -> int:
    """Recall what was disclosed under some consents that have expired; return the number of consents."""
    async with database.transaction() as tx:
        expired = await list_expired(tx, await context.now(tx), BATCH_SIZE)
        consent_ids = [consent_id for consent_id, _ in expired]
        known = await lock_cases(tx, [case_id for _, case_id in expired])
        session = await open_session(context, tx, known, [case.report for case in known.values()])
        # Withheld first: the uses say of each disclosure whether its agency received it.
        await withhold_unpublished(tx, known, consent_ids)
        uses = await list_uses(tx, consent_ids)
        cases, decisions = dict(known), []
        for consent_id, case_id in expired:
            revoked = RevokedConsent(consent_id, "consent-expired", uses.get(consent_id, ()))
            # Derived from the consent: a recall that is decided twice publishes the same events.
            cause = Cause(uuid5(consent_id, "expired"))
            decisions.append(recall(cases[case_id], revoked, cause, session.context))
            cases[case_id] = decisions[-1].case
        await save_decisions(session, decisions)
    return len(decisions)


class DeadlineWorker:
    """Acts on deadlines for as long as the service runs."""

    def __init__(self, context: RoutingContext, database: Database, pause_seconds: float) -> None:
        self._context = context
        self._database = database
        self._pause_seconds = pause_seconds

    async def run(self) -> None:
        """Act on deadlines until cancelled; pause when nothing is due, and while the database is not available."""
        while True:
            try:
                steps = await handle_overdue_referrals(self._context, self._database)
                steps += await recall_expired_consents(self._context, self._database)
            except TRANSIENT_ERRORS as error:
                log.warning("deadline worker paused: database unavailable (%s)", type(error).__name__)
                steps = 0
            if not steps:
                await asyncio.sleep(self._pause_seconds)
