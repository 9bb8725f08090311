"""Each mail is sent once, whatever the mail server answers."""

import asyncio
from uuid import UUID

import psycopg

from tests.service.notifications.events import accepted, resolved
from tests.service.notifications.harness import NotificationsHarness
from tests.service.notifications.mail_server import DROP, MailServerForTests


async def retry(harness: NotificationsHarness, after: float = 0.1) -> None:
    """Let the first wait pass, and send again."""
    await asyncio.sleep(after)
    await harness.send_all()


async def test_the_reporter_gets_a_mail_in_their_language(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    case_id = await harness.report("ann@example.org", language="es-US", service_request_id="SR-17")
    await harness.send_all()
    [mail] = mails.mails
    [(delivery_id,)] = harness.rows("SELECT id FROM deliveries")
    assert mail["To"] == "ann@example.org"
    assert mail["Subject"] == "Recibimos su reporte SR-17"
    assert mail["Message-ID"] == f"<{delivery_id}@sample-city.example.org>"
    assert harness.states(case_id) == {"case-received": "sent"}
    assert harness.outbox_types(case_id) == ["notification.sent.v1"]


async def test_a_mail_that_was_sent_is_not_sent_again(harness: NotificationsHarness, mails: MailServerForTests) -> None:
    await harness.report()
    await harness.send_all()
    await harness.send_all()
    assert len(mails.mails) == 1


async def test_the_mails_of_a_case_go_out_in_the_order_of_its_events(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    case_id = await harness.report()
    await harness.consume(resolved(case_id), accepted(case_id))
    mails.answers_to_recipient = ["451 later"]
    await harness.send_all()
    assert mails.mails == []
    await retry(harness)
    templates = [mail["X-Handoff-Template"] for mail in mails.mails]
    assert templates == ["case-received", "referral-accepted", "case-resolved"]


async def test_one_connection_is_kept_for_many_mails(harness: NotificationsHarness, mails: MailServerForTests) -> None:
    for _ in range(5):
        await harness.report()
    await harness.send_all()
    assert (len(mails.mails), mails.connections) == (5, 1)


async def test_a_deferred_mail_is_sent_later(harness: NotificationsHarness, mails: MailServerForTests) -> None:
    case_id = await harness.report()
    mails.answers_to_recipient = ["450 busy"]
    mails.answers_to_data = ["452 full"]
    await harness.send_all()
    assert harness.rows("SELECT state, tries, problem FROM deliveries") == [("queued", 1, "450")]
    assert harness.outbox_types(case_id) == []
    await retry(harness)
    assert harness.rows("SELECT state, tries, problem FROM deliveries") == [("queued", 2, "452")]
    await retry(harness, after=0.2)
    assert harness.states(case_id) == {"case-received": "sent"}
    assert len(mails.mails) == 1


async def test_a_rejected_mail_has_failed(harness: NotificationsHarness, mails: MailServerForTests) -> None:
    refused = await harness.report()
    mails.answers_to_recipient = ["550 no such user"]
    await harness.send_all()
    too_odd = await harness.report()
    mails.answers_to_data = ["554 no"]
    await harness.send_all()
    assert harness.states(refused) == harness.states(too_odd) == {"case-received": "failed"}
    assert harness.outbox_types(refused) == harness.outbox_types(too_odd) == ["notification.failed.v1"]
    assert mails.mails == []


async def test_after_a_rejection_the_next_mail_goes_over_the_same_connection(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    for _ in range(3):
        await harness.report()
    mails.answers_to_recipient = ["250 OK", "550 no such user"]
    await harness.send_all()
    assert (len(mails.mails), mails.connections) == (2, 1)


async def test_a_connection_that_drops_before_the_mail_was_handed_over_is_opened_again(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    case_id = await harness.report()
    mails.answers_to_recipient = [DROP]
    await harness.send_all()
    assert harness.states(case_id) == {"case-received": "queued"}
    await retry(harness)
    assert harness.states(case_id) == {"case-received": "sent"}
    assert len(mails.mails) == 1


async def test_a_mail_that_may_have_been_accepted_is_never_sent_again(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    case_id = await harness.report()
    mails.answers_to_data = [DROP]
    await harness.send_all()
    await retry(harness)
    assert len(mails.mails) == 1
    assert harness.states(case_id) == {"case-received": "uncertain"}
    assert harness.outbox_types(case_id) == ["notification.failed.v1"]


async def test_a_connection_that_the_server_closed_while_idle_costs_no_mail(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    server = harness.server()
    worker = harness.worker(server)
    await harness.report()
    while await worker.send_next():
        pass
    mails.stop()
    mails.start()
    case_id = await harness.report()
    while await worker.send_next():
        pass
    await server.close()
    assert harness.states(case_id) == {"case-received": "sent"}
    assert harness.rows("SELECT DISTINCT tries FROM deliveries") == [(0,)]
    assert len(mails.mails) == 2


async def test_a_reporter_without_an_address_gets_no_mail(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    by_phone_only = await harness.report(None)
    anonymous = await harness.report(person_id=None, contact=None)
    await harness.send_all()
    assert harness.states(by_phone_only) == harness.states(anonymous) == {"case-received": "suppressed"}
    assert harness.outbox_types(anonymous) == ["notification.suppressed.v1"]
    assert mails.connections == 0


async def test_a_reporter_without_a_key_gets_no_mail(harness: NotificationsHarness, mails: MailServerForTests) -> None:
    case_id = await harness.report()
    with psycopg.connect(harness.own.admin_url) as admin:
        admin.execute("DELETE FROM vault.person_keys")
    await harness.send_all()
    assert harness.rows("SELECT state, problem FROM deliveries") == [("suppressed", "erased")]
    assert harness.outbox_types(case_id) == ["notification.suppressed.v1"]
    assert mails.mails == []


async def test_no_mail_is_sent_about_violence(harness: NotificationsHarness, mails: MailServerForTests) -> None:
    await harness.report(service_code="partner-violence-help")
    await harness.send_all()
    assert harness.rows("SELECT state, problem FROM deliveries") == [("suppressed", "not-wanted")]
    assert mails.mails == []


async def test_an_unreadable_address_does_not_delay_the_others(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    altered = await harness.report()
    spoilt = await harness.report()
    [(person_id,)] = harness.rows("SELECT person_id FROM cases WHERE case_id = %s", spoilt)
    harness.rows("UPDATE cases SET contact = reverse(contact) WHERE case_id = %s", altered)
    harness.rows("UPDATE vault.person_keys SET wrapped = reverse(wrapped) WHERE person_id = %s", person_id)
    fine = await harness.report()
    await harness.send_all()
    assert harness.states(fine) == {"case-received": "sent"}
    assert harness.states(altered) == harness.states(spoilt) == {"case-received": "queued"}
    assert len(mails.mails) == 1


def ids_of(mails: MailServerForTests) -> list[UUID]:
    """Return the ids of the deliveries that the server accepted, from the Message-IDs."""
    return [UUID(str(mail["Message-ID"])[1:37]) for mail in mails.mails]


async def test_two_services_together_send_each_mail_once(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    for number in range(40):
        await harness.report(f"ann{number}@example.org")
    async with NotificationsHarness.open(harness.own, mails.port) as other:
        await asyncio.gather(*(each.send_all() for each in (harness, other, harness, other)))
    await harness.send_all()
    assert len(ids_of(mails)) == len(set(ids_of(mails))) == 40
    assert harness.rows("SELECT state, count(*) FROM deliveries GROUP BY state") == [("sent", 40)]
    assert harness.rows("SELECT count(*), count(DISTINCT event_id) FROM outbox") == [(40, 40)]
