"""Consumers on real Kafka and PostgreSQL: redelivery, rebalance with two live consumers, poison in a batch."""

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
from tests.waiting import PATIENCE_SECONDS

CASES = 300


@pytest.fixture
async def language(kafka: KafkaAccess) -> TopicSpec:
    """Make a topic of its own with four partitions, in intake's language."""
    name = f"kit.{uuid4().hex[:12]}.v1"
    admin = AIOKafkaAdminClient(**kafka.client())
    await admin.start()
    await admin.create_topics([NewTopic(name, 4, 1)])
    await admin.close()
    return TopicSpec(name, "/services/intake", TypeAdapter(CaseEvent))


async def publish(kafka: KafkaAccess, language: TopicSpec, cases: list[UUID], sequence: int) -> None:
    """Say one event about each case, as intake's relay would."""
    producer: Any = AIOKafkaProducer(**kafka.client(), acks="all")
    await producer.start()
    try:
        for case in cases:
            event = CaseWithdrawn(case_id=case, withdrawn_at=utc_now())
            headers = {
                "ce_specversion": "1.0",
                "ce_id": str(uuid4()),
                "ce_type": event.type,
                "ce_source": language.source,
                "ce_subject": str(case),
                "ce_time": write_time(event.withdrawn_at),
                "ce_dataclassification": "internal",
                "ce_sequence": str(sequence),
            }
            pairs = [(name, text.encode()) for name, text in headers.items()]
            await producer.send(language.topic, event.model_dump_json().encode(), str(case).encode(), headers=pairs)
    finally:
        await producer.stop()


async def note(batch: Batch[Any], tx: Transaction) -> None:
    """Leave one row for each message, with its case and number."""
    async with tx.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO effects (event_id, case_id, sequence) VALUES (%s, %s, %s)",
            [(m.envelope.id, m.event.case_id, m.envelope.sequence) for m in batch],
        )


@asynccontextmanager
async def consuming(database: Database, kafka: KafkaAccess, route: Subscription) -> AsyncIterator[ConsumerSupervisor]:
    """Run the consumers of a service beside the test."""
    consumption = ConsumerSupervisor("kit", [route], database, kafka)
    consumption.batch_size = 50
    task = asyncio.create_task(consumption.run())
    try:
        yield consumption
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def effects(database: Database, count: int) -> list[tuple[UUID, int]]:
    """Wait until there are so many effects, and a moment longer; return case and number in order."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        found: list[tuple[UUID, int]] = []
        while len(found) < count:
            await asyncio.sleep(0.2)
            async with database.statement() as connection:
                rows = await connection.execute("SELECT case_id, sequence FROM effects ORDER BY id")
                found = await rows.fetchall()
    return found


def in_order(found: list[tuple[UUID, int]]) -> bool:
    """Tell whether each case's numbers go up."""
    last: dict[UUID, int] = {}
    for case, number in found:
        if number <= last.get(case, 0):
            return False
        last[case] = number
    return True


async def test_work_goes_on_where_it_was_left_after_a_restart(
    kit: Database, kafka: KafkaAccess, language: TopicSpec
) -> None:
    cases = [uuid4() for _ in range(CASES)]
    route = Subscription(f"kit-{uuid4().hex[:8]}", language, note)
    await publish(kafka, language, cases, 1)
    async with consuming(kit, kafka, route):
        await effects(kit, CASES)
    await publish(kafka, language, cases, 2)
    async with consuming(kit, kafka, route):
        found = await effects(kit, 2 * CASES)
    assert len(found) == 2 * CASES
    assert in_order(found)


async def committed(kafka: KafkaAccess, route: Subscription) -> int:
    """Count the messages of a route whose offsets its group has committed."""
    reader: Any = AIOKafkaConsumer(**kafka.client(), group_id=route.group, enable_auto_commit=False)
    await reader.start()
    try:
        return sum([await reader.committed(TopicPartition(route.spec.topic, part)) or 0 for part in range(4)])
    finally:
        await reader.stop()


async def test_offsets_are_committed_soon_after_the_work_and_not_without_it(
    kit: Database, kafka: KafkaAccess, language: TopicSpec
) -> None:
    async def refuse(batch: Batch[Any], tx: Transaction) -> None:
        if any(message.envelope.sequence == 2 for message in batch):
            raise UnavailableError("not now")
        await note(batch, tx)

    cases = [uuid4() for _ in range(CASES)]
    route = Subscription(f"kit-{uuid4().hex[:8]}", language, refuse)
    await publish(kafka, language, cases, 1)
    async with consuming(kit, kafka, route):
        await effects(kit, CASES)
        async with asyncio.timeout(5):
            while await committed(kafka, route) < CASES:
                await asyncio.sleep(0.1)
        await publish(kafka, language, cases, 2)
        await asyncio.sleep(4 * COMMIT_SECONDS)
        assert await committed(kafka, route) == CASES
    assert await committed(kafka, route) == CASES


