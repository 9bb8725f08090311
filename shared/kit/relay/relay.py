"""The relay: publishes outbox rows to Kafka, in order for each case, under one lock for each shard.

A relay batch is one transaction. It claims rows under the locks of their shards, as long as more come, and commits
after Kafka has acknowledged all of them. A crash before the commit publishes the rows again, with the same event ids. A
row that requires consents is published only while these are valid: the relay checks that in the same transaction, and
records what it withholds.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from operator import attrgetter
from time import monotonic, perf_counter
from typing import Final, Protocol
from uuid import UUID

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from shared.kit.clock import ExponentialBackoff, shield_with_grace
from shared.kit.database.database import TRANSIENT_ERRORS, Database, Transaction
from shared.kit.dead_letters.dead_letters import insert_oversized_event
from shared.kit.kafka.access import KafkaAccess
from shared.kit.kafka.clients import ABORT_SECONDS, abort_producer, make_producer
from shared.kit.messaging import outbox
from shared.kit.messaging.outbox import OutboxRow
from shared.kit.messaging.raw import write_raw
from shared.kit.observability.instruments import EventKind, Instruments
from shared.kit.relay.cloud_events import encode_row
from shared.kit.relay.kafka_sender import KafkaBatchSender

log = logging.getLogger(__name__)

ROWS_PER_SHARD: Final = 64
BACKLOG_ROWS: Final = 512
"""A claim of so many rows shows a backlog: the next one follows without a delay."""

MIN_DELAY_SECONDS, DELAY_SECONDS_PER_ROW, MAX_DELAY_SECONDS = 0.02, 0.001, 0.1
"""The pacing delay after a claim grows with its rows: fewer, larger claims publish as much for less work."""

MAX_BATCH_SECONDS: Final = 0.1
"""A batch that is so old claims no more rows: it commits once Kafka has acknowledged what it claimed."""

POLL_SECONDS, IDLE_POLLS = 0.05, 10
"""A relay claims after each commit of its own process, and polls for those of other processes. After this many polls
without rows it sleeps until a writer notifies it."""

SLEEP_SECONDS = 1.0

PreconditionCheck = Callable[[Transaction, Collection[UUID]], Awaitable[set[UUID]]]
"""Returns which of these consents are valid, and locks them as they are until the transaction ends."""


class RowSender(Protocol):
    """Sends rows: to Kafka, or to a list in a test."""

    source: bytes

    async def add(self, row: OutboxRow) -> None:
        """Take one row, behind those added before; raise MessageSizeTooLargeError if it can never be sent."""

    async def flush(self) -> None:
        """Send what was added."""

    async def wait_acknowledged(self) -> None:
        """Wait until everything that was flushed has arrived."""


class RelayBatch:
    """The rows that one transaction claims: most are published, some `withheld` or `rejected` by Kafka for their size.

    `is_last` tells that no row was left; if not, the next batch is due after `delay` seconds.
    """

    def __init__(self, tx: Transaction, sender: RowSender, check: PreconditionCheck | None) -> None:
        self._tx = tx
        self._sender = sender
        self._check = check
        self.claimed = 0
        self.withheld: list[OutboxRow] = []
        self.rejected: list[OutboxRow] = []
        self.delay = 0.0
        self.is_last = False

    async def run(self, committed: asyncio.Event, max_seconds: float = MAX_BATCH_SECONDS) -> None:
        """Claim and send rows while more come, without waiting for Kafka in between; then wait for all of them.

        `committed` is cleared before each claim: whatever sets it afterwards may not have been seen.
        """
        until = monotonic() + max_seconds
        while not self.is_last:
            committed.clear()
            rows = await outbox.claim(self._tx, ROWS_PER_SHARD)
            await self._send(rows)
            self.claimed += len(rows)
            self.is_last = not rows
            self.delay = _delay_after(len(rows))
            # Required consents stay locked until the commit, and a revocation waits for that: commit without a delay.
            if not self.delay or monotonic() + self.delay > until or any(row.required_consents for row in rows):
                break
            await asyncio.sleep(self.delay)
        await self._sender.wait_acknowledged()

    async def _send(self, rows: Sequence[OutboxRow]) -> None:
        for row in await self._permitted(rows):
            try:
                await self._sender.add(row)
            except MessageSizeTooLargeError:
                await self._reject(row)
        await self._sender.flush()

    async def _permitted(self, rows: Sequence[OutboxRow]) -> Sequence[OutboxRow]:
        """Return the rows whose required consents are valid, and withhold the others.

        A relay without a check withholds every row that requires a consent.
        """
        required = {consent for row in rows for consent in row.required_consents or ()}
        if not required:
            return rows
        # A recall tells agencies what they got. So the fate of these rows must survive a crash, unlike that of others.
        await outbox.wait_for_disk(self._tx)
        valid = await self._check(self._tx, required) if self._check else set()
        revoked = [row for row in rows if not valid.issuperset(row.required_consents or ())]
        await outbox.withhold(self._tx, revoked)
        for row in revoked:
            log.info("event withheld: consent revoked: event %s", row.event_id)
        self.withheld += revoked
        return [row for row in rows if row not in revoked]

    async def _reject(self, row: OutboxRow) -> None:
        log.error("event too large for Kafka, stored as a dead letter: outbox row %d", row.id)
        message = encode_row(row, self._sender.source, row.traceparent)
        await insert_oversized_event(self._tx, row.topic, row.id, write_raw(*message))
        self.rejected.append(row)


def _delay_after(rows: int) -> float:
    """Return the pacing delay in seconds after a claim of so many rows: none when it was empty, or with a backlog."""
    if not 0 < rows < BACKLOG_ROWS:
        return 0.0
    return min(MAX_DELAY_SECONDS, max(MIN_DELAY_SECONDS, rows * DELAY_SECONDS_PER_ROW))


class Relay:
    """Publishes the outbox of one service; the relays of several processes share its shards."""

    def __init__(
        self,
        service: str,
        database: Database,
        kafka: KafkaAccess,
        check: PreconditionCheck | None = None,
        instruments: Instruments | None = None,
    ) -> None:
        self._client = f"{service}-relay"
        self._source = f"/services/{service}".encode()
        self._database = database
        self._kafka = kafka
        self._check = check
        self._instruments = instruments or Instruments()
        self._producer: AIOKafkaProducer | None = None
        self._problem: str | None = "relay: not started"

    async def run(self) -> None:
        """Publish until cancelled; back off while Kafka or PostgreSQL is unavailable."""
        backoff = ExponentialBackoff(first=0.1, longest=5.0)
        try:
            while True:
                try:
                    await self._publish_until_idle()
                    backoff.reset()
                except (*TRANSIENT_ERRORS, KafkaError, TimeoutError) as error:
                    self._problem = f"relay: {self._kafka.explain(error)}"
                    self._instruments.relay_paused(error)
                    log.warning("relay paused: %s", self._problem)
                    await self.close()
                    await backoff.pause()
        finally:
            await self.close()

    async def problem(self) -> str | None:
        """Return why nothing is published now; None while all is well."""
        return self._problem

    async def oldest_age(self) -> float:
        """Return the age of the oldest unpublished event in seconds; 0 when there is none."""
        async with self._database.statement() as connection:
            return await outbox.oldest_age(connection)

    async def relay_once(self) -> int:
        """Run one batch; return how many rows it claimed."""
        return (await self._run_batch()).claimed

    async def _run_batch(self) -> RelayBatch:
        sender = KafkaBatchSender(await self._ready_producer(), self._source)
        async with self._database.transaction(notify_commit=False) as tx:
            batch = RelayBatch(tx, sender, self._check)
            try:
                await batch.run(self._database.committed)
            except BaseException as error:
                self._report(sender, error)
                # The producer may still send these rows. End it before the transaction releases the shard locks, or
                # another relay publishes later events of a case first.
                await self.close()
                raise
            self._report(sender)
        published, withheld, rejected = map(_kinds, (sender.rows, batch.withheld, batch.rejected))
        self._instruments.left_outbox(published, withheld, rejected)
        return batch

    def _report(self, sender: KafkaBatchSender, error: BaseException | None = None) -> None:
        self._instruments.published(_kinds(sender.rows), perf_counter() - sender.flushed_at, error)

    async def _publish_until_idle(self) -> None:
        """Run batches while there are rows; poll for a while, and after each commit of this process; then sleep."""
        idle_polls = 0
        while idle_polls < IDLE_POLLS:
            batch = await self._run_batch()
            idle_polls = 0 if batch.claimed else idle_polls + 1
            self._problem = None
            if not batch.is_last:
                await asyncio.sleep(batch.delay)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._database.committed.wait()
        await self._sleep()

    async def _sleep(self) -> None:
        """Sleep until a writer notifies; return after a batch that found rows."""
        listener = await self._database.listener()
        try:
            await outbox.listen(listener, self._database.schema)
            # The first claim finds what was committed before the relay listened.
            while not await self.relay_once():
                async for _ in listener.notifies(timeout=SLEEP_SECONDS, stop_after=1):
                    pass
        finally:
            await listener.close()

    async def _ready_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = make_producer(self._kafka, self._client)
            try:
                # Cancelling start() half-way leaves a connection open that nothing can close: let it end first.
                await shield_with_grace(producer.start(), ABORT_SECONDS)
            except BaseException:
                await abort_producer(producer)
                raise
            self._producer = producer
        return self._producer

    async def close(self) -> None:
        """Abort the producer; the next batch makes another one.

        After an outage an idempotent producer may never send again (aiokafka issue #1017), so it is not kept.
        """
        producer, self._producer = self._producer, None
        if producer is not None:
            await abort_producer(producer)


_KIND: Final = attrgetter("topic", "event_type")


def _kinds(rows: Iterable[OutboxRow]) -> Iterable[EventKind]:
    return map(_KIND, rows)
