"""A record batch waits for the one before it in its partition, and for none of other partitions."""

import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.kit.messaging.outbox import OutboxRow
from shared.kit.relay.kafka_sender import KafkaBatchSender


class FakeProducer:
    """A producer whose batches a test acknowledges; each topic has one partition."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, asyncio.Future[Any]]] = []

    async def partitions_for(self, topic: str) -> set[int]:
        """Return the partitions of a topic."""
        del topic
        return {0}

    def create_batch(self) -> BatchBuilder:
        """Make an empty batch."""
        return BatchBuilder(262_144, 0, is_transactional=False)

    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> "asyncio.Future[Any]":
        """List a batch, and return its acknowledgement."""
        assert (batch.record_count() > 0, partition) == (True, 0)
        self.sent.append((topic, asyncio.get_running_loop().create_future()))
        return self.sent[-1][1]

    @property
    def topics(self) -> list[str]:
        """The topics of the batches, in order."""
        return [topic for topic, _ in self.sent]


def row(topic: str) -> OutboxRow:
    """Make one row that is not traced."""
    case_id, event_id = "0b0f9f2e-3f2a-4f0e-9c57-6b6d7d0f8b11", "5c6f0f6e-1f5b-4a50-8a1c-0d0f5f4f1a22"
    return OutboxRow(1, topic, case_id, event_id, "case.withdrawn.v1", None, "internal", None, 1, None, "{}", None)


async def send(sending: KafkaBatchSender, topic: str) -> None:
    """Send one row."""
    await sending.add(row(topic))
    await sending.flush()


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def kafka() -> FakeProducer:
    return FakeProducer()


@pytest.fixture
def sending(kafka: FakeProducer) -> KafkaBatchSender:
    return KafkaBatchSender(kafka, b"/services/kit")  # type: ignore[arg-type]


async def test_a_batch_waits_for_the_one_before_it(kafka: FakeProducer, sending: KafkaBatchSender) -> None:
    await send(sending, "intake.cases.v1")
    second = asyncio.create_task(send(sending, "intake.cases.v1"))
    await settle()
    assert kafka.topics == ["intake.cases.v1"]
    kafka.sent[0][1].set_result(None)
    await second
    assert kafka.topics == ["intake.cases.v1", "intake.cases.v1"]
    finishing = asyncio.create_task(sending.wait_acknowledged())
    await settle()
    assert not finishing.done()
    kafka.sent[1][1].set_result(None)
    await finishing
    assert len(sending.rows) == 2


async def test_batches_of_other_partitions_do_not_wait(kafka: FakeProducer, sending: KafkaBatchSender) -> None:
    await send(sending, "intake.cases.v1")
    await send(sending, "routing.referrals.v1")
    assert kafka.topics == ["intake.cases.v1", "routing.referrals.v1"]


async def test_rows_behind_a_failed_batch_are_not_sent(kafka: FakeProducer, sending: KafkaBatchSender) -> None:
    await send(sending, "intake.cases.v1")
    kafka.sent[0][1].set_exception(KafkaConnectionError())
    with pytest.raises(KafkaConnectionError):
        await send(sending, "intake.cases.v1")
    assert kafka.topics == ["intake.cases.v1"]
