"""What all who send mails share, and how it is noted what became of a mail."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.notifications import store
from services.notifications.domain.deliveries import Delivery, Suppressed
from services.notifications.domain.outcomes import Ended, Outcome, TryAgain, Unknown, conclude
from services.notifications.use_cases.mail_renderer import Letters
from services.notifications.use_cases.recipients import AddressBook
from shared.events.topics import DELIVERIES
from shared.kit.clock import Clock
from shared.kit.database.database import Database, Transaction
from shared.kit.messaging import outbox
from shared.kit.messaging.outbox import OutboxEvent


class Bell:
    """Wakes everybody who waits for it, once for each time it is rung."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake everybody who waits now."""
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()

    async def heard(self, within: float) -> bool:
        """Wait until it is rung, so many seconds at most; tell whether it was."""
        try:
            async with asyncio.timeout(within):
                await self._rung.wait()
        except TimeoutError:
            return False
        return True


Result = tuple[Delivery, Outcome | Suppressed]


@dataclass(frozen=True, slots=True)
class Office:
    """What all lanes of one service share.

    A postponed mail waits for `first_wait`, then longer. One that is in hand for longer than `lease` counts as lost.
    """

    database: Database
    addresses: AddressBook
    letters: Letters
    bell: Bell
    clock: Clock
    first_wait: timedelta
    lease: timedelta

    async def conclude(self, tx: Transaction, results: Sequence[Result]) -> None:
        """Note what became of these mails, and announce what is final, in one transaction."""
        now = self.clock()
        concluded = [(delivery, conclude(delivery, outcome, self.first_wait, now)) for delivery, outcome in results]
        ended = [(delivery, end) for delivery, end in concluded if isinstance(end, Ended)]
        await store.end(tx, [end for _, end in ended])
        await outbox.enqueue(
            tx, [OutboxEvent(DELIVERIES.topic, end.event, told.cause, told.traceparent) for told, end in ended]
        )
        for delivery, again in concluded:
            if isinstance(again, TryAgain):
                await store.postpone(tx, delivery, again)

    async def watch(self) -> None:
        """Look for mails whose sender has died, now and again and again, until cancelled."""
        while True:
            await self.give_up_interrupted()
            await asyncio.sleep(self.lease.total_seconds() / 4)

    async def give_up_interrupted(self) -> int:
        """End the mails that were in hand when their sender died: nobody knows whether they were taken; count them."""
        async with self.database.transaction() as tx:
            lost = await store.take_interrupted(tx, self.lease)
            await self.conclude(tx, [(delivery, Unknown("interrupted")) for delivery in lost])
        return len(lost)
