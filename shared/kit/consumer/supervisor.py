"""Keeps a service's consumers running: starts them when the broker is there, and anew when one of them has died."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from aiokafka.errors import IllegalStateError, KafkaError
from faststream.kafka import KafkaBroker

from shared.kit.clock import ExponentialBackoff, shield_with_grace
from shared.kit.consumer.consumer import Consumer
from shared.kit.database.database import Database
from shared.kit.kafka.access import KafkaAccess
from shared.kit.kafka.clients import ABORT_SECONDS, make_broker, start_broker, subscribe
from shared.kit.kafka.offsets import OffsetCommitter
from shared.kit.messaging.messages import Subscription
from shared.kit.observability.instruments import Instruments

log = logging.getLogger(__name__)

WATCH_SECONDS = 1.0
POSITION_SECONDS = 1.0
"""How long is waited for the place of a consumer that has only just been given a partition."""


class ConsumerSupervisor:
    """The consumers of one service."""

    def __init__(
        self,
        service: str,
        subscriptions: Sequence[Subscription],
        database: Database,
        kafka: KafkaAccess,
        instruments: Instruments | None = None,
    ) -> None:
        self._service = service
        lanes = [subscription for subscription in subscriptions for _ in range(subscription.concurrency)]
        self._consumers = [Consumer(service, subscription, database, instruments) for subscription in lanes]
        self._kafka = kafka
        self._broker_problem = "broker: not connected"
        self._subscribers: list[Any] = []
        self.batch_size = 500

    async def run(self) -> None:
        """Consume until cancelled; what is under way is finished before this ends."""
        pauses = ExponentialBackoff(first=0.2, longest=5.0)
        while self._consumers:
            broker = make_broker(self._kafka, self._service)
            lanes = [(consumer, OffsetCommitter()) for consumer in self._consumers]
            try:
                self._subscribers = [subscribe(broker, lane, self.batch_size, commits) for lane, commits in lanes]
                await shield_with_grace(start_broker(broker), ABORT_SECONDS)
                pauses.reset()
                await self._watch()
            except (KafkaError, OSError) as error:
                self._broker_problem = f"broker: {self._kafka.explain(error)}"
                log.warning("not consuming: %s", self._broker_problem)
            finally:
                self._subscribers = []
                await _stop(broker, [commits for _, commits in lanes])
            await pauses.pause()

    async def problem(self) -> str | None:
        """Say why messages are not worked on now; None when they are."""
        for consumer in self._consumers:
            if consumer.stopped:
                return f"stopped consuming: {consumer.stopped}"
            if consumer.unavailable:
                return f"waiting: {consumer.unavailable}"
        if self._consumers and not self._subscribers:
            return self._broker_problem
        dead = [subscriber for subscriber in self._subscribers if not _moves(subscriber)]
        return f"{len(dead)} of {len(self._subscribers)} consumers not running" if dead else None

    def halted(self) -> list[tuple[Subscription, int]]:
        """Count, for each lane of each route, 1 if it has stopped on purpose and 0 if not."""
        return _summed((consumer.subscription, int(consumer.stopped is not None)) for consumer in self._consumers)

    async def lags(self) -> list[tuple[Subscription, int]]:
        """Count the messages of each route that wait in Kafka, as far as this process has been given partitions."""
        waiting = []
        for consumer, subscriber in zip(self._consumers, self._subscribers, strict=False):
            waiting += [(consumer.subscription, lag) for lag in await _lags(subscriber)]
        return _summed(waiting)

    async def _watch(self) -> None:
        """Return when a consumer has died."""
        while all(_moves(subscriber) for subscriber in self._subscribers):  # noqa: ASYNC110 - FastStream signals no death
            await asyncio.sleep(WATCH_SECONDS)
        log.error("a consumer has died: starting all of them anew")


def _moves(subscriber: Any) -> bool:
    """Tell whether a subscriber's loop goes on. Without an assignment it may: replicas may be spare."""
    return subscriber.consumer is not None and bool(subscriber.tasks) and not any(t.done() for t in subscriber.tasks)


async def _lags(subscriber: Any) -> list[int]:
    """Count what waits in each partition of a subscriber, by what the broker said when it was last read."""
    consumer, found = subscriber.consumer, []
    for partition in consumer.assignment() if consumer is not None else ():
        with suppress(IllegalStateError, KafkaError, TimeoutError):
            async with asyncio.timeout(POSITION_SECONDS):
                position = await consumer.position(partition)
            end = consumer.highwater(partition)
            found += [] if end is None else [max(0, end - position)]
    return found


def _summed(figures: Iterable[tuple[Subscription, int]]) -> list[tuple[Subscription, int]]:
    """Add up the figures of a route's lanes."""
    sums: dict[int, tuple[Subscription, int]] = {}
    for subscription, figure in figures:
        sums[id(subscription)] = (subscription, figure + sums.get(id(subscription), (subscription, 0))[1])
    return list(sums.values())


async def _stop(broker: KafkaBroker, lanes: Sequence[OffsetCommitter]) -> None:
    await asyncio.gather(*(commits.close() for commits in lanes))
    try:
        async with asyncio.timeout(12):
            await broker.stop()
    except (KafkaError, TimeoutError, OSError) as error:
        log.warning("broker did not stop cleanly: %s", type(error).__name__)
