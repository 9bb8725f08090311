"""Records of a case that an agency has read are removed from its inbox topic; unread ones stay and are counted."""

from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import OffsetAndMetadata

from deploy.kafka.inbox_removal import Removal, remove_read_records
from shared.kit.kafka.access import KafkaAccess

pytestmark = pytest.mark.servers

PARTITIONS = 5
CASE, OTHER = "019cae6b-6600-7300-a9c5-99d5df25b353", str(uuid4())
ITS_PARTITION = 0
"""Where Kafka's own clients put the records of this case."""

REQUESTED, CANCELLED = "referral.requested.v1", "referral.cancelled.v1"


@pytest.fixture
async def agency(kafka: KafkaAccess) -> str:
    """An agency that no other test has, with a topic of several partitions."""
    name = f"t{uuid4().hex[:10]}"
    admin = AIOKafkaAdminClient(**kafka.client())
    await admin.start()
    await admin.create_topics([NewTopic(f"agency.{name}.inbox.v1", PARTITIONS, 1)])
    await admin.close()
    return name


async def send(kafka: KafkaAccess, agency: str, *records: tuple[str, str]) -> None:
    async with AIOKafkaProducer(**kafka.client()) as producer:
        for case, kind in records:
            headers = [("ce_type", kind.encode())]
            part = None if case == CASE else ITS_PARTITION
            topic = f"agency.{agency}.inbox.v1"
            sent = await producer.send_and_wait(topic, b"words", case.encode(), part, headers=headers)
            assert sent.partition == ITS_PARTITION


async def read_up_to(kafka: KafkaAccess, agency: str, offset: int) -> None:
    async with AIOKafkaConsumer(**kafka.client(), group_id=f"agency.{agency}", enable_auto_commit=False) as consumer:
        part = TopicPartition(f"agency.{agency}.inbox.v1", ITS_PARTITION)
        consumer.assign([part])
        await consumer.commit({part: OffsetAndMetadata(offset, "")})


async def left(kafka: KafkaAccess, agency: str) -> tuple[int, int]:
    async with AIOKafkaConsumer(**kafka.client()) as consumer:
        part = TopicPartition(f"agency.{agency}.inbox.v1", ITS_PARTITION)
        consumer.assign([part])
        return (await consumer.beginning_offsets([part]))[part], (await consumer.end_offsets([part]))[part]


async def remove(kafka: KafkaAccess, agency: str) -> list[Removal]:
    return await remove_read_records(kafka, CASE, [agency, "nobody-has-such-a-topic"], lambda *_: None)


async def test_read_records_are_removed_up_to_the_last_one_of_the_case(kafka: KafkaAccess, agency: str) -> None:
    await send(kafka, agency, (OTHER, REQUESTED), (CASE, REQUESTED), (CASE, CANCELLED), (OTHER, REQUESTED))
    await read_up_to(kafka, agency, 4)

    assert await remove(kafka, agency) == [Removal(agency, removed=1, unread=0)]
    assert await left(kafka, agency) == (2, 4)
    assert await remove(kafka, agency) == []


async def test_unread_records_stay_and_are_counted(kafka: KafkaAccess, agency: str) -> None:
    await send(kafka, agency, (CASE, REQUESTED), (OTHER, REQUESTED), (CASE, "referral.amended.v1"))
    assert await remove(kafka, agency) == [Removal(agency, removed=0, unread=2)]
    await read_up_to(kafka, agency, 2)

    assert await remove(kafka, agency) == [Removal(agency, removed=1, unread=1)]
    assert await left(kafka, agency) == (1, 3)
    await read_up_to(kafka, agency, 3)
    assert await remove(kafka, agency) == [Removal(agency, removed=1, unread=0)]
    assert await left(kafka, agency) == (3, 3)


async def test_a_topic_without_the_case_stays_as_it_is(kafka: KafkaAccess, agency: str) -> None:
    await send(kafka, agency, (OTHER, REQUESTED), (CASE, "person.erased.v1"))
    await read_up_to(kafka, agency, 2)

    assert await remove(kafka, agency) == []
    assert await left(kafka, agency) == (0, 2)
