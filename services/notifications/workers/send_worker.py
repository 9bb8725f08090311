"""Sends mails, none twice: each is marked as being sent, handed to the mail server, and saved with its outcome."""

import asyncio
import logging
from dataclasses import replace
from typing import Final

from opentelemetry.trace import SpanKind

from services.notifications.domain.deliveries import Delivery
from services.notifications.domain.outcomes import Deferred, SendOutcome
from services.notifications.use_cases.deliveries import ClaimedMail, DeliveryService
from services.notifications.workers.smtp import SmtpConnection, UnreachableError
from shared.kit.clock import ExponentialBackoff, shield_with_grace
from shared.kit.database.database import TRANSIENT_ERRORS
from shared.kit.observability.traces import CASE_ID, span, traceparent_of

log = logging.getLogger(__name__)

GRACE_SECONDS: Final = 8.0
"""How long a mail that is being sent may take when the service stops."""

SHORT_PAUSE: Final = 0.02
"""Seconds between polls after a wake-up: the transaction that set the event may not have committed yet."""

LONG_PAUSE: Final = 1.0
"""Seconds between polls without a wake-up, at most: for mails that other processes queue, and for retries."""


class SendWorker:
    """Sends one mail after another over a connection of its own; any number of workers may run at the same time.

    Arguments:
        wake_up: set when mails were queued in this process.
    """

    def __init__(self, deliveries: DeliveryService, connection: SmtpConnection, wake_up: asyncio.Event) -> None:
        self._deliveries = deliveries
        self._connection = connection
        self._wake_up = wake_up
        self._pause = SHORT_PAUSE

    async def run(self) -> None:
        """Send mails until cancelled; a mail that is being sent then is finished first."""
        backoff = ExponentialBackoff(first=0.2, longest=30.0)
        try:
            while True:
                try:
                    any_due = await self.send_next()
                except (UnreachableError, *TRANSIENT_ERRORS) as error:
                    log.warning("mails are not sent: mail server or database unavailable: %s", _name(error))
                    await backoff.pause()
                    continue
                backoff.reset()
                if not any_due:
                    await self._rest()
        finally:
            await self._connection.close()

    async def send_next(self) -> bool:
        """Send the next mail that is due; tell whether any was due.

        Raises:
            UnreachableError: the mail server is unreachable; no mail was taken.
        """
        claim = await self._deliveries.claim_next(self._connection.is_ready)
        if claim.mail:
            await shield_with_grace(self._send(claim.mail), GRACE_SECONDS)
        elif claim.needs_connection:
            await self._connection.connect()
        return claim.any_due

    async def _send(self, mail: ClaimedMail) -> None:
        delivery = mail.delivery
        attributes = {CASE_ID: str(delivery.case_id), "handoff.template": delivery.template.value}
        with span("mail send", delivery.traceparent, SpanKind.CLIENT, **attributes) as sending:
            outcome = await self._render_and_send(mail)
            sending.set_attribute("handoff.outcome", type(outcome).__name__.lower())
            await self._save(replace(delivery, traceparent=traceparent_of(sending)), outcome)

    async def _render_and_send(self, mail: ClaimedMail) -> SendOutcome:
        try:
            message = self._deliveries.renderer.render(mail.delivery, mail.to, self._deliveries.clock())
        except Exception:
            log.exception("mail not rendered: delivery %s", mail.delivery.id)
            return Deferred("words")
        return await self._connection.send(message, mail.to.address)

    async def _save(self, delivery: Delivery, outcome: SendOutcome) -> None:
        """Save the outcome, as often as it takes: only this worker knows it."""
        backoff = ExponentialBackoff(first=0.1, longest=5.0)
        while True:
            try:
                await self._deliveries.save_outcome(delivery, outcome)
            except TRANSIENT_ERRORS as error:
                log.warning("mail outcome not saved, will retry: delivery %s: %s", delivery.id, _name(error))
                await backoff.pause()
            else:
                return

    async def _rest(self) -> None:
        """Wait for the wake-up, or for a pause that grows while no mail is due."""
        try:
            async with asyncio.timeout(self._pause):
                await self._wake_up.wait()
        except TimeoutError:
            self._pause = min(self._pause * 2, LONG_PAUSE)
        else:
            # All workers that wait wake up. One that clears the event late clears a newer wake-up, too, which is why
            # each polls again after a short pause.
            self._wake_up.clear()
            self._pause = SHORT_PAUSE
        await self._connection.close_if_idle()


def _name(error: BaseException) -> str:
    return type(error).__name__
