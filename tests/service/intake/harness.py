"""A harness for intake: files reports, consumes records, and queries the database."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
from starlette.applications import Starlette

from deploy.local.servers.databases import OwnDatabase
from services.intake.app import http_routes
from services.intake.domain.tokens import Tokens
from services.intake.handlers import subscriptions
from services.intake.store.new_cases import CaseNumbers
from services.intake.store.write_batcher import WriteBatcher
from services.intake.tables import metadata
from services.intake.use_cases.api_keys import ApiKeys
from services.intake.use_cases.context import IntakeContext
from shared.events.event import Event
from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted
from shared.events.topics import CASES, REFERRALS
from shared.events.wire import event_id, write_time
from shared.kit.consumer.consumer import Consumer
from shared.kit.database.database import Database
from shared.kit.messaging.messages import Record
from shared.kit.vault.vault import Vault
from tests.builders import NOON, event_record
from tests.harness import ServiceHarness
from tests.unit.intake.fixtures import INTAKE_CITY

KEY = "the-key-of-the-tests"
STAFF = "the-staff-s-key"
TABLES = sorted(
    table.name if table.schema == "intake" else f"{table.schema}.{table.name}" for table in metadata.tables.values()
)


@dataclass
class FrozenClock:
    """A clock that returns the time that a test sets."""

    shown: datetime = NOON

    def __call__(self) -> datetime:
        return self.shown


@dataclass
class IntakeHarness(ServiceHarness):
    """One instance of intake, without Kafka."""

    schema = "intake"
    tables = TABLES

    context: IntakeContext
    client: httpx.AsyncClient
    clock: FrozenClock
    sequences: dict[UUID, int] = field(default_factory=dict)

    @classmethod
    @asynccontextmanager
    async def open(cls, own: OwnDatabase) -> AsyncIterator["IntakeHarness"]:
        """Build an instance as its app does."""
        clock = FrozenClock()
        context = make_context(own.url("intake"), clock)
        app = Starlette(routes=http_routes(context))
        app.middleware_stack = app.router
        await context.database.open()
        try:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://front-door") as client:
                yield cls(own, context, client, clock)
        finally:
            await context.database.close()

    async def file(self, form: dict[str, Any], key: str | None = None, extension: str = "json") -> httpx.Response:
        """File a report as any caller does."""
        headers = {"Authorization": f"Bearer {KEY}"} | ({"Idempotency-Key": key} if key else {})
        return await self.client.post(f"/open311/v2/requests.{extension}", data=form, headers=headers)

    async def get(self, path: str, **query: str) -> Any:
        """Read from the API, as JSON."""
        response = await self.client.get(f"/open311/v2/{path}", params=query)
        return response.json()

    async def import_all(self, records: Iterable[Any], source: str = "town-311") -> httpx.Response:
        """Import records of another system."""
        headers = {"Authorization": f"Bearer {KEY}"}
        return await self.client.post(f"/imports/{source}", json={"records": list(records)}, headers=headers)

    async def consume(self, *events: Event) -> None:
        """Deliver events of routing in one batch, twice."""
        consumer = Consumer("intake", subscriptions()[0], self.context.database)
        await self.deliver_twice(consumer, [self._record(event) for event in events])

    def _record(self, event: Event) -> Record:
        sequence = self.sequences[event.case_id] = self.sequences.get(event.case_id, 0) + 1
        return record(event, sequence)

    def count(self) -> dict[str, int]:
        """Count the rows that a report creates."""
        names = ("cases", "outbox", "outbox_sequences", "idempotency_keys", "vault.person_keys")
        return {name: self.rows(f"SELECT count(*) FROM {name}")[0][0] for name in names}

    def outbox(self) -> list[dict[str, Any]]:
        """Return the unpublished events, in order."""
        rows = self.rows("SELECT sequence, event_type, value FROM outbox ORDER BY id")
        return [{"sequence": sequence, "type": kind} | json.loads(value) for sequence, kind, value in rows]

    async def call(self, method: str, path: str, key: str = KEY, **sent: Any) -> httpx.Response:
        """Call the API as a caseworker or, with the staff key, as staff."""
        headers = {"Authorization": f"Bearer {key}"} | sent.pop("headers", {})
        return await self.client.request(method, f"/api/v1/{path}", headers=headers, **sent)

    def submitted(self) -> list[CaseSubmitted]:
        """Return the unpublished `case.submitted` events."""
        rows = self.rows("SELECT value FROM outbox WHERE event_type = 'case.submitted.v1' ORDER BY id")
        return [CASES.events.validate_json(value) for (value,) in rows]

    def unseal(self, event: CaseSubmitted) -> dict[str, Any]:
        """Decrypt the sealed groups of a case."""
        assert event.person_id is not None
        (wrapped,) = self.rows("SELECT wrapped FROM vault.person_keys WHERE person_id = %s", event.person_id)[0]
        person = self.context.vault.unwrap(event.person_id, wrapped)
        return {
            group.value: json.loads(self.context.vault.open(person, FieldGroup(group), block))
            for group, block in event.sealed.items()
        }


def make_context(url: str, clock: FrozenClock) -> IntakeContext:
    """Build the context of every request."""
    database = Database(url, "intake")
    master_key = b"k" * 32
    return IntakeContext(
        database=database,
        vault=Vault(master_key),
        jurisdiction=INTAKE_CITY,
        keys=ApiKeys(database, KEY),
        numbers=CaseNumbers(database),
        batcher=WriteBatcher(database),
        tokens=Tokens(master_key),
        clock=clock,
        public_url="http://front-door",
        staff_key=STAFF,
    )


def record(event: Event, sequence: int) -> Record:
    """Return the Kafka record of an event of routing; the same event has the same id each time."""
    topic = REFERRALS.topic
    identity = event_id(event.case_id, f"{topic}{write_time(event.happened_at)}", event)
    return event_record(topic, REFERRALS.source, event, identity, ce_sequence=str(sequence))
