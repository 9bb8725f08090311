"""Metrics of consumers, relay and outbox, on real Kafka and PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from aiokafka import ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pydantic import SecretStr, TypeAdapter

from shared.events.intake import CaseEvent, CaseWithdrawn
from shared.events.topics import CASES, TopicSpec
from shared.events.wire import schema_uri
from shared.kit.clock import ExponentialBackoff
from shared.kit.consumer.consumer import MAX_CONSECUTIVE_FAILURES, Consumer
from shared.kit.consumer.supervisor import ConsumerSupervisor
from shared.kit.database.database import Database, Transaction
from shared.kit.kafka.access import KafkaAccess
from shared.kit.messaging import outbox
from shared.kit.messaging.messages import Batch, Subscription
from shared.kit.messaging.outbox import OutboxEvent
from shared.kit.observability.http_metrics import RequestTimer
from shared.kit.relay.relay import Relay
from shared.kit.service.gauges import Gauges
from shared.kit.service.service import Service, create_asgi
from shared.kit.service.settings import ServiceSettings
from tests.eventually import PATIENCE_SECONDS
from tests.measured import Measured

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GROUP, NAME = "messaging.consumer.group.name", "messaging.destination.name"
TYPE, OUTCOME, ERROR = "handoff.event.type", "handoff.outcome", "error.type"


@pytest.fixture
async def spec(kafka: KafkaAccess) -> TopicSpec:
    """Create a topic for intake's events, published by `kit`."""
    name = f"kit.{uuid4().hex[:12]}.v1"
    admin = AIOKafkaAdminClient(**kafka.client())
    await admin.start()
    await admin.create_topics([NewTopic(name, 2, 1)])
    await admin.close()
    return TopicSpec(name, "/services/kit", TypeAdapter(CaseEvent))


def record(offset: int, value: bytes | None = None) -> ConsumerRecord[bytes, bytes]:
    """Make a record as intake writes it, with another value if one is given."""
    event = CaseWithdrawn(case_id=uuid4(), withdrawn_at=NOW)
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid4()),
        "ce_type": event.type,
        "ce_source": CASES.source,
        "ce_subject": str(event.case_id),
        "ce_time": NOW.isoformat(),
        "ce_dataschema": schema_uri(CASES.topic, event.type),
        "ce_dataclassification": "internal",
    }
    body = event.model_dump_json().encode() if value is None else value
    pairs = [(name, text.encode()) for name, text in headers.items()]
    return ConsumerRecord(CASES.topic, 0, offset, 0, 0, b"", body, 0, 0, 0, pairs)


async def accept(batch: Batch[Any], tx: Transaction) -> None:
    """Accept every message."""
    del batch, tx


def consumer(database: Database, measured: Measured, handler: Any = accept) -> Consumer:
    """Make a consumer with these instruments and short pauses."""
    made = Consumer("kit", Subscription("kit", CASES, handler), database, measured.instruments)
    made.backoff = ExponentialBackoff(0.001, 0.001)
    return made


def said(topic: str) -> OutboxEvent:
    """Make one event."""
    return OutboxEvent(topic, CaseWithdrawn(case_id=uuid4(), withdrawn_at=NOW), uuid4())


async def announce(database: Database, announcements: list[OutboxEvent]) -> None:
    """Enqueue events."""
    async with database.transaction() as tx:
        await outbox.enqueue(tx, announcements)


async def test_new_messages_and_repeats_are_counted_apart(kit: Database) -> None:
    measured, records = Measured(), [record(n) for n in range(10)]
    working = consumer(kit, measured)
    await working(records)
    await working(records[4:])
    assert measured.values("messaging.client.consumed.messages", NAME, GROUP) == {("intake.cases.v1", "kit"): 16}
    assert measured.values("handoff.consumer.messages", TYPE, OUTCOME) == {
        ("case.withdrawn.v1", "done"): 10,
        ("case.withdrawn.v1", "repeated"): 6,
    }
    [point] = measured.points("messaging.process.duration")
    assert (point["count"], point.get(ERROR)) == (2, None)
    assert 0 < point["sum"] < 10


