"""Ways of reading the same topic: the least that can be done, and the whole of a service."""

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

Work = Callable[[Sequence[Record]], Awaitable[None]]
"""Does everything about one batch that comes before the commit of offsets."""


async def by_hand(kafka: KafkaAccess, topic: str, count: int, work: Work) -> float:
    """Read with nothing but a consumer: getmany, work, commit; returns messages a second from the first batch on."""
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
            found = await consumer.getmany(timeout_ms=200, max_records=BATCH)
            records = [record for each in found.values() for record in each]
            began = began or (perf_counter() if records else 0.0)
            if records:
                await work(records)
                await consumer.commit()
                done += len(records)
        return count / (perf_counter() - began)
    finally:
        await consumer.stop()


class NotYetError(Exception):
    """A batch came before every lane had its partitions: it is to be given again."""


class Watch:
    """Notes when the first batch came, and when so many messages were done."""

    def __init__(self, count: int, lanes: int) -> None:
        self.lanes: list[Any] = []
        self._wanted = lanes
        self.done = asyncio.Event()
        self.began = self.ended = 0.0
        self._left = count

    def may_begin(self) -> bool:
        """Tell whether every lane has partitions: until then they are handed to and fro."""
        shared = [lane.consumer.assignment() for lane in self.lanes if lane.consumer is not None]
        return len(shared) == self._wanted and all(shared)

    def note(self, count: int) -> None:
        """Count messages that are done."""
        self._left -= count
        if self._left <= 0:
            self.ended = perf_counter()
            self.done.set()


class Timed(Consumer):
    """A consumer that tells a watch when it begins and ends a batch."""

    def __init__(self, route: Subscription, database: Database, watch: "Watch") -> None:
        super().__init__(database.schema, route, database)
        self._watch = watch

    async def __call__(self, records: Sequence[Record]) -> None:
        """Work on a batch, and look at the watch; before every lane has its partitions, give the batch back."""
        if not self._watch.may_begin():
            await asyncio.sleep(0.02)
            raise NotYetError
        self._watch.began = self._watch.began or perf_counter()
        await super().__call__(records)
        self._watch.note(len(records))


async def as_a_service(kafka: KafkaAccess, route: Subscription, database: Database, count: int) -> float:
    """Read as a service does, through FastStream and the kit; returns messages a second from the first batch on."""
    own = replace(route, group=f"bench-{uuid4().hex[:8]}")
    watch = Watch(count, own.concurrency)
    broker = make_broker(kafka, "bench")
    committers = [OffsetCommitter() for _ in range(own.concurrency)]
    options = ConsumerOptions(own.group, own.spec, BATCH, own.min_batch_interval)
    watch.lanes = [
        subscribe(broker, options, committer, Timed(own, database, watch).__call__) for committer in committers
    ]
    await start_broker(broker)
    try:
        async with asyncio.timeout(120):
            await watch.done.wait()
    finally:
        await stop_broker(broker, committers)
    return count / (watch.ended - watch.began)
