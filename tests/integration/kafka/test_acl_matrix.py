"""Every account at a real broker, every topic, every operation: only what `topics.toml` says.

The expectation is read from the topics' owners and readers here, and not from the rules that are derived from them.
"""

from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import ClusterAuthorizationFailedError, for_code

from deploy.kafka.acls import accounts_of
from deploy.kafka.broker_admin import BrokerAdmin
from deploy.postgres.services import SERVICES
from shared.kit.kafka.access import KafkaAccess
from tests.integration.kafka.city import DONE, Guarded, guard, join, operations_on, read_from, write_to

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

EVERYTHING = {"read", "write", "create", "delete", "alter", "describe", "describe_configs", "alter_configs"}


@pytest.fixture(scope="module")
def broker(kafka: KafkaAccess) -> Guarded:
    """The shared Kafka, with a small city on it."""
    if not kafka.user:
        pytest.skip("this Kafka has no accounts")
    return guard(kafka)


def expected(broker: Guarded, account: str, topic: str) -> set[str]:
    """Return the declared operations: the owner writes, readers read, both describe; the administrator does all."""
    if account == broker.admin.user:
        return EVERYTHING
    names = accounts_of(broker.topics)
    [declared] = [each for each in broker.topics if each.name == topic]
    writes = {"write"} if names[declared.owner] == account else set()
    reads = {"read"} if account in {names[reader] for reader in declared.readers} else set()
    return writes | reads | ({"describe"} if writes or reads else set())


def test_the_broker_allows_each_account_what_is_declared_and_nothing_else(broker: Guarded) -> None:
    topics = [topic.name for topic in broker.topics]
    found = {account: operations_on(broker.account(account), topics) for account in broker.everybody}
    wanted = {account: {topic: expected(broker, account, topic) for topic in topics} for account in broker.everybody}
    assert found == wanted
    assert len(topics) * len(found) == 12 * 7, "four topics, four of dead letters, two for each agency"


async def test_only_the_owner_of_a_topic_writes_to_it(broker: Guarded) -> None:
    topics = [topic.name for topic in broker.topics]
    for account in broker.everybody:
        done = {
            topic: DONE if "write" in expected(broker, account, topic) else "TopicAuthorizationFailedError"
            for topic in topics
        }
        assert await write_to(broker.account(account), topics) == done, account


async def test_only_readers_of_a_topic_read_it(broker: Guarded) -> None:
    topics = [topic.name for topic in broker.topics]
    for account in broker.everybody:
        done = {
            topic: DONE if "read" in expected(broker, account, topic) else "TopicAuthorizationFailedError"
            for topic in topics
        }
        assert await read_from(broker.account(account), topics) == done, account


async def test_an_account_reads_in_groups_of_its_own_name_only(broker: Guarded) -> None:
    groups = {
        account: [account, f"{account}-webhooks" if account in SERVICES else f"{account}.second"]
        for account in broker.passwords
    }
    every = [group for own in groups.values() for group in own]
    for account in broker.passwords:
        [topic, *_] = [each.name for each in broker.topics if "read" in expected(broker, account, each.name)]
        tried = [*every, "strangers", f"{account}x"]
        wanted = {group: DONE if group in groups[account] else "GroupAuthorizationFailedError" for group in tried}
        assert await join(broker.account(account), topic, tried) == wanted, account


async def test_only_the_administrator_creates_a_topic(broker: Guarded) -> None:
    for account in broker.passwords:
        assert await make_topic(broker.account(account)) == "TopicAuthorizationFailedError", account


async def test_an_idempotent_producer_needs_no_right_but_to_write(broker: Guarded) -> None:
    for account in broker.passwords:
        mine = [topic.name for topic in broker.topics if "write" in expected(broker, account, topic.name)]
        async with AIOKafkaProducer(**broker.account(account).client(), enable_idempotence=True) as producer:
            await producer.send_and_wait(mine[0], b"numbered")


async def test_an_account_without_rules_is_authenticated_and_may_do_nothing(broker: Guarded) -> None:
    BrokerAdmin(broker.admin).set_passwords({"stranger": "stranger"})
    stranger = Guarded(broker.admin, broker.topics, {"stranger": "stranger"}).account("stranger")
    topics = [topic.name for topic in broker.topics]
    assert set(operations_on(stranger, topics).values()) == {frozenset()}
    producer = AIOKafkaProducer(**stranger.client(), enable_idempotence=True)
    with pytest.raises(ClusterAuthorizationFailedError):
        await producer.start()
    await producer.stop()


async def make_topic(kafka: KafkaAccess) -> str:
    """Try to create a topic, and return the name of the broker's answer."""
    client = AIOKafkaAdminClient(**kafka.client())
    await client.start()
    try:
        answer: Any = await client.create_topics([NewTopic("made.by.a.client", 1, 1)])
    finally:
        await client.close()
    return str(for_code(answer.topic_errors[0][1]).__name__)