async def test_malformed_and_failing_messages_are_counted_under_different_errors(kit: Database) -> None:
    records = [record(n) for n in range(8)]
    poison = UUID(dict(records[5].headers)["ce_id"].decode())

    async def fail(batch: Batch[Any], tx: Transaction) -> None:
        del tx
        if any(message.envelope.id == poison for message in batch):
            raise ArithmeticError("ann@example.org")

    measured = Measured()
    await consumer(kit, measured, fail)([*records, record(8, b"nonsense"), record(9, b"{}")])
    assert measured.values("handoff.dead_letters", NAME, GROUP, ERROR) == {
        ("intake.cases.v1", "kit", "MalformedMessageError"): 2,
        ("intake.cases.v1", "kit", "ArithmeticError"): 1,
    }
    assert measured.values("handoff.consumer.narrowed", ERROR) == {("ArithmeticError",): 3}
    assert measured.values("handoff.consumer.messages", OUTCOME) == {("done",): 7}
    # Eight, four, two and one by itself, that one twice more; and the halves that were good.
    assert measured.values("messaging.process.duration", ERROR) == {("ArithmeticError",): 6, (None,): 3}


async def test_a_dead_letter_that_is_delivered_again_is_counted_once(kit: Database) -> None:
    measured, nonsense = Measured(), record(8, b"nonsense")
    working = consumer(kit, measured)
    await working([nonsense])
    await working([nonsense, record(9, b"{}")])
    assert measured.values("handoff.dead_letters", ERROR) == {("MalformedMessageError",): 2}


