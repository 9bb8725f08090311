"""Consumers on real Kafka and PostgreSQL: restart, redelivery, rebalance, offsets, dead letters."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pydantic import TypeAdapter

from shared.events.intake import CaseEvent, CaseWithdrawn
from shared.events.topics import TopicSpec
from shared.events.wire import write_time
from shared.kit.clock import utc_now
from shared.kit.consumer.supervisor import ConsumerSupervisor
from shared.kit.database.database import Database, Transaction, UnavailableError
from shared.kit.kafka.access import KafkaAccess
from shared.kit.kafka.offsets import COMMIT_SECONDS
from shared.kit.messaging.messages import Batch, Subscription
from shared.kit.relay.relay import Relay
from tests.eventually import PATIENCE_SECONDS

CASES = 300


@pytest.fixture
async def spec(kafka: KafkaAccess) -> TopicSpec:
    """Create a topic with four partitions for intake's events."""
    name = f"kit.{uuid4().hex[:12]}.v1"
    admin = AIOKafkaAdminClient(**kafka.client())
    await admin.start()
    await admin.create_topics([NewTopic(name, 4, 1)])
    await admin.close()
    return TopicSpec(name, "/services/intake", TypeAdapter(CaseEvent))


async def publish(kafka: KafkaAccess, spec: TopicSpec, cases: list[UUID], sequence: int) -> None:
    """Publish one event about each case, as intake's relay does."""
    producer: Any = AIOKafkaProducer(**kafka.client(), acks="all")
    await producer.start()
    try:
        for case in cases:
            event = CaseWithdrawn(case_id=case, withdrawn_at=utc_now())
            headers = {
                "ce_specversion": "1.0",
                "ce_id": str(uuid4()),
                "ce_type": event.type,
                "ce_source": spec.source,
                "ce_subject": str(case),
                "ce_time": write_time(event.withdrawn_at),
                "ce_dataclassification": "internal",
                "ce_sequence": str(sequence),
            }
            pairs = [(name, text.encode()) for name, text in headers.items()]
            await producer.send(spec.topic, event.model_dump_json().encode(), str(case).encode(), headers=pairs)
    finally:
        await producer.stop()


async def store_effects(batch: Batch[Any], tx: Transaction) -> None:
    """Insert one row for each message, with its case and sequence."""
    async with tx.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO effects (event_id, case_id, sequence) VALUES (%s, %s, %s)",
            [(m.envelope.id, m.event.case_id, m.envelope.sequence) for m in batch],
        )


