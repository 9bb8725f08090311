"""A relay that gives up on Kafka: what it was sending does not arrive after it has let go of what that stood on."""

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
from tests.topics import OwnTopics


@dataclass
class Line:
    """The way to Kafka, which can be cut; `tries` counts what was to go over it meanwhile."""

    is_cut: bool = True
    tries: int = 0

    def lead(self, send: Any) -> Any:
        """Lead what a client sends over this line."""

        async def over(node: int, request: Any, **said: Any) -> Any:
            if self.is_cut and isinstance(request, ProduceRequest):
                self.tries += 1
                raise NodeNotReadyError
            return await send(node, request, **said)

        return over


class Distant(Relay):
    """A relay that reaches Kafka over a line."""

    line = Line()

    async def _ready_producer(self) -> AIOKafkaProducer:
        is_new = self._producer is None
        producer: Any = await super()._ready_producer()
        if is_new:
            producer.client.send = self.line.lead(producer.client.send)
        return producer  # type: ignore[no-any-return]


async def length(kafka: KafkaAccess, topic: str) -> int:
    """Count what stands in a topic."""
    async with AIOKafkaConsumer(**kafka.client()) as consumer:
        part = TopicPartition(topic, 0)
        return int((await consumer.end_offsets([part]))[part])


async def test_what_was_being_sent_when_kafka_did_not_answer_does_not_arrive_once_it_does(
    kit: Database, kafka: KafkaAccess, topics: OwnTopics
) -> None:
    topic, standing = await topics.create("inbox.v1"), {uuid4()}

    async def stand(_: Transaction, guards: Collection[UUID]) -> set[UUID]:
        return standing & set(guards)

    relay = Distant("kit", kit, kafka, stand)
    relay.line = line = Line()
    await announce(kit, [said(topic, uuid4())._replace(required_consents=(*standing,))])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3):
            await relay.relay_once()
    assert line.tries > 1
    standing.clear()
    line.is_cut = False
    await asyncio.sleep(1)
    assert await length(kafka, topic) == 0, "what it stood on has fallen since"
    assert await relay.relay_once() == 1, "it is withheld"
    await announce(kit, [said(topic, uuid4())])
    assert await relay.relay_once() == 1
    assert await length(kafka, topic) == 1
    await relay.close()
