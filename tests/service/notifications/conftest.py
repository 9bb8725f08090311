"""Notifications on a database of its own, with a mail server that the test controls."""

from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.local.servers.databases import OwnDatabase
from tests.service.notifications import mail_server
from tests.service.notifications.harness import NotificationsHarness
from tests.service.notifications.mail_server import MailServerForTests


@pytest.fixture
def mails() -> Iterator[MailServerForTests]:
    """Run a mail server."""
    with mail_server.running() as server:
        yield server


@pytest.fixture
async def harness(database: OwnDatabase, mails: MailServerForTests) -> AsyncIterator[NotificationsHarness]:
    """Build notifications as its app does, without Kafka."""
    async with NotificationsHarness.open(database, mails.port) as opened:
        yield opened
