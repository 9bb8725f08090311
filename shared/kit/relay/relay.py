"""The relay: moves outbox rows to Kafka, in order for each case, under one lock for each shard.

A round is one transaction, in which rows are taken out under the lock of their shard as long as some come, and which is
committed after Kafka has acknowledged all of them. A crash before that sends them again, with the same event ids. A row
that stands on something is sent only while that stands: the relay asks in the same transaction, and notes what it has
withheld.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from time import monotonic
from typing import Final
from uuid import UUID

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from psycopg.rows import args_row

from shared.kit.clock import ExponentialBackoff, shield_with_grace
from shared.kit.database.database import TRANSIENT_ERRORS, Database, Transaction
from shared.kit.dead_letters.dead_letters import write_raw
from shared.kit.kafka.access import KafkaAccess
from shared.kit.kafka.clients import ABORT_SECONDS, abort_producer, make_producer
from shared.kit.messaging.outbox import SHARDS
from shared.kit.observability.instruments import Instruments
from shared.kit.relay.kafka_sender import KafkaBatchSender
from shared.kit.relay.outbox_rows import (
    CLAIM_SQL,
    OLDEST_SQL,
    REJECT_SQL,
    SYNCHRONOUS_COMMIT_SQL,
    WITHHOLD_SQL,
    OutboxRow,
    frame,
)

ROWS_OF_A_SHARD: Final = 64
MANY_ROWS: Final = 512

SHORTEST_REST_SECONDS, REST_SECONDS_FOR_A_ROW, LONGEST_REST_SECONDS = 0.02, 0.001, 0.1
"""Rows that were taken are followed by a rest, longer when many come; by none while there is a backlog."""

LONGEST_ROUND_SECONDS: Final = 0.1
"""After so long no more rows are taken: what was taken is committed once Kafka has it."""

PreconditionCheck = Callable[[Transaction, Collection[UUID]], Awaitable[set[UUID]]]
"""Tells which of these things still stand, and keeps them standing until the transaction ends."""


class RelayBatch:
    """The rows that were `taken`; those that were `said`, but for those that Kafka `refused`, for ever.

    `is_last` when nothing was left; otherwise `rest` is due before the next round, in seconds.
    """

    def __init__(self, tx: Transaction, sending: KafkaBatchSender, standing: PreconditionCheck | None) -> None:
        self._tx = tx
        self._sending = sending
        self._standing = standing
        self.taken: list[OutboxRow] = []
        self.said: list[OutboxRow] = []
        self.refused: list[OutboxRow] = []
        self.rest = 0.0
        self.is_last = False

    async def go(self, committed: asyncio.Event, longest: float = LONGEST_ROUND_SECONDS) -> None:
        """Take and send rows while more come, none of which waits until Kafka has those before; then wait for all.

        `committed` is cleared at each look: whatever sets it afterwards has not been seen.
        """
        until = monotonic() + longest
        while not self.is_last:
            committed.clear()
            rows = await self._take()
            await self._say(rows)
            self.is_last = not rows
            self.rest = _rest_after(len(rows))
            if not self.rest or monotonic() + self.rest > until or any(row.required_consents for row in rows):
                break
            await asyncio.sleep(self.rest)
        await self._sending.finish()

    async def _take(self) -> list[OutboxRow]:
        """Take the oldest rows out of the outbox, in order: it is undone if this transaction is."""
        async with self._tx.cursor(row_factory=args_row(OutboxRow), binary=True) as cursor:
            await cursor.execute(CLAIM_SQL, (list(range(SHARDS)), ROWS_OF_A_SHARD))
            rows = sorted(await cursor.fetchall())
        self.taken += rows
        return rows

    async def _say(self, rows: Sequence[OutboxRow]) -> None:
        """Give rows to the producer; what Kafka will never take is set aside."""
        said = await self._said_still(rows)
        self.said += said
        for row in said:
            try:
                await self._sending.add(row)
            except MessageSizeTooLargeError:
                await self._refuse(row)
        await self._sending.hand_over()

    async def _said_still(self, rows: Sequence[OutboxRow]) -> Sequence[OutboxRow]:
        """Leave out, and note, the rows that stand on something that has fallen; without a way to ask, all of them.

        What becomes of these rows is on the disk when the transaction has ended: it counts in what is recalled.
        """
        asked = {guard for row in rows for guard in row.required_consents or ()}
        if not asked:
            return rows
        await self._tx.execute(SYNCHRONOUS_COMMIT_SQL)
        stands = await self._standing(self._tx, asked) if self._standing else set()
        fallen = [row for row in rows if not stands.issuperset(row.required_consents or ())]
        for row in fallen:
            log.info("withheld, what it stood on has fallen: event %s", row.event_id)
            await self._tx.execute(WITHHOLD_SQL, row.noted())
        return [row for row in rows if row not in fallen]

    async def _refuse(self, row: OutboxRow) -> None:
        log.error("too large for Kafka, set aside: outbox row %d", row.id)
        message = frame(row, self._sending.source, row.traceparent)
        await self._tx.execute(REJECT_SQL, (row.topic, row.id, write_raw(*message)))
        self.refused.append(row)


def _rest_after(rows: int) -> float:
    """Return the seconds to rest after so many rows; none when nothing came, or when more are waiting."""
    if not 0 < rows < MANY_ROWS:
        return 0.0
    return min(LONGEST_REST_SECONDS, max(SHORTEST_REST_SECONDS, rows * REST_SECONDS_FOR_A_ROW))


log = logging.getLogger(__name__)

LOOK_SECONDS, QUIET_LOOKS = 0.05, 10
"""A relay looks at each commit of its own process; for those of others, so often. After so many looks that found
nothing, it sleeps until somebody notifies."""

SLEEP_SECONDS = 1.0


class Relay:
    """Relays one service's outbox; several instances share the work."""

    def __init__(
        self,
        service: str,
        database: Database,
        kafka: KafkaAccess,
        standing: PreconditionCheck | None = None,
        instruments: Instruments | None = None,
    ) -> None:
        self._source = f"/services/{service}".encode()
        self._client = f"{service}-relay"
        self._database = database
        self._kafka = kafka
        self._standing = standing
        self._instruments = instruments or Instruments()
        self._producer: AIOKafkaProducer | None = None
        self._problem: str | None = "relay: not started"

    async def run(self) -> None:
        """Relay until cancelled; outages of Kafka or PostgreSQL are waited out."""
        pauses = ExponentialBackoff(first=0.1, longest=5.0)
        try:
            while True:
                try:
                    await self._relay_and_rest()
                    pauses.reset()
                except (*TRANSIENT_ERRORS, KafkaError, TimeoutError) as error:
                    self._problem = f"relay: {self._kafka.explain(error)}"
                    self._instruments.relay_paused(error)
                    log.warning("paused: %s", self._problem)
                    await self.close()
                    await pauses.pause()
        finally:
            await self.close()

    async def problem(self) -> str | None:
        """Say why nothing is relayed now; None when it is."""
        return self._problem

    async def oldest_seconds(self) -> float:
        """Return the age of the oldest row that waits, in seconds; 0 when none does."""
        async with self._database.statement() as connection:
            row = await (await connection.execute(OLDEST_SQL)).fetchone()
        return float(row[0]) if row else 0.0

    async def relay_once(self) -> int:
        """Relay one round of rows; returns how many."""
        return len((await self._relay()).taken)

    async def _relay(self) -> RelayBatch:
        sending = KafkaBatchSender(await self._ready_producer(), self._source)
        async with self._database.transaction(notify_commit=False) as tx:
            done = RelayBatch(tx, sending, self._standing)
            try:
                with self._instruments.sending(sending):
                    await done.go(self._database.committed)
            except BaseException:
                await self.close()  # before the locks go, under which it was still to be said
                raise
        self._instruments.relayed(done.taken, done.said, done.refused)
        return done

    async def _relay_and_rest(self) -> None:
        """Relay while there is something; look often for a while, and at each commit of ours; then sleep."""
        looks = 0
        while looks < QUIET_LOOKS:
            done = await self._relay()
            looks = 0 if done.taken else looks + 1
            self._problem = None
            if not done.is_last:
                await asyncio.sleep(done.rest)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._database.committed.wait()
        await self._sleep()

    async def _sleep(self) -> None:
        """Sleep with the lock that tells writers to notify; look once more before, for what came meanwhile."""
        listener = await self._database.listener()
        try:
            await listener.execute(f'LISTEN "{self._database.schema}_outbox"')
            await listener.execute("SELECT pg_try_advisory_lock(hashtext(current_schema() || '_outbox_sleeps'), 0)")
            while not await self.relay_once():
                async for _ in listener.notifies(timeout=SLEEP_SECONDS, stop_after=1):
                    pass
        finally:
            await listener.close()

    async def _ready_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = make_producer(self._kafka, self._client)
            try:
                await shield_with_grace(producer.start(), ABORT_SECONDS)  # what it has opened, it alone can close
            except BaseException:
                await abort_producer(producer)
                raise
            self._producer = producer
        return self._producer

    async def close(self) -> None:
        """Let the producer go: an idempotent one that met an outage may never send again, so it is made anew."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await abort_producer(producer)
