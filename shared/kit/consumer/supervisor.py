"""Keeps a service's consumers running: starts them when Kafka is available, and restarts all when one has died."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka.errors import KafkaError

from shared.kit.clock import ExponentialBackoff, shield_with_grace
from shared.kit.consumer.consumer import Consumer
from shared.kit.database.database import Database
from shared.kit.kafka.access import KafkaAccess
from shared.kit.kafka.clients import (
    ABORT_SECONDS,
    ConsumerOptions,
    is_running,
    list_lags,
    make_broker,
    start_broker,
    stop_broker,
    subscribe,
)
from shared.kit.kafka.offsets import OffsetCommitter
from shared.kit.messaging.messages import Subscription
from shared.kit.observability.instruments import Instruments

log = logging.getLogger(__name__)

CHECK_SECONDS = 1.0
"""How often the supervisor looks for a dead consumer."""


class ConsumerSupervisor:
    """The consumers of one service: as many for each subscription as its `concurrency` says."""

    def __init__(
        self,
        service: str,
        subscriptions: Sequence[Subscription],
        database: Database,
        kafka: KafkaAccess,
        instruments: Instruments | None = None,
    ) -> None:
        self._service = service
        wanted = [subscription for subscription in subscriptions for _ in range(subscription.concurrency)]
        self._consumers = [Consumer(service, subscription, database, instruments) for subscription in wanted]
        self._kafka = kafka
        self._broker_problem = "broker: not connected"
        self._subscribers: list[Any] = []
        self.batch_size = 500

    async def run(self) -> None:
        """Consume until cancelled; a batch that is being processed is finished first."""
        backoff = ExponentialBackoff(first=0.2, longest=5.0)
        while self._consumers:
            broker = make_broker(self._kafka, self._service)
            committers = [OffsetCommitter() for _ in self._consumers]
            try:
                self._subscribers = [
                    subscribe(broker, self._options(consumer.subscription), committer, consumer.__call__)
                    for consumer, committer in zip(self._consumers, committers, strict=True)
                ]
                # Cancelling the start half-way leaves connections open that nothing can close: let it end first.
                await shield_with_grace(start_broker(broker), ABORT_SECONDS)
                backoff.reset()
                await self._wait_for_death()
            except (KafkaError, OSError) as error:
                self._broker_problem = f"broker: {self._kafka.explain(error)}"
                log.warning("not consuming: %s", self._broker_problem)
            finally:
                self._subscribers = []
                await stop_broker(broker, committers)
            await backoff.pause()

    async def problem(self) -> str | None:
        """Return why messages are not processed now; None while all is well."""
        for consumer in self._consumers:
            if consumer.stopped:
                return f"stopped consuming: {consumer.stopped}"
            if consumer.unavailable:
                return f"waiting: {consumer.unavailable}"
        if self._consumers and not self._subscribers:
            return self._broker_problem
        dead = [subscriber for subscriber in self._subscribers if not is_running(subscriber)]
        return f"{len(dead)} of {len(self._subscribers)} consumers not running" if dead else None

    def stopped(self) -> list[tuple[Subscription, int]]:
        """Return for each subscription how many of its consumers have stopped after too many dead letters."""
        return _summed((consumer.subscription, int(consumer.stopped is not None)) for consumer in self._consumers)

    async def list_lags(self) -> list[tuple[Subscription, int]]:
        """Return for each subscription how many messages wait in the partitions assigned to this process."""
        waiting = []
        for consumer, subscriber in zip(self._consumers, self._subscribers, strict=False):
            waiting += [(consumer.subscription, lag) for lag in await list_lags(subscriber)]
        return _summed(waiting)

    def _options(self, subscription: Subscription) -> ConsumerOptions:
        return ConsumerOptions(subscription.group, subscription.spec, self.batch_size, subscription.min_batch_interval)

    async def _wait_for_death(self) -> None:
        """Return when a consumer has died."""
        while all(is_running(subscriber) for subscriber in self._subscribers):  # noqa: ASYNC110 - FastStream signals no death
            await asyncio.sleep(CHECK_SECONDS)
        log.error("a Kafka consumer has died: restarting all consumers")


def _summed(figures: Iterable[tuple[Subscription, int]]) -> list[tuple[Subscription, int]]:
    """Add up the figures of each subscription's consumers."""
    # By identity: a Subscription holds functions and is compared by its fields, which would be slow and mean nothing.
    sums: dict[int, tuple[Subscription, int]] = {}
    for subscription, figure in figures:
        sums[id(subscription)] = (subscription, figure + sums.get(id(subscription), (subscription, 0))[1])
    return list(sums.values())
