"""Work on messages in batches: decode each by itself, admit the new ones, decide, and commit all of it at once.

What cannot be decoded is set aside singly. A batch that fails is narrowed down to the message that fails, which is
tried a few times and then set aside; the others go through. A database that is away, or that will not take what must
be written with the rest, pauses everything, with growing pauses, and nothing is lost: offsets are committed after the
transaction, and a repeat is absorbed by the inbox.
"""

import asyncio
import logging
from collections.abc import Sequence

import psycopg

from shared.events.wire import MalformedMessageError
from shared.kit.clock import ExponentialBackoff
from shared.kit.consumer.batch_spans import trace_batch
from shared.kit.database.database import TRANSIENT_ERRORS, Database, UnavailableError
from shared.kit.dead_letters.dead_letters import DeadLetter, insert_dead_letters
from shared.kit.messaging import inbox
from shared.kit.messaging.messages import Batch, InboundMessage, Record, Subscription, decode_record, deduplicate
from shared.kit.observability.instruments import Instruments

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
"""How often a message that fails by itself is tried before it is set aside."""

MAX_CONSECUTIVE_FAILURES = 20
"""So many messages set aside, with none worked on in between, is our fault and not the data's: stop."""

RETRYABLE_ERRORS = (*TRANSIENT_ERRORS, psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)


class TooManyDeadLettersError(Exception):
    """This consumer has stopped on purpose, and takes nothing more until the process is started anew."""


class Consumer:
    """Works through the batches of one route."""

    def __init__(
        self, service: str, subscription: Subscription, database: Database, instruments: Instruments | None = None
    ) -> None:
        self.subscription = subscription
        self.stopped: str | None = None
        self.unavailable: str | None = None
        self._service = service
        self._database = database
        self._instruments = instruments or Instruments()
        self._pauses = ExponentialBackoff()
        self._faults = 0

    async def __call__(self, records: Sequence[Record]) -> None:
        """Work on one batch; when this returns, all of it is committed or set aside.

        Raises:
            HaltedError: too many messages were set aside in a row.
            psycopg.Error: the database is away: give the same batch again (the pause has been taken).
        """
        if self.stopped:
            await asyncio.sleep(self._pauses.longest)
            raise TooManyDeadLettersError(self.stopped)
        self._instruments.read(self.subscription, len(records))
        try:
            await self._narrow(await self._readable(records))
        except RETRYABLE_ERRORS as error:
            self.unavailable = str(error) if isinstance(error, UnavailableError) else None
            self._instruments.paused(self.subscription, error)
            log.warning("paused: %s on %s", self.unavailable or type(error).__name__, self.subscription.spec.topic)
            await self._pauses.pause()
            raise
        self._pauses.reset()
        self.unavailable = None
        if self.subscription.min_batch_interval:
            await asyncio.sleep(self.subscription.min_batch_interval)

    async def _readable(self, records: Sequence[Record]) -> list[InboundMessage[object]]:
        """Read each record by itself, and set aside those that cannot be read."""
        good, bad = [], []
        for record in records:
            try:
                good.append(
                    decode_record(
                        self.subscription.spec, record, ignore_unknown_types=self.subscription.ignore_unknown_types
                    )
                )
            except MalformedMessageError as error:
                bad.append(DeadLetter(record, str(error), self.subscription.group))
        ours = "{agency}" not in self.subscription.spec.topic
        await self._set_aside(bad, MalformedMessageError.__name__, ours=ours)
        return good

    async def _narrow(self, messages: Sequence[InboundMessage[object]]) -> None:
        """Work on these messages in one transaction; when that fails, on each half by itself, in order."""
        try:
            await self._work(messages)
        except RETRYABLE_ERRORS:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, one message is its cause
            if len(messages) == 1:
                await self._insist(messages[0], error)
                return
            self._instruments.narrowed(self.subscription, error)
            log.info("narrowing %d messages of %s", len(messages), self.subscription.spec.topic)
            middle = len(messages) // 2
            await self._narrow(messages[:middle])
            await self._narrow(messages[middle:])

    async def _insist(self, message: InboundMessage[object], error: Exception) -> None:
        """Try one message again a few times, then set it aside."""
        for _ in range(MAX_ATTEMPTS - 1):
            await self._pauses.pause()
            try:
                await self._work([message])
            except RETRYABLE_ERRORS:
                raise
            except Exception as again:  # noqa: BLE001 - whatever it is, it is this message's own
                error = again
            else:
                return
        log.error("set aside after %d tries: %s", MAX_ATTEMPTS, message.envelope.id, exc_info=error)
        kind = type(error).__name__
        await self._set_aside(
            [DeadLetter(message.record, kind, self.subscription.group, MAX_ATTEMPTS)], kind, ours=True
        )

    async def _work(self, messages: Sequence[InboundMessage[object]]) -> None:
        if not messages:
            return
        with trace_batch(self.subscription, messages) as watched, self._instruments.processing(self.subscription):
            batch = await self._at_once(watched) or await self._in_a_transaction(watched)
        self._faults = 0
        self._instruments.worked(self.subscription, watched, batch)

    async def _at_once(self, messages: Sequence[InboundMessage[object]]) -> Batch[object] | None:
        """Work on these messages by a single statement, if that is possible and none of them is known."""
        if self.subscription.fast_path is None:
            return None
        batch = deduplicate(messages, {message.identity for message in messages})
        try:
            async with self._database.statement() as connection:
                return batch if await self.subscription.fast_path(batch, connection) else None
        except psycopg.errors.UniqueViolation:
            return None

    async def _in_a_transaction(self, messages: Sequence[InboundMessage[object]]) -> Batch[object]:
        """Work on those of these messages that have not been worked on."""
        async with self._database.transaction() as tx:
            fresh = await inbox.record_new(tx, [message.identity for message in messages])
            if batch := deduplicate(messages, fresh):
                await self.subscription.handler(batch, tx)
        return batch

    async def _set_aside(self, letters: Sequence[DeadLetter], kind: str, *, ours: bool) -> None:
        """Set messages aside; count them where the fault may be ours (anybody may write nonsense as an agency)."""
        if not letters:
            return
        async with self._database.transaction() as tx:
            fresh = await insert_dead_letters(tx, self._service, letters)
        self._instruments.set_aside(self.subscription, fresh, kind)
        self._faults += len(letters) if ours else 0
        if self._faults >= MAX_CONSECUTIVE_FAILURES:
            self.stopped = f"{self._faults} messages of {self.subscription.spec.topic} were set aside in a row"
            log.critical("stopped consuming: %s", self.stopped)
