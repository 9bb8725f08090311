"""The job that creates topics, with a real Kafka."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from deploy.kafka.topic_declarations import Topic
from deploy.kafka.topics import TopicsError, create_topics
from tests.eventually import PATIENCE_SECONDS
from tests.own_topics import OwnTopics

pytestmark = pytest.mark.servers


def letters(topics: OwnTopics) -> Topic:
    return Topic(topics.name("letters"), partitions=3, retention_days=2, owner="intake", readers=("routing",))


async def retention_ms(topics: OwnTopics, name: str) -> str:
    admin = AIOKafkaAdminClient(**topics.kafka.client())
    await admin.start()
    try:
        answers: Any = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
    finally:
        await admin.close()
    settings = {entry[0]: entry[1] for answer in answers for resource in answer.resources for entry in resource[4]}
    return str(settings.get("retention.ms"))


async def make_and_see(topics: OwnTopics, topic: Topic) -> None:
    """Create a topic, and wait for the broker, which applies it a moment after the controller."""
    await create_topics(topics.kafka, [topic])
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await retention_ms(topics, topic.name) != topic.settings["retention.ms"]:
            await asyncio.sleep(0.1)


async def test_a_topic_is_made_as_it_is_declared(topics: OwnTopics) -> None:
    await make_and_see(topics, letters(topics))
    assert await retention_ms(topics, topics.name("letters")) == str(2 * 24 * 60 * 60 * 1000)


async def test_making_topics_again_changes_nothing_but_their_retention(topics: OwnTopics) -> None:
    await make_and_see(topics, letters(topics))
    await make_and_see(topics, replace(letters(topics), retention_days=5))
    assert await retention_ms(topics, topics.name("letters")) == str(5 * 24 * 60 * 60 * 1000)


async def test_a_different_number_of_partitions_is_an_error(topics: OwnTopics) -> None:
    await make_and_see(topics, letters(topics))
    with pytest.raises(TopicsError, match="has 3, declared 4"):
        await create_topics(topics.kafka, [replace(letters(topics), partitions=4)])


async def test_a_topic_that_the_broker_refuses_is_named(topics: OwnTopics) -> None:
    with pytest.raises(TopicsError, match="letters"):
        await create_topics(topics.kafka, [letters(topics)], replication=3, retry_seconds=0)
