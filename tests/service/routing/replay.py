"""Routing on topics of its own, with consumer and relay, which a test starts, stops, blocks and rewinds."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from psycopg import AsyncConnection

from services.routing.handlers import subscriptions
from shared.events.event import Event
from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted
from shared.events.topics import CASES, TopicSpec, inbox_topic
from shared.events.wire import read_envelope
from shared.kit.consumer.supervisor import ConsumerSupervisor
from shared.kit.kafka.access import KafkaAccess
from shared.kit.relay.relay import Relay
from shared.kit.vault.consents import lock_for_withdrawal
from shared.policy.consent import Consent
from tests.builders import consent
from tests.eventually import PATIENCE_SECONDS
from tests.kafka_contents import Record, read_all
from tests.service.routing.gates import Gates, Street
from tests.service.routing.harness import RoutingHarness, record
from tests.service.routing.test_consents import FOREVER, granted, withdrawn

_WITHDRAW = "UPDATE vault.consents SET withdrawn_at = clock_timestamp() WHERE consent_id = %s"


class Permitted(NamedTuple):
    """One case, the consent that its person has given, and the agency that it names."""

    filed: CaseSubmitted
    consent: Consent
    agency: str


class InboxRecord(NamedTuple):
    """One record of an inbox: its offset, its event, and the consents that the event requires."""

    offset: int
    event_id: UUID
    type: str
    consents: frozenset[str]


@dataclass(frozen=True)
class Replay:
    """Routing with all parts of its process, on topics of its own."""

    harness: RoutingHarness
    kafka: KafkaAccess
    street: Street
    language: TopicSpec
    gates: Gates
    producer: Any
    reader: Any
    group: str = field(default_factory=lambda: f"routing-{uuid4().hex[:8]}")

    @classmethod
    @asynccontextmanager
    async def on(
        cls, harness: RoutingHarness, kafka: KafkaAccess, street: Street, topic: str
    ) -> AsyncIterator["Replay"]:
        """Put routing together over a street of agencies and a topic of reports."""
        gates = Gates()
        housed = replace(harness, context=replace(harness.context, city=street.city, consent_lock=gates.lock_consents))
        async with AIOKafkaProducer(**kafka.client()) as producer, AIOKafkaConsumer(**kafka.client()) as reader:
            yield cls(housed, kafka, street, replace(CASES, topic=topic), gates, producer, reader)

    def permit(self, count: int) -> list[Permitted]:
        """Let so many people file something and consent: every other one to a refuge, the rest to a clinic."""
        made = []
        for number in range(count):
            agency, group = (
                (self.street.refuge, FieldGroup.VICTIM_SERVICES)
                if number % 2
                else (self.street.clinic, FieldGroup.HEALTH)
            )
            need, service = ("safety", "violence") if number % 2 else ("health", "repair")
            filed = self.harness.file(need, number=number, service_code=service)
            given = consent(agency, number=number, groups=[group], ends_at=FOREVER)
            made.append(Permitted(filed, self.harness.consent(given), agency))
        return made

    async def publish(self, *events: Event) -> None:
        """Publish events as intake's relay does."""
        for event in events:
            said = record(CASES.topic, CASES.source, event, uuid4())
            await self.producer.send_and_wait(self.language.topic, said.value, said.key, headers=[*said.headers])

    async def publish_cases(self, permitted: Sequence[Permitted]) -> None:
        """Publish what intake publishes for a report with a consent."""
        for each in permitted:
            await self.publish(each.filed, granted(each.consent))

    async def withdraw(self, permitted: Permitted) -> int:
        """Withdraw a consent as intake does; returns where the agency's inbox ended meanwhile."""
        inbox = TopicPartition(inbox_topic(permitted.agency), 0)
        async with await AsyncConnection.connect(self.harness.own.admin_url) as tx:
            await lock_for_withdrawal(tx, permitted.filed.case_id)
            await tx.execute(_WITHDRAW, (permitted.consent.consent_id,))
            end: int = (await self.reader.end_offsets([inbox]))[inbox]
        await self.publish(withdrawn(permitted.consent))
        return end

    @asynccontextmanager
    async def relaying(self) -> AsyncIterator[None]:
        """Run the relay beside the test."""
        relay = Relay("routing", self.harness.database, self.kafka, self.gates.valid_consents)
        async with _beside(asyncio.create_task(relay.run())):
            yield

    @asynccontextmanager
    async def consuming(self) -> AsyncIterator[None]:
        """Run the consumer beside the test, in small batches."""
        route = replace(subscriptions(self.harness.context)[0], group=self.group, spec=self.language, concurrency=1)
        consumption = ConsumerSupervisor("routing", [route], self.harness.database, self.kafka)
        consumption.batch_size = 5
        async with _beside(asyncio.create_task(consumption.run())):
            yield

    async def rewind(self, *, emptied: bool) -> None:
        """Let the consumer begin again at the beginning; with an emptied inbox, it knows of nothing that it did."""
        if emptied:
            self.harness.execute("DELETE FROM inbox")
        part = TopicPartition(self.language.topic, 0)
        async with self._of_group() as consumer:
            await consumer.commit({part: OffsetAndMetadata(0, "")})

    async def caught_up(self) -> None:
        """Wait until every event is consumed."""
        part = TopicPartition(self.language.topic, 0)
        async with asyncio.timeout(PATIENCE_SECONDS), self._of_group() as consumer:
            while await consumer.committed(part) != (await self.reader.end_offsets([part]))[part]:
                await asyncio.sleep(0.05)

    async def settled(self) -> None:
        """Wait until every event is consumed and every event of the outbox is published."""
        await self.caught_up()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.harness.rows("SELECT FROM outbox LIMIT 1"):
                await asyncio.sleep(0.05)

    async def received(self) -> dict[UUID, list[InboxRecord]]:
        """Read the agencies' inboxes, by case."""
        found: dict[UUID, list[InboxRecord]] = {}
        for each in await read_all(self.kafka, [inbox_topic(agency) for agency in self.street.agencies]):
            found.setdefault(UUID((each.key or b"").decode()), []).append(_read(each))
        return found

    @asynccontextmanager
    async def _of_group(self) -> AsyncIterator[Any]:
        async with AIOKafkaConsumer(**self.kafka.client(), group_id=self.group, enable_auto_commit=False) as consumer:
            consumer.assign([TopicPartition(self.language.topic, 0)])
            yield consumer


def _read(said: Record) -> InboxRecord:
    envelope, value = read_envelope(said.headers), json.loads(said.value or b"{}")
    required = frozenset(terms["consent_id"] for terms in value.get("terms", ()) if terms["consent_id"])
    return InboxRecord(said.offset, envelope.id, envelope.type, required)


@asynccontextmanager
async def _beside(task: "asyncio.Task[None]") -> AsyncIterator[None]:
    try:
        yield
    finally:
        while not task.done():  # asyncio before Python 3.12 may lose one that comes together with what was waited for
            task.cancel()
            await asyncio.wait([task], timeout=PATIENCE_SECONDS)
