"""A service or a mail server that goes away costs no mail, and sends none twice."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from pathlib import Path

from tests.service.notifications.mail_server import STALL, MailServerForTests
from tests.service.notifications.world import World
from tests.waiting import PATIENCE_SECONDS

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


async def other_process(world: World) -> Process:
    """Start a sender as a process of its own."""
    settings = world.settings
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


async def test_a_mail_that_was_in_hand_when_its_sender_was_killed_is_uncertain(
    world: World, mails: MailServerForTests
) -> None:
    case_id = await world.report()
    mails.answers_to_data = [STALL]
    sender = await other_process(world)
    await until_holding(mails)
    sender.send_signal(signal.SIGKILL)
    await sender.wait()
    assert world.states(case_id) == {"case-received": "sending"}
    await asyncio.sleep(world.deliveries.lease.total_seconds())
    assert await world.deliveries.give_up_interrupted() == 1
    assert await world.deliveries.give_up_interrupted() == 0
    mails.go_on.set()
    await world.send_all()
    assert world.states(case_id) == {"case-received": "uncertain"}
    assert world.said(case_id) == ["notification.failed.v1"]
    assert len(mails.mails) <= 1


async def test_a_mail_in_hand_is_not_given_up_before_its_time(world: World, mails: MailServerForTests) -> None:
    case_id = await world.report()
    mails.answers_to_data = [STALL]
    worker = world.worker()
    sending = asyncio.create_task(worker.run())
    await until_holding(mails)
    async with World.open(world.own, mails.port, sending_lease_seconds=60) as other:
        assert await other.deliveries.give_up_interrupted() == 0
    mails.go_on.set()
    await world.until_sent(case_id)
    await stop(sending)


async def test_a_mail_that_was_given_up_too_early_is_told_as_sent_by_who_knows(
    world: World, mails: MailServerForTests
) -> None:
    case_id = await world.report()
    mails.answers_to_data = [STALL]
    sending = asyncio.create_task(world.worker().run())
    await until_holding(mails)
    await asyncio.sleep(world.deliveries.lease.total_seconds())
    assert await world.deliveries.give_up_interrupted() == 1
    mails.go_on.set()
    await world.until_sent(case_id)
    await stop(sending)
    assert world.said(case_id) == ["notification.failed.v1", "notification.sent.v1"]
    assert len(mails.mails) == 1


async def test_a_service_that_is_told_to_stop_finishes_the_mail_in_hand(
    world: World, mails: MailServerForTests
) -> None:
    case_id = await world.report()
    mails.answers_to_data = [STALL]
    sending = asyncio.create_task(world.worker().run())
    await until_holding(mails)
    sending.cancel()
    await asyncio.sleep(0.1)
    assert not sending.done()
    mails.go_on.set()
    await asyncio.wait([sending])
    assert world.states(case_id) == {"case-received": "sent"}


async def test_while_the_mail_server_is_away_nothing_is_taken_in_hand(world: World, mails: MailServerForTests) -> None:
    mails.stop()
    case_id, anonymous = await world.report(), await world.report(None)
    sending = asyncio.create_task(world.worker().run())
    await asyncio.sleep(0.5)
    assert world.query("SELECT state, tries FROM deliveries WHERE case_id = %s", case_id) == [("queued", 0)]
    assert world.states(anonymous) == {"case-received": "suppressed"}
    mails.start()
    await world.until_sent(case_id)
    await stop(sending)
    assert len(mails.mails) == 1


async def test_a_queued_mail_wakes_an_idle_worker(world: World, mails: MailServerForTests) -> None:
    worker = world.worker()
    worker._pause = 3600.0  # nothing but the wake-up ends it
    sending = asyncio.create_task(worker.run())
    await asyncio.sleep(0.5)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await world.until_sent(await world.report())
    await stop(sending)
    assert len(mails.mails) == 1


async def stop(task: asyncio.Task[None]) -> None:
    """Stop a sender, as the service does."""
    task.cancel()
    await asyncio.wait([task], timeout=PATIENCE_SECONDS)
