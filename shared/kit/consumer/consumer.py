"""Processes messages in batches: decodes each one, records the new ones in the inbox, and commits all effects at once.

A record that cannot be decoded becomes a dead letter by itself. A batch that fails is bisected down to the message
that fails, which is retried a few times and then becomes a dead letter, while the others go through. A transient error
of the database pauses the consumer, longer each time, and loses nothing: offsets are committed after the transaction,
and the inbox absorbs repeats.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any, Final

import psycopg

from shared.events.wire import MalformedMessageError
from shared.kit.clock import ExponentialBackoff
from shared.kit.consumer.batch_spans import trace_batch
from shared.kit.database.database import TRANSIENT_ERRORS, Database, UnavailableError
from shared.kit.dead_letters.dead_letters import DeadLetter, insert_dead_letters
from shared.kit.messaging import inbox
from shared.kit.messaging.messages import Batch, InboundMessage, Record, Subscription, decode_record, deduplicate
from shared.kit.observability.instruments import Instruments, consumer_attributes

log = logging.getLogger(__name__)

MAX_ATTEMPTS: Final = 3
"""How often a message that fails by itself is tried before it becomes a dead letter."""

MAX_CONSECUTIVE_FAILURES: Final = 20
"""So many dead letters, with no processed message in between, point to a fault of ours, not of the data: stop."""

RETRYABLE_ERRORS: Final = (
    *TRANSIENT_ERRORS,
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
)


class TooManyDeadLettersError(Exception):
    """This consumer has stopped, and processes nothing until the process is restarted."""


class Consumer:
    """Processes the batches of one subscription.

    `stopped` is the reason why it has stopped for good, `unavailable` the reason why it waits now; None when it works.
    """

    def __init__(
        self, service: str, subscription: Subscription, database: Database, instruments: Instruments | None = None
    ) -> None:
        self.subscription = subscription
        self.stopped: str | None = None
        self.unavailable: str | None = None
        self._service = service
        self._database = database
        self._instruments = instruments or Instruments()
        self._attributes = consumer_attributes(subscription.group, subscription.spec.topic)
        self.backoff = ExponentialBackoff()
        self._consecutive_failures = 0

    async def __call__(self, records: Sequence[Record]) -> None:
        """Process one batch; when this returns, each record is committed or is a dead letter.

        Raises:
            TooManyDeadLettersError: the consumer has stopped.
            psycopg.Error: the database is unavailable: deliver the same batch again. This has paused already.
        """
        if self.stopped:
            # Kafka delivers the batch again at once: without this pause the loop would take a whole processor.
            await asyncio.sleep(self.backoff.longest)
            raise TooManyDeadLettersError(self.stopped)
        self._instruments.received(self._attributes, len(records))
        try:
            await self._bisect(await self._decode(records))
        except RETRYABLE_ERRORS as error:
            await self._pause(error)
            raise
        self.backoff.reset()
        self.unavailable = None
        if self.subscription.min_batch_interval:
            await asyncio.sleep(self.subscription.min_batch_interval)

    async def _pause(self, error: Exception) -> None:
        self.unavailable = str(error) if isinstance(error, UnavailableError) else None
        self._instruments.paused(self._attributes, error)
        reason = self.unavailable or type(error).__name__
        log.warning("consumer paused: %s on %s", reason, self.subscription.spec.topic)
        await self.backoff.pause()

    async def _decode(self, records: Sequence[Record]) -> list[InboundMessage[Any]]:
        """Decode each record by itself; those that cannot be decoded become dead letters."""
        subscription, messages, malformed = self.subscription, [], []
        for record in records:
            try:
                messages.append(
                    decode_record(subscription.spec, record, ignore_unknown_types=subscription.ignore_unknown_types)
                )
            except MalformedMessageError as error:
                malformed.append(DeadLetter(record, str(error), subscription.group))
        # An agency writes to its own topic: whatever it writes there must not stop the consumer for all agencies.
        written_by_a_service = "{agency}" not in subscription.spec.topic
        await self._dead_letter(malformed, MalformedMessageError.__name__, is_our_fault=written_by_a_service)
        return messages

    async def _bisect(self, messages: Sequence[InboundMessage[Any]]) -> None:
        """Process messages in one transaction; if that fails, each half by itself, in order."""
        try:
            await self._process(messages)
        except RETRYABLE_ERRORS:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, one message is its cause
            if len(messages) == 1:
                await self._retry(messages[0], error)
                return
            self._instruments.bisected(self._attributes, error)
            log.info("batch of %d messages failed, bisecting: %s", len(messages), self.subscription.spec.topic)
            middle = len(messages) // 2
            await self._bisect(messages[:middle])
            await self._bisect(messages[middle:])

    async def _retry(self, message: InboundMessage[Any], error: Exception) -> None:
        """Retry one message that has failed; when its attempts are used up, it becomes a dead letter."""
        for _ in range(MAX_ATTEMPTS - 1):
            await self.backoff.pause()
            try:
                await self._process([message])
            except RETRYABLE_ERRORS:
                raise
            except Exception as again:  # noqa: BLE001 - whatever it is, this message is its cause
                error = again
            else:
                return
        log.error("dead letter after %d attempts: event %s", MAX_ATTEMPTS, message.envelope.id, exc_info=error)
        kind = type(error).__name__
        letter = DeadLetter(message.record, kind, self.subscription.group, MAX_ATTEMPTS)
        await self._dead_letter([letter], kind, is_our_fault=True)

    async def _process(self, messages: Sequence[InboundMessage[Any]]) -> None:
        if not messages:
            return
        with trace_batch(self.subscription, messages) as traced, self._instruments.processing(self._attributes):
            batch = await self._try_fast_path(traced) or await self._process_in_transaction(traced)
        self._consecutive_failures = 0
        received = _types(traced) if len(traced) > len(batch) else ()
        self._instruments.processed(self._attributes, _types(batch), received)

    async def _try_fast_path(self, messages: Sequence[InboundMessage[Any]]) -> Batch[Any] | None:
        """Process messages by a single statement; None if that is not possible, or one of them is a repeat."""
        if self.subscription.fast_path is None:
            return None
        batch = deduplicate(messages, {message.identity for message in messages})
        try:
            async with self._database.statement() as connection:
                return batch if await self.subscription.fast_path(batch, connection) else None
        except psycopg.errors.UniqueViolation:  # a repeat: its row is in the inbox, so the statement changed nothing
            return None

    async def _process_in_transaction(self, messages: Sequence[InboundMessage[Any]]) -> Batch[Any]:
        """Process the messages that are new, and return them."""
        async with self._database.transaction() as tx:
            new = await inbox.record_new(tx, [message.identity for message in messages])
            if batch := deduplicate(messages, new):
                await self.subscription.handler(batch, tx)
        return batch

    async def _dead_letter(self, letters: Sequence[DeadLetter], kind: str, *, is_our_fault: bool) -> None:
        """Store dead letters, and stop after too many in a row that may be a fault of ours."""
        if not letters:
            return
        async with self._database.transaction() as tx:
            inserted = await insert_dead_letters(tx, self._service, letters)
        self._instruments.dead_lettered(self._attributes, inserted, kind)
        self._consecutive_failures += len(letters) if is_our_fault else 0
        if self._consecutive_failures >= MAX_CONSECUTIVE_FAILURES:
            topic = self.subscription.spec.topic
            self.stopped = f"{self._consecutive_failures} dead letters in a row on {topic}"
            log.critical("consumer stopped: %s", self.stopped)


def _types(messages: Iterable[InboundMessage[Any]]) -> Iterable[str | None]:
    return (message.known_type for message in messages)
