"""The relay on real Kafka and PostgreSQL: events in order, none lost, repeats only with the same id."""

import asyncio
import gc
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from confluent_kafka import Producer

from shared.events.intake import CaseWithdrawn
from shared.events.wire import Envelope, read_envelope
from shared.kit.database.database import Database, Transaction
from shared.kit.kafka.access import KafkaAccess
from shared.kit.kafka.clients import make_producer
from shared.kit.messaging import outbox
from shared.kit.messaging.outbox import OutboxEvent
from shared.kit.relay.kafka_sender import KafkaBatchSender
from shared.kit.relay.relay import Relay, RelayBatch
from tests.eventually import PATIENCE_SECONDS

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOURCE = b"/services/kit"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


@pytest.fixture
async def topic(kafka: KafkaAccess) -> str:
    """Create a topic with three partitions."""
    name = f"kit.{uuid4().hex[:12]}.v1"
    admin = AIOKafkaAdminClient(**kafka.client())
    await admin.start()
    await admin.create_topics([NewTopic(name, 3, 1)])
    await admin.close()
    return name


@pytest.fixture
async def relays(kit: Database, kafka: KafkaAccess) -> AsyncIterator[list[Relay]]:
    """Make two relays of one outbox."""
    made = [Relay("kit", kit, kafka) for _ in range(2)]
    yield made
    for relay in made:
        await relay.close()


def said(topic: str, case_id: UUID, traceparent: str | None = None) -> OutboxEvent:
    """Make one event about a case."""
    return OutboxEvent(topic, CaseWithdrawn(case_id=case_id, withdrawn_at=NOW), uuid4(), traceparent)


async def announce(database: Database, announcements: Sequence[OutboxEvent]) -> None:
    """Enqueue events in a transaction of their own."""
    async with database.transaction() as tx:
        await outbox.enqueue(tx, announcements)


async def drain(relay: Relay) -> None:
    """Relay until the outbox is empty."""
    while await relay.relay_once():
        pass


async def heard(kafka: KafkaAccess, topic: str, count: int) -> list[ConsumerRecord[bytes, bytes]]:
    """Read a topic from its beginning until it has so many records, and half a second more for others."""
    consumer: Any = AIOKafkaConsumer(topic, **kafka.client(), auto_offset_reset="earliest")
    await consumer.start()
    try:
        records: list[ConsumerRecord[bytes, bytes]] = []
        until = monotonic() + PATIENCE_SECONDS
        while len(records) < count and monotonic() < until:
            for each in (await consumer.getmany(timeout_ms=200)).values():
                records += each
        for each in (await consumer.getmany(timeout_ms=500)).values():
            records += each
        return records
    finally:
        await consumer.stop()


def by_case(records: Sequence[ConsumerRecord[bytes, bytes]]) -> dict[str, list[Envelope]]:
    """Group the envelopes of records by case, in the order in which they were read."""
    cases: dict[str, list[Envelope]] = defaultdict(list)
    for record in records:
        assert record.key is not None
        cases[record.key.decode()].append(read_envelope(record.headers))
    return cases


async def running(relay: Relay) -> "asyncio.Task[None]":
    """Run a relay in a task."""
    return asyncio.create_task(relay.run())