@asynccontextmanager
async def consuming(
    database: Database, kafka: KafkaAccess, subscription: Subscription
) -> AsyncIterator[ConsumerSupervisor]:
    """Run the consumers of a service during a block."""
    supervisor = ConsumerSupervisor("kit", [subscription], database, kafka)
    supervisor.batch_size = 50
    task = asyncio.create_task(supervisor.run())
    try:
        yield supervisor
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def effects(database: Database, count: int) -> list[tuple[UUID, int]]:
    """Wait until there are so many effects; return case and sequence of each, in order."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        found: list[tuple[UUID, int]] = []
        while len(found) < count:
            await asyncio.sleep(0.2)
            async with database.statement() as connection:
                rows = await connection.execute("SELECT case_id, sequence FROM effects ORDER BY id")
                found = await rows.fetchall()
    return found


def in_order(found: list[tuple[UUID, int]]) -> bool:
    """Return True if the sequences of each case ascend."""
    last: dict[UUID, int] = {}
    for case, number in found:
        if number <= last.get(case, 0):
            return False
        last[case] = number
    return True


async def test_consuming_continues_at_the_committed_offsets_after_a_restart(
    kit: Database, kafka: KafkaAccess, spec: TopicSpec
) -> None:
    cases = [uuid4() for _ in range(CASES)]
    subscription = Subscription(f"kit-{uuid4().hex[:8]}", spec, store_effects)
    await publish(kafka, spec, cases, 1)
    async with consuming(kit, kafka, subscription):
        await effects(kit, CASES)
    await publish(kafka, spec, cases, 2)
    async with consuming(kit, kafka, subscription):
        found = await effects(kit, 2 * CASES)
    assert len(found) == 2 * CASES
    assert in_order(found)


async def committed(kafka: KafkaAccess, subscription: Subscription) -> int:
    """Return how many messages of a subscription its group has committed."""
    reader: Any = AIOKafkaConsumer(**kafka.client(), group_id=subscription.group, enable_auto_commit=False)
    await reader.start()
    try:
        return sum([await reader.committed(TopicPartition(subscription.spec.topic, part)) or 0 for part in range(4)])
    finally:
        await reader.stop()


async def test_offsets_are_committed_soon_after_processing_and_not_without_it(
    kit: Database, kafka: KafkaAccess, spec: TopicSpec
) -> None:
    async def refuse(batch: Batch[Any], tx: Transaction) -> None:
        if any(message.envelope.sequence == 2 for message in batch):
            raise UnavailableError("not now")
        await store_effects(batch, tx)

    cases = [uuid4() for _ in range(CASES)]
    subscription = Subscription(f"kit-{uuid4().hex[:8]}", spec, refuse)
    await publish(kafka, spec, cases, 1)
    async with consuming(kit, kafka, subscription):
        await effects(kit, CASES)
        async with asyncio.timeout(5):
            while await committed(kafka, subscription) < CASES:
                await asyncio.sleep(0.1)
        await publish(kafka, spec, cases, 2)
        await asyncio.sleep(4 * COMMIT_SECONDS)
        assert await committed(kafka, subscription) == CASES
    assert await committed(kafka, subscription) == CASES


async def test_messages_that_a_new_group_reads_again_have_no_second_effect(
    kit: Database, kafka: KafkaAccess, spec: TopicSpec
) -> None:
    cases = [uuid4() for _ in range(CASES)]
    await publish(kafka, spec, cases, 1)
    async with consuming(kit, kafka, Subscription(f"kit-{uuid4().hex[:8]}", spec, store_effects)):
        await effects(kit, CASES)
    async with consuming(kit, kafka, Subscription(f"kit-{uuid4().hex[:8]}", spec, store_effects)):
        await publish(kafka, spec, cases[:1], 2)
        found = await effects(kit, CASES + 1)
    assert len(found) == CASES + 1


async def test_two_consumers_that_come_and_go_process_everything_once_and_in_order(
    kit: Database, kafka: KafkaAccess, spec: TopicSpec
) -> None:
    cases = [uuid4() for _ in range(100)]
    subscription = Subscription(f"kit-{uuid4().hex[:8]}", spec, store_effects)
    async with consuming(kit, kafka, subscription):
        await publish(kafka, spec, cases, 1)
        async with consuming(kit, kafka, subscription):
            for number in range(2, 8):
                await publish(kafka, spec, cases, number)
                await asyncio.sleep(0.3)
        for number in range(8, 11):
            await publish(kafka, spec, cases, number)
        found = await effects(kit, 1000)
    assert len(found) == 1000
    assert in_order(found)


async def test_a_failing_message_becomes_a_dead_letter_and_the_others_go_through(
    kit: Database, kafka: KafkaAccess, spec: TopicSpec
) -> None:
    cases = [uuid4() for _ in range(60)]

    async def fail_on_one(batch: Batch[Any], tx: Transaction) -> None:
        await store_effects(batch, tx)
        if any(message.event.case_id == cases[7] for message in batch):
            raise ZeroDivisionError

    await publish(kafka, spec, cases, 1)
    async with consuming(kit, kafka, Subscription(f"kit-{uuid4().hex[:8]}", spec, fail_on_one)):
        found = await effects(kit, 59)
    assert {case for case, _ in found} == set(cases) - {cases[7]}
    async with kit.statement() as connection:
        [(reason, tries)] = await (await connection.execute("SELECT reason, tries FROM dead_letters")).fetchall()
    assert (reason, tries) == ("ZeroDivisionError", 3)


# FastStream does not stop a producer that could not start.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_the_problem_of_a_consumer_and_a_relay_names_a_wrong_password(
    kit: Database, kafka: KafkaAccess, spec: TopicSpec
) -> None:
    wrong = replace(kafka, user=kafka.user or "kit", password="not-the-password")
    relay = Relay("kit", kit, wrong)
    relaying = asyncio.create_task(relay.run())
    try:
        async with consuming(kit, wrong, Subscription(f"kit-{uuid4().hex[:8]}", spec, store_effects)) as supervisor:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while "password" not in f"{await supervisor.problem()}" or "password" not in f"{await relay.problem()}":
                    await asyncio.sleep(0.1)
            problems = f"{await supervisor.problem()} {await relay.problem()}"
    finally:
        relaying.cancel()
        with suppress(asyncio.CancelledError):
            await relaying
    assert problems.count(f"the password of {wrong.user} is wrong") == 2
    assert "not-the-password" not in problems


async def test_a_consumer_that_is_stopped_while_it_starts_leaves_no_connection_open(
    kit: Database, kafka: KafkaAccess, spec: TopicSpec
) -> None:
    for milliseconds in range(0, 60, 4):
        async with consuming(kit, kafka, Subscription(f"kit-{uuid4().hex[:8]}", spec, store_effects)):
            await asyncio.sleep(milliseconds / 1000)
        gc.collect()  # an open connection warns now, and the test fails


async def test_a_consumer_is_ready_once_it_runs(kit: Database, kafka: KafkaAccess, spec: TopicSpec) -> None:
    async with consuming(kit, kafka, Subscription(f"kit-{uuid4().hex[:8]}", spec, store_effects)) as supervisor:
        assert await supervisor.problem() == "broker: not connected"
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await supervisor.problem():
                await asyncio.sleep(0.1)
