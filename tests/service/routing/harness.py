"""A harness for routing: consumes records, grants and withdraws consents, and queries the database."""

import json
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg

from deploy.local.servers.databases import OwnDatabase
from services.routing.handlers import subscriptions
from services.routing.tables import SCHEMA
from services.routing.use_cases.context import RoutingContext
from shared.events.event import Event
from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted
from shared.events.topics import AGENCY_UPDATES, CASES
from shared.events.wire import event_id
from shared.kit.consumer.consumer import Consumer
from shared.kit.database.database import Database, Transaction
from shared.kit.messaging.messages import Record
from shared.kit.vault.consents import CONSENT_LOCK, LockedConsents, lock_consents
from shared.kit.vault.vault import Person, Vault
from shared.policy.consent import Consent
from tests.builders import NOON, event_record, report
from tests.harness import ServiceHarness
from tests.unit.routing.fixtures import CITY

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"

TABLES = (
    "cases", "referrals", "referral_changes", "triage", "receipts", "consent_uses", "refused_disclosures",
    "outbox_withheld", "outbox", "outbox_sequences", "dead_letters",
)  # fmt: skip

_GRANT = """
    INSERT INTO vault.consents (consent_id, case_id, person_id, recipients, purpose, groups, how, granted_by,
        granted_at, ends_at, withdrawn_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


@dataclass
class FrozenConsentClock:
    """Routing's clock: the time that a test sets, read together with the consents."""

    shown: datetime = NOON

    async def lock_consents(
        self, tx: Transaction, vault: Vault, persons: Iterable[UUID] = (), cases: Collection[UUID] = ()
    ) -> LockedConsents:
        """Lock and read as routing does, at the time that is set."""
        return (await lock_consents(tx, vault, persons, cases))._replace(now=self.shown)


@dataclass(frozen=True)
class OutboxRow:
    """One row of the outbox."""

    topic: str
    type: str
    sequence: int
    event_id: UUID
    traceparent: str | None
    text: str

    @property
    def value(self) -> dict[str, Any]:
        """The event."""
        value: dict[str, Any] = json.loads(self.text)
        return value


@dataclass
class RoutingHarness(ServiceHarness):
    """One instance of routing, without Kafka."""

    schema = SCHEMA
    tables = TABLES

    database: Database
    context: RoutingContext
    clock: FrozenConsentClock

    @classmethod
    @asynccontextmanager
    async def open(cls, own: OwnDatabase) -> AsyncIterator["RoutingHarness"]:
        """Build an instance as its app does."""
        database = Database(own.url("routing"), SCHEMA)
        await database.open()
        clock = FrozenConsentClock()
        try:
            context = RoutingContext(CITY, Vault(b"k" * 32), clock.lock_consents, fake_encrypt)
            yield cls(own, database, context, clock)
        finally:
            await database.close()

    async def consume(self, *events: Event) -> None:
        """Deliver events of intake in one batch, twice."""
        await self._deliver(0, [record(CASES.topic, CASES.source, event, uuid4()) for event in events])

    async def consume_updates(self, agency: str, *events: Event) -> None:
        """Deliver updates of an agency in one batch, twice."""
        topic, source = AGENCY_UPDATES.topic.format(agency=agency), AGENCY_UPDATES.source.format(agency=agency)
        await self._deliver(1, [record(topic, source, event, uuid4()) for event in events])

    async def _deliver(self, route: int, records: Sequence[Record]) -> None:
        consumer = Consumer("routing", subscriptions(self.context)[route], self.database)
        await self.deliver_twice(consumer, records)

    def outbox(self, topic: str | None = None) -> list[OutboxRow]:
        """Return the unpublished events, in order."""
        query = "SELECT topic, event_type, sequence, event_id, traceparent, value FROM outbox ORDER BY id"
        rows = [OutboxRow(*row) for row in self.rows(query)]
        return [row for row in rows if topic in {None, row.topic}]

    def clear_outbox(self) -> None:
        """Delete the unpublished events, as if they were published."""
        with psycopg.connect(self.own.admin_url) as connection:
            connection.execute("DELETE FROM routing.outbox")

    def file(self, *needs: str, number: int = 1, **said: Any) -> CaseSubmitted:
        """Return a report with sealed groups of a person whose key is in the vault."""
        person = self.person()
        texts = {FieldGroup.ADDRESS: '{"address": "1 Elm St"}', FieldGroup.IDENTITY: '{"first_name": "Ana"}'}
        sealed = {group: Vault.seal(person, group, text.encode()) for group, text in texts.items()}
        return report(*needs, number=number, person_id=person.id, sealed=sealed, **said)

    def person(self) -> Person:
        """Create a person with a key in the vault."""
        person = self.context.vault.new_person(uuid4())
        with psycopg.connect(self.own.admin_url) as connection:
            row = (person.id, self.context.vault.wrap(person))
            connection.execute("INSERT INTO vault.person_keys (person_id, wrapped) VALUES (%s, %s)", row)
        return person

    def consent(self, given: Consent) -> Consent:
        """Insert a consent into the vault, as intake does."""
        row = (
            given.consent_id, given.case_id, uuid4(), sorted(given.recipients), given.purpose, sorted(given.groups),
            "form", "resident", given.granted_at, given.ends_at, given.withdrawn_at,
        )  # fmt: skip
        with psycopg.connect(self.own.admin_url) as connection:
            connection.execute(_GRANT, row)
        return given

    def withdraw_consent(self, given: Consent) -> None:
        """Withdraw a consent as intake does, after every release that depends on it."""
        with psycopg.connect(self.own.admin_url) as connection:
            connection.execute(
                "SELECT pg_advisory_xact_lock(%s, hashtext(%s::uuid::text))", (CONSENT_LOCK, given.case_id)
            )
            connection.execute(
                "UPDATE vault.consents SET withdrawn_at = clock_timestamp() WHERE consent_id = %s", (given.consent_id,)
            )

    def erase(self, report: CaseSubmitted) -> None:
        """Delete the key of the person who filed a report."""
        with psycopg.connect(self.own.admin_url) as connection:
            connection.execute("DELETE FROM vault.person_keys WHERE person_id = %s", (report.person_id,))


def fake_encrypt(agency: str, plain: bytes) -> str:
    """Return the text prefixed with its recipient, in place of a sealed block."""
    return f"{agency}:{plain.decode()}"


def record(topic: str, source: str, event: Event, cause: UUID) -> Record:
    """Return the Kafka record of an event."""
    return event_record(topic, source, event, event_id(cause, topic, event), traceparent=TRACEPARENT)
