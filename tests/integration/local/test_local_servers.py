"""The servers that tests and the local platform run on."""

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.local.servers.databases import OwnDatabase
from deploy.postgres.services import SERVICES
from tests.own_topics import OwnTopics

pytestmark = pytest.mark.servers


async def test_a_message_sent_to_kafka_can_be_read(topics: OwnTopics) -> None:
    topic = await topics.create("letters", partitions=2)
    async with AIOKafkaProducer(**topics.kafka.client(), acks="all", enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, b"hello", key=b"case")
    async with AIOKafkaConsumer(topic, **topics.kafka.client(), auto_offset_reset="earliest") as consumer:
        message = await consumer.getone()
    assert (message.key, message.value) == (b"case", b"hello")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_connects_with_its_own_role(database: OwnDatabase, service: str) -> None:
    with psycopg.connect(database.url(service)) as connection:
        row = connection.execute("SELECT current_user, current_database()").fetchone()
    assert row == (f"handoff_{service}", database.name)
