"""A harness for metrics: consumes records, computes figures, serves HTTP, and queries the database."""

import random
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import httpx
import psycopg
from aiokafka import ConsumerRecord
from psycopg.rows import dict_row
from starlette.applications import Starlette

from deploy.local.servers.databases import OwnDatabase
from services.metrics.app import create_service
from services.metrics.domain.cells import DIMENSIONS
from services.metrics.domain.city import MetricsCity, metrics_city
from services.metrics.settings import MetricsSettings
from services.metrics.use_cases.refresh_figures import recount_cases, refresh_cells
from shared.city.reader import read_city
from shared.events.topics import TOPIC_SPECS
from shared.events.wire import write_time
from shared.kit.consumer.consumer import Consumer
from shared.kit.service.service import Service
from tests.harness import ServiceHarness
from tests.unit.metrics.case_events import CaseEvents, TopicEvent

STAFF_KEY = "staff"


@dataclass
class MetricsHarness(ServiceHarness):
    """One instance of metrics, without Kafka."""

    schema = "metrics"
    tables = ()

    service: Service
    city: MetricsCity
    consumers: dict[str, Consumer]
    public: httpx.AsyncClient
    staff: httpx.AsyncClient

    @classmethod
    @asynccontextmanager
    async def open(cls, own: OwnDatabase) -> AsyncIterator["MetricsHarness"]:
        """Build an instance as its app does."""
        settings = MetricsSettings(database_url=own.url("metrics"), kafka_bootstrap="127.0.0.1:1", staff_key=STAFF_KEY)
        service = create_service(settings)
        await service.database.open()
        # Wait for the first connection: a caller that comes before it makes the pool open another one.
        await service.database.pool.wait()
        # The interval saves a city work; it would only slow a test.
        prompt = [replace(each, min_batch_interval=0) for each in service.subscriptions]
        consumers = {each.spec.topic: Consumer("metrics", each, service.database) for each in prompt}
        transport = httpx.ASGITransport(Starlette(routes=list(service.http)))
        headers = {"authorization": f"Bearer {STAFF_KEY}"}
        async with (
            httpx.AsyncClient(transport=transport, base_url="http://metrics") as public,
            httpx.AsyncClient(transport=transport, base_url="http://metrics", headers=headers) as staff,
        ):
            city = metrics_city(read_city(settings.jurisdiction))
            harness = cls(own, service, city, consumers, public, staff)
            with harness._admin_connection:
                yield harness
        await service.database.close()

    async def consume(self, *cases: CaseEvents, seed: int = 0) -> None:
        """Consume each event at least twice, the topics in any relative order, in batches of any size."""
        chance = random.Random(seed)
        events = [one for case in cases for one in case.events]
        mixed = events + events + chance.choices(events, k=len(events) // 4)
        chance.shuffle(mixed)
        for part in _parts(mixed, chance):
            await self.consume_once(part)

    async def consume_once(self, events: Iterable[TopicEvent]) -> None:
        """Consume these events, as one batch for each topic spec."""
        by_family: dict[str, list[ConsumerRecord[bytes, bytes]]] = {}
        for one in events:
            family = next(language for language in TOPIC_SPECS if language.pattern.match(one.topic))
            by_family.setdefault(family.topic, []).append(record(one))
        for topic, records in by_family.items():
            await self.consumers[topic](records)

    async def refresh_figures(self) -> None:
        """Compute all figures."""
        await self.recount()
        while self.query("SELECT FROM stale_cells LIMIT 1"):
            for dimension in DIMENSIONS:
                await refresh_cells(self.service.database, dimension, all_time=False)
                await refresh_cells(self.service.database, dimension, all_time=True)

    async def recount(self) -> None:
        """Recount the stale cases."""
        while await recount_cases(self.service.database, self.city):
            pass

    def query(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """Run a query as the administrator; return its rows as dictionaries."""
        return self._admin_connection.execute(sql.encode(), values).fetchall()

    @cached_property
    def _admin_connection(self) -> psycopg.Connection[dict[str, Any]]:
        """One connection for all queries: opening one costs more than a query."""
        options = f"-c search_path={self.schema}"
        return psycopg.connect(self.own.admin_url, autocommit=True, options=options, row_factory=dict_row)


def record(one: TopicEvent) -> ConsumerRecord[bytes, bytes]:
    """Write an event as its service's relay does."""
    envelope = one.envelope
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(envelope.id),
        "ce_type": envelope.type,
        "ce_source": envelope.source,
        "ce_subject": envelope.subject,
        "ce_time": write_time(envelope.time),
        "ce_dataclassification": envelope.classification.value,
        "ce_sequence": str(envelope.sequence) if envelope.sequence else None,
        "ce_causationid": str(envelope.causation_id) if envelope.causation_id else None,
        "traceparent": envelope.traceparent,
    }
    return ConsumerRecord(
        topic=one.topic,
        partition=0,
        offset=0,
        timestamp=0,
        timestamp_type=0,
        key=one.envelope.subject.encode(),
        value=one.event.model_dump_json().encode(),
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=[(name, text.encode()) for name, text in headers.items() if text],
    )


def _parts(events: Sequence[TopicEvent], chance: random.Random) -> Iterable[Sequence[TopicEvent]]:
    start = 0
    while start < len(events):
        size = chance.randint(1, 120)
        yield events[start : start + size]
        start += size