async def stop(*tasks: "asyncio.Task[None]") -> None:
    """Stop relays."""
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until_empty(database: Database) -> None:
    """Wait until the outbox is empty."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            async with database.statement() as connection:
                if not await (await connection.execute("SELECT 1 FROM outbox LIMIT 1")).fetchone():
                    return
            await asyncio.sleep(0.05)


async def test_the_events_of_a_case_arrive_in_order_and_numbered(
    kit: Database, relays: list[Relay], kafka: KafkaAccess, topic: str
) -> None:
    cases = [uuid4() for _ in range(20)]
    for _ in range(5):
        await announce(kit, [said(topic, case) for case in cases])
    await drain(relays[0])
    found = by_case(await heard(kafka, topic, 100))
    assert {case: [e.sequence for e in envelopes] for case, envelopes in found.items()} == {
        str(case): [1, 2, 3, 4, 5] for case in cases
    }


async def test_headers_are_cloud_events_and_continue_the_trace(
    kit: Database, relays: list[Relay], kafka: KafkaAccess, topic: str
) -> None:
    one = said(topic, uuid4(), TRACE)
    await announce(kit, [one])
    await drain(relays[0])
    [record] = await heard(kafka, topic, 1)
    envelope = read_envelope(record.headers)
    assert envelope.traceparent == TRACE
    assert envelope.causation_id == one.cause
    assert envelope.time == NOW
    assert (envelope.source, envelope.type) == ("/services/kit", "case.withdrawn.v1")
    assert dict(record.headers)["content-type"] == b"application/json"


async def test_nothing_is_lost_when_eight_writers_hold_their_transactions_open(
    kit: Database, relays: list[Relay], kafka: KafkaAccess, topic: str
) -> None:
    chance = random.Random(11)
    cases = [uuid4() for _ in range(12)]

    async def write() -> None:
        for _ in range(40):
            async with kit.transaction() as tx:
                await outbox.enqueue(tx, [said(topic, case) for case in sorted(chance.sample(cases, 2))])
                await asyncio.sleep(chance.uniform(0, 0.01))

    tasks = [await running(relay) for relay in relays]
    await asyncio.gather(*(write() for _ in range(8)))
    await until_empty(kit)
    await stop(*tasks)
    found = by_case(await heard(kafka, topic, 640))
    assert sum(len(envelopes) for envelopes in found.values()) == 640
    for envelopes in found.values():
        assert [e.sequence for e in envelopes] == list(range(1, len(envelopes) + 1))


async def test_two_relays_keep_order_when_one_is_stopped_at_random(
    kit: Database, relays: list[Relay], kafka: KafkaAccess, topic: str
) -> None:
    cases = [uuid4() for _ in range(40)]
    for _ in range(50):
        await announce(kit, [said(topic, case) for case in cases])
    first, second = await running(relays[0]), await running(relays[1])
    await asyncio.sleep(0.15)
    await stop(first)
    await until_empty(kit)
    await stop(second)
    for envelopes in by_case(await heard(kafka, topic, 2000)).values():
        numbers = [e.sequence for e in envelopes]
        assert sorted(set(numbers)) == list(range(1, 51))
        assert len({e.id for e in envelopes}) == 50
        assert [n for at, n in enumerate(numbers) if n not in numbers[:at]] == sorted(set(numbers))


async def test_a_relay_that_is_stopped_while_it_starts_leaves_no_connection_open(relays: list[Relay]) -> None:
    for milliseconds in range(0, 60, 2):
        task = await running(relays[0])
        await asyncio.sleep(milliseconds / 1000)
        await stop(task)
        gc.collect()  # an open connection warns now, and the test fails


async def test_a_crash_between_send_and_delete_repeats_with_the_same_ids(
    kit: Database, relays: list[Relay], kafka: KafkaAccess, topic: str
) -> None:
    async def crash() -> None:
        async with make_producer(kafka, "kit-relay") as producer, kit.transaction() as tx:
            await RelayBatch(tx, KafkaBatchSender(producer, SOURCE), None).run(asyncio.Event())
            raise ConnectionAbortedError

    await announce(kit, [said(topic, uuid4()) for _ in range(7)])
    with pytest.raises(ConnectionAbortedError):
        await crash()
    await drain(relays[0])
    records = await heard(kafka, topic, 14)
    assert len(records) == 14
    assert len({read_envelope(record.headers).id for record in records}) == 7


async def test_rows_that_arrive_before_kafka_acknowledges_join_the_batch(
    kit: Database, kafka: KafkaAccess, topic: str
) -> None:
    class EnqueueingSender(KafkaBatchSender):
        async def flush(self) -> None:
            if len(self.rows) < 3:
                await announce(kit, [said(topic, uuid4())])
            await super().flush()

    await announce(kit, [said(topic, uuid4())])
    async with make_producer(kafka, "kit-relay") as producer, kit.transaction() as tx:
        done = RelayBatch(tx, EnqueueingSender(producer, SOURCE), None)
        await done.run(asyncio.Event(), max_seconds=30)
        assert (done.claimed, done.is_last) == (3, True)
    assert len(await heard(kafka, topic, 3)) == 3
    await until_empty(kit)


async def test_a_batch_with_a_required_consent_claims_once(kit: Database, kafka: KafkaAccess, topic: str) -> None:
    async def check(_: Transaction, required: Collection[UUID]) -> set[UUID]:
        await announce(kit, [said(topic, uuid4())])
        return set(required)

    await announce(kit, [said(topic, uuid4())._replace(required_consents=(uuid4(),))])
    async with make_producer(kafka, "kit-relay") as producer, kit.transaction() as tx:
        done = RelayBatch(tx, KafkaBatchSender(producer, SOURCE), check)
        await done.run(asyncio.Event(), max_seconds=30)
    assert (done.claimed, done.is_last) == (1, False)
    assert done.delay > 0


async def test_a_commit_wakes_a_sleeping_relay(kit: Database, relays: list[Relay], topic: str) -> None:
    task = await running(relays[0])
    waits = []
    for _ in range(5):
        await asyncio.sleep(0.9)
        began = monotonic()
        await announce(kit, [said(topic, uuid4())])
        await until_empty(kit)
        waits.append(monotonic() - began)
    await stop(task)
    assert sorted(waits)[2] < 0.3


async def test_an_event_too_large_for_kafka_becomes_a_dead_letter_and_the_others_go_through(
    kit: Database, relays: list[Relay], kafka: KafkaAccess, topic: str
) -> None:
    await announce(kit, [said(topic, uuid4()), said(topic, uuid4())])
    async with kit.transaction() as tx:
        await tx.execute("UPDATE outbox SET value = %s WHERE id = (SELECT min(id) FROM outbox)", ("x" * 2_000_000,))
    await drain(relays[0])
    assert len(await heard(kafka, topic, 1)) == 1
    async with kit.statement() as connection:
        rows = await (await connection.execute("SELECT topic, reason FROM dead_letters")).fetchall()
    assert rows == [(topic, "MessageSizeTooLarge")]


async def test_large_events_are_sent_in_several_batches_and_in_order(
    kit: Database, relays: list[Relay], kafka: KafkaAccess, topic: str
) -> None:
    cases = [uuid4() for _ in range(4)]
    for _ in range(5):
        await announce(kit, [said(topic, case_id) for case_id in cases])
    async with kit.transaction() as tx:
        await tx.execute("UPDATE outbox SET value = repeat('x', 100000 + 50000 * (id % 5)::int)")
    assert await relays[0].relay_once() == 20
    records = await heard(kafka, topic, 20)
    sequences = [[envelope.sequence for envelope in envelopes] for envelopes in by_case(records).values()]
    assert sequences == [[1, 2, 3, 4, 5]] * 4
    assert {len(record.value or b"") for record in records} == {100_000, 150_000, 200_000, 250_000, 300_000}


async def test_a_case_goes_to_the_partition_that_other_clients_choose_for_it(
    kit: Database, relays: list[Relay], kafka: KafkaAccess, topic: str
) -> None:
    cases = [uuid4() for _ in range(30)]
    await announce(kit, [said(topic, case_id) for case_id in cases])
    await drain(relays[0])
    found = {record.key: record.partition for record in await heard(kafka, topic, 30)}
    delivered: dict[bytes | None, int | None] = {}
    other = Producer(kafka.properties() | {"partitioner": "murmur2_random"})
    for case_id in cases:
        other.produce(topic, key=str(case_id), on_delivery=lambda _, to: delivered.update({to.key(): to.partition()}))
    other.flush(10)
    assert len(set(found.values())) == 3
    assert delivered == found


async def test_an_event_whose_consent_was_revoked_is_withheld_and_recorded(
    kit: Database, kafka: KafkaAccess, topic: str
) -> None:
    valid, revoked, cases = uuid4(), uuid4(), [uuid4() for _ in range(4)]
    checked: list[set[UUID]] = []

    async def check(_: Transaction, required: Collection[UUID]) -> set[UUID]:
        checked.append(set(required))
        return {valid} & set(required)

    relay = Relay("kit", kit, kafka, check)
    required = ((), (valid,), (revoked,), (valid, revoked))
    await announce(
        kit, [said(topic, case)._replace(required_consents=ids) for case, ids in zip(cases, required, strict=True)]
    )

    await drain(relay)
    await relay.close()

    assert checked == [{valid, revoked}]
    assert set(by_case(await heard(kafka, topic, 2))) == {str(case) for case in cases[:2]}
    async with kit.statement() as connection:
        withheld = await connection.execute("SELECT case_id, topic, event_type, sequence, guards FROM outbox_withheld")
        assert sorted(await withheld.fetchall()) == sorted(
            (case, topic, "case.withdrawn.v1", 1, list(ids))
            for case, ids in list(zip(cases, required, strict=True))[2:]
        )


async def test_only_a_batch_with_a_required_consent_waits_for_the_disk(
    kit: Database, kafka: KafkaAccess, topic: str
) -> None:
    commits: list[str] = []

    async def look(tx: Transaction) -> None:
        commits.extend(row[0] for row in await (await tx.execute("SHOW synchronous_commit")).fetchall())

    async def check(_: Transaction, required: Collection[UUID]) -> set[UUID]:
        return set(required)

    async with make_producer(kafka, "kit-relay") as producer:
        for required in ((), (uuid4(),), ()):
            await announce(kit, [said(topic, uuid4())._replace(required_consents=required)])
            async with kit.transaction() as tx:
                await RelayBatch(tx, KafkaBatchSender(producer, SOURCE), check).run(asyncio.Event())
                await look(tx)
    async with kit.transaction() as tx:
        await look(tx)
    assert commits == ["off", "on", "off", "on"]


async def test_a_relay_without_a_check_withholds_every_event_that_requires_a_consent(
    kit: Database, relays: list[Relay], kafka: KafkaAccess, topic: str
) -> None:
    free, requiring = uuid4(), uuid4()
    await announce(kit, [said(topic, free), said(topic, requiring)._replace(required_consents=(uuid4(),))])

    await drain(relays[0])

    assert set(by_case(await heard(kafka, topic, 1))) == {str(free)}
