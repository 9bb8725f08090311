"""A broker with the accounts and access rules of a small city, and the operations that each account can perform."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from deploy.kafka.acls import accounts_of
from deploy.kafka.preparation import apply_rules
from deploy.kafka.topic_declarations import Topic, declared_topics
from deploy.kafka.topics import create_topics
from shared.kit.kafka.access import KafkaAccess
from tests.eventually import PATIENCE_SECONDS

DONE = "done"
_REFUSED = "TOPIC_AUTHORIZATION_FAILED"


@dataclass(frozen=True)
class Guarded:
    """A broker that has its topics, accounts and rules."""

    admin: KafkaAccess
    topics: Sequence[Topic]
    passwords: Mapping[str, str]

    def account(self, name: str) -> KafkaAccess:
        """The broker, as the owner of that account reaches it."""
        return self.admin if name == self.admin.user else replace(self.admin, user=name, password=self.passwords[name])

    @property
    def everybody(self) -> list[str]:
        """Every account, the administrator's too."""
        return [*self.passwords, self.admin.user]


def guard(admin: KafkaAccess) -> Guarded:
    """Create topics, accounts and rules for the services and two agencies whose names have the same beginning."""
    first = f"a{uuid4().hex[:8]}"
    topics = declared_topics([first, f"{first}-too"])
    asyncio.run(create_topics(admin, topics))
    passwords = {account: uuid4().hex for account in accounts_of(topics).values()}
    apply_rules(admin, passwords, topics)
    asyncio.run(write_to(admin, [topic.name for topic in topics]))
    return Guarded(admin, topics, passwords)


def operations_on(kafka: KafkaAccess, topics: Sequence[str]) -> dict[str, frozenset[str]]:
    """Ask the broker for this account's operations on each topic; none if it may not describe the topic."""
    client = AdminClient({**kafka.properties(), "log_level": 0})
    answers = client.describe_topics(TopicCollection(list(topics)), include_authorized_operations=True)
    allowed = {}
    for topic, answer in answers.items():
        try:
            allowed[topic] = frozenset(operation.name.lower() for operation in answer.result(20).authorized_operations)
        except KafkaException as error:
            allowed[topic] = frozenset() if error.args[0].name() == _REFUSED else frozenset({str(error)})
    return allowed


async def write_to(kafka: KafkaAccess, topics: Sequence[str]) -> dict[str, str]:
    """Write one message to each topic, and return the result: `done`, or the client's error."""
    outcomes = {}
    for topic in topics:
        producer = AIOKafkaProducer(**kafka.client(), acks="all")
        await producer.start()
        try:
            outcomes[topic] = await _outcome(producer.send_and_wait(topic, b"tried"))
        finally:
            await producer.stop()
    return outcomes


async def read_from(kafka: KafkaAccess, topics: Sequence[str]) -> dict[str, str]:
    """Read one message of each topic, without a group."""
    outcomes = {}
    for topic in topics:
        consumer: Any = AIOKafkaConsumer(topic, **kafka.client(), auto_offset_reset="earliest")
        try:
            outcomes[topic] = await _outcome(_start_and_read_one(consumer))
        finally:
            await consumer.stop()
    return outcomes


async def join(kafka: KafkaAccess, topic: str, groups: Sequence[str]) -> dict[str, str]:
    """Join each consumer group, to read this topic."""
    outcomes = {}
    for group in groups:
        consumer: Any = AIOKafkaConsumer(topic, **kafka.client(), group_id=group)
        try:
            outcomes[group] = await _outcome(_start_and_read(consumer))
        finally:
            await consumer.stop()
    return outcomes


async def _start_and_read_one(consumer: Any) -> None:
    await consumer.start()
    await consumer.getone()


async def _start_and_read(consumer: Any) -> None:
    await consumer.start()
    await consumer.getmany(timeout_ms=300)


async def _outcome(work: Any) -> str:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await work
    except KafkaError as error:
        return type(error).__name__
    return DONE
