"""Each mail is sent once, whatever the mail server answers."""

import asyncio
from uuid import UUID

import psycopg

from tests.service.notifications.events import accepted, resolved
from tests.service.notifications.mail_server import DROP, MailServerForTests
from tests.service.notifications.world import World


async def retry(world: World, after: float = 0.1) -> None:
    """Let the first wait pass, and send again."""
    await asyncio.sleep(after)
    await world.send_all()


async def test_the_reporter_gets_a_mail_in_their_language(world: World, mails: MailServerForTests) -> None:
    case_id = await world.report("ann@example.org", language="es-US", service_request_id="SR-17")
    await world.send_all()
    [mail] = mails.mails
    [(delivery_id,)] = world.query("SELECT id FROM deliveries")
    assert mail["To"] == "ann@example.org"
    assert mail["Subject"] == "Recibimos su reporte SR-17"
    assert mail["Message-ID"] == f"<{delivery_id}@sample-city.example.org>"
    assert world.states(case_id) == {"case-received": "sent"}
    assert world.said(case_id) == ["notification.sent.v1"]


async def test_a_mail_that_was_sent_is_not_sent_again(world: World, mails: MailServerForTests) -> None:
    await world.report()
    await world.send_all()
    await world.send_all()
    assert len(mails.mails) == 1


async def test_the_news_of_a_case_goes_out_in_its_order(world: World, mails: MailServerForTests) -> None:
    case_id = await world.report()
    await world.hear(resolved(case_id), accepted(case_id))
    mails.answers_to_recipient = ["451 later"]
    await world.send_all()
    assert mails.mails == []
    await retry(world)
    told = [mail["X-Handoff-Template"] for mail in mails.mails]
    assert told == ["case-received", "referral-accepted", "case-resolved"]


async def test_one_connection_is_kept_for_many_mails(world: World, mails: MailServerForTests) -> None:
    for _ in range(5):
        await world.report()
    await world.send_all()
    assert (len(mails.mails), mails.connections) == (5, 1)


async def test_a_mail_that_is_postponed_is_sent_later(world: World, mails: MailServerForTests) -> None:
    case_id = await world.report()
    mails.answers_to_recipient = ["450 busy"]
    mails.answers_to_data = ["452 full"]
    await world.send_all()
    assert world.query("SELECT state, tries, problem FROM deliveries") == [("queued", 1, "450")]
    assert world.said(case_id) == []
    await retry(world)
    assert world.query("SELECT state, tries, problem FROM deliveries") == [("queued", 2, "452")]
    await retry(world, after=0.2)
    assert world.states(case_id) == {"case-received": "sent"}
    assert len(mails.mails) == 1


async def test_a_mail_that_is_refused_has_failed(world: World, mails: MailServerForTests) -> None:
    refused = await world.report()
    mails.answers_to_recipient = ["550 nobody here"]
    await world.send_all()
    too_odd = await world.report()
    mails.answers_to_data = ["554 no"]
    await world.send_all()
    assert world.states(refused) == world.states(too_odd) == {"case-received": "failed"}
    assert world.said(refused) == world.said(too_odd) == ["notification.failed.v1"]
    assert mails.mails == []


async def test_after_a_refusal_the_next_mail_goes_over_the_same_connection(
    world: World, mails: MailServerForTests
) -> None:
    for _ in range(3):
        await world.report()
    mails.answers_to_recipient = ["250 OK", "550 nobody here"]
    await world.send_all()
    assert (len(mails.mails), mails.connections) == (2, 1)


async def test_a_connection_that_drops_before_the_mail_was_handed_over_is_made_anew(
    world: World, mails: MailServerForTests
) -> None:
    case_id = await world.report()
    mails.answers_to_recipient = [DROP]
    await world.send_all()
    assert world.states(case_id) == {"case-received": "queued"}
    await retry(world)
    assert world.states(case_id) == {"case-received": "sent"}
    assert len(mails.mails) == 1


async def test_a_mail_that_may_have_been_taken_is_never_sent_again(world: World, mails: MailServerForTests) -> None:
    case_id = await world.report()
    mails.answers_to_data = [DROP]
    await world.send_all()
    await retry(world)
    assert len(mails.mails) == 1
    assert world.states(case_id) == {"case-received": "uncertain"}
    assert world.said(case_id) == ["notification.failed.v1"]


async def test_a_connection_that_the_server_closed_while_idle_costs_no_mail(
    world: World, mails: MailServerForTests
) -> None:
    server = world.server()
    worker = world.worker(server)
    await world.report()
    while await worker.send_next():
        pass
    mails.stop()
    mails.start()
    case_id = await world.report()
    while await worker.send_next():
        pass
    await server.close()
    assert world.states(case_id) == {"case-received": "sent"}
    assert world.query("SELECT DISTINCT tries FROM deliveries") == [(0,)]
    assert len(mails.mails) == 2


async def test_a_reporter_without_an_address_is_not_told(world: World, mails: MailServerForTests) -> None:
    by_phone_only = await world.report(None)
    anonymous = await world.report(person_id=None, contact=None)
    await world.send_all()
    assert world.states(by_phone_only) == world.states(anonymous) == {"case-received": "suppressed"}
    assert world.said(anonymous) == ["notification.suppressed.v1"]
    assert mails.connections == 0


async def test_a_reporter_who_has_been_erased_is_not_told(world: World, mails: MailServerForTests) -> None:
    case_id = await world.report()
    with psycopg.connect(world.own.admin_url) as admin:
        admin.execute("DELETE FROM vault.person_keys")
    await world.send_all()
    assert world.query("SELECT state, problem FROM deliveries") == [("suppressed", "erased")]
    assert world.said(case_id) == ["notification.suppressed.v1"]
    assert mails.mails == []


async def test_no_mail_goes_out_about_violence(world: World, mails: MailServerForTests) -> None:
    await world.report(service_code="partner-violence-help")
    await world.send_all()
    assert world.query("SELECT state, problem FROM deliveries") == [("suppressed", "not-wanted")]
    assert mails.mails == []


async def test_an_address_that_cannot_be_opened_does_not_hold_up_the_others(
    world: World, mails: MailServerForTests
) -> None:
    altered = await world.report()
    spoilt = await world.report()
    [(person_id,)] = world.query("SELECT person_id FROM cases WHERE case_id = %s", spoilt)
    world.query("UPDATE cases SET contact = reverse(contact) WHERE case_id = %s", altered)
    world.query("UPDATE vault.person_keys SET wrapped = reverse(wrapped) WHERE person_id = %s", person_id)
    fine = await world.report()
    await world.send_all()
    assert world.states(fine) == {"case-received": "sent"}
    assert world.states(altered) == world.states(spoilt) == {"case-received": "queued"}
    assert len(mails.mails) == 1


def ids_of(mails: MailServerForTests) -> list[UUID]:
    """Return the ids of the deliveries that the server took, from the Message-IDs."""
    return [UUID(str(mail["Message-ID"])[1:37]) for mail in mails.mails]


async def test_two_services_together_send_each_mail_once(world: World, mails: MailServerForTests) -> None:
    for number in range(40):
        await world.report(f"ann{number}@example.org")
    async with World.open(world.own, mails.port) as other:
        await asyncio.gather(*(each.send_all() for each in (world, other, world, other)))
    await world.send_all()
    assert len(ids_of(mails)) == len(set(ids_of(mails))) == 40
    assert world.query("SELECT state, count(*) FROM deliveries GROUP BY state") == [("sent", 40)]
    assert world.query("SELECT count(*), count(DISTINCT event_id) FROM outbox") == [(40, 40)]
