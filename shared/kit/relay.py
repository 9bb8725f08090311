"""The relay: moves outbox rows to Kafka, in order for each case, under one lock for each shard.

A round is one transaction, in which rows are taken out under the lock of their shard as long as some come, and which is
committed after Kafka has acknowledged all of them. A crash before that sends them again, with the same event ids. A row
that stands on something is sent only while that stands: the relay asks in the same transaction, and notes what it has
withheld.
"""

import asyncio
import logging
from contextlib import suppress

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.kit.broker import CUT_OFF_WITHIN_SECONDS, cut_off, make_producer
from shared.kit.database import AWAY, Database
from shared.kit.finishing import finish
from shared.kit.instruments import Instruments
from shared.kit.kafka_access import KafkaAccess
from shared.kit.outbox_rows import OLDEST
from shared.kit.pauses import Pauses
from shared.kit.rounds import Round, Standing
from shared.kit.sending import Sending

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
        return len((await self._relay()).taken)

    async def _relay(self) -> Round:
        sending = Sending(await self._ready_producer(), self._source)
        async with self._database.transaction(announced=False) as tx:
            done = Round(tx, sending, self._standing)
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
            self.problem = None
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
                await finish(producer.start(), CUT_OFF_WITHIN_SECONDS)  # what it has opened, it alone can close
            except BaseException:
                await cut_off(producer)
                raise
            self._producer = producer
        return self._producer

    async def close(self) -> None:
        """Let the producer go: an idempotent one that met an outage may never send again, so it is made anew."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await cut_off(producer)
