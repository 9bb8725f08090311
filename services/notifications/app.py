"""The notifications service, put together."""

from datetime import timedelta
from typing import Final

from services.notifications.handlers import subscriptions
from services.notifications.http.api.deliveries import Pages
from services.notifications.jurisdiction import read_jurisdiction
from services.notifications.settings import NotificationsSettings
from services.notifications.use_cases.deliveries import Bell, Office
from services.notifications.use_cases.mail_renderer import Letters
from services.notifications.use_cases.recipients import AddressBook
from services.notifications.workers.sender import Lane
from services.notifications.workers.smtp import MailServer
from shared.kit.clock import utc_now
from shared.kit.database.database import Database
from shared.kit.service.service import Service
from shared.kit.vault.vault import Vault, read_master_key

NAME: Final = "notifications"


def create_service(settings: NotificationsSettings) -> Service:
    """Return the service."""
    database = make_database(settings)
    office = make_office(settings, database)
    city = read_jurisdiction(settings.jurisdiction)
    servers = [MailServer(settings.account, office.letters.sender) for _ in range(settings.smtp_connections)]
    return Service(
        name=NAME,
        settings=settings,
        database=database,
        subscriptions=subscriptions(office.bell, city),
        http=Pages(database, city, settings.staff_key.get_secret_value()).routes(),
        loops=[office.watch, *(Lane(office, server).run for server in servers)],
    )


def make_database(settings: NotificationsSettings) -> Database:
    """Make the way to the service's schema, with a connection for each mail that is sent at the same time."""
    url = settings.database_url.get_secret_value()
    size = settings.database_pool + settings.smtp_connections
    return Database(url, NAME, size=size)


def make_office(settings: NotificationsSettings, database: Database) -> Office:
    """Gather what sending mails needs."""
    city = read_jurisdiction(settings.jurisdiction)
    key = settings.master_key.get_secret_value() if settings.master_key else None
    return Office(
        database=database,
        addresses=AddressBook(Vault(read_master_key(key, settings.master_key_file)), city),
        letters=Letters(city, settings.mail_from, settings.public_url),
        bell=Bell(),
        clock=utc_now,
        first_wait=timedelta(seconds=settings.smtp_retry_seconds),
        lease=timedelta(seconds=settings.sending_lease_seconds),
    )
