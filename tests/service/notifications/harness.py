"""A harness for notifications: consumes records, sends mails, and queries the database."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import psycopg

from deploy.local.servers.databases import OwnDatabase
from services.notifications.app import make_database, make_delivery_service
from services.notifications.handlers import subscriptions
from services.notifications.settings import NotificationsSettings
from services.notifications.use_cases.deliveries import DeliveryService
from services.notifications.workers.send_worker import SendWorker
from services.notifications.workers.smtp import SmtpConnection
from shared.city.reader import read_city
from shared.events.event import Event
from shared.events.fields import ContactFields, FieldGroup
from shared.kit.consumer.consumer import Consumer
from shared.kit.vault.vault import Vault
from tests.harness import ServiceHarness
from tests.service.notifications.events import language_of, record, submitted

MASTER_KEY = bytes(range(32))
STAFF_KEY = "staff"


@dataclass
class NotificationsHarness(ServiceHarness):
    """One instance of notifications, without Kafka."""

    schema = "notifications"
    tables = ()

    settings: NotificationsSettings
    deliveries: DeliveryService
    wake_up: asyncio.Event
    consumers: dict[str, Consumer]

    @classmethod
    @asynccontextmanager
    async def open(cls, own: OwnDatabase, smtp_port: int, **changed: Any) -> AsyncIterator["NotificationsHarness"]:
        """Build an instance."""
        settings = _settings(own, smtp_port, **changed)
        database = make_database(settings)
        await database.open()
        city = read_city(settings.jurisdiction)
        deliveries = make_delivery_service(settings, database, city)
        wake_up = asyncio.Event()
        consumers = {
            route.spec.topic: Consumer("notifications", route, database)
            for route in subscriptions(city.protection, wake_up)
        }
        try:
            yield cls(own, settings, deliveries, wake_up, consumers)
        finally:
            await database.close()

    async def consume(self, *events: Event) -> None:
        """Consume each event twice, as a redelivery would bring it; the same event has the same id each time."""
        for event in events:
            message = record(event, uuid5(NAMESPACE_URL, event.model_dump_json()))
            consumer = self.consumers[language_of(event).topic]
            await consumer([message, message])
            await consumer([message])

    async def report(self, email: str | None = "ann@example.org", **fields: Any) -> UUID:
        """File a case whose reporter has this address, and return the case's id."""
        case_id = uuid4()
        person_id, contact = self.seal(email)
        known: dict[str, Any] = {"person_id": person_id, "contact": contact}
        await self.consume(submitted(case_id, **(known | fields)))
        return case_id

    async def report_again(self, case_id: UUID, email: str = "ann@example.org") -> None:
        """File a case of which events have arrived already."""
        await self.consume(submitted(case_id, *self.seal(email)))

    def seal(self, email: str | None) -> tuple[UUID, str]:
        """Create a person with a key in the vault; return their id and their sealed contact fields."""
        vault = Vault(MASTER_KEY)
        person = vault.new_person(uuid4())
        with psycopg.connect(self.own.admin_url) as admin:
            admin.execute(
                "INSERT INTO vault.person_keys (person_id, wrapped) VALUES (%s, %s)", (person.id, vault.wrap(person))
            )
        plain = ContactFields(email=email, phone="+1-555-0199").model_dump_json().encode()
        return person.id, Vault.seal(person, FieldGroup.CONTACT, plain)

    def server(self) -> SmtpConnection:
        """Return a connection to the mail server."""
        return SmtpConnection(self.settings.smtp_account, self.deliveries.renderer.sender)

    def worker(self, server: SmtpConnection | None = None) -> SendWorker:
        """Return a worker with a connection of its own."""
        return SendWorker(self.deliveries, server or self.server(), self.wake_up)

    async def send_all(self) -> None:
        """Send what is due now."""
        server = self.server()
        worker = self.worker(server)
        while await worker.send_next():
            pass
        await server.close()

    def states(self, case_id: UUID) -> dict[str, str]:
        """Return the state of each mail of a case, by template."""
        rows = self.rows("SELECT template, state FROM deliveries WHERE case_id = %s ORDER BY happened_at", case_id)
        return dict(rows)

    async def until_sent(self, case_id: UUID) -> None:
        """Wait until every mail of a case has been sent."""
        while set(self.states(case_id).values()) != {"sent"}:
            await asyncio.sleep(0.02)

    def outbox_types(self, case_id: UUID) -> list[str]:
        """Return the types of the events that wait in the outbox for a case, in order."""
        return [kind for (kind,) in self.rows("SELECT event_type FROM outbox WHERE case_id = %s ORDER BY id", case_id)]


def _settings(own: OwnDatabase, smtp_port: int, **changed: Any) -> NotificationsSettings:
    usual = {
        "database_url": own.url("notifications"),
        "kafka_bootstrap": "127.0.0.1:1",
        "master_key": base64.b64encode(MASTER_KEY).decode(),
        "staff_key": STAFF_KEY,
        "smtp_port": smtp_port,
        "smtp_timeout_seconds": 5,
        "smtp_retry_seconds": 0.05,
        "sending_lease_seconds": 1,
        "public_url": "https://311.example.org",
    }
    return NotificationsSettings.model_validate(usual | changed)
