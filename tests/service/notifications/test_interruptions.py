"""No mail is lost or sent twice when a process or the mail server stops."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from pathlib import Path

from tests.eventually import PATIENCE_SECONDS
from tests.service.notifications.harness import NotificationsHarness
from tests.service.notifications.mail_server import STALL, MailServerForTests

ROOT = Path(__file__).parents[3]
ONE_MAIL = """
import asyncio
from services.notifications.app import make_database, make_delivery_service
from shared.city.reader import read_city
from services.notifications.workers.send_worker import SendWorker
from services.notifications.settings import NotificationsSettings
from services.notifications.workers.smtp import SmtpConnection

async def main():
    settings = NotificationsSettings()
    database = make_database(settings)
    await database.open()
    deliveries = make_delivery_service(settings, database, read_city(settings.jurisdiction))
    connection = SmtpConnection(settings.smtp_account, deliveries.renderer.sender)
    await SendWorker(deliveries, connection, asyncio.Event()).run()

asyncio.run(main())
"""


async def other_process(harness: NotificationsHarness) -> Process:
    """Start a send worker in a process of its own."""
    settings = harness.settings
    variables = {
        "HANDOFF_DATABASE_URL": settings.database_url.get_secret_value(),
        "HANDOFF_MASTER_KEY": settings.master_key.get_secret_value() if settings.master_key else "",
        "HANDOFF_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "HANDOFF_STAFF_KEY": settings.staff_key.get_secret_value(),
        "HANDOFF_SMTP_PORT": str(settings.smtp_port),
        "PYTHONPATH": str(ROOT),
    }
    return await asyncio.create_subprocess_exec(sys.executable, "-c", ONE_MAIL, env=os.environ | variables)


async def until_holding(mails: MailServerForTests) -> None:
    """Wait until the mail server has a mail that it has not answered."""
    assert await asyncio.to_thread(mails.holding.wait, PATIENCE_SECONDS)


async def test_a_mail_that_was_being_sent_when_its_worker_was_killed_is_uncertain(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    case_id = await harness.report()
    mails.answers_to_data = [STALL]
    sender = await other_process(harness)
    await until_holding(mails)
    sender.send_signal(signal.SIGKILL)
    await sender.wait()
    assert harness.states(case_id) == {"case-received": "sending"}
    await asyncio.sleep(harness.deliveries.lease.total_seconds())
    assert await harness.deliveries.give_up_interrupted() == 1
    assert await harness.deliveries.give_up_interrupted() == 0
    mails.go_on.set()
    await harness.send_all()
    assert harness.states(case_id) == {"case-received": "uncertain"}
    assert harness.outbox_types(case_id) == ["notification.failed.v1"]
    assert len(mails.mails) <= 1


async def test_a_mail_that_is_being_sent_is_not_given_up_before_the_lease_ends(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    case_id = await harness.report()
    mails.answers_to_data = [STALL]
    worker = harness.worker()
    sending = asyncio.create_task(worker.run())
    await until_holding(mails)
    async with NotificationsHarness.open(harness.own, mails.port, sending_lease_seconds=60) as other:
        assert await other.deliveries.give_up_interrupted() == 0
    mails.go_on.set()
    await harness.until_sent(case_id)
    await stop(sending)


async def test_a_mail_that_was_given_up_too_early_is_sent_when_its_worker_reports(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    case_id = await harness.report()
    mails.answers_to_data = [STALL]
    sending = asyncio.create_task(harness.worker().run())
    await until_holding(mails)
    await asyncio.sleep(harness.deliveries.lease.total_seconds())
    assert await harness.deliveries.give_up_interrupted() == 1
    mails.go_on.set()
    await harness.until_sent(case_id)
    await stop(sending)
    assert harness.outbox_types(case_id) == ["notification.failed.v1", "notification.sent.v1"]
    assert len(mails.mails) == 1


async def test_a_service_that_stops_finishes_the_mail_that_it_is_sending(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    case_id = await harness.report()
    mails.answers_to_data = [STALL]
    sending = asyncio.create_task(harness.worker().run())
    await until_holding(mails)
    sending.cancel()
    await asyncio.sleep(0.1)
    assert not sending.done()
    mails.go_on.set()
    await asyncio.wait([sending])
    assert harness.states(case_id) == {"case-received": "sent"}


async def test_while_the_mail_server_is_unreachable_no_mail_is_claimed(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    mails.stop()
    case_id, anonymous = await harness.report(), await harness.report(None)
    sending = asyncio.create_task(harness.worker().run())
    await asyncio.sleep(0.5)
    assert harness.rows("SELECT state, tries FROM deliveries WHERE case_id = %s", case_id) == [("queued", 0)]
    assert harness.states(anonymous) == {"case-received": "suppressed"}
    mails.start()
    await harness.until_sent(case_id)
    await stop(sending)
    assert len(mails.mails) == 1


async def test_a_queued_mail_wakes_an_idle_worker(harness: NotificationsHarness, mails: MailServerForTests) -> None:
    worker = harness.worker()
    worker._pause = 3600.0  # nothing but the wake-up ends it
    sending = asyncio.create_task(worker.run())
    await asyncio.sleep(0.5)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await harness.until_sent(await harness.report())
    await stop(sending)
    assert len(mails.mails) == 1


async def stop(task: asyncio.Task[None]) -> None:
    """Stop a send worker, as the service does."""
    task.cancel()
    await asyncio.wait([task], timeout=PATIENCE_SECONDS)
