"""The relay: moves outbox rows to Kafka, in order for each case, under one lock for each shard.

A row is taken out in the transaction that holds its shard's lock, which is committed after Kafka has acknowledged it.
A crash in between sends it again, with the same event id. A row that stands on something is sent only while that
stands: the relay asks in the same transaction, and notes what it has withheld.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from time import monotonic
from uuid import UUID

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from psycopg.rows import args_row

from shared.kit.broker import cut_off, make_producer
from shared.kit.database import AWAY, Database, Transaction
from shared.kit.dead_letters import write_raw
from shared.kit.instruments import Instruments
from shared.kit.kafka_access import KafkaAccess
from shared.kit.outbox import SHARDS
from shared.kit.outbox_rows import COMMIT_TO_DISK, OLDEST, REFUSE, TAKE, WITHHOLD, Row, frame
from shared.kit.pauses import Pauses, rest_after
from shared.kit.sending import Sending

log = logging.getLogger(__name__)

ROWS_OF_A_SHARD = 64
MANY_ROWS = 512
SHORTEST_REST_SECONDS, REST_SECONDS_FOR_A_ROW, LONGEST_REST_SECONDS = 0.01, 0.001, 0.1
"""A round is followed by a rest, longer when many rows come or rounds take long; by none while there is a backlog."""

LOOK_SECONDS, QUIET_LOOKS = 0.05, 10
"""A relay looks at each commit of its own process; for those of others, so often. After so many looks that found
nothing, it sleeps until somebody notifies."""

SLEEP_SECONDS, ACKNOWLEDGED_WITHIN_SECONDS = 1.0, 15.0


Standing = Callable[[Transaction, Collection[UUID]], Awaitable[set[UUID]]]
"""Tells which of these things still stand, and keeps them standing until the transaction ends."""


class Relay:
    """Relays one service's outbox; several instances share the work."""

    def __init__(
        self,
        service: str,
        database: Database,
        kafka: KafkaAccess,
        standing: Standing | None = None,
        instruments: Instruments | None = None,
    ) -> None:
        self._source = f"/services/{service}".encode()
        self._client = f"{service}-relay"
        self._database = database
        self._kafka = kafka
        self._standing = standing
        self._instruments = instruments or Instruments()
        self._producer: AIOKafkaProducer | None = None
        self.problem: str | None = "relay: not started"

    async def run(self) -> None:
        """Relay until cancelled; outages of Kafka or PostgreSQL are waited out."""
        pauses = Pauses(first=0.1, longest=5.0)
        try:
            while True:
                try:
                    await self._relay_and_rest()
                    pauses.reset()
                except (*AWAY, KafkaError, TimeoutError) as error:
                    self.problem = f"relay: {self._kafka.explain(error)}"
                    self._instruments.relay_paused(error)
                    log.warning("paused: %s", self.problem)
                    await self.close()
                    await pauses.take()
        finally:
            await self.close()

    async def why_not(self) -> str | None:
        """Say why nothing is relayed now; None when it is."""
        return self.problem

    async def oldest_seconds(self) -> float:
        """Return the age of the oldest row that waits, in seconds; 0 when none does."""
        async with self._database.statement() as connection:
            row = await (await connection.execute(OLDEST)).fetchone()
        return float(row[0]) if row else 0.0

    async def relay_once(self) -> int:
        """Relay one round of rows; returns how many."""
        producer = await self._ready_producer()
        async with self._database.transaction(announced=False) as tx:
            rows = await self._take(tx)
            said = await self._said_still(tx, rows)
            try:
                refused = await self._send(producer, said, tx)
            except BaseException:
                await self.close()  # before the locks go, under which it was still to be said
                raise
        self._instruments.relayed(rows, said, refused)
        return len(rows)

    async def _relay_and_rest(self) -> None:
        """Relay while there is something; look often for a while, and at each commit of ours; then sleep."""
        looks = 0
        while looks < QUIET_LOOKS:
            self._database.committed.clear()
            began = monotonic()
            sent = await self.relay_once()
            looks = 0 if sent else looks + 1
            self.problem = None
            if sent:
                await asyncio.sleep(_rest_after(sent, monotonic() - began))
            else:
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

    async def _take(self, tx: Transaction) -> list[Row]:
        """Take the oldest rows out of the outbox, in order: it is undone if this transaction is."""
        async with tx.cursor(row_factory=args_row(Row), binary=True) as cursor:
            await cursor.execute(TAKE, (list(range(SHARDS)), ROWS_OF_A_SHARD))
            return sorted(await cursor.fetchall())

    async def _said_still(self, tx: Transaction, rows: Sequence[Row]) -> Sequence[Row]:
        """Leave out, and note, the rows that stand on something that has fallen; without a way to ask, all of them.

        What becomes of these rows is on the disk when the transaction has ended: it counts in what is recalled.
        """
        asked = {guard for row in rows for guard in row.guards or ()}
        if not asked:
            return rows
        await tx.execute(COMMIT_TO_DISK)
        stands = await self._standing(tx, asked) if self._standing else set()
        fallen = [row for row in rows if not stands.issuperset(row.guards or ())]
        for row in fallen:
            log.info("withheld, what it stood on has fallen: event %s", row.event_id)
            await tx.execute(WITHHOLD, row.noted())
        return [row for row in rows if row not in fallen]

    async def _send(self, producer: AIOKafkaProducer, rows: Sequence[Row], tx: Transaction) -> list[Row]:
        """Send rows and wait until Kafka has them; what it will never take is set aside, and returned."""
        sending = Sending(producer, self._source)
        refused = []
        with self._instruments.sending(sending.rows):
            for row in rows:
                try:
                    await sending.add(row)
                except MessageSizeTooLargeError:
                    await self._refuse(tx, row)
                    refused.append(row)
            async with asyncio.timeout(ACKNOWLEDGED_WITHIN_SECONDS):
                await sending.finish()
        return refused

    async def _refuse(self, tx: Transaction, row: Row) -> None:
        log.error("too large for Kafka, set aside: outbox row %d", row.id)
        await tx.execute(REFUSE, (row.topic, row.id, write_raw(*frame(row, self._source, row.traceparent))))

    async def _ready_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = make_producer(self._kafka, self._client)
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def close(self) -> None:
        """Let the producer go: an idempotent one that met an outage may never send again, so it is made anew."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await cut_off(producer)


def _rest_after(sent: int, took: float) -> float:
    """Return the seconds to rest after a round of so many rows and seconds."""
    if sent >= MANY_ROWS:
        return 0.0
    return rest_after(max(took, sent * REST_SECONDS_FOR_A_ROW), least=SHORTEST_REST_SECONDS, most=LONGEST_REST_SECONDS)