async def test_an_unavailable_database_is_counted_as_a_pause(kit: Database, kit_url: str) -> None:
    async def cut(batch: Batch[Any], tx: Transaction) -> None:
        with psycopg.connect(kit_url, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(%s)", (tx.info.backend_pid,))
        await tx.execute("SELECT 1")
        del batch

    measured = Measured()
    with pytest.raises(psycopg.OperationalError):
        await consumer(kit, measured, cut)([record(1)])
    assert measured.values("handoff.consumer.pauses", GROUP, ERROR) == {("kit", "AdminShutdown"): 1}
    assert measured.values("handoff.dead_letters", ERROR) == {}


async def test_published_withheld_and_rejected_rows_are_counted(
    kit: Database, kafka: KafkaAccess, spec: TopicSpec
) -> None:
    async def none_valid(_: Transaction, required: Collection[UUID]) -> set[UUID]:
        del required
        return set()

    measured = Measured()
    relay = Relay("kit", kit, kafka, none_valid, measured.instruments)
    revoked = said(spec.topic)._replace(required_consents=(uuid4(),))
    await announce(kit, [said(spec.topic), said(spec.topic), said(spec.topic), revoked])
    async with kit.transaction() as tx:
        await tx.execute("UPDATE outbox SET value = %s WHERE id = (SELECT min(id) FROM outbox)", ("x" * 2_000_000,))
    while await relay.relay_once():
        pass
    await relay.close()
    assert measured.values("handoff.outbox.rows", NAME, TYPE, OUTCOME) == {
        (spec.topic, "case.withdrawn.v1", "relayed"): 2,
        (spec.topic, "case.withdrawn.v1", "withheld"): 1,
        (spec.topic, "case.withdrawn.v1", "refused"): 1,
    }
    assert measured.values("messaging.client.sent.messages", NAME, TYPE, ERROR) == {
        (spec.topic, "case.withdrawn.v1", None): 2
    }
    assert measured.values("messaging.client.operation.duration", "messaging.operation.name") == {("send",): 1}
    assert measured.values("handoff.dead_letters", GROUP, ERROR) == {("relay", "MessageSizeTooLarge"): 1}


async def test_an_unavailable_kafka_is_counted_as_a_pause_of_the_relay(kit: Database) -> None:
    measured = Measured()
    relay = Relay("kit", kit, KafkaAccess("127.0.0.1:1"), instruments=measured.instruments)
    task = asyncio.create_task(relay.run())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not measured.points("handoff.relay.pauses"):
            await asyncio.sleep(0.05)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert set(measured.values("handoff.relay.pauses", ERROR)) == {("KafkaConnectionError",)}


@asynccontextmanager
async def running(supervisor: ConsumerSupervisor) -> AsyncIterator[None]:
    """Consume during a block."""
    task = asyncio.create_task(supervisor.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def seen(gauges: Gauges, measured: Measured, topic: str, lag: int) -> None:
    """Poll until the lag of a topic is this."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while measured.values("handoff.consumer.lag", NAME) != {(topic,): lag}:
            await gauges.poll()
            await asyncio.sleep(0.1)


async def test_the_lag_of_a_consumer_is_measured(kit: Database, kafka: KafkaAccess, spec: TopicSpec) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait(batch: Batch[Any], tx: Transaction) -> None:
        del batch, tx
        begun.set()
        await go_on.wait()

    measured, relay = Measured(), Relay("kit", kit, kafka)
    supervisor = ConsumerSupervisor("kit", [Subscription(f"kit-{uuid4().hex[:8]}", spec, wait)], kit, kafka)
    supervisor.batch_size = 1
    gauges = Gauges(relay, supervisor, lambda: 0)
    gauges.connect(measured.meter)
    await announce(kit, [said(spec.topic) for _ in range(9)])
    while await relay.relay_once():
        pass
    await relay.close()
    async with running(supervisor):
        await begun.wait()
        await seen(gauges, measured, spec.topic, 8)
        go_on.set()
        await seen(gauges, measured, spec.topic, 0)
    await gauges.poll()
    assert measured.points("handoff.consumer.lag") == []


async def test_the_age_of_the_outbox_and_lost_spans_are_measured(kit: Database, kafka: KafkaAccess) -> None:
    measured = Measured()
    gauges = Gauges(Relay("kit", kit, kafka), ConsumerSupervisor("kit", [], kit, kafka), lambda: 3)
    gauges.connect(measured.meter)
    assert measured.values("handoff.outbox.oldest_age") == {}
    assert measured.values("handoff.spans.dropped") == {(): 3}
    await announce(kit, [said(CASES.topic)])
    await asyncio.sleep(0.2)
    await gauges.poll()
    [age] = measured.values("handoff.outbox.oldest_age").values()
    assert 0.2 <= age < 10


async def test_an_unavailable_database_leaves_no_old_value_exported(kit: Database, kafka: KafkaAccess) -> None:
    measured, relay = Measured(), Relay("kit", kit, kafka)
    gauges = Gauges(relay, ConsumerSupervisor("kit", [], kit, kafka), lambda: 0)
    gauges.connect(measured.meter)
    await gauges.poll()
    assert measured.values("handoff.outbox.oldest_age") == {(): 0}
    await kit.close()
    await gauges.poll()
    assert measured.points("handoff.outbox.oldest_age") == []


async def test_a_stopped_consumer_is_measured(kit: Database, kafka: KafkaAccess) -> None:
    measured, twofold = Measured(), Subscription("kit", CASES, accept, concurrency=2)
    supervisor = ConsumerSupervisor("kit", [twofold], kit, kafka)
    Gauges(Relay("kit", kit, kafka), supervisor, lambda: 0).connect(measured.meter)
    assert measured.values("handoff.consumer.halted", NAME, GROUP) == {("intake.cases.v1", "kit"): 0}
    await supervisor._consumers[0]([record(n, b"nonsense") for n in range(MAX_CONSECUTIVE_FAILURES)])
    assert measured.values("handoff.consumer.halted", NAME, GROUP) == {("intake.cases.v1", "kit"): 1}


async def test_a_service_without_a_collector_measures_nothing(kit_url: str) -> None:
    settings = ServiceSettings(
        database_url=SecretStr(kit_url), kafka_bootstrap="127.0.0.1:1", staff_key=SecretStr("key"), otlp_endpoint=None
    )
    app = create_asgi(Service("kit", settings, Database(kit_url, "kit")))
    assert not isinstance(app.router.middleware_stack, RequestTimer)
    async with app.router.lifespan_context(app):
        assert [task.get_name() for task in asyncio.all_tasks() if "Gauges" in task.get_name()] == []
