"""Takes mails from the queue, and saves and publishes what became of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from services.notifications.domain.deliveries import Addressed, Delivery, Suppressed
from services.notifications.domain.outcomes import (
    Deferred,
    FinalState,
    Retry,
    SendOutcome,
    Uncertain,
    decide_state,
)
from services.notifications.store.deliveries import (
    lock_due,
    lock_interrupted,
    mark_sending,
    save_final_states,
    save_retry,
)
from services.notifications.use_cases.mail_renderer import MailRenderer
from services.notifications.use_cases.recipients import RecipientResolver, RecipientResult
from shared.events.topics import DELIVERIES
from shared.kit.clock import Clock
from shared.kit.database.database import Database, Transaction
from shared.kit.messaging import outbox
from shared.kit.messaging.outbox import OutboxEvent

DUE_PER_CLAIM: Final = 8
"""Mails that one claim looks at: it ends all of them that are not sent, and takes one of the others."""

Result = tuple[Delivery, SendOutcome | Suppressed]


@dataclass(frozen=True, slots=True)
class ClaimedMail:
    """A mail that the caller must hand to the mail server now: it is in the state `sending`."""

    delivery: Delivery
    to: Addressed


@dataclass(frozen=True, slots=True)
class Claim:
    """What a claim found."""

    any_due: bool
    mail: ClaimedMail | None = None

    needs_connection: bool = False
    """A mail is due, but was not taken: the caller must connect to the mail server first."""


@dataclass(frozen=True, slots=True)
class DeliveryService:
    """The queue of mails; any number of workers and processes may use it at the same time.

    Each mail goes from `queued` to `sending` before it is handed over, and to a final state after that. So no mail is
    sent twice, whenever a process dies.
    """

    database: Database
    recipients: RecipientResolver
    renderer: MailRenderer
    clock: Clock

    first_wait: timedelta
    """The wait of a mail after it was deferred for the first time."""

    lease: timedelta
    """How long a worker may take to send a mail before the mail is given up as uncertain."""

    async def claim_next(self, is_connected: Callable[[], bool]) -> Claim:
        """Take the next mail that is due, if there is a connection to send it over; end those that are not sent."""
        async with self.database.transaction() as tx:
            due = await lock_due(tx, DUE_PER_CLAIM)
            resolved = await self.recipients.resolve(tx, due)
            await self._save(tx, [result for each in resolved if (result := _unsent(*each))])
            sendable = [ClaimedMail(delivery, to) for delivery, to in resolved if isinstance(to, Addressed)]
            if not sendable:
                return Claim(bool(due))
            if not is_connected():
                return Claim(any_due=True, needs_connection=True)
            await mark_sending(tx, sendable[0].delivery)
        return Claim(any_due=True, mail=sendable[0])

    async def save_outcome(self, delivery: Delivery, outcome: SendOutcome) -> None:
        """Save what became of a mail, and publish it if it is final."""
        async with self.database.transaction() as tx:
            await self._save(tx, [(delivery, outcome)])

    async def give_up_interrupted(self) -> int:
        """End the mails whose worker died while it sent them, as uncertain; return how many."""
        async with self.database.transaction() as tx:
            interrupted = await lock_interrupted(tx, self.lease)
            await self._save(tx, [(delivery, Uncertain("interrupted")) for delivery in interrupted])
        return len(interrupted)

    async def _save(self, tx: Transaction, results: Sequence[Result]) -> None:
        now = self.clock()
        decided = [(delivery, decide_state(delivery, outcome, self.first_wait, now)) for delivery, outcome in results]
        final = [(delivery, state) for delivery, state in decided if isinstance(state, FinalState)]
        await save_final_states(tx, [state for _, state in final])
        await outbox.enqueue(
            tx,
            [OutboxEvent(DELIVERIES.topic, state.event, each.cause, each.traceparent) for each, state in final],
        )
        for delivery, state in decided:
            if isinstance(state, Retry):
                await save_retry(tx, delivery, state)


def _unsent(delivery: Delivery, recipient: RecipientResult) -> Result | None:
    """Return the result of a mail that is not sent now; None for one that can be sent."""
    match recipient:
        case Addressed():
            return None
        case Suppressed():
            return delivery, recipient
        case _:
            return delivery, Deferred("sealed")
