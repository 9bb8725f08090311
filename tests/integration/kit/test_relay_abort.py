"""An aborted producer sends nothing later: by then the required consents are unlocked, and may be revoked."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import NodeNotReadyError
from aiokafka.protocol.produce import ProduceRequest

from shared.kit.database.database import Database, Transaction
from shared.kit.kafka.access import KafkaAccess
from shared.kit.relay.relay import Relay
from tests.integration.kit.test_relay import announce, said
from tests.own_topics import OwnTopics


@dataclass
class Connection:
    """The connection to Kafka, which can be cut; `attempts` counts the requests that fail meanwhile."""

    is_cut: bool = True
    attempts: int = 0

    def over(self, send: Any) -> Any:
        """Return a `send` that uses this connection."""

        async def send_unless_cut(node: int, request: Any, **options: Any) -> Any:
            if self.is_cut and isinstance(request, ProduceRequest):
                self.attempts += 1
                raise NodeNotReadyError
            return await send(node, request, **options)

        return send_unless_cut


class CuttableRelay(Relay):
    """A relay whose connection to Kafka can be cut."""

    connection = Connection()

    async def _ready_producer(self) -> AIOKafkaProducer:
        is_new = self._producer is None
        producer: Any = await super()._ready_producer()
        if is_new:
            producer.client.send = self.connection.over(producer.client.send)
        return producer  # type: ignore[no-any-return]


async def length(kafka: KafkaAccess, topic: str) -> int:
    """Return the number of records in a topic."""
    async with AIOKafkaConsumer(**kafka.client()) as consumer:
        part = TopicPartition(topic, 0)
        return int((await consumer.end_offsets([part]))[part])


async def test_events_of_an_aborted_producer_do_not_arrive_once_kafka_answers_again(
    kit: Database, kafka: KafkaAccess, topics: OwnTopics
) -> None:
    topic, valid = await topics.create("inbox.v1"), {uuid4()}

    async def check(_: Transaction, required: Collection[UUID]) -> set[UUID]:
        return valid & set(required)

    relay = CuttableRelay("kit", kit, kafka, check)
    relay.connection = connection = Connection()
    await announce(kit, [said(topic, uuid4())._replace(required_consents=(*valid,))])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3):
            await relay.relay_once()
    assert connection.attempts > 1
    valid.clear()
    connection.is_cut = False
    await asyncio.sleep(1)
    assert await length(kafka, topic) == 0, "its consent was revoked meanwhile"
    assert await relay.relay_once() == 1, "the event is withheld"
    await announce(kit, [said(topic, uuid4())])
    assert await relay.relay_once() == 1
    assert await length(kafka, topic) == 1
    await relay.close()
