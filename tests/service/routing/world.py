"""Routing on a database of its own, with every message delivered twice."""

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
from tests.unit.routing.fixtures import CITY

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


_GRANT = """
    INSERT INTO vault.consents (consent_id, case_id, person_id, recipients, purpose, groups, how, granted_by,
        granted_at, ends_at, withdrawn_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


@dataclass
class Hands:
    """A clock that shows what a test sets it to."""

    shown: datetime = NOON

    async def lock_consents(
        self, tx: Transaction, vault: Vault, persons: Iterable[UUID] = (), cases: Collection[UUID] = ()
    ) -> LockedConsents:
        """Hold and read as routing does, at the time that is shown."""
        return (await lock_consents(tx, vault, persons, cases))._replace(now=self.shown)


@dataclass(frozen=True)
class Spoken:
    """One row of the outbox."""

    topic: str
    type: str
    sequence: int
    event_id: UUID
    traceparent: str | None
    text: str

    @property
    def said(self) -> dict[str, Any]:
        """What the event says."""
        said: dict[str, Any] = json.loads(self.text)
        return said


@dataclass(frozen=True)
class World:
    """Routing, put together as its app does, without Kafka."""

    own: OwnDatabase
    database: Database
    desk: RoutingContext
    clock: Hands

    @classmethod
    @asynccontextmanager
    async def open(cls, own: OwnDatabase) -> AsyncIterator["World"]:
        """Connect to a database of its own."""
        database = Database(own.url("routing"), SCHEMA)
        await database.open()
        clock = Hands()
        try:
            yield cls(own, database, RoutingContext(CITY, Vault(b"k" * 32), clock.lock_consents, say_to_whom), clock)
        finally:
            await database.close()

    async def hear(self, *events: Event) -> None:
        """Deliver what intake says, in one batch, and the same batch again."""
        await self._deliver(0, [record(CASES.topic, CASES.source, event, uuid4()) for event in events])

    async def hear_from(self, agency: str, *events: Event) -> None:
        """Deliver what an agency says, in one batch, and the same batch again."""
        topic, source = AGENCY_UPDATES.topic.format(agency=agency), AGENCY_UPDATES.source.format(agency=agency)
        await self._deliver(1, [record(topic, source, event, uuid4()) for event in events])

    async def _deliver(self, route: int, records: Sequence[Record]) -> None:
        consumer = Consumer("routing", subscriptions(self.desk)[route], self.database)
        await consumer(records)
        before = self.everything()
        await consumer(records)
        assert self.everything() == before, "a second delivery has changed something"

    def everything(self) -> dict[str, list[Any]]:
        """All that routing keeps."""
        cases = ("cases", "referrals", "referral_changes", "triage")
        sharing = ("receipts", "consent_uses", "refused_disclosures", "outbox_withheld")
        tables = (*cases, *sharing, "outbox", "outbox_sequences", "dead_letters")
        return {table: self.rows(f"SELECT * FROM {table} AS t ORDER BY t") for table in tables}

    def rows(self, query: str, *parameters: Any) -> list[Any]:
        """Read as the administrator."""
        with psycopg.connect(self.own.admin_url, options="-c search_path=routing") as connection:
            return connection.execute(query, parameters).fetchall()

    def change(self, *statements: str) -> None:
        """Change something behind routing's back, as the administrator."""
        with psycopg.connect(self.own.admin_url, options="-c search_path=routing") as connection:
            for statement in statements:
                connection.execute(statement)

    def spoken(self, topic: str | None = None) -> list[Spoken]:
        """What waits to be said, in order."""
        query = "SELECT topic, event_type, sequence, event_id, traceparent, value FROM outbox ORDER BY id"
        rows = [Spoken(*row) for row in self.rows(query)]
        return [row for row in rows if topic in {None, row.topic}]

    def clear_outbox(self) -> None:
        """Let everything that waits be said."""
        with psycopg.connect(self.own.admin_url) as connection:
            connection.execute("DELETE FROM routing.outbox")

    def file(self, *needs: str, number: int = 1, **said: Any) -> CaseSubmitted:
        """A report with sealed groups, by a person whose key is in the vault."""
        person = self.person()
        texts = {FieldGroup.ADDRESS: '{"address": "1 Elm St"}', FieldGroup.IDENTITY: '{"first_name": "Ana"}'}
        sealed = {group: Vault.seal(person, group, text.encode()) for group, text in texts.items()}
        return report(*needs, number=number, person_id=person.id, sealed=sealed, **said)

    def person(self) -> Person:
        """Somebody with a key."""
        person = self.desk.vault.new_person(uuid4())
        with psycopg.connect(self.own.admin_url) as connection:
            row = (person.id, self.desk.vault.wrap(person))
            connection.execute("INSERT INTO vault.person_keys (person_id, wrapped) VALUES (%s, %s)", row)
        return person

    def consent(self, given: Consent) -> Consent:
        """Put a consent into the vault, as intake does."""
        row = (
            given.consent_id, given.case_id, uuid4(), sorted(given.recipients), given.purpose, sorted(given.groups),
            "form", "resident", given.granted_at, given.ends_at, given.withdrawn_at,
        )  # fmt: skip
        with psycopg.connect(self.own.admin_url) as connection:
            connection.execute(_GRANT, row)
        return given

    def take_back(self, given: Consent) -> None:
        """Withdraw a consent, as intake does: after every release that counts on it."""
        with psycopg.connect(self.own.admin_url) as connection:
            connection.execute(
                "SELECT pg_advisory_xact_lock(%s, hashtext(%s::uuid::text))", (CONSENT_LOCK, given.case_id)
            )
            connection.execute(
                "UPDATE vault.consents SET withdrawn_at = clock_timestamp() WHERE consent_id = %s", (given.consent_id,)
            )

    def erase(self, report: CaseSubmitted) -> None:
        """Delete the key of whoever filed a report."""
        with psycopg.connect(self.own.admin_url) as connection:
            connection.execute("DELETE FROM vault.person_keys WHERE person_id = %s", (report.person_id,))


def say_to_whom(agency: str, plain: bytes) -> str:
    """Seal by saying to whom."""
    return f"{agency}:{plain.decode()}"


def record(topic: str, source: str, event: Event, cause: UUID) -> Record:
    """The Kafka record in which an event travels."""
    return event_record(topic, source, event, event_id(cause, topic, event), traceparent=TRACEPARENT)
