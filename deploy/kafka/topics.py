"""Creates the declared topics at a broker; existing topics keep their messages."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import NoError, TopicAlreadyExistsError, for_code

from deploy.kafka.topic_declarations import Topic
from deploy.readiness import wait_for_kafka
from shared.kit.kafka.access import KafkaAccess

_RETRY_SECONDS = 0.5


class TopicsError(Exception):
    """Topics cannot be created, or an existing one differs from its declaration and a person must decide."""


async def create_topics(
    kafka: KafkaAccess, topics: Sequence[Topic], replication: int = 1, retry_seconds: float = 30.0
) -> None:
    """Create the missing topics, and update the retention of the existing ones.

    Right after the start of a cluster fewer brokers than `replication` may have registered, and Kafka rejects the
    request: it is retried for `retry_seconds`.

    Raises:
        TopicsError: a topic cannot be created, or has another number of partitions than declared.
    """
    await wait_for_kafka(kafka)
    admin = AIOKafkaAdminClient(**kafka.client())
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        missing = [_new(topic, replication) for topic in topics if topic.name not in existing]
        await _create(admin, missing, retry_seconds)
        await _check(admin, [topic for topic in topics if topic.name in existing])
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, wanted: Sequence[NewTopic], retry_seconds: float) -> None:
    deadline = asyncio.get_running_loop().time() + retry_seconds
    while wanted:
        problems = await _try_to_create(admin, wanted)
        if problems and asyncio.get_running_loop().time() > deadline:
            raise TopicsError("Topics cannot be created. " + " ".join(problems.values()))
        wanted = [topic for topic in wanted if topic.name in problems]
        await asyncio.sleep(_RETRY_SECONDS if wanted else 0)


async def _try_to_create(admin: AIOKafkaAdminClient, wanted: Sequence[NewTopic]) -> dict[str, str]:
    """Send one request, and return the error of each topic that Kafka rejected: the client raises none."""
    answer: Any = await admin.create_topics(list(wanted))
    errors = {name: (for_code(code), text) for name, code, text, *_ in answer.topic_errors}
    # A job that runs at the same time may have created the topic.
    fine = (NoError, TopicAlreadyExistsError)
    return {name: f"{name}: {text or kind.__name__}" for name, (kind, text) in errors.items() if kind not in fine}


def _new(topic: Topic, replication: int) -> NewTopic:
    return NewTopic(topic.name, topic.partitions, replication, topic_configs=topic.settings)


async def _check(admin: AIOKafkaAdminClient, existing: Sequence[Topic]) -> None:
    if not existing:
        return
    described = await admin.describe_topics([topic.name for topic in existing])
    partitions = {found["topic"]: len(found["partitions"]) for found in described}
    different = [topic for topic in existing if partitions[topic.name] != topic.partitions]
    if different:
        found = ", ".join(f"{each.name} has {partitions[each.name]}, declared {each.partitions}" for each in different)
        raise TopicsError(
            f"The number of partitions differs, and a change would move cases to other partitions: {found}."
        )
    await _update(admin, existing)


async def _update(admin: AIOKafkaAdminClient, existing: Sequence[Topic]) -> None:
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name, topic.settings) for topic in existing]
    answers: Any = await admin.alter_configs(resources)
    rejected = [f"{name}: {text}" for each in answers for code, text, _, name in each.resources if code]
    if rejected:
        raise TopicsError("The retention of topics cannot be changed. " + " ".join(rejected))
