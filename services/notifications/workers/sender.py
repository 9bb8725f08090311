"""Sending mails: each is noted as being sent, handed in, and then noted as what became of it. Never twice."""

import logging
from dataclasses import replace
from typing import Final

from opentelemetry.trace import SpanKind

from services.notifications import store
from services.notifications.domain.deliveries import Addressed, Delivery, Suppressed
from services.notifications.domain.outcomes import Outcome, Postponed
from services.notifications.use_cases.deliveries import Office, Result
from services.notifications.use_cases.recipients import Recipient
from services.notifications.workers.smtp import MailServer, UnreachableError
from shared.kit.clock import ExponentialBackoff, shield_with_grace
from shared.kit.database.database import TRANSIENT_ERRORS
from shared.kit.observability.traces import CASE_ID, span, traceparent_of

log = logging.getLogger(__name__)

FEW: Final = 8
"""Mails looked at in one go: of these, those that nobody gets are ended together, and one other is sent."""

FINISH_SECONDS: Final = 8.0
"""How long a mail that is in hand may take when the service stops."""

SOON: Final = 0.02
LATER: Final = 1.0
"""How often an idle lane looks for mails, in seconds: after the bell (what rang may not be committed yet), and else."""


class Lane:
    """Sends one mail after another over a connection of its own; any number of lanes and services may work at once."""

    def __init__(self, office: Office, server: MailServer) -> None:
        self._office = office
        self._server = server
        self._pause = SOON

    async def run(self) -> None:
        """Send until cancelled; a mail that is in hand is finished first."""
        away = ExponentialBackoff(first=0.2, longest=30.0)
        try:
            while True:
                try:
                    found = await self.send_next()
                except (UnreachableError, *TRANSIENT_ERRORS) as error:
                    log.warning("cannot send mails now: %s", type(error).__name__)
                    await away.pause()
                    continue
                away.reset()
                if not found:
                    await self._rest()
        finally:
            await self._server.leave()

    async def send_next(self) -> bool:
        """Send the next mail that is due; tell whether there was anything to do.

        Raises:
            UnreachableError: the mail server is away; nothing was taken in hand.
        """
        async with self._office.database.transaction() as tx:
            due = await store.take_due(tx, FEW)
            found = await self._office.addresses.look_up(tx, due)
            await self._office.conclude(tx, [result for each in found if (result := _unsent(*each))])
            to_send = [(delivery, to) for delivery, to in found if isinstance(to, Addressed)]
            ready = self._server.ready
            if to_send and ready:
                await store.mark_sending(tx, to_send[0][0])
        if to_send and ready:
            await shield_with_grace(self._send(*to_send[0]), FINISH_SECONDS)
        elif to_send:
            await self._server.reach()
        return bool(due)

    async def _send(self, delivery: Delivery, to: Addressed) -> None:
        attributes = {CASE_ID: str(delivery.case_id), "handoff.template": delivery.template.value}
        with span("mail send", delivery.traceparent, SpanKind.CLIENT, **attributes) as sending:
            outcome = await self._hand_in(delivery, to)
            sending.set_attribute("handoff.outcome", type(outcome).__name__.lower())
            await self._note(replace(delivery, traceparent=traceparent_of(sending)), outcome)

    async def _hand_in(self, delivery: Delivery, to: Addressed) -> Outcome:
        try:
            mail = self._office.letters.write(delivery, to, self._office.clock())
        except Exception:
            log.exception("mail %s cannot be written", delivery.id)
            return Postponed("words")
        return await self._server.send(mail, to.address)

    async def _note(self, delivery: Delivery, outcome: Outcome) -> None:
        """Note what became of a mail, as often as it takes: nobody else knows."""
        pauses = ExponentialBackoff(first=0.1, longest=5.0)
        while True:
            try:
                async with self._office.database.transaction() as tx:
                    await self._office.conclude(tx, [(delivery, outcome)])
            except TRANSIENT_ERRORS as error:
                log.warning("cannot note that mail %s was handed in: %s", delivery.id, type(error).__name__)
                await pauses.pause()
            else:
                return

    async def _rest(self) -> None:
        """Wait for the bell, or for a while."""
        rung = await self._office.bell.heard(self._pause)
        self._pause = SOON if rung else min(self._pause * 2, LATER)
        await self._server.leave_if_idle()


def _unsent(delivery: Delivery, recipient: Recipient) -> Result | None:
    """Return what becomes of a mail that is not sent now; None for one that can be."""
    match recipient:
        case Addressed():
            return None
        case Suppressed():
            return delivery, recipient
        case _:
            return delivery, Postponed("sealed")
