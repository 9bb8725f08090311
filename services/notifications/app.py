"""Puts notifications together: database, vault, Kafka subscriptions, HTTP routes and workers."""

import asyncio
from datetime import timedelta

from services.notifications.handlers import subscriptions
from services.notifications.http.api.deliveries import delivery_routes, subject_export_route
from services.notifications.settings import NotificationsSettings
from services.notifications.use_cases.deliveries import DeliveryService
from services.notifications.use_cases.mail_renderer import MailRenderer
from services.notifications.use_cases.recipients import RecipientResolver
from services.notifications.workers.lease_watcher import LeaseWatcher
from services.notifications.workers.send_worker import SendWorker
from services.notifications.workers.smtp import SmtpConnection
from shared.city.city import City
from shared.city.reader import TEMPLATES, read_city
from shared.kit.clock import utc_now
from shared.kit.database.database import Database
from shared.kit.service.service import Service
from shared.kit.vault.vault import Vault, read_master_key


def create_service(settings: NotificationsSettings) -> Service:
    """Return the service.

    Raises:
        CityError: a file of the city's folder cannot be used.
        IncompleteLanguageError: a mail template of the city is missing.
        VaultError: there is no usable master key.
    """
    database = make_database(settings)
    city = read_city(settings.jurisdiction)
    deliveries = make_delivery_service(settings, database, city)
    wake_up = asyncio.Event()
    staff_key = settings.staff_key.get_secret_value()
    account, sender = settings.smtp_account, deliveries.renderer.sender
    connections = [SmtpConnection(account, sender) for _ in range(settings.smtp_connections)]
    return Service(
        name="notifications",
        settings=settings,
        database=database,
        subscriptions=subscriptions(city.protection, wake_up),
        http=[*delivery_routes(database, city.protection, staff_key), subject_export_route(database, staff_key)],
        loops=[
            LeaseWatcher(deliveries).run,
            *(SendWorker(deliveries, connection, wake_up).run for connection in connections),
        ],
    )


def make_database(settings: NotificationsSettings) -> Database:
    """Return the database, with a connection for each send worker besides those of the settings."""
    url = settings.database_url.get_secret_value()
    return Database(url, "notifications", size=settings.database_pool + settings.smtp_connections)


def make_delivery_service(settings: NotificationsSettings, database: Database, city: City) -> DeliveryService:
    """Return the queue of mails."""
    key = settings.master_key.get_secret_value() if settings.master_key else None
    return DeliveryService(
        database=database,
        recipients=RecipientResolver(Vault(read_master_key(key, settings.master_key_file)), city),
        renderer=MailRenderer(city, settings.jurisdiction / TEMPLATES, settings.mail_from, settings.public_url),
        clock=utc_now,
        first_wait=timedelta(seconds=settings.smtp_retry_seconds),
        lease=timedelta(seconds=settings.sending_lease_seconds),
    )
