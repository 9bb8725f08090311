"""Keeps a service's consumers running: starts them when the broker is there, and anew when one of them has died."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker

from shared.kit.batches import Consumer
from shared.kit.broker import make_broker, subscribe
from shared.kit.database import Database
from shared.kit.kafka_access import KafkaAccess
from shared.kit.messages import Route
from shared.kit.pauses import Pauses

log = logging.getLogger(__name__)

WATCH_SECONDS = 1.0


class Consumption:
    """The consumers of one service."""

    def __init__(self, service: str, routes: Sequence[Route], database: Database, kafka: KafkaAccess) -> None:
        self._service = service
        self._consumers = [Consumer(service, route, database) for route in routes for _ in range(route.lanes)]
        self._kafka = kafka
        self._broker_problem = "broker: not connected"
        self._subscribers: list[Any] = []
        self.batch_size = 500

    async def run(self) -> None:
        """Consume until cancelled; offsets of finished work are committed before this ends."""
        pauses = Pauses(first=0.2, longest=5.0)
        while self._consumers:
            broker = make_broker(self._kafka, self._service)
            try:
                self._subscribers = [subscribe(broker, consumer, self.batch_size) for consumer in self._consumers]
                await broker.start()
                pauses.reset()
                await self._watch()
            except (KafkaError, OSError) as error:
                self._broker_problem = f"broker: {self._kafka.explain(error)}"
                log.warning("not consuming: %s", self._broker_problem)
            finally:
                self._subscribers = []
                await _stop(broker)
            await pauses.take()

    async def problem(self) -> str | None:
        """Say why messages are not worked on now; None when they are."""
        for consumer in self._consumers:
            if consumer.halted:
                return f"stopped consuming: {consumer.halted}"
            if consumer.refused:
                return f"waiting: {consumer.refused}"
        if self._consumers and not self._subscribers:
            return self._broker_problem
        dead = [subscriber for subscriber in self._subscribers if not _moves(subscriber)]
        return f"{len(dead)} of {len(self._subscribers)} consumers not running" if dead else None

    async def _watch(self) -> None:
        """Return when a consumer has died."""
        while all(_moves(subscriber) for subscriber in self._subscribers):  # noqa: ASYNC110 - FastStream signals no death
            await asyncio.sleep(WATCH_SECONDS)
        log.error("a consumer has died: starting all of them anew")


def _moves(subscriber: Any) -> bool:
    """Tell whether a subscriber's loop goes on. Without an assignment it may: replicas may be spare."""
    return subscriber.consumer is not None and bool(subscriber.tasks) and not any(t.done() for t in subscriber.tasks)


async def _stop(broker: KafkaBroker) -> None:
    try:
        async with asyncio.timeout(12):
            await broker.stop()
    except (KafkaError, TimeoutError, OSError) as error:
        log.warning("broker did not stop cleanly: %s", type(error).__name__)
