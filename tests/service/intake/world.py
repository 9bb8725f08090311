"""Intake on a database of its own, with every message delivered twice."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import psycopg
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
from tests.unit.intake.fixtures import INTAKE_CITY

KEY = "the-key-of-the-tests"
STAFF = "the-staff-s-key"
TABLES = sorted(
    table.name if table.schema == "intake" else f"{table.schema}.{table.name}" for table in metadata.tables.values()
)


@dataclass
class Clock:
    """A clock that shows what a test sets it to."""

    shown: datetime = NOON

    def __call__(self) -> datetime:
        return self.shown


@dataclass
class World:
    """Intake, put together as its app does, without Kafka."""

    own: OwnDatabase
    context: IntakeContext
    client: httpx.AsyncClient
    clock: Clock
    heard: dict[UUID, int] = field(default_factory=dict)

    @classmethod
    @asynccontextmanager
    async def open(cls, own: OwnDatabase) -> AsyncIterator["World"]:
        """Connect to a database of its own."""
        clock = Clock()
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
        """Hand in records of another system."""
        headers = {"Authorization": f"Bearer {KEY}"}
        return await self.client.post(f"/imports/{source}", json={"records": list(records)}, headers=headers)

    async def hear(self, *events: Event) -> None:
        """Deliver what routing says, in one batch, and the same batch again."""
        consumer = Consumer("intake", subscriptions()[0], self.context.database)
        records = [self._record(event) for event in events]
        await consumer(records)
        before = self.everything()
        await consumer(records)
        assert self.everything() == before, "a second delivery has changed something"

    def _record(self, event: Event) -> Record:
        self.heard[event.case_id] = self.heard.get(event.case_id, 0) + 1
        return record(event, self.heard[event.case_id])

    def everything(self) -> dict[str, list[Any]]:
        """All that intake keeps."""
        return {table: self.rows(f"SELECT * FROM {table} AS t ORDER BY t") for table in TABLES}

    def count(self) -> dict[str, int]:
        """How many rows there are of what a report leaves behind."""
        names = ("cases", "outbox", "outbox_sequences", "idempotency_keys", "vault.person_keys")
        return {name: self.rows(f"SELECT count(*) FROM {name}")[0][0] for name in names}

    def rows(self, query: str, *parameters: Any) -> list[Any]:
        """Read, or do harm, as the administrator."""
        with psycopg.connect(self.own.admin_url, options="-c search_path=intake") as connection:
            cursor = connection.execute(query, parameters)
            return cursor.fetchall() if cursor.description else []

    def spoken(self) -> list[dict[str, Any]]:
        """What waits to be said, in order."""
        rows = self.rows("SELECT sequence, event_type, value FROM outbox ORDER BY id")
        return [{"sequence": sequence, "type": kind} | json.loads(value) for sequence, kind, value in rows]

    async def call(self, method: str, path: str, key: str = KEY, **sent: Any) -> httpx.Response:
        """Call as a caseworker or, with their key, as staff."""
        headers = {"Authorization": f"Bearer {key}"} | sent.pop("headers", {})
        return await self.client.request(method, f"/api/v1/{path}", headers=headers, **sent)

    def submitted(self) -> list[CaseSubmitted]:
        """The cases that intake will tell of."""
        rows = self.rows("SELECT value FROM outbox WHERE event_type = 'case.submitted.v1' ORDER BY id")
        return [CASES.events.validate_json(value) for (value,) in rows]

    def unseal(self, event: CaseSubmitted) -> dict[str, Any]:
        """Open what a case holds of its person."""
        assert event.person_id is not None
        (wrapped,) = self.rows("SELECT wrapped FROM vault.person_keys WHERE person_id = %s", event.person_id)[0]
        person = self.context.vault.unwrap(event.person_id, wrapped)
        return {
            group.value: json.loads(self.context.vault.open(person, FieldGroup(group), block))
            for group, block in event.sealed.items()
        }


def make_context(url: str, clock: Clock) -> IntakeContext:
    """Put together what every request needs."""
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
    """The Kafka record in which an event of routing travels; the same event is always the same message."""
    topic = REFERRALS.topic
    identity = event_id(event.case_id, f"{topic}{write_time(event.happened_at)}", event)
    return event_record(topic, REFERRALS.source, event, identity, ce_sequence=str(sequence))
