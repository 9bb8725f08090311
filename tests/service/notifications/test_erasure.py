"""An erased person stays erased, in whatever order events arrive, and no replay brings them back."""

import asyncio
from itertools import permutations
from uuid import UUID, uuid4

import pytest

from shared.events.event import Event
from tests.service.notifications.events import accepted, erased, granted, opened, resolved, submitted
from tests.service.notifications.harness import NotificationsHarness
from tests.service.notifications.mail_server import STALL, MailServerForTests

PERSONAL = "service_request_id, service_code, language, person_id, contact, protects"
NOTHING = (None,) * 6


def kept(harness: NotificationsHarness, case_id: UUID) -> list[tuple[object, ...]]:
    """Return what is stored of the reporter of a case."""
    return harness.rows(f"SELECT {PERSONAL} FROM cases WHERE case_id = %s", case_id)


def empty_inbox(harness: NotificationsHarness) -> None:
    """Empty the inbox, so that every message counts as new: a replay."""
    harness.rows("DELETE FROM inbox")


async def test_of_an_erased_reporter_only_a_tombstone_is_left(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    case_id = await harness.report()
    await harness.consume(accepted(case_id))
    await harness.send_all()
    await harness.consume(erased(case_id))
    assert kept(harness, case_id) == [NOTHING]
    left = harness.rows(
        "SELECT DISTINCT state, agency, detail, traceparent FROM deliveries WHERE case_id = %s", case_id
    )
    assert left == [("sent", None, None, None)]
    assert len(mails.mails) == 2


async def test_queued_mails_of_an_erased_person_are_suppressed_and_an_event_says_so(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    case_id = await harness.report()
    await harness.consume(accepted(case_id))
    mails.answers_to_recipient = ["450 busy"]
    await harness.send_all()
    await harness.consume(erased(case_id))
    await harness.send_all()
    rows = harness.rows("SELECT state, problem FROM deliveries WHERE case_id = %s", case_id)
    assert rows == [("suppressed", "erased")] * 2
    assert harness.outbox_types(case_id) == ["notification.suppressed.v1"] * 2
    assert mails.mails == []


@pytest.mark.parametrize("order", list(permutations(range(4))))
async def test_in_any_order_of_arrival_the_reporter_stays_erased(
    harness: NotificationsHarness, mails: MailServerForTests, order: tuple[int, ...]
) -> None:
    """The vault still has the key here: the erasure in the table must be enough."""
    case_id = uuid4()
    person_id, contact = harness.seal("ann@example.org")
    events: list[Event] = [
        submitted(case_id, person_id, contact), erased(case_id, person_id), accepted(case_id),
        granted(case_id, uuid4()),
    ]  # fmt: skip
    for _ in range(2):
        await harness.consume(*(events[place] for place in order))
        empty_inbox(harness)
    await harness.send_all()
    assert kept(harness, case_id) == [NOTHING]
    assert mails.mails == []
    assert set(harness.states(case_id).values()) == {"suppressed"}
    assert harness.rows("SELECT DISTINCT agency, detail FROM deliveries WHERE case_id = %s", case_id) == [(None, None)]


async def test_both_topics_consumed_at_the_same_time_leave_nothing_of_the_erased(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    cases = [(uuid4(), *harness.seal(f"ann{number}@example.org")) for number in range(20)]
    await asyncio.gather(
        harness.consume(*(submitted(*case) for case in cases)),
        harness.consume(*(erased(case_id, person_id) for case_id, person_id, _ in cases)),
        harness.consume(*(accepted(case_id) for case_id, _, _ in reversed(cases))),
    )
    await harness.send_all()
    assert harness.rows(f"SELECT DISTINCT {PERSONAL} FROM cases") == [NOTHING]
    assert mails.mails == []


async def test_a_replay_sends_no_mail_again(harness: NotificationsHarness, mails: MailServerForTests) -> None:
    case_id, other = uuid4(), uuid4()
    events: list[Event] = []
    for each in (case_id, other):
        events += [submitted(each, *harness.seal("ann@example.org")), accepted(each), resolved(each)]
    await harness.consume(*events)
    await harness.send_all()
    await harness.consume(erased(case_id))
    empty_inbox(harness)
    await harness.consume(*events, erased(case_id))
    await harness.send_all()
    assert len(mails.mails) == 6
    assert set(harness.states(case_id).values()) == set(harness.states(other).values()) == {"sent"}


async def test_a_mail_that_is_being_sent_while_its_reporter_is_erased_gets_its_outcome(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    case_id = await harness.report()
    mails.answers_to_data = [STALL]
    server = harness.server()
    await server.connect()
    sending = asyncio.create_task(harness.worker(server).send_next())
    assert await asyncio.to_thread(mails.holding.wait, 30)
    await harness.consume(erased(case_id), accepted(case_id))
    mails.go_on.set()
    await sending
    await server.close()
    await harness.send_all()
    assert harness.states(case_id) == {"case-received": "sent", "referral-accepted": "suppressed"}
    assert len(mails.mails) == 1


async def test_the_privacy_office_is_still_notified_of_an_access_to_what_was_erased(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    case_id, access = await harness.report(service_request_id="SR-17"), uuid4()
    await harness.consume(erased(case_id), opened(case_id, access))
    await harness.send_all()
    [mail] = mails.mails
    assert mail["To"] == "privacy@sample-city.example.org"
    assert str(access) in mail.as_string()
    assert "SR-17" not in mail.as_string()
    assert harness.states(case_id)["emergency-access"] == "suppressed"