async def test_messages_read_all_over_again_by_a_new_group_have_no_second_effect(
    kit: Database, kafka: KafkaAccess, language: TopicSpec
) -> None:
    cases = [uuid4() for _ in range(CASES)]
    await publish(kafka, language, cases, 1)
    async with consuming(kit, kafka, Subscription(f"kit-{uuid4().hex[:8]}", language, note)):
        await effects(kit, CASES)
    async with consuming(kit, kafka, Subscription(f"kit-{uuid4().hex[:8]}", language, note)):
        await publish(kafka, language, cases[:1], 2)
        found = await effects(kit, CASES + 1)
    assert len(found) == CASES + 1


async def test_two_consumers_that_come_and_go_do_everything_once_and_in_order(
    kit: Database, kafka: KafkaAccess, language: TopicSpec
) -> None:
    cases = [uuid4() for _ in range(100)]
    route = Subscription(f"kit-{uuid4().hex[:8]}", language, note)
    async with consuming(kit, kafka, route):
        await publish(kafka, language, cases, 1)
        async with consuming(kit, kafka, route):
            for number in range(2, 8):
                await publish(kafka, language, cases, number)
                await asyncio.sleep(0.3)
        for number in range(8, 11):
            await publish(kafka, language, cases, number)
        found = await effects(kit, 1000)
    assert len(found) == 1000
    assert in_order(found)


async def test_poison_in_a_batch_is_set_aside_and_the_rest_goes_through(
    kit: Database, kafka: KafkaAccess, language: TopicSpec
) -> None:
    cases = [uuid4() for _ in range(60)]

    async def fussy(batch: Batch[Any], tx: Transaction) -> None:
        await note(batch, tx)
        if any(message.event.case_id == cases[7] for message in batch):
            raise ZeroDivisionError

    await publish(kafka, language, cases, 1)
    async with consuming(kit, kafka, Subscription(f"kit-{uuid4().hex[:8]}", language, fussy)):
        found = await effects(kit, 59)
    assert {case for case, _ in found} == set(cases) - {cases[7]}
    async with kit.statement() as connection:
        [(reason, tries)] = await (await connection.execute("SELECT reason, tries FROM dead_letters")).fetchall()
    assert (reason, tries) == ("ZeroDivisionError", 3)


# FastStream forgets to stop a producer that could not start.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_consumer_and_a_relay_with_a_wrong_password_say_that_it_may_be_that(
    kit: Database, kafka: KafkaAccess, language: TopicSpec
) -> None:
    wrong = replace(kafka, user=kafka.user or "kit", password="not-the-password")
    relay = Relay("kit", kit, wrong)
    relaying = asyncio.create_task(relay.run())
    try:
        async with consuming(kit, wrong, Subscription(f"kit-{uuid4().hex[:8]}", language, note)) as consumption:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while (
                    "password" not in f"{await consumption.problem()}" or "password" not in f"{await relay.problem()}"
                ):
                    await asyncio.sleep(0.1)
            said = f"{await consumption.problem()} {await relay.problem()}"
    finally:
        relaying.cancel()
        with suppress(asyncio.CancelledError):
            await relaying
    assert said.count(f"the password of {wrong.user} is wrong") == 2
    assert "not-the-password" not in said


async def test_a_consumer_that_is_stopped_while_it_starts_leaves_no_connection_open(
    kit: Database, kafka: KafkaAccess, language: TopicSpec
) -> None:
    for milliseconds in range(0, 60, 4):
        async with consuming(kit, kafka, Subscription(f"kit-{uuid4().hex[:8]}", language, note)):
            await asyncio.sleep(milliseconds / 1000)
        gc.collect()  # a connection that was left open says so now, and the test fails


async def test_a_consumer_is_ready_once_it_runs(kit: Database, kafka: KafkaAccess, language: TopicSpec) -> None:
    async with consuming(kit, kafka, Subscription(f"kit-{uuid4().hex[:8]}", language, note)) as consumption:
        assert await consumption.problem() == "broker: not connected"
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await consumption.problem():
                await asyncio.sleep(0.1)
