"""Two ways to consume the same topic: a plain consumer, and the consumer of a service with everything around it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer

from shared.kit.consumer.consumer import Consumer
from shared.kit.database.database import Database
from shared.kit.kafka.access import KafkaAccess
from shared.kit.kafka.clients import ConsumerOptions, make_broker, start_broker, stop_broker, subscribe
from shared.kit.kafka.offsets import OffsetCommitter
from shared.kit.messaging.messages import Record, Subscription

BATCH = 500

BatchWork = Callable[[Sequence[Record]], Awaitable[None]]
"""Does all work of one batch that comes before the commit of offsets."""


async def consume_plainly(kafka: KafkaAccess, topic: str, count: int, work: BatchWork) -> float:
    """Consume with getmany, work, commit, and nothing else; return messages per second from the first batch on."""
    consumer = AIOKafkaConsumer(
        topic,
        **kafka.client(),
        group_id=f"bench-{uuid4().hex[:8]}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    began, done = 0.0, 0
    try:
        while done < count:
            batches = await consumer.getmany(timeout_ms=200, max_records=BATCH)
            records = [record for batch in batches.values() for record in batch]
            began = began or (perf_counter() if records else 0.0)
            if records:
                await work(records)
                await consumer.commit()
                done += len(records)
        return count / (perf_counter() - began)
    finally:
        await consumer.stop()


class NotAssignedError(Exception):
    """A batch came before every consumer of the group had its partitions: Kafka must deliver it again."""


class ThroughputTimer:
    """Measures the time from the first batch until `count` messages are done."""

    def __init__(self, count: int, consumers: int) -> None:
        self.committers: list[Any] = []
        self._consumers = consumers
        self.done = asyncio.Event()
        self.began = self.ended = 0.0
        self._left = count

    def is_assigned(self) -> bool:
        """Return whether every consumer has partitions: until then the group rebalances, and no time is measured."""
        assignments = [each.consumer.assignment() for each in self.committers if each.consumer is not None]
        return len(assignments) == self._consumers and all(assignments)

    def add(self, count: int) -> None:
        """Count messages that are done."""
        self._left -= count
        if self._left <= 0:
            self.ended = perf_counter()
            self.done.set()


class TimedConsumer(Consumer):
    """A service's consumer that reports the begin and end of each batch to a timer."""

    def __init__(self, subscription: Subscription, database: Database, timer: ThroughputTimer) -> None:
        super().__init__(database.schema, subscription, database)
        self._timer = timer

    async def __call__(self, records: Sequence[Record]) -> None:
        """Process a batch; before every consumer has its partitions, raise, so that Kafka delivers the batch again."""
        if not self._timer.is_assigned():
            await asyncio.sleep(0.02)
            raise NotAssignedError
        self._timer.began = self._timer.began or perf_counter()
        await super().__call__(records)
        self._timer.add(len(records))


async def consume_as_a_service(kafka: KafkaAccess, subscription: Subscription, database: Database, count: int) -> float:
    """Consume as a service does, through FastStream and the kit; return messages per second from the first batch on."""
    own = replace(subscription, group=f"bench-{uuid4().hex[:8]}")
    timer = ThroughputTimer(count, own.concurrency)
    broker = make_broker(kafka, "bench")
    committers = [OffsetCommitter() for _ in range(own.concurrency)]
    options = ConsumerOptions(own.group, own.spec, BATCH, own.min_batch_interval)
    timer.committers = [
        subscribe(broker, options, committer, TimedConsumer(own, database, timer).__call__) for committer in committers
    ]
    await start_broker(broker)
    try:
        async with asyncio.timeout(120):
            await timer.done.wait()
    finally:
        await stop_broker(broker, committers)
    return count / (timer.ended - timer.began)
