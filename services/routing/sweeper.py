"""Looks after referrals that nobody has answered in time, a few at a time."""

import asyncio
import logging
from typing import Final

from services.routing.desk import Desk, conclude, sit
from services.routing.domain.reminding import due, remind
from services.routing.domain.turn import Turn
from services.routing.store.locking import lock_due
from shared.kit.database import AWAY, Database

log = logging.getLogger(__name__)

CASES_AT_ONCE: Final = 100
"""Cases in one transaction, at most: others must not wait for long."""


async def sweep(desk: Desk, database: Database) -> int:
    """Take the next step with some referrals whose time has come; return how many steps were taken."""
    async with database.transaction() as tx:
        now = await desk.clock(tx)
        known = await lock_due(tx, now, CASES_AT_ONCE)
        sitting = await sit(desk, tx, known, [case.report for case in known.values()])
        turns: list[Turn] = []
        for case in known.values():
            for referral_id in due(case, sitting.around):
                turn = remind(case, referral_id, sitting.around)
                case = turn.case  # noqa: PLW2901 - the next step sees what this one has made of the case
                turns.append(turn)
        await conclude(sitting, turns)
    return len(turns)


async def keep_sweeping(desk: Desk, database: Database, pause_seconds: float) -> None:
    """Sweep until cancelled: again at once while there is more to do, else after a pause."""
    while True:
        try:
            steps = await sweep(desk, database)
        except AWAY as error:
            log.warning("sweeper pauses: %s", type(error).__name__)
            steps = 0
        if not steps:
            await asyncio.sleep(pause_seconds)
